// The anchor that has checkpoints cosigned by witnesses (C2SP tlog-witness): each knows the last one that it signed and signs
// nothing that is not a continuation. What they signed lies with the ledger as `checkpoint.cosigned`.
import { join } from "node:path";
import { z } from "zod";
import { TaplineError, reasonOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { type Witness, openCosignature, parseWitness } from "../cosignature.ts";
import { placeFile } from "../files.ts";
import { parseNote, parseSignature } from "../note.ts";
import { COSIGNED } from "../paths.ts";
import { type Anchor, type AnchorContext, Contradiction, type Published } from "./contract.ts";
import { post } from "./post.ts";

const vkey = z.string().refine(isWitnessKey, "the key of a witness (name+id+key, Ed25519 or ML-DSA-44)");
const config = z
  .strictObject({
    type: z.literal("witness"),
    witnesses: z
      .array(
        z.strictObject({
          url: z.url({ protocol: /^https?$/, error: "an http or https URL" }),
          vkey,
        }),
      )
      .min(1)
      .max(32)
      .describe(
        "Each with `url`, below which it takes checkpoints (`add-checkpoint`), and `vkey`, its public key",
      ),
    quorum: z.int().min(1).max(32).default(1).describe("How many of them have to sign"),
    every_s: z.int().min(1).max(86_400).default(60).describe("Seconds between two checkpoints"),
  })
  .superRefine(({ quorum, witnesses }, context) => {
    if (quorum > witnesses.length) context.addIssue("quorum is larger than the number of witnesses");
  })
  .describe(
    "Has checkpoints cosigned by witnesses (C2SP tlog-witness), who sign nothing that is not a continuation",
  );

function isWitnessKey(text: string): boolean {
  try {
    parseWitness(text);
    return true;
  } catch {
    return false;
  }
}

/** Witnesses behind one URL, which sign together, and the size that they signed last as far as is known. */
class Client {
  readonly #url: string;
  readonly #keys: readonly Witness[];
  #known = 0;

  constructor(url: string, keys: readonly Witness[]) {
    this.#url = `${url.replace(/\/+$/, "")}/add-checkpoint`;
    this.#keys = keys;
  }

  /** The lines with which they cosigned, one a key. Throws Contradiction, ANCHOR_FAILED. */
  async cosign(published: Published, signal: AbortSignal): Promise<string[]> {
    const name = this.#keys.map((key) => key.name).join(", ");
    for (let tries = 0; tries < LIMITS.witness_tries; tries++) {
      const proof = await published.consistency(this.#known);
      const lines = [`old ${this.#known}`, ...proof.map((hash) => Buffer.from(hash).toString("base64"))];
      const body = Buffer.from(`${lines.join("\n")}\n\n${published.text}`);
      const answer = await post(this.#url, body, "text/plain; charset=utf-8", signal);
      const text = answer.body.toString();
      if (answer.status === 200) return this.#accept(published, text);
      const size = /^(0|[1-9]\d{0,15})\n?$/.exec(text)?.[1];
      if (answer.status === 422)
        throw new Contradiction(
          `the witness ${name} holds another history (422): ${text.trim().slice(0, 200)}`,
        );
      if (answer.status !== 409 || size === undefined)
        throw this.#failed(`it answered ${answer.status}: ${text.trim().slice(0, 200)}`);
      if (Number(size) > published.size)
        throw new Contradiction(
          `the witness ${name} has signed ${size} entries (409), the ledger's checkpoint has ${published.size}: ` +
            "entries were cut off",
        );
      this.#known = Number(size);
    }
    throw this.#failed("it names another size each time");
  }

  /** Takes the lines that are cosignatures of theirs; others are left out. */
  #accept(published: Published, text: string): string[] {
    const { body } = parseNote(published.text)!;
    const all = text.split("\n").map((line) => ({ line, signature: parseSignature(line) }));
    const lines = this.#keys.flatMap((key) => {
      const own = all.find(
        ({ signature: s }) => s !== undefined && openCosignature(s, key, published, body) !== undefined,
      );
      return own === undefined ? [] : [own.line];
    });
    if (lines.length === 0)
      throw this.#failed("its answer holds no valid cosignature under the key configured");
    this.#known = published.size;
    return lines;
  }

  #failed(what: string): TaplineError {
    return new TaplineError("ANCHOR_FAILED", `the witness at ${this.#url}: ${what}`, {
      retry: true,
    });
  }
}

export default {
  config,
  create: ({ witnesses, quorum }: z.output<typeof config>, { ledger_dir }: AnchorContext): Anchor => {
    const clients = [...Map.groupBy(witnesses, ({ url }) => url)].map(
      ([url, ones]) =>
        new Client(
          url,
          ones.map((one) => parseWitness(one.vkey)),
        ),
    );
    return {
      async take(published, signal) {
        const asked = await Promise.allSettled(clients.map((client) => client.cosign(published, signal)));
        const refused = asked.filter((one) => one.status === "rejected").map((one) => one.reason as unknown);
        for (const reason of refused) if (reason instanceof Contradiction) throw reason;
        const signed = asked.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
        if (signed.length < quorum) {
          const why = refused.map(reasonOf).join("; ");
          throw new TaplineError(
            "ANCHOR_FAILED",
            `${signed.length} of ${witnesses.length} witnesses signed, and ${quorum} are needed: ${why}`,
            { retry: true },
          );
        }
        const text = `${published.text}${signed.join("\n")}\n`;
        await placeFile(join(ledger_dir, COSIGNED), [Buffer.from(text)], { sync: true });
        return `cosigned by ${signed.length} of ${witnesses.length} witnesses`;
      },
    };
  },
};
