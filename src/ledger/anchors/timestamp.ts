// The anchor that has each checkpoint stamped by a timestamping authority (RFC 3161): its entries existed then. Requests and
// answers are made and checked by the openssl of this machine; stamp and checkpoint stay here, to be handed on.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { TaplineError } from "../../core/errors.ts";
import { readIfThere } from "../bundles.ts";
import { makeDir, placeFile } from "../files.ts";
import type { Anchor, AnchorContext, Published } from "./contract.ts";
import { keepCheckpoint } from "./held.ts";
import { post } from "./post.ts";
import { runTool } from "./tool.ts";

const config = z
  .strictObject({
    type: z.literal("timestamp"),
    url: z.url({ protocol: /^https?$/, error: "an http or https URL" }).describe("URL of the authority"),
    ca_file: z.string().min(1).describe("PEM file of the certificates that the stamps are checked with"),
    every_s: z.int().min(60).max(86_400).default(3_600).describe("Seconds between two stamps"),
  })
  .describe("Has checkpoints stamped by a timestamping authority (RFC 3161); needs openssl");

const openssl = (args: readonly string[], signal: AbortSignal): Promise<string> =>
  runTool("openssl", args, `openssl ${args.slice(0, 2).join(" ")}`, signal);

/** The stamp of a checkpoint, checked. */
async function stamped(
  { url, ca_file }: z.output<typeof config>,
  { text }: Published,
  signal: AbortSignal,
): Promise<Buffer> {
  const dir = await mkdtemp(join(tmpdir(), "tapline-stamp-"));
  const [data, query, reply] = [join(dir, "checkpoint"), join(dir, "query.tsq"), join(dir, "reply.tsr")];
  try {
    await writeFile(data, text);
    await openssl(["ts", "-query", "-data", data, "-sha256", "-cert", "-out", query], signal);
    const answer = await post(url, await readFile(query), "application/timestamp-query", signal);
    if (answer.status !== 200)
      throw new TaplineError("ANCHOR_FAILED", `${url}: the authority answered ${answer.status}`, {
        retry: true,
      });
    await writeFile(reply, answer.body);
    await openssl(["ts", "-verify", "-queryfile", query, "-in", reply, "-CAfile", ca_file], signal);
    return answer.body;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

export default {
  config,
  create: (options: z.output<typeof config>, { dir }: AnchorContext): Anchor => ({
    async take(published, signal) {
      await makeDir(dir, dir);
      const path = (await keepCheckpoint(dir, published)).replace(/checkpoint$/, "tsr");
      // The first stamp of a checkpoint says the most: none is made anew.
      if ((await readIfThere(path)) === undefined)
        await placeFile(path, [await stamped(options, published, signal)], { sync: true });
      return `stamped by ${options.url}, kept in ${dir}`;
    },
  }),
};
