// SMTP for whoever writes mail, the sink and the anchor: options of the server, connection, sending. Through `nodemailer`, which
// only this file imports. What is in a mail is the caller's.
import { z } from "zod";
import { TaplineError, reasonOf } from "../core/errors.ts";
import { readText, secretOf } from "../core/secrets.ts";
import { hidden } from "./notice-http.ts";

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;
const address = z.email();

export const smtpShape = {
  host: z.string().min(1).describe("Name of the SMTP server"),
  port: z.int().min(1).max(65_535).optional().describe("Its port; 465 with `tls`, else 587"),
  security: z
    .enum(["tls", "starttls", "none"])
    .default("starttls")
    .describe("How the connection is encrypted; `none` is for servers on this machine"),
  username: z.string().min(1).optional().describe("User name at the server"),
  password_file: z.string().min(1).optional().describe("File that holds the password"),
  password_env: z.string().min(1).optional().describe("Environment variable that holds the password"),
  ca_file: z
    .string()
    .min(1)
    .optional()
    .describe("PEM file of the authority that signed the server's certificate"),
  from: address.describe("Address of the sender"),
  to: z.array(address).min(1).max(100).describe("Addresses of those who are told"),
  timeout_s: z.int().min(1).max(120).default(20).describe("Seconds until an unanswered server is given up"),
};
export type SmtpOptions = z.output<z.ZodObject<typeof smtpShape>>;

/** Checks that options which need each other are there. For `superRefine`. */
export function checkSmtp(options: SmtpOptions, context: { addIssue(message: string): void }): void {
  const { username, password_file, password_env, security, host } = options;
  const passwords = [password_file, password_env].filter((one) => one !== undefined).length;
  if (passwords !== (username === undefined ? 0 : 1))
    context.addIssue("username goes with one of password_file and password_env");
  if (security === "none" && !LOOPBACK.test(host))
    context.addIssue("security none is for a server on this machine: use tls or starttls");
}

/** What this file uses of a transport of nodemailer. */
interface Transport {
  verify(): Promise<unknown>;
  sendMail(mail: object): Promise<Sent>;
  close(): void;
}
interface Sent {
  readonly response?: string;
  readonly accepted?: readonly unknown[];
  readonly rejected?: readonly unknown[];
}

export interface Mail {
  readonly subject: string;
  readonly text: string;
  /** Of the message; the same for each attempt, so that a receiver can tell. */
  readonly id: string;
  readonly attachment?: { readonly filename: string; readonly content: string };
}

export class Mailer {
  readonly #options: SmtpOptions;
  #transport: Transport | undefined;
  #secrets: readonly string[] = [];

  constructor(options: SmtpOptions) {
    this.#options = options;
  }

  /** Reads the secrets. Throws SINK_SECRET. */
  async open(): Promise<void> {
    const { host, security, username, password_file, password_env, ca_file } = this.#options;
    let auth: { user: string; pass: string } | undefined;
    if (username !== undefined) {
      const pass = (await secretOf(password_file, password_env))!;
      auth = { user: username, pass };
      // As the protocol sends it, too.
      const encoded = Buffer.from(`\u0000${username}\u0000${pass}`).toString("base64");
      this.#secrets = [pass, Buffer.from(pass).toString("base64"), encoded];
    }
    const ca = ca_file === undefined ? undefined : await readText(ca_file);
    const { createTransport } = await import("nodemailer");
    const timeout_ms = this.#options.timeout_s * 1000;
    this.#transport?.close();
    this.#transport = createTransport({
      host,
      port: this.#options.port ?? (security === "tls" ? 465 : 587),
      secure: security === "tls",
      requireTLS: security === "starttls",
      ignoreTLS: security === "none",
      connectionTimeout: timeout_ms,
      greetingTimeout: timeout_ms,
      socketTimeout: timeout_ms,
      disableFileAccess: true,
      disableUrlAccess: true,
      ...(auth === undefined ? {} : { auth }),
      ...(ca === undefined ? {} : { tls: { ca, rejectUnauthorized: true } }),
    }) as Transport;
  }

  /** Throws SINK_UNREACHABLE when the server does not take mail. */
  async check(signal: AbortSignal): Promise<void> {
    const transport = this.#transport!;
    const { host } = this.#options;
    try {
      await until(transport.verify(), signal);
    } catch (error) {
      const what = this.hidden(`${host} does not take mail: ${reasonOf(error)}`);
      const remedy = "check host, port, security and the credentials";
      throw new TaplineError("SINK_UNREACHABLE", what, { retry: true, remedy });
    } finally {
      transport.close();
    }
  }

  /** Sends one mail and closes the connection: a password that was changed is read with the next. Throws what nodemailer
   * throws; its text may hold secrets, see `hidden`. */
  async send({ subject, text, id, attachment }: Mail, signal: AbortSignal): Promise<Sent> {
    if (this.#transport === undefined) await this.open();
    const mail = {
      from: this.#options.from,
      to: this.#options.to,
      subject,
      text,
      messageId: `<${id}@tapline.invalid>`,
      headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
      ...(attachment === undefined
        ? {}
        : {
            // Base64 keeps every byte: a line's end that is changed on the way would undo a signature.
            attachments: [
              { ...attachment, contentType: "application/octet-stream", contentTransferEncoding: "base64" },
            ],
          }),
    };
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#options.timeout_s * 1000)]);
    try {
      return await until(this.#transport!.sendMail(mail), limit);
    } finally {
      this.close();
    }
  }

  /** The text without secrets, on one line. */
  hidden(text: string): string {
    return hidden(text, this.#secrets);
  }

  close(): void {
    this.#transport?.close();
    this.#transport = undefined;
  }
}

/** Rejects when the signal comes first. */
async function until<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(new Error("no answer in time"));
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop);
  work.catch(() => {}); // it may end after nobody waits for it
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
