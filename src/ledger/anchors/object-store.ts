// What the anchor `s3` asks of an object store: versions of objects, their bytes, and adding one under a lock. Speaks the S3
// API, signed by `aws4fetch`, which only this file imports. Knows nothing of checkpoints.
import { hash } from "node:crypto";
import { TaplineError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { secretOf } from "../../core/secrets.ts";
import { type Answered, ask } from "./post.ts";

export interface StoreOptions {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly access_key_id: string;
  readonly secret_key_file?: string | undefined;
  readonly secret_key_env?: string | undefined;
}

/** One version of an object. What was deleted without its lock's leave is still there as a version. */
export interface Version {
  readonly key: string;
  readonly id: string;
}

export interface Lock {
  readonly mode: "COMPLIANCE" | "GOVERNANCE";
  readonly until: Date;
}

interface Client {
  sign(url: string, init: RequestInit): Promise<Request>;
}

export class ObjectStore {
  readonly #options: StoreOptions;
  readonly #base: string;
  readonly #client: Client;

  private constructor(options: StoreOptions, client: Client) {
    this.#options = options;
    this.#base = `${options.endpoint.replace(/\/+$/, "")}/${encodeURIComponent(options.bucket)}`;
    this.#client = client;
  }

  /** Reads the secret. Throws SINK_SECRET. */
  static async open(options: StoreOptions): Promise<ObjectStore> {
    const { AwsClient } = await import("aws4fetch");
    const { access_key_id: accessKeyId, secret_key_file: file, secret_key_env, region } = options;
    const secretAccessKey = (await secretOf(file, secret_key_env))!;
    return new ObjectStore(options, new AwsClient({ accessKeyId, secretAccessKey, region, service: "s3" }));
  }

  /** Versions of the objects under a prefix, by key, the oldest of a key first; markers of deletion are left out. */
  async versions(prefix: string, signal: AbortSignal): Promise<Version[]> {
    const found: Version[] = [];
    let next = "";
    do {
      const query = `versions&encoding-type=url&prefix=${encodeURIComponent(prefix)}${next}`;
      const { body } = await this.#ask("GET", `?${query}`, undefined, signal, [200]);
      const text = body.toString();
      for (const [, version] of text.matchAll(/<Version>(.*?)<\/Version>/gs)) {
        const [key, id] = [tag(version!, "Key"), tag(version!, "VersionId")];
        if (key !== undefined && id !== undefined) found.push({ key: decode(key), id });
      }
      if (found.length > LIMITS.held_checkpoints)
        throw this.#failed(`holds more than ${LIMITS.held_checkpoints} checkpoints: name another prefix`);
      const [key, id] = [tag(text, "NextKeyMarker"), tag(text, "NextVersionIdMarker")];
      const more = tag(text, "IsTruncated") === "true" && key !== undefined;
      next = more
        ? `&key-marker=${key}${id === undefined ? "" : `&version-id-marker=${encodeURIComponent(id)}`}`
        : "";
    } while (next !== "");
    // Within a key the newest comes first.
    return found.toReversed().sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  async read({ key, id }: Version, signal: AbortSignal): Promise<string> {
    const path = `/${encoded(key)}?versionId=${encodeURIComponent(id)}`;
    return (await this.#ask("GET", path, undefined, signal, [200])).body.toString();
  }

  /** Adds an object that nobody can remove before `until`, and looks whether it is locked so. Throws ANCHOR_FAILED. */
  async add(key: string, text: string, { mode, until }: Lock, signal: AbortSignal): Promise<void> {
    const headers = {
      "content-md5": hash("md5", text, "base64"),
      "content-type": "text/plain; charset=utf-8",
      "x-amz-object-lock-mode": mode,
      "x-amz-object-lock-retain-until-date": until.toISOString(),
    };
    const put = await this.#ask("PUT", `/${encoded(key)}`, { body: text, headers }, signal, [200]);
    const id = put.headers.get("x-amz-version-id");
    if (id === null)
      throw this.#failed("keeps no versions, so that what is there can be replaced: it has no object lock");
    await this.checkLock({ key, id }, { mode, until }, signal);
  }

  /** Looks whether a version is locked so, until then at least. Throws ANCHOR_FAILED. */
  async checkLock({ key, id }: Version, { mode, until }: Lock, signal: AbortSignal): Promise<void> {
    const path = `/${encoded(key)}?versionId=${encodeURIComponent(id)}`;
    const { headers } = await this.#ask("HEAD", path, undefined, signal, [200]);
    const locked = headers.get("x-amz-object-lock-mode") ?? "none";
    const kept = headers.get("x-amz-object-lock-retain-until-date") ?? "never";
    if (locked !== mode || !(Date.parse(kept) >= until.getTime() - 1_000))
      throw this.#failed(`holds ${key} without the lock that was asked for: ${locked} until ${kept}`);
  }

  async #ask(
    method: string,
    path: string,
    sent: { body: string; headers: Record<string, string> } | undefined,
    signal: AbortSignal,
    good: readonly number[],
  ): Promise<Answered> {
    const digest = hash("sha256", sent?.body ?? "", "hex");
    const headers = { ...sent?.headers, "x-amz-content-sha256": digest };
    const init = { method, headers, ...(sent === undefined ? {} : { body: sent.body }) };
    const answer = await ask(await this.#client.sign(`${this.#base}${path}`, init), signal);
    if (good.includes(answer.status)) return answer;
    const text = answer.body.toString();
    const said = [tag(text, "Code"), tag(text, "Message")].filter((part) => part !== undefined).join(": ");
    throw this.#failed(
      `answered ${answer.status} to ${method} ${path}${said === "" ? "" : `: ${said.slice(0, 300)}`}`,
    );
  }

  #failed(what: string): TaplineError {
    return new TaplineError(
      "ANCHOR_FAILED",
      `the bucket ${this.#options.bucket} at ${this.#options.endpoint} ${what}`,
      {
        retry: true,
        remedy:
          "check the anchor's options, that the bucket was made with object lock, and what its credential may do",
      },
    );
  }
}

const tag = (xml: string, name: string): string | undefined =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];

/** As `encoding-type=url` writes a key. */
const decode = (key: string): string => decodeURIComponent(key.replaceAll("+", " "));

const encoded = (key: string): string => key.split("/").map(encodeURIComponent).join("/");
