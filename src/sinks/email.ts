// Tells of incidents and alerts by e-mail, in plain text. Whom it writes to is the configuration's; nothing of an event gets
// into an address or a header but the subject.
import { z } from "zod";
import { reasonOf, systemCode } from "../core/errors.ts";
import { plain } from "../core/said.ts";
import type { Component, Sink, SinkContext } from "../core/stage.ts";
import { type Told, textOf } from "./notice-text.ts";
import { notifyShape } from "./notice-select.ts";
import { type Channel, Notifier, type Outcome, type Sent } from "./notifier.ts";
import { Mailer, checkSmtp, smtpShape } from "./smtp.ts";

const SUBJECT_CHARS = 150;

const config = z
  .strictObject({ type: z.literal("email"), ...smtpShape, ...notifyShape })
  .superRefine(checkSmtp)
  .describe("Tells of incidents and alerts by e-mail, in plain text");

class EmailChannel implements Channel {
  readonly name = "email";
  readonly recipients: readonly string[];
  readonly #mailer: Mailer;

  constructor(options: z.output<typeof config>) {
    this.recipients = options.to;
    this.#mailer = new Mailer(options);
  }

  open(): Promise<void> {
    return this.#mailer.open();
  }

  check(signal: AbortSignal): Promise<void> {
    return this.#mailer.check(signal);
  }

  async send(told: Told, { repeat, withheld }: Sent, signal: AbortSignal): Promise<Outcome> {
    const more = repeat ? ["", "This may have arrived before."] : [];
    if (withheld > 0) more.push("", `Alerts not told one by one: ${withheld}.`);
    const mail = {
      subject: plain(`tapline: ${told.title}`).slice(0, SUBJECT_CHARS).toWellFormed(),
      text: `${textOf(told, more)}\n`,
      id: told.id,
    };
    try {
      const { response = "", accepted = [], rejected = [] } = await this.#mailer.send(mail, signal);
      const refused = rejected.length === 0 ? "" : `; refused for ${rejected.map(String).join(", ")}`;
      const answer = this.#mailer.hidden(response) + refused;
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
    }
  }

  async close(): Promise<void> {
    this.#mailer.close();
  }

  #failed(error: unknown): Outcome {
    const { responseCode: status = 0, command = "" } = error as { responseCode?: number; command?: string };
    const code = systemCode(error) ?? "";
    // What the server answered is certain; without an answer, only what came before the mail itself is.
    const early =
      /^(?:CONN|EHLO|HELO|STARTTLS|AUTH|MAIL|RCPT)/.test(command) || /^(?:EDNS|EAUTH|ETLS)/.test(code);
    return {
      sent: false,
      answer: this.#mailer.hidden(reasonOf(error)),
      status,
      retry: status === 0 || (status >= 400 && status < 500),
      uncertain: status === 0 && !early,
    };
  }
}

export default {
  config,
  create: (options, context) => new Notifier(new EmailChannel(options), options, context),
} satisfies Component<typeof config, Sink, SinkContext>;
