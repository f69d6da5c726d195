// The state of one agent session as bounded maps: taken whole for a snapshot, as changes for a frame, and put back
// from both. What the maps mean is in session.ts.
import { LIMITS } from "../core/limits.ts";
import type { Vantage } from "../core/stage.ts";
import { Tracked } from "./tracked.ts";

/** A call (or any request) whose result has not been seen. */
export interface OpenCall {
  readonly key: string;
  readonly primary: boolean;
  readonly action: string;
  readonly time_ms: number;
  readonly method: string | undefined;
  readonly tool: string | undefined;
  readonly tool_type: string | undefined;
  readonly server: string | undefined;
  readonly call_id: string | undefined;
  readonly args_hash: string | undefined;
  readonly verdict: string | undefined;
  readonly uri: string | undefined;
}

/** What the ends of an MCP connection said of themselves. */
export interface Connection {
  readonly server: string | undefined;
  readonly server_version: string | undefined;
  readonly server_source: string | undefined;
  readonly client: string | undefined;
  readonly client_version: string | undefined;
  readonly protocol: string | undefined;
}

export type Counts = Partial<Record<Vantage, number>> & {
  /** Which of the calls that are the same never ran, in ascending order: some vantages do not see these. */
  readonly refused?: readonly number[] | undefined;
};
/** Counts never change in place, so all calls seen once from one vantage share theirs. */
export const ONCE: Readonly<Record<Vantage, Counts>> = {
  transcript: { transcript: 1 },
  proxy: { proxy: 1 },
  hook: { hook: 1 },
  otel: { otel: 1 },
  gateway: { gateway: 1 },
  chat: { chat: 1 },
  other: { other: 1 },
  self: { self: 1 },
};

/** What a session holds, each kind a bounded map. Plain data: it travels in frames and snapshots. */
interface Kinds {
  /** Calls and requests that wait for their result, by ref. */
  open: OpenCall;
  /** How often each vantage saw a call. */
  seen: Counts;
  /** Call id → call key. */
  keys: string;
  /** Requests whose tokens were counted, and how many. */
  usage: number;
  connections: Connection;
  /** Ids of records seen, to tell copied history. */
  records: true;
  facts: string;
}
type Kind = keyof Kinds;
/** Changes of a session since the last; null for what is gone. As a whole state, all there is and no null. */
export type SessionState = { readonly [K in Kind]?: [string, Kinds[K] | null][] | undefined } & {
  readonly last_time?: string | undefined;
  readonly lane?: string | undefined;
};

export class SessionMemory {
  protected readonly open = new Tracked<OpenCall>(LIMITS.open_calls);
  protected readonly seen = new Tracked<Counts>(LIMITS.seen_calls);
  protected readonly keys = new Tracked<string>(LIMITS.seen_calls);
  protected readonly usage = new Tracked<number>(LIMITS.usage_ids);
  protected readonly connections = new Tracked<Connection>(LIMITS.connections);
  protected readonly records = new Tracked<true>(LIMITS.record_ids);
  protected readonly facts = new Tracked<string>(LIMITS.facts);
  #refused_dropped = 0;
  /** Latest record time, for records that have none. */
  last_time: string | undefined;
  /** What its worker is chosen by, when not its id: a branch is read where its origin is, and several sessions of one
   * file where the file is. */
  lane: string | undefined;

  /** Nothing will answer this call. */
  drop(ref: string): void {
    this.open.delete(ref);
  }

  /** Notes that the `n`-th of the calls that are the same never ran. */
  protected leaveOut(base: string, n: number): void {
    const counts = this.seen.get(base);
    if (counts === undefined || counts.refused?.includes(n) === true) return;
    const refused = [...(counts.refused ?? []), n].toSorted((a, b) => a - b);
    if (refused.length > LIMITS.refused_calls) {
      refused.shift();
      this.#refused_dropped++;
    }
    this.seen.set(base, { ...counts, refused });
  }

  /** State dropped because a bound bit. */
  get evicted(): number {
    return (
      this.#refused_dropped +
      this.open.evicted +
      this.seen.evicted +
      this.keys.evicted +
      this.usage.evicted +
      this.connections.evicted +
      this.records.evicted +
      this.facts.evicted
    );
  }

  /** True the first time for a request id: tokens of one request are counted once, however often it is logged. */
  countsUsage(request: string): boolean {
    if (this.usage.has(request)) return false;
    this.usage.set(request, 0);
    return true;
  }

  /** What `total` adds to what was counted under this key: counters that are logged while they grow. Never negative. */
  countMore(key: string, total: number): number {
    const more = total - (this.usage.get(key) ?? 0);
    if (more <= 0) return 0;
    this.usage.set(key, total);
    return more;
  }

  /** How often this was called with the key, this time included. */
  tally(key: string): number {
    const n = this.counted(key) + 1;
    this.countMore(key, n);
    return n;
  }

  /** What was counted under the key by `countMore` or `tally`. */
  counted(key: string): number {
    return this.usage.get(key) ?? 0;
  }

  /** True when a record of this kind tells something that no other kind has told as often: formats that log one
   * thing in two kinds of records, in either order. */
  isNews(key: string, kind: string): boolean {
    return this.countMore(key, this.tally(`${key}.${kind}`)) > 0;
  }

  /** True when a record of this id was seen before: copied history, or a record logged in two files. */
  repeats(record: string): boolean {
    if (this.records.has(record)) return true;
    this.records.set(record, true);
    return false;
  }

  /** Whether a record of this id was seen before. */
  knows(record: string): boolean {
    return this.records.has(record);
  }

  /** Ref of the newest call of a tool that waits under a ref of this kind: one with these arguments, if any has. */
  newestOpen(prefix: string, tool: string, args_hash: string | undefined): string | undefined {
    let newest: string | undefined;
    let same: string | undefined;
    for (const { key: ref, value } of this.open.cells()) {
      if (value.tool !== tool || !ref.startsWith(prefix)) continue;
      newest = ref;
      if (value.args_hash === args_hash) same = ref;
    }
    return args_hash === undefined ? newest : (same ?? newest);
  }

  /** Everything, for a snapshot. */
  state(): SessionState {
    return {
      open: this.open.entries(),
      seen: this.seen.entries(),
      keys: this.keys.entries(),
      usage: this.usage.entries(),
      connections: this.connections.entries(),
      records: this.records.entries(),
      facts: this.facts.entries(),
      last_time: this.last_time,
      lane: this.lane,
    };
  }

  /** What changed since the last call, for a frame. */
  delta(): SessionState {
    return {
      open: this.open.delta(),
      seen: this.seen.delta(),
      keys: this.keys.delta(),
      usage: this.usage.delta(),
      connections: this.connections.delta(),
      records: this.records.delta(),
      facts: this.facts.delta(),
      last_time: this.last_time,
      lane: this.lane,
    };
  }

  /** Takes over a state, or the changes after it. */
  apply(state: SessionState): void {
    this.open.apply(state.open ?? []);
    this.seen.apply(state.seen ?? []);
    this.keys.apply(state.keys ?? []);
    this.usage.apply(state.usage ?? []);
    this.connections.apply(state.connections ?? []);
    this.records.apply(state.records ?? []);
    this.facts.apply(state.facts ?? []);
    this.last_time = state.last_time ?? this.last_time;
    this.lane = state.lane ?? this.lane;
  }
}
