// A group of collectors in memory, for tests of correlations that count across them: partitions of events and of
// matches, members that read, append, send and commit them step by step, and may die between any two steps. Time is made
// by whoever drives it. No threads, no Kafka.
import { crc32 } from "node:zlib";
import type { Event } from "../src/core/generated/event.ts";
import { TaplineError } from "../src/core/errors.ts";
import type { MatchExchange, Told } from "../src/core/exchange.ts";
import { Extractor } from "../src/detect/correlate-extract.ts";
import { type ExchangeHeader, type ExchangeState, Exchange, Unsent } from "../src/exchange.ts";
import type { Loaded, TestEvent } from "./detect/correlations.ts";

export const ORIGIN = { namespace: "default", host: "h", version: "1" };
const STOPPED = AbortSignal.abort();

/** An alert by its id, and whether it is one of the past. */
export const alertName = (e: Event): string =>
  `${e["event.id"]}${e["tapline.backfill"] === true ? " of the past" : ""}`;

/** A partition of matches: what was told, and when. */
interface Message {
  readonly text: string;
  readonly ms: number;
}

export interface Arrived {
  /** When it came into its partition, ms. */
  readonly ms: number;
  readonly event: TestEvent;
}

/** Partitions as the brokers have them, and what the group has committed. */
export class Topics {
  readonly events: Arrived[][];
  readonly matches: Message[][];
  readonly committed = new Map<string, number>();
  now_ms = 0;
  /** Whether the brokers take messages. */
  up = true;

  constructor(events: number, matches: number) {
    this.events = Array.from({ length: events }, () => []);
    this.matches = Array.from({ length: matches }, () => []);
  }

  get names(): string[] {
    return [...this.events.keys()].map((n) => `e${n}`).concat([...this.matches.keys()].map((n) => `m${n}`));
  }
}

const placeOf = (name: string): number => Number(name.slice(1));
const isMatches = (name: string): boolean => name.startsWith("m");

interface Frame {
  readonly first: number;
  readonly count: number;
  readonly positions: Readonly<Record<string, number>>;
  readonly exchange: ExchangeHeader | undefined;
  readonly alerts: readonly string[];
}

interface Owned {
  next: number;
  /** Before which all was taken in before. */
  again_until: number;
  fresh: boolean;
  readonly since_ms: number;
}

/** What is left of a member that dies: its ledger. */
export class Ledger {
  readonly frames: Frame[] = [];
  durable = 0;
  snapshot: { readonly index: number; readonly state: ExchangeState } | undefined;

  get alerts(): string[] {
    return this.frames.flatMap(({ alerts }) => alerts);
  }
}

export class Member implements MatchExchange {
  readonly #loaded: Loaded;
  readonly #topics: Topics;
  readonly #ledger: Ledger;
  readonly #extractor: Extractor;
  readonly #exchange: Exchange;
  readonly owned = new Map<string, Owned>();
  readonly #positions = new Map<string, number>();
  /** Appended and not durable. */
  #frames: Frame[] = [];
  /** Positions that may be committed, once what is appended now is durable and sent. */
  #settling: (readonly [string, number])[] = [];
  #size: number;
  #rested_ms: number | null = null;
  back_ms = 0;
  /** Messages that are still sent before the brokers refuse; Infinity: all. */
  sends = Number.POSITIVE_INFINITY;

  constructor(loaded: Loaded, topics: Topics, ledger: Ledger, from_ms: number) {
    this.#loaded = loaded;
    this.#topics = topics;
    this.#ledger = ledger;
    this.#size = ledger.durable;
    const hashes = loaded.rules.rules.map(({ rule }) => rule.hash);
    this.#extractor = new Extractor(loaded.set.plan, hashes);
    const unsent = new Unsent(ledger.snapshot?.state);
    for (const { first, positions, exchange } of ledger.frames) {
      for (const [name, position] of Object.entries(positions)) this.#positions.set(name, position);
      if (exchange !== undefined && first >= (ledger.snapshot?.index ?? 0)) unsent.add(exchange, first);
    }
    this.#exchange = new Exchange({
      group: this,
      correlations: loaded.set,
      from_ms,
      unsent: JSON.parse(JSON.stringify(unsent.state)) as ExchangeState,
      log: () => {},
      origin: ORIGIN,
      ruleset_hash: "set",
    });
  }

  get reading(): MatchExchange["reading"] {
    return [...this.owned]
      .filter(([name]) => !isMatches(name))
      .map(([name, { since_ms }]) => ({ id: name, name, since_ms }));
  }

  get total(): number {
    return this.#topics.events.length;
  }

  get judging(): readonly string[] {
    return [...this.owned.keys()].filter(isMatches);
  }

  send(matches: readonly { key: string; text: string }[], clocks: readonly string[]): Promise<void> {
    const { matches: partitions, now_ms: ms, up } = this.#topics;
    const put = (at: number, text: string): void => {
      if (!up || this.sends-- <= 0) throw new TaplineError("KAFKA_UNREACHABLE", "down", { retry: true });
      partitions[at]!.push({ text, ms });
    };
    try {
      for (const { key, text } of matches) put(crc32(key) % partitions.length, text);
      for (const text of clocks) for (const at of partitions.keys()) put(at, text);
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Takes a partition over where its ledger or the group stands, whichever is further. */
  assign(name: string): void {
    const since_ms = this.#topics.now_ms;
    const next = Math.max(this.#positions.get(name) ?? 0, this.#topics.committed.get(name) ?? 0);
    const back = isMatches(name) ? this.#back(this.#topics.matches[placeOf(name)]!, next) : next;
    this.owned.set(name, { next: back, again_until: next, fresh: true, since_ms });
  }

  #back(messages: readonly Message[], next: number): number {
    const last = messages[next - 1];
    if (last === undefined) return next;
    const at = messages.findIndex(({ ms }) => ms >= last.ms - this.back_ms);
    return Math.min(at, next);
  }

  /** Reads up to `most` of a partition, and appends what comes of it. */
  read(name: string, most: number): void {
    const own = this.owned.get(name);
    if (own === undefined) return;
    if (isMatches(name)) this.#readMatches(name, own, most);
    else this.#readEvents(name, own, most);
  }

  #readEvents(name: string, own: Owned, most: number): void {
    const { now_ms } = this.#topics;
    const read = this.#topics.events[placeOf(name)]!.slice(own.next, own.next + most);
    if (read.length === 0) return;
    const matched: number[] = [];
    for (const [entry, { event }] of read.entries()) {
      const e = { ...event, "@timestamp": new Date(event.t).toISOString() } as never;
      this.#extractor.seen(e, name);
      matched.length = 0;
      this.#loaded.rules.match(e, matched);
      for (const place of matched) this.#extractor.add(place, e, entry);
    }
    own.next += read.length;
    const arrival = { now_ms, rested_ms: this.#rested_ms, first_index: this.#size };
    const exchange = this.#exchange.offer(this.#extractor.take(), arrival);
    this.#append(name, own.next, read.length, exchange, []);
  }

  #readMatches(name: string, own: Owned, most: number): void {
    const read = this.#topics.matches[placeOf(name)]!.slice(own.next, own.next + most);
    if (read.length === 0) return;
    const told = read.map(({ text }, i): Told => {
      const again = own.next + i < own.again_until;
      return { stream: name, bytes: Buffer.from(text), fresh: own.fresh && i === 0, again };
    });
    own.fresh = false;
    own.next += read.length;
    const events = this.#exchange.take(told);
    const alerts = events.filter((e) => e["event.action"] === "rule-alert").map((e) => alertName(e));
    // Of what says nothing there is no frame; it is settled all the same.
    const position = Math.max(own.next, own.again_until);
    if (events.length === 0) this.#settling.push([name, position]);
    else this.#append(name, position, events.length, undefined, alerts);
  }

  #append(
    name: string,
    position: number,
    count: number,
    exchange: ExchangeHeader | undefined,
    alerts: readonly string[],
  ): void {
    const frame = { first: this.#size, count, positions: { [name]: position }, exchange, alerts };
    this.#frames.push(JSON.parse(JSON.stringify(frame)) as Frame);
    this.#size += count;
    this.#settling.push([name, position]);
  }

  /** Whether the events that it has are read to their end. */
  get #atEnd(): boolean {
    const { events } = this.#topics;
    return [...this.owned].every(
      ([name, { next }]) => isMatches(name) || next === events[placeOf(name)]!.length,
    );
  }

  /** Time passes, as once a second where nothing else is to be done. */
  tick(): void {
    const { now_ms } = this.#topics;
    if (this.#atEnd) this.#rested_ms = now_ms;
    const arrival = { now_ms, rested_ms: this.#rested_ms, first_index: this.#size };
    this.#exchange.offer({ rules: [], extracts: [], streams: [] }, arrival);
  }

  /** What was appended becomes durable. */
  sync(): void {
    this.#ledger.frames.push(...this.#frames);
    this.#frames = [];
    this.#ledger.durable = this.#size;
  }

  /** Sends what is durable; false when the brokers refused. */
  publish(): Promise<boolean> {
    return this.#exchange.publish(this.#ledger.durable, STOPPED);
  }

  takeSnapshot(): void {
    this.sync();
    const state = JSON.parse(JSON.stringify(this.#exchange.state())) as ExchangeState;
    this.#ledger.snapshot = { index: this.#size, state };
  }

  /** Commits what is durable and sent. */
  settle(): void {
    for (const [name, position] of this.#settling)
      if (this.owned.has(name)) this.#topics.committed.set(name, position);
    this.#settling = [];
  }

  /** Gives a partition up in order. */
  async revoke(name: string): Promise<boolean> {
    this.sync();
    if (!(await this.publish())) return false;
    this.settle();
    this.#positions.set(name, Math.max(this.owned.get(name)!.next, this.owned.get(name)!.again_until));
    this.owned.delete(name);
    return true;
  }
}
