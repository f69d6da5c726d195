// What the sinks for Elasticsearch and OpenSearch ask of a client, and the options of their connection.
// Secrets come from files and the environment only, are read on connecting, and never reach a message.
import { z } from "zod";
import { TaplineError, reasonOf } from "../core/errors.ts";
import { CLASSES } from "../core/generated/classes.ts";
import { LIMITS } from "../core/limits.ts";
import { readText, secretOf } from "../core/secrets.ts";

type Query = Readonly<Record<string, string>>;
export interface Answer {
  readonly status: number;
  /** The body as it came: callers parse what they need. */
  readonly text: string;
  /** For how long the server asks to be left alone. */
  readonly wait_ms?: number;
}

/** One official client. */
export interface Server {
  /** Rejects only with TaplineError: SINK_UNREACHABLE (the outcome is unknown) or SINK_STOPPED. */
  request(
    method: string,
    path: string,
    query: Query,
    body: Body | undefined,
    signal: AbortSignal,
  ): Promise<Answer>;
  close(): Promise<void>;
}
interface Body {
  readonly bytes: Buffer | string;
  readonly type: "json" | "ndjson";
}

const url = z
  .url({ protocol: /^https?$/, error: "an http or https URL" })
  .refine(
    (text) => (URL.parse(text)?.username ?? "") === "",
    "a URL without user and password: use username and password_file",
  );

export const connectionShape = {
  url: z
    .preprocess((value) => (typeof value === "string" ? [value] : value), z.array(url).min(1).max(64))
    .describe("URL of the server, or a list of URLs of one cluster"),
  username: z.string().min(1).optional().describe("User name for basic authentication"),
  password_file: z.string().min(1).optional().describe("File that holds the password"),
  password_env: z.string().min(1).optional().describe("Environment variable that holds the password"),
  ca_file: z
    .string()
    .min(1)
    .optional()
    .describe("PEM file of the authority that signed the server's certificate"),
  timeout_s: z.int().min(1).max(600).default(60).describe("Seconds until an unanswered request is given up"),
};
export type ConnectionOptions = z.output<z.ZodObject<typeof connectionShape>>;

const DATASETS = [...new Set(Object.values(CLASSES).map(({ dataset }) => dataset))];

/** What a sink may be told not to ship. */
export const leave_out = z
  .array(z.enum(DATASETS as [string, ...string[]]))
  .default([])
  .describe(
    "Datasets that are not shipped: they stay in the ledger, and in the store where there is one, and are counted as filtered",
  );

/** Checks that options which need each other are there. For `superRefine`. */
export function checkCredentials(
  options: ConnectionOptions,
  context: { addIssue(message: string): void },
): void {
  const { username, password_file, password_env } = options;
  const passwords = Number(password_file !== undefined) + Number(password_env !== undefined);
  if (username !== undefined && passwords !== 1) {
    context.addIssue("username needs one of password_file and password_env");
  }
  if (username === undefined && passwords > 0) context.addIssue("a password needs username");
}

export interface Credentials {
  readonly basic: { readonly username: string; readonly password: string } | undefined;
  readonly ca: string | undefined;
}

/** User, password and authority, read now: a new connection takes secrets that were changed. */
export async function readCredentials(options: ConnectionOptions): Promise<Credentials> {
  const { username, password_file, password_env, ca_file } = options;
  const password = await secretOf(password_file, password_env);
  return {
    basic: username === undefined || password === undefined ? undefined : { username, password },
    ca: ca_file === undefined ? undefined : await readText(ca_file),
  };
}

/** For how long a Retry-After header, in seconds or as a date, asks to wait; no longer than between any two tries. */
export function waitOf(header: string | string[] | undefined): number {
  const text = String(header ?? "");
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Math.min(LIMITS.retry_ms_max, Math.max(0, ms || 0));
}

/** Statuses that the clients must hand over instead of throwing: all of them. */
export const EVERY_STATUS = Array.from({ length: 300 }, (_, i) => 300 + i);

/** The error for a request that got no answer. `deadline` tells whether it was us who gave up. */
export function unreachable(
  error: unknown,
  stopped: boolean,
  timedOut: boolean,
  timeoutS: number,
): TaplineError {
  if (stopped) return new TaplineError("SINK_STOPPED", "stopped before the server answered", { retry: true });
  const certificate = /certificate|self[- ]signed|altname|CERT_|SSL/i.test(reasonOf(error));
  const reason = timedOut ? `no answer in ${timeoutS} s` : reasonOf(error);
  return new TaplineError(
    certificate ? "SINK_TLS" : "SINK_UNREACHABLE",
    `the server cannot be reached: ${reason}`,
    {
      retry: true,
      remedy: certificate
        ? "check ca_file and the name in the server's certificate"
        : "check url and the server",
    },
  );
}
