// Correlations across the collectors of a group: what rules match here goes to whoever has its windows, and what others
// matched comes in for the windows that are ours. Behind the ledger like a sink: a frame keeps what is to be sent of it,
// and nothing is settled before it was, so that a match is told at least once. Knows neither Kafka nor windows.
import { setTimeout as sleep } from "node:timers/promises";
import { backoffMs } from "./core/backoff.ts";
import { TaplineError } from "./core/errors.ts";
import type { Event } from "./core/generated/event.ts";
import { InOrder } from "./core/in-order.ts";
import { LIMITS } from "./core/limits.ts";
import type { Log } from "./core/log.ts";
import type { MatchExchange, Told } from "./core/exchange.ts";
import type { Arrival, Eviction } from "./detect/correlate.ts";
import type { CorrelationFigures } from "./detect/correlate-figures.ts";
import type { CorrelationSet } from "./detect/correlate-join.ts";
import type { ExtractBatch } from "./detect/correlate-extract.ts";
import { Clocks } from "./detect/exchange-clocks.ts";
import { type OutMatch, clockText, matchText } from "./detect/exchange-message.ts";
import { type Routed, routesOf } from "./detect/exchange-routes.ts";
import { Windows, type WindowsOptions } from "./detect/exchange-windows.ts";

/** What a frame keeps: its matches, and before which entry everything had been sent. */
export interface ExchangeHeader {
  readonly sent: number;
  readonly out: readonly OutMatch[];
}

/** What was not sent, by the first entry of its frame. */
export interface ExchangeState {
  readonly sent: number;
  readonly out: readonly (readonly [index: number, matches: readonly OutMatch[]])[];
}

/** The correlations that a collector judges by itself: none where a group shares them. */
export function ownOf(set: CorrelationSet, is_shared: boolean): CorrelationSet {
  return is_shared ? { ...set, nodes: [] } : set;
}

/** What was not sent, put together from a snapshot and the frames after it. */
export class Unsent {
  #sent = 0;
  #out: ExchangeState["out"][number][] = [];

  constructor(state: ExchangeState | undefined) {
    if (state === undefined) return;
    this.#sent = state.sent;
    this.#out = [...state.out];
  }

  add({ sent, out }: ExchangeHeader, first: number): void {
    this.#sent = Math.max(this.#sent, sent);
    if (out.length > 0) this.#out.push([first, out]);
  }

  get state(): ExchangeState {
    return { sent: this.#sent, out: this.#out.filter(([index]) => index >= this.#sent) };
  }
}

/** Since the start: matches sent, and messages of others that were not understood. */
export interface ExchangeFigures {
  readonly matches_sent: number;
  readonly matches_unread: number;
}

interface Item {
  /** To be sent when the ledger is durable beyond this entry. */
  readonly index: number;
  readonly matches: readonly OutMatch[];
  readonly clock: string | undefined;
}

export interface ExchangeParts extends WindowsOptions {
  readonly group: MatchExchange;
  readonly correlations: CorrelationSet;
  /** When the ledger began, ms. */
  readonly from_ms: number;
  readonly unsent: ExchangeState;
  readonly log: Log;
}

export class Exchange {
  readonly #group: MatchExchange;
  readonly #from_ms: number;
  readonly #origin: WindowsOptions["origin"];
  readonly #log: Log;
  readonly #clocks = new Clocks();
  readonly #windows: Windows;
  readonly #sending = new InOrder();
  #routed: Routed;
  #out: Item[];
  #sent: number;
  #told_ms = Number.NEGATIVE_INFINITY;
  #trouble = "";
  #busy = 0;
  /** Matches sent since the start. */
  #count = 0;

  constructor({ group, correlations, from_ms, unsent, log, origin, ruleset_hash }: ExchangeParts) {
    this.#group = group;
    this.#from_ms = from_ms;
    this.#origin = origin;
    this.#log = log;
    this.#routed = routesOf(correlations);
    this.#windows = new Windows(this.#routed, { origin, ruleset_hash });
    this.#sent = unsent.sent;
    this.#out = unsent.out.map(([index, matches]) => ({ index, matches, clock: undefined }));
    group.back_ms = this.#routed.back_ms;
  }

  /** From now on, these rules are in force. */
  use(correlations: CorrelationSet, ruleset_hash: string): void {
    this.#routed = routesOf(correlations);
    this.#windows.use(this.#routed, { origin: this.#origin, ruleset_hash });
    this.#group.back_ms = this.#routed.back_ms;
  }

  /** Takes in what matched, and how far time came with it. What is returned belongs into the batch's frame. */
  offer({ rules, extracts, streams }: ExtractBatch, arrival: Arrival): ExchangeHeader | undefined {
    const { now_ms, first_index } = arrival;
    const matches: OutMatch[] = [];
    const about = { now: now_ms, from: this.#from_ms };
    for (const extract of extracts) {
      const rule = rules[extract.rule]!;
      for (const route of this.#routed.routes.get(rule.rule) ?? []) {
        const match = matchText(route, rule, extract, about);
        if (match !== undefined) matches.push(match);
      }
    }
    this.#clocks.heard(this.#group.reading, streams, now_ms);
    const clock = this.#clock(arrival);
    if (matches.length === 0) {
      if (clock !== undefined) this.#out.push({ index: first_index - 1, matches, clock });
      return undefined;
    }
    this.#out.push({ index: first_index, matches, clock });
    return { sent: this.#sent, out: matches };
  }

  /** What is to be told of time, if anything. Not while what was told before has not gone out. */
  #clock({ now_ms, rested_ms }: Arrival): string | undefined {
    if (now_ms - this.#told_ms < LIMITS.exchange_clock_ms) return undefined;
    if (this.#out.some(({ clock }) => clock !== undefined)) return undefined;
    this.#told_ms = now_ms;
    this.#windows.keep(this.#group.judging);
    const { reading, total } = this.#group;
    const streams = this.#clocks.tell(reading, now_ms, rested_ms);
    if (streams.length === 0) return undefined;
    return clockText({ now: now_ms, from: this.#from_ms, of: total, streams });
  }

  /** Takes in what others told. Returns what is to be recorded. */
  take(told: readonly Told[]): Event[] {
    return this.#windows.take(told);
  }

  /** Whether something is being sent. */
  get busy(): boolean {
    return this.#busy > 0;
  }

  /** Sends what belongs to entries before `durable`. Resolves when it is acknowledged, with false when `signal` came first. */
  publish(durable: number, signal: AbortSignal): Promise<boolean> {
    this.#busy++;
    const sent = this.#sending.take(async () => {
      for (let tries = 0; ; tries++) {
        const due = this.#out.filter(({ index }) => index < durable);
        if (due.length === 0) return true;
        if (await this.#send(due)) tries = 0;
        if (signal.aborted) return false;
        const wait_ms = backoffMs(tries, LIMITS.kafka_reconnect_ms);
        if (this.#trouble !== "") await sleep(wait_ms, undefined, { signal }).catch(() => {});
      }
    });
    return sent.finally(() => this.#busy--);
  }

  async #send(due: readonly Item[]): Promise<boolean> {
    const matches = due.flatMap((item) => item.matches);
    const clocks = due.flatMap(({ clock }) => (clock === undefined ? [] : [clock]));
    try {
      await this.#group.send(matches, clocks);
    } catch (error) {
      if (!(error instanceof TaplineError)) throw error;
      if (error.message !== this.#trouble) this.#log("warn", `matches are not sent: ${error.message}`);
      this.#trouble = error.message;
      return false;
    }
    this.#trouble = "";
    this.#count += matches.length;
    const gone = new Set(due);
    this.#out = this.#out.filter((item) => !gone.has(item));
    for (const { index } of due) this.#sent = Math.max(this.#sent, index + 1);
    return true;
  }

  evictions(now_ms: number): readonly (Eviction & { readonly title: string })[] {
    return this.#windows.evictions(now_ms);
  }

  /** For the status: with what correlations beside it have. */
  figures(beside: CorrelationFigures): CorrelationFigures & ExchangeFigures {
    const { unread } = this.#windows;
    return { ...this.#windows.figures(beside), matches_sent: this.#count, matches_unread: unread };
  }

  /** For a snapshot. */
  state(): ExchangeState {
    const out = this.#out.flatMap(({ index, matches }) =>
      matches.length === 0 ? [] : [[index, matches] as const],
    );
    return { sent: this.#sent, out };
  }
}
