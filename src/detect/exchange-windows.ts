// The windows that this collector has for its group: one set of correlations for each stream of matches that it reads.
// What becomes of a stream depends on nothing but what is told in it, in its order, so that whoever takes it over makes
// the same windows and the same alerts of it. No I/O.
import { LIMITS } from "../core/limits.ts";
import type { Event } from "../core/generated/event.ts";
import type { Told } from "../core/exchange.ts";
import type { Eviction } from "./correlate.ts";
import { type CorrelationFigures, figuresOf, sumOf } from "./correlate-figures.ts";
import { Correlations, type CorrelationsOptions, type CorrelationsState } from "./correlate-thread.ts";
import { type ToldClock, type ToldMatch, readTold } from "./exchange-message.ts";
import type { Routed } from "./exchange-routes.ts";

export type WindowsOptions = Pick<CorrelationsOptions, "origin" | "ruleset_hash">;

/** A stream of records, as was told last. */
interface KnownStream {
  readonly told_ms: number;
  readonly rested_ms: number | null;
  /** Since when it is not known when it rested. */
  readonly busy_ms: number;
}

/** What is known of the streams of records, by what was told in one stream of matches. */
class Known {
  /** By name; the one told of longest ago first. */
  readonly #streams = new Map<string, KnownStream>();
  /** Since when fewer streams are told of than there are. */
  #short_ms: number | undefined;
  #of = 0;
  now_ms = Number.NEGATIVE_INFINITY;
  /** When the first ledger of the group began, as far as is told. */
  from_ms = Number.POSITIVE_INFINITY;

  pass({ now, from }: Pick<ToldMatch, "now" | "from">): void {
    if (now > this.now_ms) this.now_ms = now;
    if (from < this.from_ms) this.from_ms = from;
    this.#short_ms ??= now;
  }

  learn({ of, streams }: ToldClock): void {
    this.#of = of;
    for (const { name, rested } of streams) {
      const before = this.#streams.get(name);
      const is_busy = rested === null && before !== undefined && before.rested_ms === null;
      const busy_ms = is_busy ? before.busy_ms : this.now_ms;
      this.#streams.delete(name);
      this.#streams.set(name, { told_ms: this.now_ms, rested_ms: rested, busy_ms });
    }
    for (const [name, { told_ms }] of this.#streams) {
      if (this.#hasTime(told_ms) && this.#streams.size <= LIMITS.exchange_streams) break;
      this.#streams.delete(name);
    }
    if (this.#streams.size >= of) this.#short_ms = this.now_ms;
  }

  /** No stream may hold time for longer. */
  #hasTime(since_ms: number): boolean {
    return this.now_ms - since_ms < LIMITS.correlation_hold_ms;
  }

  /** When all streams had been read to their end. Null while that is not known of one, or one is not told of at all. */
  get rested_ms(): number | null {
    const isShort = this.#streams.size < this.#of;
    if (this.#short_ms === undefined || (isShort && this.#hasTime(this.#short_ms))) return null;
    let least = this.now_ms;
    for (const { rested_ms, busy_ms } of this.#streams.values()) {
      if (rested_ms !== null) least = Math.min(least, rested_ms);
      else if (this.#hasTime(busy_ms)) return null;
    }
    return least;
  }
}

interface Judged {
  correlations: Correlations;
  readonly known: Known;
}

export class Windows {
  #routed: Routed;
  #options: WindowsOptions;
  readonly #streams = new Map<string, Judged>();
  /** Messages that could not be understood. */
  unread = 0;

  constructor(routed: Routed, options: WindowsOptions) {
    this.#routed = routed;
    this.#options = options;
  }

  /** Goes on with other rules. */
  use(routed: Routed, options: WindowsOptions): void {
    this.#routed = routed;
    this.#options = options;
    for (const judged of this.#streams.values())
      judged.correlations = this.#open(judged.correlations.state());
  }

  #open(state?: CorrelationsState): Correlations {
    // Times as told are without those that come late.
    return new Correlations(this.#routed.set, {
      ...this.#options,
      started_ms: Number.POSITIVE_INFINITY,
      lateness_ms: 0,
      state,
    });
  }

  /** Forgets the streams that others judge now. */
  keep(judging: readonly string[]): void {
    for (const id of this.#streams.keys()) if (!judging.includes(id)) this.#streams.delete(id);
    this.#share();
  }

  /** Memory is bounded for all streams together. */
  #share(): void {
    const bytes = LIMITS.correlation_bytes / Math.max(1, this.#streams.size);
    for (const { correlations } of this.#streams.values()) correlations.correlator.bytes_max = bytes;
  }

  /** Takes in what was told, in order. Returns what is to be recorded. */
  take(told: readonly Told[]): Event[] {
    const events: Event[] = [];
    for (const one of told) {
      if (one.fresh || !this.#streams.has(one.stream)) {
        this.#streams.set(one.stream, { correlations: this.#open(), known: new Known() });
        this.#share();
      }
      const message = readTold(one.bytes);
      if (message === undefined) {
        this.unread++;
        continue;
      }
      const found = this.#message(this.#streams.get(one.stream)!, message);
      // What comes of the past anew is in the ledger of whoever read it then.
      if (!one.again) events.push(...found);
    }
    return events;
  }

  #message({ correlations, known }: Judged, message: ToldMatch | ToldClock): Event[] {
    known.pass(message);
    correlations.correlator.time.live_from_ms = known.from_ms;
    if (message.kind === "match") return [...correlations.push(...this.#match(message, known)).events];
    known.learn(message);
    const streams = message.streams.map(({ name, at, backfill }) => ({
      stream: name,
      live_ms: at,
      backfill_ms: backfill,
    }));
    const { now_ms, rested_ms } = known;
    // What rested is looked at when all is known of it that is told here.
    const arrival = { now_ms, rested_ms: null, first_index: -1 };
    const { events } = correlations.push({ rules: [], extracts: [], streams }, arrival);
    return [...events, ...correlations.advance(now_ms, rested_ms).events];
  }

  #match(message: ToldMatch, { now_ms, rested_ms }: Known): Parameters<Correlations["push"]> {
    const { tag, fields, values, time, event, backfill } = message;
    const streams = backfill ? [{ stream: "", live_ms: null, backfill_ms: time }] : [];
    const extract = { rule: 0, time_ms: time, event, entry: -1, values, backfill };
    return [
      { rules: [{ rule: tag, fields }], extracts: [extract], streams },
      { now_ms, rested_ms, first_index: -1 },
    ];
  }

  evictions(now_ms: number): readonly (Eviction & { readonly title: string })[] {
    return [...this.#streams.values()].flatMap(({ correlations }) => correlations.evictions(now_ms));
  }

  /** With those of the correlations beside it. */
  figures(beside: CorrelationFigures): CorrelationFigures {
    let sum = { ...beside, correlations: this.#routed.set.nodes.length };
    for (const { correlations } of this.#streams.values())
      sum = sumOf(sum, figuresOf(correlations.correlator, correlations.suppressor));
    return sum;
  }
}
