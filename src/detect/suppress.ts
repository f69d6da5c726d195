// Repeats of an alert within a window are counted, not told again; at the window's end a summary tells how many there
// were. Windows lie on a grid of event time, so that which alert stands for them does not depend on the order of arrival.
import { createDigest } from "../core/digest.ts";
import type { Event } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";
import { readDuration } from "./correlation-duration.ts";
import type { Report } from "./rule.ts";
import type { Mapping } from "./yaml.ts";

const digest = createDigest("tapline alert");

/** What a rule says of its repeats. */
export interface Suppression {
  readonly window_ms: number;
  /** Fields of the alert that make it a repeat when they are equal. */
  readonly by: readonly string[];
}

/** The window that an alert falls into. */
export interface Offer {
  readonly rule: string;
  readonly title: string;
  /** Id of the alert that is told of the window: of rule, fingerprint and window. */
  readonly alert: string;
  readonly start_ms: number;
  readonly end_ms: number;
  readonly backfill: boolean;
}

/** The end of a window in which alerts were suppressed. */
export interface Suppressed extends Offer {
  readonly count: number;
}

/** An alert of a rule on one event, until it is known whether it is a repeat. */
export interface Held {
  readonly alert: Event;
  readonly offer: Offer;
  /** Place of the event's entry in the batch. */
  entry: number;
}

interface Open extends Offer {
  count: number;
  /** Of the past: it ends when no more backfill comes, and not by the watermark. */
  readonly past: boolean;
}

export interface SuppressorState {
  readonly open: readonly Readonly<Open>[];
  readonly full: readonly Suppressed[];
  /** Older snapshots have none. */
  readonly evicted?: number;
}

/** Reads `tapline.suppress: 1h` and `tapline.suppress_by: [fields]`, beside `title`. Without fields, whom the alert
 * concerns: its session and user. */
export function readSuppression(map: Mapping, report: Report): Suppression | undefined {
  const by = map["tapline.suppress_by"] ?? ["gen_ai.conversation.id", "user.name"];
  if (map["tapline.suppress"] === undefined) {
    if (map["tapline.suppress_by"] === undefined) return undefined;
    report.error("suppress", "tapline.suppress_by", "there is no window", "Add `tapline.suppress: 1h`");
    return undefined;
  }
  const window_ms = readDuration(map["tapline.suppress"], "tapline.suppress", report);
  const list: unknown[] = Array.isArray(by) ? by : [by];
  if (list.every((name) => typeof name === "string"))
    return window_ms === 0 ? undefined : { window_ms, by: list };
  report.error("suppress", "tapline.suppress_by", "is not a list of fields", "Write a list of fields");
  return undefined;
}

/** The window of an alert; `time_ms` is when it was known. */
export function offerOf(alert: Event, { window_ms, by }: Suppression, time_ms: number): Offer {
  const fields = alert as unknown as Readonly<Record<string, unknown>>;
  const values = by.map((name) => fields[name] ?? null);
  const window = Math.floor(time_ms / window_ms);
  const text = JSON.stringify([alert["rule.id"], alert["rule.version"], window, window_ms, values]);
  return {
    rule: alert["rule.id"] ?? "",
    title: alert["rule.name"] ?? "",
    alert: digest(text.toLowerCase()),
    start_ms: window * window_ms,
    end_ms: (window + 1) * window_ms,
    backfill: alert["tapline.backfill"] === true,
  };
}

export class Suppressor {
  /** By the id of the alert that was told; the oldest first. */
  readonly #open = new Map<string, Open>();
  /** Windows that had to end before their time. */
  #full: Suppressed[] = [];
  /** How many those were, since the ledger began: a repeat in one of them is told again, under the id that was told. */
  #evicted: number;

  constructor(state?: SuppressorState) {
    for (const open of state?.open ?? []) this.#open.set(open.alert, { ...open });
    this.#full = [...(state?.full ?? [])];
    this.#evicted = state?.evicted ?? 0;
  }

  /** Whether the alert's window is open: it is a repeat then. */
  has(offer: Offer): boolean {
    return this.#open.has(offer.alert);
  }

  /** Whether an alert is to be told, which then gets the id of its window; a repeat is counted. */
  take(offer: Offer, mark_ms: number): boolean {
    const open = this.#open.get(offer.alert);
    if (open !== undefined) {
      open.count++;
      return false;
    }
    const past = offer.backfill && offer.end_ms <= mark_ms;
    this.#open.set(offer.alert, { ...offer, count: 0, past });
    if (this.#open.size > LIMITS.suppress_windows) {
      this.#end(this.#open.values().next().value!, this.#full);
      this.#evicted++;
    }
    return true;
  }

  /** Ends the windows that no live alert after `mark_ms` (or, when those rest, no backfilled one) will come into, and
   * tells of those in which something was suppressed. */
  end(mark_ms: number, backfill_rests: boolean): Suppressed[] {
    const out = this.#full;
    this.#full = [];
    for (const open of this.#open.values()) {
      if (open.past ? backfill_rests : open.end_ms <= mark_ms) this.#end(open, out);
    }
    return out;
  }

  #end(open: Open, out: Suppressed[]): void {
    this.#open.delete(open.alert);
    const { past: _, ...suppressed } = open;
    if (open.count > 0) out.push(suppressed);
  }

  /** Open windows, the repeats in them so far, and the windows that a bound ended. */
  figures(): { readonly windows: number; readonly repeats: number; readonly evicted: number } {
    let repeats = 0;
    for (const { count } of this.#open.values()) repeats += count;
    return { windows: this.#open.size, repeats, evicted: this.#evicted };
  }

  state(): SuppressorState {
    return {
      open: [...this.#open.values()].map((open) => ({ ...open })),
      full: this.#full,
      evicted: this.#evicted,
    };
  }
}
