// What one agent session remembers: calls that wait for their result, which observation of a call counts, and
// whose tokens were counted. Bounded; rebuilt after a restart from a snapshot and the entries after it, so
// everything here can be read back from events. Does not parse records and does no I/O.
import type { Vantage } from "../core/stage.ts";
import type { Event } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";
import { type Digest, canonical } from "../core/digest.ts";

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

type Counts = Partial<Record<Vantage, number>>;
export interface SessionState {
  readonly open: [string, OpenCall][];
  readonly seen: [string, Counts][];
  readonly keys: [string, string][];
  readonly usage: string[];
  readonly last_time: string | undefined;
}

/** Drops the oldest entries of a map down to its bound; says how many went. */
function evict(map: { readonly size: number; keys(): Iterator<string>; delete(key: string): boolean }, max: number) {
  let gone = 0;
  while (map.size > max) {
    map.delete(map.keys().next().value!);
    gone++;
  }
  return gone;
}

export class Session {
  readonly id: string;
  readonly #digest: Digest;
  readonly #open = new Map<string, OpenCall>();
  readonly #seen = new Map<string, Counts>();
  readonly #keys = new Map<string, string>();
  readonly #usage = new Set<string>();
  /** Latest record time, for records that have none. */
  last_time: string | undefined;
  /** State dropped because a bound bit. */
  evicted = 0;

  constructor(id: string, digest: Digest, state?: SessionState) {
    this.id = id;
    this.#digest = digest;
    if (state === undefined) return;
    for (const [ref, call] of state.open) this.#open.set(ref, call);
    for (const [key, counts] of state.seen) this.#seen.set(key, counts);
    for (const [id, key] of state.keys) this.#keys.set(id, key);
    for (const id of state.usage) this.#usage.add(id);
    this.last_time = state.last_time;
  }

  state(): SessionState {
    return {
      open: [...this.#open],
      seen: [...this.#seen],
      keys: [...this.#keys],
      usage: [...this.#usage],
      last_time: this.last_time,
    };
  }

  /**
   * Marks `e` as a call: sets args_hash, call_key, primary and call.ref, and remembers it until `result(e, ref)`.
   * Calls with arguments to an MCP server are keyed by tool, arguments and occurrence, since a proxy does not
   * know the harness's call id; all others by call id, else by `ref`.
   */
  call(e: Event, ref: string): void {
    const args = e["gen_ai.tool.call.arguments"];
    const tool = e["gen_ai.tool.name"];
    const id = e["gen_ai.tool.call.id"];
    const vantage = e["tapline.vantage"] as Vantage;
    if (args !== undefined) e["tapline.tool.args_hash"] ??= this.#digest((tool ?? "") + "\u0000" + canonical(args));
    const known = id === undefined ? undefined : this.#keys.get(id);
    if (known !== undefined) this.#mark(e, known, vantage, false);
    else if (e["tapline.server.name"] !== undefined && args !== undefined) {
      this.#mark(e, e["tapline.tool.args_hash"]!.slice(0, 16), vantage, true);
    } else this.#mark(e, id ?? ref, vantage, false);
    if (id !== undefined && known === undefined) {
      this.#keys.set(id, e["tapline.call_key"]!.slice(this.id.length + 1));
      this.evicted += evict(this.#keys, LIMITS.seen_calls);
    }
    this.#remember(e, ref);
  }

  /** Remembers a request that is no tool call, until its response. */
  request(e: Event, ref: string): void {
    this.#remember(e, ref);
  }

  #remember(e: Event, ref: string): void {
    e["tapline.call.ref"] = ref;
    this.#open.set(ref, {
      key: e["tapline.call_key"] ?? "",
      primary: e["tapline.primary"] ?? true,
      action: e["event.action"] ?? "",
      time_ms: Date.parse(e["@timestamp"] ?? ""),
      method: e["mcp.method.name"],
      tool: e["gen_ai.tool.name"],
      tool_type: e["gen_ai.tool.type"],
      server: e["tapline.server.name"],
      call_id: e["gen_ai.tool.call.id"],
      args_hash: e["tapline.tool.args_hash"],
      verdict: e["tapline.decision.verdict"],
      uri: e["mcp.resource.uri"],
    });
    this.evicted += evict(this.#open, LIMITS.open_calls);
  }

  /** Sets call_key and primary. With `occurrence`, the n-th sight from one vantage is the n-th call. */
  #mark(e: Event, base: string, vantage: Vantage, occurrence: boolean): void {
    const counts = this.#seen.get(base);
    if (counts === undefined) {
      this.#seen.set(base, { [vantage]: 1 });
      this.evicted += evict(this.#seen, LIMITS.seen_calls);
      e["tapline.call_key"] = occurrence ? `${this.id}.${base}.1` : `${this.id}.${base}`;
      e["tapline.primary"] = true;
      return;
    }
    const n = (counts[vantage] ?? 0) + 1;
    let most = 0;
    for (const seen in counts) if (seen !== vantage) most = Math.max(most, counts[seen as Vantage]!);
    counts[vantage] = n;
    const suffix = occurrence ? `.${n}` : "";
    e["tapline.call_key"] = `${this.id}.${base}${suffix}`;
    e["tapline.primary"] = occurrence ? n > most : false;
  }

  /** Marks `e` as the result of call `ref`: repeats the call's identity, adds duration and whether it was joined. */
  result(e: Event, ref: string): OpenCall | undefined {
    e["tapline.call.ref"] = ref;
    const call = this.#open.get(ref);
    e["tapline.call.joined"] = call !== undefined;
    if (call === undefined) {
      e["tapline.primary"] ??= true;
      return undefined;
    }
    this.#open.delete(ref);
    if (call.key !== "") {
      e["tapline.call_key"] = call.key;
      e["tapline.primary"] = call.primary;
    }
    e["gen_ai.tool.name"] ??= call.tool;
    e["gen_ai.tool.type"] ??= call.tool_type;
    e["gen_ai.tool.call.id"] ??= call.call_id;
    e["tapline.server.name"] ??= call.server;
    e["tapline.tool.args_hash"] ??= call.args_hash;
    e["tapline.decision.verdict"] ??= call.verdict;
    e["mcp.method.name"] ??= call.method;
    e["mcp.resource.uri"] ??= call.uri;
    const took_ms = Date.parse(e["@timestamp"] ?? "") - call.time_ms;
    if (e["event.duration"] === undefined && took_ms >= 0) e["event.duration"] = took_ms * 1e6;
    return call;
  }

  /** Whether a call or request of this ref waits for its result. */
  isOpen(ref: string): boolean {
    return this.#open.has(ref);
  }

  /** True the first time for a request id: tokens of one request are counted once, however often it is logged. */
  countsUsage(request: string): boolean {
    if (this.#usage.has(request)) return false;
    this.#usage.add(request);
    this.evicted += evict(this.#usage, LIMITS.usage_ids);
    return true;
  }
}
