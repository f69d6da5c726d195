// The anchor that mails each checkpoint to people outside, an auditor say: what is in their mailbox the collector's keeper
// cannot take back. It cannot look into mailboxes; what it holds new ones against is what it keeps here of those sent.
import { z } from "zod";
import { TaplineError, reasonOf } from "../../core/errors.ts";
import { Mailer, checkSmtp, smtpShape } from "../../sinks/smtp.ts";
import { readIfThere } from "../bundles.ts";
import { makeDir, placeFile } from "../files.ts";
import { padded } from "../paths.ts";
import type { Anchor, AnchorContext, Published } from "./contract.ts";
import { keepCheckpoint } from "./held.ts";

const config = z
  .strictObject({
    type: z.literal("email"),
    ...smtpShape,
    every_s: z.int().min(60).max(604_800).default(86_400).describe("Seconds between two mails"),
  })
  .superRefine(checkSmtp)
  .describe("Mails checkpoints, each as an attachment");

function textOf({ origin, size, text }: Published): string {
  return `This is a checkpoint of the ledger ${origin}: its first ${size} entries, as they are now.

Keep the attachment with those of before, in one directory. With the key that you were given by another way
(ledger.vkey), it tells whether anything before it was changed, removed, reordered or cut off:

  tapline ledger verify DIR --vkey ledger.vkey --checkpoint DIRECTORY

The same text, for reading:

${text}`;
}

export default {
  config,
  create: (options: z.output<typeof config>, { dir }: AnchorContext): Anchor => {
    const mailer = new Mailer(options);
    return {
      async take(published, signal) {
        await makeDir(dir, dir);
        const kept = await keepCheckpoint(dir, published);
        const sent = kept.replace(/checkpoint$/, "mailed");
        const there = await readIfThere(sent);
        if (there !== undefined) return there.toString().trim();
        const { origin, size } = published;
        const mail = {
          subject: `Checkpoint of the ledger ${origin} at ${size} entries`,
          text: textOf(published),
          id: `checkpoint-${size}-${Buffer.from(published.root).toString("hex").slice(0, 16)}`,
          attachment: { filename: `${padded(size)}.checkpoint`, content: published.text },
        };
        const { accepted = [], rejected = [] } = await mailer.send(mail, signal).catch((cause: unknown) => {
          throw new TaplineError("ANCHOR_FAILED", mailer.hidden(`${options.host}: ${reasonOf(cause)}`), {
            retry: true,
            remedy: "check the anchor's host, port, security and credentials",
          });
        });
        if (rejected.length > 0)
          throw new TaplineError(
            "ANCHOR_FAILED",
            `${options.host} refused the mail to ${rejected.map(String).join(", ")}`,
            { retry: true },
          );
        const said = `mailed to ${accepted.map(String).join(", ")}`;
        await placeFile(sent, [Buffer.from(`${said}\n`)], { sync: true });
        return said;
      },
    };
  },
};
