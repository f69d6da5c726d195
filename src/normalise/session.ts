// What one agent session remembers: calls that wait for their result, which observation of a call counts, and
// whose tokens were counted. Bounded; rebuilt after a restart from a snapshot and the changes in the frames after it.
// Does not parse records and does no I/O.
import type { Vantage } from "../core/stage.ts";
import type { Event } from "../core/generated/event.ts";
import { type Digest, canonical } from "../core/digest.ts";
import { LIMITS } from "../core/limits.ts";
import { toMs } from "../core/time.ts";
import { type Connection, ONCE, type OpenCall, type SessionState, SessionMemory } from "./session-state.ts";

export type { SessionState } from "./session-state.ts";

/** What a session says once and means for all that follows. */
export type Fact =
  | "process.working_directory"
  | "service.version"
  | "gen_ai.agent.name"
  | "gen_ai.provider.name"
  | "gen_ai.request.model"
  | "tapline.permission.mode";

/** Of a digest of arguments, in a key. */
const HASH_CHARS = 16;
/** Those that see a call before anybody can refuse it; to all others only those come that are let through. */
const BEFORE: ReadonlySet<Vantage> = new Set(["transcript", "hook", "chat"]);

export class Session extends SessionMemory {
  readonly id: string;
  /** Set while a record is mapped that may hold a secret: what is remembered of it goes to disk, too. */
  clean: ((text: string) => string) | undefined;
  readonly #digest: Digest;

  constructor(id: string, digest: Digest, state?: SessionState) {
    super();
    this.id = id;
    this.#digest = digest;
    if (state !== undefined) this.apply(state);
  }

  /**
   * Marks `e` as a call: sets args_hash, call_key, primary and call.ref, and remembers it until `result(e, ref)`.
   * Calls with arguments to an MCP server are keyed by tool, arguments and occurrence, since a proxy does not
   * know the harness's call id; all others by call id, else by `ref`. A call that `alias` already names keeps that key.
   */
  call(e: Event, ref: string, alias?: string): void {
    const args = e["gen_ai.tool.call.arguments"];
    const tool = e["gen_ai.tool.name"];
    const id = e["gen_ai.tool.call.id"];
    const vantage = e["tapline.vantage"] as Vantage;
    if (args !== undefined) e["tapline.tool.args_hash"] ??= this.argsHash(tool ?? "", args);
    const known =
      (id === undefined ? undefined : this.keys.get(id)) ??
      (alias === undefined ? undefined : this.keys.get(alias));
    const remote = e["tapline.server.name"] !== undefined || e["mcp.method.name"] === "tools/call";
    if (remote && args !== undefined) {
      const n = this.#mark(e, e["tapline.tool.args_hash"]!.slice(0, HASH_CHARS), vantage, true);
      if (n > 1) e["tapline.tool.repeats"] = n - 1;
    } else {
      const n = this.#mark(e, id ?? ref, vantage, false);
      if (n === 1 && args !== undefined) this.#repeat(e, vantage);
    }
    if (known !== undefined) {
      e["tapline.call_key"] = `${this.id}.${known}`;
      e["tapline.primary"] = false;
    }
    if (id !== undefined && known === undefined) this.alias(id, e);
    if (vantage === "hook" && e["tapline.decision.executed"] === false) this.refuse(e["tapline.call_key"]!);
    this.#remember(e, ref);
  }

  /** The call of this key never ran, so that whoever stands behind the refusal does not see it: the next that they see
   * is the next one. */
  refuse(key: string): void {
    const end = key.lastIndexOf(".");
    const base = key.slice(this.id.length + 1, end);
    const n = Number(key.slice(end + 1));
    // Other keys than those with an occurrence tell calls apart by themselves.
    if (base.length === HASH_CHARS && Number.isSafeInteger(n)) this.leaveOut(base, n);
  }

  /** Keyed digest of a tool's arguments: the same for every observation of one call. */
  argsHash(tool: string, args: unknown): string {
    return this.#digest(tool + "\u0000" + canonical(args));
  }

  /** Remembers another name of a call, under which it may be observed again. */
  alias(name: string, e: Event): void {
    this.keys.set(name, this.#held(e["tapline.call_key"]!.slice(this.id.length + 1))!);
  }

  /** What waits under `ref` has been answered for now; what comes of it will be asked for by `name`. */
  postpone(ref: string, call: OpenCall, name: string): void {
    this.open.set(ref, call);
    this.keys.set(name, ref);
  }

  /** The ref of what was postponed under this name. */
  postponed(name: string): string | undefined {
    return this.keys.get(name);
  }

  /** Remembers a request that is no tool call, until its response. */
  request(e: Event, ref: string): void {
    this.#remember(e, ref);
  }

  #remember(e: Event, ref: string): void {
    e["tapline.call.ref"] = ref;
    this.open.set(ref, {
      key: this.#held(e["tapline.call_key"]) ?? "",
      primary: e["tapline.primary"] ?? true,
      action: e["event.action"] ?? "",
      time_ms: toMs(e["@timestamp"] ?? ""),
      method: this.#held(e["mcp.method.name"]),
      tool: this.#held(e["gen_ai.tool.name"]),
      tool_type: e["gen_ai.tool.type"],
      server: this.#held(e["tapline.server.name"]),
      call_id: this.#held(e["gen_ai.tool.call.id"]),
      args_hash: e["tapline.tool.args_hash"],
      verdict: e["tapline.decision.verdict"],
      uri: this.#held(e["mcp.resource.uri"]),
    });
  }

  /** A text as it may be remembered: without secrets, and no longer than its bound. */
  #held(text: string | undefined): string | undefined {
    if (text === undefined || (this.clean === undefined && text.length <= LIMITS.state_text_chars))
      return text;
    return (this.clean?.(text) ?? text).slice(0, LIMITS.state_text_chars);
  }

  /** Sets call_key and primary; returns how often this vantage has seen it. With `occurrence`, the n-th sight from one
   * vantage is the n-th call, of those that can come to it. */
  #mark(e: Event, base: string, vantage: Vantage, occurrence: boolean): number {
    const counts = this.seen.get(base);
    if (counts === undefined) {
      this.seen.set(base, ONCE[vantage]);
      e["tapline.call_key"] = occurrence ? `${this.id}.${base}.1` : `${this.id}.${base}`;
      e["tapline.primary"] = true;
      return 1;
    }
    const { refused } = counts;
    let n = (counts[vantage] ?? 0) + 1;
    if (refused !== undefined && !BEFORE.has(vantage)) while (refused.includes(n)) n++;
    let most = 0;
    for (const seen in counts) {
      if (seen !== vantage && seen !== "refused") most = Math.max(most, counts[seen as Vantage]!);
    }
    this.seen.set(base, most === 0 && refused === undefined ? { [vantage]: n } : { ...counts, [vantage]: n });
    const suffix = occurrence ? `.${n}` : "";
    e["tapline.call_key"] = `${this.id}.${base}${suffix}`;
    e["tapline.primary"] = occurrence ? n > most : false;
    return n;
  }

  /** Counts calls that are the same but for their id. */
  #repeat(e: Event, vantage: Vantage): void {
    const base = `=${e["tapline.tool.args_hash"]!.slice(0, HASH_CHARS)}`;
    const counts = this.seen.get(base);
    const before = counts?.[vantage] ?? 0;
    this.seen.set(base, counts === undefined ? ONCE[vantage] : { ...counts, [vantage]: before + 1 });
    if (before > 0) e["tapline.tool.repeats"] = before;
  }

  /** Marks `e` as the result of call `ref` (`call`, where the caller has looked it up by `waiting`): repeats the call's
   * identity, adds duration and whether it was joined. */
  result(e: Event, ref: string, call = this.open.get(ref)): OpenCall | undefined {
    e["tapline.call.ref"] = ref;
    e["tapline.call.joined"] = call !== undefined;
    if (call === undefined) {
      e["tapline.primary"] ??= true;
      return undefined;
    }
    this.open.delete(ref);
    if (call.key !== "") {
      if (e["tapline.vantage"] === "transcript" && e["tapline.decision.executed"] === false)
        this.refuse(call.key);
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
    const took_ms = toMs(e["@timestamp"] ?? "") - call.time_ms;
    if (e["event.duration"] === undefined && took_ms >= 0 && Number.isSafeInteger(took_ms * 1e6)) {
      e["event.duration"] = took_ms * 1e6;
    }
    return call;
  }

  /** What is known of a connection; `key` is its id, or its stream's id where connections have none. */
  connection(key: string): Connection | undefined {
    return this.connections.get(key);
  }

  /** Adds what an event of the connection says of its ends; they can be read back from such events. */
  learn(key: string, e: Event): void {
    const known = this.connections.get(key);
    const server = this.#held(e["tapline.server.name"]);
    const client = this.#held(e["tapline.client.name"]);
    this.connections.set(key, {
      server: server ?? known?.server,
      server_source: server === undefined ? known?.server_source : e["tapline.server.identity_source"],
      server_version: server === undefined ? known?.server_version : this.#held(e["tapline.server.version"]),
      client: client ?? known?.client,
      client_version: client === undefined ? known?.client_version : this.#held(e["tapline.client.version"]),
      protocol: this.#held(e["mcp.protocol.version"]) ?? known?.protocol,
    });
  }

  /** The call or request of this ref, while it waits for its result. */
  waiting(ref: string): OpenCall | undefined {
    return this.open.get(ref);
  }

  /** Whether a call or request of this ref waits for its result. */
  isOpen(ref: string): boolean {
    return this.open.has(ref);
  }

  /** Marks `e` as one observation of something that other vantages or records report too, such as a model call. */
  observe(e: Event, key: string): void {
    this.#mark(e, key, e["tapline.vantage"] as Vantage, false);
  }

  /** Notes a fact; the value before it, if another was known. */
  note(field: Fact, value: string | undefined): string | undefined {
    const before = this.facts.get(field);
    if (value !== undefined) this.facts.set(field, this.#held(value)!);
    return before === value ? undefined : before;
  }

  fact(field: Fact): string | undefined {
    return this.facts.get(field);
  }

  /** Sets the noted facts on an event that does not say otherwise. */
  fill(e: Event): void {
    for (const { key, value } of this.facts.cells()) e[key as Fact] ??= value;
  }
}
