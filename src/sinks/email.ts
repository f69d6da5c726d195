// Tells of incidents and alerts by e-mail over SMTP, in plain text, through `nodemailer`, which only this file imports.
// Whom it writes to is the configuration's; nothing of an event gets into an address or a header but the subject.
import { z } from "zod";
import { TaplineError, reasonOf, systemCode } from "../core/errors.ts";
import { plain } from "../core/said.ts";
import type { Component, Sink, SinkContext } from "../core/stage.ts";
import { readSecret } from "./connection.ts";
import { readAuthority, secretFrom } from "./http-channel.ts";
import { hidden } from "./notice-http.ts";
import { type Told, textOf } from "./notice-text.ts";
import { notifyShape } from "./notice-select.ts";
import { type Channel, Notifier, type Outcome, type Sent } from "./notifier.ts";

const SUBJECT_CHARS = 150;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;
const address = z.email();

const config = z
  .strictObject({
    type: z.literal("email"),
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
    ...notifyShape,
  })
  .superRefine((options, context) => {
    const { username, password_file, password_env, security, host } = options;
    const passwords = [password_file, password_env].filter((one) => one !== undefined).length;
    if (passwords !== (username === undefined ? 0 : 1))
      context.addIssue("username goes with one of password_file and password_env");
    if (security === "none" && !LOOPBACK.test(host))
      context.addIssue("security none is for a server on this machine: use tls or starttls");
  })
  .describe("Tells of incidents and alerts by e-mail, in plain text");
type Options = z.output<typeof config>;

/** What this file uses of a transport of nodemailer. */
interface Transport {
  verify(): Promise<unknown>;
  sendMail(mail: object): Promise<{ response?: string; accepted?: unknown[]; rejected?: unknown[] }>;
  close(): void;
}

class EmailChannel implements Channel {
  readonly name = "email";
  readonly recipients: readonly string[];
  readonly #options: Options;
  #transport: Transport | undefined;
  #secrets: readonly string[] = [];

  constructor(options: Options) {
    this.#options = options;
    this.recipients = options.to;
  }

  async open(): Promise<void> {
    const { host, security, username, password_file, password_env, ca_file } = this.#options;
    let auth: { user: string; pass: string } | undefined;
    if (username !== undefined) {
      const pass = password_file === undefined ? secretFrom(password_env!) : await readSecret(password_file);
      auth = { user: username, pass };
      // As the protocol sends it, too.
      const encoded = Buffer.from(`\u0000${username}\u0000${pass}`).toString("base64");
      this.#secrets = [pass, Buffer.from(pass).toString("base64"), encoded];
    }
    const ca = ca_file === undefined ? undefined : await readAuthority(ca_file);
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

  async check(signal: AbortSignal): Promise<void> {
    const transport = this.#transport!;
    const { host } = this.#options;
    try {
      await until(transport.verify(), signal);
    } catch (error) {
      const what = hidden(`${host} does not take mail: ${reasonOf(error)}`, this.#secrets);
      const remedy = "check host, port, security and the credentials";
      throw new TaplineError("SINK_UNREACHABLE", what, { retry: true, remedy });
    } finally {
      transport.close();
    }
  }

  async send(told: Told, { repeat, withheld }: Sent, signal: AbortSignal): Promise<Outcome> {
    if (this.#transport === undefined) await this.open();
    const more = repeat ? ["", "This may have arrived before."] : [];
    if (withheld > 0) more.push("", `Alerts not told one by one: ${withheld}.`);
    const mail = {
      from: this.#options.from,
      to: this.#options.to,
      subject: plain(`tapline: ${told.title}`).slice(0, SUBJECT_CHARS).toWellFormed(),
      text: `${textOf(told, more)}\n`,
      // The same for each attempt, so that a receiver can tell.
      messageId: `<${told.id}@tapline.invalid>`,
      headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
    };
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#options.timeout_s * 1000)]);
    try {
      const {
        response = "",
        accepted = [],
        rejected = [],
      } = await until(this.#transport!.sendMail(mail), limit);
      const refused = rejected.length === 0 ? "" : `; refused for ${rejected.map(String).join(", ")}`;
      const answer = hidden(response, this.#secrets) + refused;
      return {
        sent: true,
        answer,
        status: 250,
        retry: false,
        uncertain: false,
        recipients: accepted.map(String),
      };
    } catch (error) {
      return this.#failed(error);
    } finally {
      // Each time anew: a password that was changed is read then.
      await this.close();
    }
  }

  async close(): Promise<void> {
    this.#transport?.close();
    this.#transport = undefined;
  }

  #failed(error: unknown): Outcome {
    const { responseCode: status = 0, command = "" } = error as { responseCode?: number; command?: string };
    const code = systemCode(error) ?? "";
    // What the server answered is certain; without an answer, only what came before the mail itself is.
    const early =
      /^(?:CONN|EHLO|HELO|STARTTLS|AUTH|MAIL|RCPT)/.test(command) || /^(?:EDNS|EAUTH|ETLS)/.test(code);
    return {
      sent: false,
      answer: hidden(reasonOf(error), this.#secrets),
      status,
      retry: status === 0 || (status >= 400 && status < 500),
      uncertain: status === 0 && !early,
    };
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

export default {
  config,
  create: (options, context) => new Notifier(new EmailChannel(options), options, context),
} satisfies Component<typeof config, Sink, SinkContext>;
