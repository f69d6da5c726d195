// The anchor that puts each checkpoint into an object store under a retention lock: until it ends nobody can replace or
// remove it, whoever has the credential. Looks at every version, so that what was covered up is seen.
import { z } from "zod";
import { TaplineError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { openCheckpoint } from "../checkpoint.ts";
import { padded } from "../paths.ts";
import type { Anchor, Held, Published } from "./contract.ts";
import { holdAgainst } from "./held.ts";
import { ObjectStore, type Version } from "./object-store.ts";

const DAY_MS = 86_400_000;

const config = z
  .strictObject({
    type: z.literal("s3"),
    endpoint: z
      .url({ protocol: /^https?$/, error: "an http or https URL" })
      .describe("URL of the store, without the bucket"),
    bucket: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "the name of a bucket")
      .describe("Bucket that was made with object lock"),
    prefix: z
      .string()
      .regex(/^[\w./-]{0,200}$/, "a prefix: letters, digits, ., _, - and /")
      .default("")
      .describe("What keys begin with; the ledger's origin and the size follow"),
    region: z.string().min(1).default("us-east-1").describe("Region that requests are signed for"),
    access_key_id: z.string().min(1).describe("Id of the access key"),
    secret_key_file: z.string().min(1).optional().describe("File that holds the secret of the access key"),
    secret_key_env: z.string().min(1).optional().describe("Environment variable that holds it"),
    lock: z
      .enum(["compliance", "governance"])
      .default("compliance")
      .describe("Who can lift the lock: nobody, or who has a permission for it"),
    retention_days: z.int().min(1).max(36_500).describe("Days for which each checkpoint is locked"),
    every_s: z.int().min(1).max(86_400).default(900).describe("Seconds between two checkpoints"),
  })
  .superRefine(({ secret_key_file, secret_key_env }, context) => {
    if ((secret_key_file === undefined) === (secret_key_env === undefined))
      context.addIssue("give one of secret_key_file and secret_key_env");
  })
  .describe("Puts checkpoints into an object store (S3 API), locked for a time");
type Options = z.output<typeof config>;

class S3Anchor implements Anchor {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  async take(published: Published, signal: AbortSignal): Promise<string> {
    const { bucket, lock, retention_days } = this.#options;
    const store = await ObjectStore.open(this.#options);
    const said = `in the bucket ${bucket}, locked for ${retention_days} days (${lock})`;
    const mode = lock === "compliance" ? "COMPLIANCE" : "GOVERNANCE";
    const newest = await this.#newest(store, published, signal);
    if (newest?.size === published.size) {
      // It was put there before: by a store that takes no notice of locks, too, which was told then.
      await store.checkLock(newest.version, { mode, until: new Date() }, signal);
      return said;
    }
    const until = new Date(Date.now() + retention_days * DAY_MS);
    const key = `${this.#folder(published.origin)}${padded(published.size)}.checkpoint`;
    await store.add(key, published.text, { mode, until }, signal);
    return said;
  }

  /** The newest checkpoint that is there, held against the one that comes. */
  async #newest(
    store: ObjectStore,
    published: Published,
    signal: AbortSignal,
  ): Promise<{ size: number; version: Version } | undefined> {
    const versions = await store.versions(this.#folder(published.origin), signal);
    let tries = 0;
    for (const version of versions.toReversed()) {
      if (tries++ === LIMITS.anchor_page)
        throw new TaplineError(
          "ANCHOR_FAILED",
          `none of the ${LIMITS.anchor_page} last objects of ${published.origin} in the bucket ${this.#options.bucket} is a checkpoint that its key signed`,
          { remedy: "find out who writes there" },
        );
      const held = openCheckpoint(await store.read(version, signal), published.verifier);
      if (typeof held === "string") continue; // whoever may add may add what no key has signed
      await holdAgainst(held, nameOf(version), published);
      return { size: held.size, version };
    }
    return undefined;
  }

  async *held(origin: string, signal: AbortSignal): AsyncGenerator<Held> {
    const store = await ObjectStore.open(this.#options);
    for (const version of await store.versions(this.#folder(origin), signal))
      yield { place: nameOf(version), text: await store.read(version, signal) };
  }

  #folder(origin: string): string {
    return `${this.#options.prefix}${origin}/`;
  }
}

const nameOf = ({ key, id }: Version): string => `${key} (version ${id})`;

export default { config, create: (options: Options): Anchor => new S3Anchor(options) };
