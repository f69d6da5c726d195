// What `webhook` and `slack` have in common: where the address and the secrets come from, and the sending. Secrets are
// read anew when the receiver refuses them.
import { z } from "zod";
import { readText, secretOf } from "../core/secrets.ts";
import { type Target, postJson, reach, targetUrl } from "./notice-http.ts";
import type { Told } from "./notice-text.ts";
import type { Channel, Outcome, Sent } from "./notifier.ts";

export const httpShape = {
  url: z.string().min(1).optional().describe("URL of the receiver, when nothing in it is a secret"),
  url_file: z.string().min(1).optional().describe("File that holds the URL"),
  url_env: z.string().min(1).optional().describe("Environment variable that holds the URL"),
  ca_file: z
    .string()
    .min(1)
    .optional()
    .describe("PEM file of the authority that signed the receiver's certificate"),
  timeout_s: z.int().min(1).max(120).default(10).describe("Seconds until an unanswered request is given up"),
};

export interface HttpOptions {
  readonly url?: string | undefined;
  readonly url_file?: string | undefined;
  readonly url_env?: string | undefined;
  readonly ca_file?: string | undefined;
  readonly timeout_s: number;
}

interface Extra {
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

interface Kind<O> {
  body(told: Told, more: Sent): string;
  headers(options: O): Promise<Extra>;
}

/** Checks that one of the options is there. For `superRefine`. */
export function oneOf(
  options: Readonly<Record<string, unknown>>,
  names: readonly string[],
  context: { addIssue(message: string): void },
): void {
  const given = names.filter((name) => options[name] !== undefined);
  if (given.length !== 1) context.addIssue(`give one of ${names.join(", ")}`);
}

export class HttpChannel<O extends HttpOptions> implements Channel {
  readonly name: string;
  readonly #options: O;
  readonly #kind: Kind<O>;
  #target: Target | undefined;

  constructor(name: string, options: O, kind: Kind<O>) {
    this.name = name;
    this.#options = options;
    this.#kind = kind;
  }

  /** The host alone: of the address of a hook the rest is a secret. */
  get recipients(): readonly string[] {
    return this.#target === undefined ? [] : [this.#target.url.host];
  }

  async open(): Promise<void> {
    const { url, url_file, url_env, ca_file, timeout_s } = this.#options;
    const where = url_file ?? url_env ?? "url";
    const text = url ?? (await secretOf(url_file, url_env))!;
    const parsed = targetUrl(text, where);
    const { headers, secrets } = await this.#kind.headers(this.#options);
    const path = `${parsed.pathname}${parsed.search}`;
    const own = url === undefined ? [parsed.href, text, path, parsed.pathname] : [];
    const ca = ca_file === undefined ? undefined : await readText(ca_file);
    this.#target = { url: parsed, headers, secrets: [...own, ...secrets], ca, timeout_s };
  }

  async check(signal: AbortSignal): Promise<void> {
    await reach(this.#target!, signal);
  }

  async send(told: Told, more: Sent, signal: AbortSignal): Promise<Outcome> {
    if (this.#target === undefined) await this.open();
    const target = this.#target!;
    const headers = { ...target.headers, "idempotency-key": told.id };
    const outcome = await postJson({ ...target, headers }, this.#kind.body(told, more), signal);
    // The secret may have been changed meanwhile: the next one reads it again.
    if (outcome.status === 401 || outcome.status === 403 || outcome.status === 404) this.#target = undefined;
    return outcome.recipients === undefined ? { ...outcome, recipients: [target.url.host] } : outcome;
  }

  async close(): Promise<void> {
    this.#target = undefined;
  }
}
