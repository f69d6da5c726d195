// The sink that `webhook`, `slack` and `email` have in common: sends one notification after the other with bounded
// retries, and hands what the receiver answered to the collector, which records it. Knows no channel by name.
import { join } from "node:path";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { DeadLetter, EntryBatch, Sink, SinkContext, WriteResult } from "../core/stage.ts";
import { InOrder } from "../core/in-order.ts";
import { Journal, type Sending } from "./notice-journal.ts";
import { type NotifyOptions, wanted } from "./notice-select.ts";
import type { Told } from "./notice-text.ts";

/** What came of one attempt. */
export interface Outcome {
  readonly sent: boolean;
  /** What the receiver answered, or why it did not; without secrets. */
  readonly answer: string;
  readonly status: number;
  /** Whether another attempt may succeed, and whether this one may have arrived. */
  readonly retry: boolean;
  readonly uncertain: boolean;
  /** Who was told, where it is not all of the channel's. */
  readonly recipients?: readonly string[] | undefined;
}

/** One way to tell somebody. */
export interface Channel {
  readonly name: string;
  /** Whom it tells; no secrets. */
  readonly recipients: readonly string[];
  /** Reads secrets. Throws SINK_SECRET. */
  open(): Promise<void>;
  /** Whether the receiver is there; sends nothing. */
  check(signal: AbortSignal): Promise<void>;
  send(told: Told, more: Sent, signal: AbortSignal): Promise<Outcome>;
  close(): Promise<void>;
}

export interface Sent {
  /** An earlier attempt may have arrived. */
  readonly repeat: boolean;
  /** Alerts before it that were not told one by one. */
  readonly withheld: number;
}

type Fate = "created" | "existing" | "filtered" | DeadLetter;

const HOUR_MS = 3_600_000;

export class Notifier implements Sink {
  readonly #channel: Channel;
  readonly #options: NotifyOptions;
  readonly #context: SinkContext;
  readonly #made_ms: number;
  #journal: Journal | undefined;
  readonly #turns = new InOrder();
  /** First entry of a batch with a notification that has to be tried again: nothing after it is told before. */
  #held: number | undefined;
  #hour = { from_ms: 0, alerts: 0, withheld: 0 };

  constructor(channel: Channel, options: NotifyOptions, context: SinkContext) {
    this.#channel = channel;
    this.#options = options;
    this.#context = context;
    this.#made_ms = context.now();
  }

  async open(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { state_dir, name } = this.#context;
    this.#journal ??= Journal.open(join(state_dir, "notices"), name, this.#made_ms);
    await this.#channel.open();
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#channel.open();
    await this.#channel.check(signal);
  }

  /** One at a time, in the order of the calls. */
  write(batch: EntryBatch, _resent: boolean, signal: AbortSignal): Promise<WriteResult> {
    return this.#turns.take(() => this.#batch(batch, signal));
  }

  async close(): Promise<void> {
    await this.#turns.idle();
    this.#held = undefined;
    this.#journal?.close();
    this.#journal = undefined;
    await this.#channel.close();
  }

  async #batch(batch: EntryBatch, signal: AbortSignal): Promise<WriteResult> {
    if (this.#held !== undefined && batch.first > this.#held)
      throw new TaplineError("NOTIFY_WAITS", "an earlier notification is not sent yet", { retry: true });
    const dead: DeadLetter[] = [];
    const counts = { created: 0, existing: 0 };
    const all = wanted(batch, this.#options, this.#context.name, this.#journal!.since_ms);
    this.#held = all.length === 0 ? undefined : batch.first;
    let withheld = 0;
    for (const told of all) {
      const fate = await this.#tell(told, signal);
      if (typeof fate === "object") dead.push(fate);
      else if (fate === "filtered") withheld++;
      else counts[fate]++;
    }
    this.#held = undefined;
    this.#hour.withheld += withheld;
    const filtered = batch.count - counts.created - counts.existing - dead.length;
    return { ...counts, dead, filtered };
  }

  async #tell(told: Told, signal: AbortSignal): Promise<Fate> {
    const journal = this.#journal!;
    const before = journal.get(told.id);
    if (before?.state === "recorded" && before.delivered === true) return "existing";
    if (before?.state === "sent" || before?.state === "failed") return this.#record(told, before);
    if (told.kind === "alert" && before === undefined && this.#isTooMany()) return "filtered";
    if (signal.aborted) throw stopped();
    const again = before?.state === "sending" || before?.state === "waiting";
    const sending: Sending = {
      state: "sending",
      attempts: (before?.attempts ?? 0) + 1,
      tries: again ? before.tries + 1 : 1,
      since_ms: again ? before.since_ms : this.#context.now(),
      uncertain: before?.state === "sending" || before?.uncertain === true,
    };
    journal.put(told.id, sending);
    const more = { repeat: sending.uncertain, withheld: this.#hour.withheld };
    const outcome = await this.#channel.send(told, more, signal);
    if (!outcome.sent && signal.aborted) throw stopped();
    const after: Sending = {
      ...sending,
      uncertain: sending.uncertain || outcome.uncertain,
      answer: outcome.answer.slice(0, LIMITS.notify_answer_chars).toWellFormed(),
      recipients: outcome.recipients ?? this.#channel.recipients,
      delivered: outcome.sent,
      state: outcome.sent ? "sent" : this.#isLast(sending, outcome) ? "failed" : "waiting",
    };
    // Of what was sent, whether it may have arrived before is what counts.
    const kept = outcome.sent ? { ...after, uncertain: sending.uncertain } : after;
    journal.put(told.id, kept);
    if (outcome.sent) this.#hour.withheld -= more.withheld;
    if (kept.state === "waiting") throw this.#trouble(outcome);
    return this.#record(told, kept, outcome.status);
  }

  /** Hands what came of it to the collector. */
  #record(told: Told, sending: Sending, status = 0): Fate {
    const { attempts, answer, delivered, recipients = [] } = sending;
    const { name: channel } = this.#channel;
    this.#context.submit({
      incident: told.incident,
      transition: "notified",
      notice: {
        id: told.id,
        channel,
        sink: this.#context.name,
        recipients,
        answer,
        attempts,
        repeat: sending.uncertain && delivered === true,
        delivered: delivered === true,
        cause: told.event_id,
      },
    });
    this.#journal!.put(told.id, { ...sending, state: "recorded" });
    if (delivered === true) return "created";
    return { index: told.index, id: told.event_id, status, reason: answer ?? "" };
  }

  #isLast({ tries, since_ms }: Sending, { retry }: Outcome): boolean {
    if (!retry) return true;
    return tries >= LIMITS.notify_tries && this.#context.now() - since_ms >= LIMITS.notify_give_up_ms;
  }

  /** Of a flood of alerts the first are told one by one, and of the others how many. */
  #isTooMany(): boolean {
    const now_ms = this.#context.now();
    if (now_ms - this.#hour.from_ms >= HOUR_MS) this.#hour = { ...this.#hour, from_ms: now_ms, alerts: 0 };
    if (++this.#hour.alerts <= LIMITS.notify_alerts_per_hour) return false;
    if (this.#hour.alerts === LIMITS.notify_alerts_per_hour + 1)
      this.#context.log("warn", `${this.#hour.alerts} alerts in an hour: no more are told one by one`);
    return true;
  }

  #trouble({ answer, uncertain }: Outcome): TaplineError {
    const { name, recipients } = this.#channel;
    const lost = uncertain ? "; it may have arrived" : "";
    return new TaplineError("NOTIFY_FAILED", `${name} to ${recipients.join(", ")}: ${answer}${lost}`, {
      retry: true,
      remedy: "check the receiver; it is tried again for a while, and then a dead letter",
    });
  }
}

function stopped(): TaplineError {
  return new TaplineError("SINK_STOPPED", "stopped before the receiver answered", { retry: true });
}
