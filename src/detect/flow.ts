// Follows content through the sessions of a thread: which values of a call come from instructions in results, and what
// of a result turns up again in a later call. Sets fields on events before the rules see them; judges nothing. Results
// are read when a call is about to go out, not before: most calls stay on the machine.
import { createDigest } from "../core/digest.ts";
import type { Event } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";
import type { Json } from "../core/text.ts";
import type { Carried } from "./flow-content.ts";
import { Grams } from "./flow-grams.ts";
import { signNames } from "./flow-instruction.ts";
import type { Told } from "./flow-told.ts";
import { FlowSession, type FlowState } from "./flow-session.ts";

export type { FlowState } from "./flow-session.ts";

/** Sources that are no results. */
const USER = -1;
const SYSTEM = -2;

export class Flow {
  readonly #sessions = new Map<string, FlowSession>();
  readonly #clean: (text: string) => string;
  readonly #grams: Grams;
  #unread_chars = 0;
  /** Sessions and results dropped because a bound bit. */
  evicted = 0;

  /** `key` is secret; `clean` takes secrets out of names that are remembered. */
  constructor(key: string, clean: (text: string) => string) {
    const seed = createDigest(key)("flow");
    this.#grams = new Grams([parseInt(seed.slice(0, 8), 16), parseInt(seed.slice(8, 16), 16)]);
    this.#clean = clean;
  }

  /** Takes note of what the event says and sets tapline.flow.* and tapline.provenance.* on it. */
  trace(e: Event): void {
    if (e["tapline.primary"] === false) return;
    const action = e["event.action"];
    if (action === "tool-call") {
      const args = e["gen_ai.tool.call.arguments"];
      if (args !== undefined && isOutgoing(e)) this.#call(e, args);
    } else if (action === "tool-result") {
      if (e["gen_ai.tool.call.result"] !== undefined) this.#result(e, e["gen_ai.tool.call.result"]);
    } else if (action === "prompt") {
      if (e["gen_ai.input.messages"] !== undefined) this.#prompt(e, e["gen_ai.input.messages"]);
    } else if (e["gen_ai.system_instructions"] !== undefined) {
      this.#keep(this.#session(e), textOf(e["gen_ai.system_instructions"]), SYSTEM, false);
    }
  }

  /** What a restart needs, oldest session first; no text is in it, since all of it is read now. */
  state(): FlowState {
    const out: FlowState[number][] = [];
    let bytes = 0;
    for (const [id, session] of [...this.#sessions].toReversed()) {
      if (session.unread.length > 0) this.#read(session);
      const state = session.state();
      bytes += JSON.stringify(state).length;
      if (bytes > LIMITS.flow_state_bytes) {
        this.evicted += this.#sessions.size - out.length;
        break;
      }
      out.push([id, state]);
    }
    return out.toReversed();
  }

  restore(sessions: FlowState): void {
    for (const [id, state] of sessions) this.#sessions.set(id, new FlowSession(state));
  }

  #session(e: Event): FlowSession {
    const id = e["gen_ai.conversation.id"]!;
    let session = this.#sessions.get(id);
    if (session === undefined) {
      session = new FlowSession();
      this.#sessions.set(id, session);
      while (this.#sessions.size > LIMITS.flow_sessions) {
        const [oldest, { unread_chars }] = this.#sessions.entries().next().value!;
        this.#unread_chars -= unread_chars;
        this.#sessions.delete(oldest);
        this.evicted++;
      }
    }
    return session;
  }

  #prompt(e: Event, value: Json): void {
    const session = this.#session(e);
    const text = textOf(value);
    session.prompted = true;
    if (DELEGATES.test(text)) session.delegated = true;
    this.#keep(session, text, USER, false);
  }

  #result(e: Event, value: Json): void {
    const session = this.#session(e);
    const source = session.results++;
    const tool = e["gen_ai.tool.name"];
    const server = e["tapline.server.name"];
    const place = source % LIMITS.flow_sources;
    const content = session.content.contents[place];
    if (content !== undefined) content.from ??= session.sources[place];
    session.sources[place] = {
      event: e["event.id"]!,
      tool: tool === undefined ? undefined : this.#clean(tool),
      server: server === undefined ? undefined : this.#clean(server),
      signs: 0,
    };
    const flags = e["tapline.text.flags"];
    const hidden = flags !== undefined && (flags.includes("tags_block") || flags.includes("bidi"));
    this.#keep(session, textOf(value), source, hidden);
  }

  /** Keeps a text until a call goes out; when there are too many, the oldest go: those of the session, then of the oldest
   * other sessions. */
  #keep(session: FlowSession, text: string, source: number, hidden: boolean): void {
    session.unread.push({ text, source, hidden });
    session.unread_chars += text.length;
    this.#unread_chars += text.length;
    while (session.unread.length > LIMITS.flow_sources || session.unread_chars > LIMITS.flow_unread_chars)
      this.#forget(session);
    if (this.#unread_chars <= LIMITS.flow_unread_chars_all) return;
    for (const other of this.#sessions.values()) {
      if (other === session) continue;
      while (other.unread.length > 0) {
        if (this.#unread_chars <= LIMITS.flow_unread_chars_all) return;
        this.#forget(other);
      }
    }
  }

  /** Lets go of the oldest text that a session has not read. */
  #forget(session: FlowSession): void {
    const { length } = session.unread.shift()!.text;
    session.unread_chars -= length;
    this.#unread_chars -= length;
    this.evicted++;
  }

  #call(e: Event, args: Json): void {
    const session = this.#session(e);
    if (session.unread.length > 0) this.#read(session);
    const told = session.provenance.call(args);
    if (told !== undefined) setTold(e, session, told);
    const carried = session.content.call(args, e["gen_ai.tool.name"] ?? "", this.#grams);
    if (carried !== undefined) setFlow(e, session, carried);
  }

  #read(session: FlowSession): void {
    const { unread, provenance, content } = session;
    for (let i = 0; i < unread.length; i++) {
      const { text, source, hidden } = unread[i]!;
      if (source < 0) {
        provenance.said(text, source === USER);
        content.said(text, this.#grams);
      } else {
        provenance.result(text, source, hidden);
        session.sources[source % LIMITS.flow_sources]!.signs = provenance.signs;
        content.result(text, source, this.#grams);
      }
    }
    unread.length = 0;
    this.#unread_chars -= session.unread_chars;
    session.unread_chars = 0;
  }
}

/** Whether a call may carry something out: all but readers, and what works on files here or without the network. */
function isOutgoing(e: Event): boolean {
  if (e["network.direction"] !== undefined || e["tapline.tool.class"] === "egress") return true;
  if (e["tapline.tool.class"] === "private") return false;
  return e["file.path"] === undefined && e["process.command_line"] === undefined;
}

function setTold(e: Event, session: FlowSession, told: Told): void {
  const kinds: string[] = [];
  if (told.addresses > 0) kinds.push("address");
  if (told.links > 0) kinds.push("link");
  if (told.links_in_text > 0) kinds.push("link_in_text");
  if (told.accounts > 0) kinds.push("account");
  if (told.phrases > 0) kinds.push("text");
  if (told.named > 0) kinds.push("named");
  e["tapline.provenance.arguments"] = told.names;
  e["tapline.provenance.kinds"] = kinds;
  e["tapline.provenance.count"] = told.names.length;
  e["tapline.provenance.share"] = Math.round((told.names.length / told.leaves) * 100) / 100;
  e["tapline.provenance.instruction_score"] = told.score;
  e["tapline.provenance.prompted"] = session.prompted;
  e["tapline.provenance.asked"] = session.provenance.asked;
  e["tapline.provenance.said"] = told.words === 0 ? 0 : Math.round((told.said / told.words) * 100) / 100;
  e["tapline.provenance.expected"] = (told.topics & session.provenance.topics) !== 0;
  e["tapline.provenance.delegated"] = session.delegated;
  if (session.results - told.source > LIMITS.flow_sources) return;
  const source = session.sources[told.source % LIMITS.flow_sources]!;
  e["tapline.provenance.source_event"] = source.event;
  e["tapline.provenance.source_tool"] = source.tool;
  e["tapline.provenance.source_server"] = source.server;
  e["tapline.provenance.instruction_signs"] = signNames(source.signs);
}

function setFlow(e: Event, session: FlowSession, carried: Carried): void {
  // Snapshots of older versions do not say where a result came from whose place was taken.
  const known = session.results - carried.source <= LIMITS.flow_sources;
  const from = carried.from ?? (known ? session.sources[carried.source % LIMITS.flow_sources] : undefined);
  e["tapline.flow.from_event"] = from?.event;
  e["tapline.flow.from_tool"] = from?.tool;
  e["tapline.flow.from_server"] = from?.server;
  e["tapline.flow.to_tool"] = e["gen_ai.tool.name"];
  e["tapline.flow.overlap"] = carried.overlap;
  e["tapline.flow.chars"] = carried.chars;
  e["tapline.flow.encoding"] = carried.encoding;
  e["tapline.flow.calls"] = carried.calls;
}

const DEPTH = 8;

/** All text of a value, parts on lines of their own; no more than is looked at. */
function textOf(value: Json, depth = 0): string {
  if (typeof value === "string") {
    return value.length <= LIMITS.flow_text_chars ? value : value.slice(0, LIMITS.flow_text_chars);
  }
  if (typeof value === "number") return String(value);
  if (typeof value !== "object" || value === null || depth > DEPTH) return "";
  let text = "";
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) text = joined(text, textOf(value[i] as Json, depth + 1));
    return text;
  }
  const object = value as Readonly<Record<string, Json>>;
  for (const key in object) {
    // Of a content part, not of a record.
    if (key !== "type" || object[key] !== "text") text = joined(text, textOf(object[key]!, depth + 1));
  }
  return text;
}

function joined(text: string, part: string): string {
  if (text === "") return part;
  return part === "" || text.length >= LIMITS.flow_text_chars ? text : `${text}\n\n${part}`;
}

/** A request to do what a text says, where the text is elsewhere. */
const DELEGATES =
  /\b(?:follow|do|perform|execute|complete|carry out|implement|handle|act on)\b(?![^.!?\n]{0,40}\bfollowing\b)[^.!?\n]{0,40}\b(?:instructions?|actions?|tasks?|to-?dos?|steps|requests?|plan|ticket|issue)\b|\baccordingly\b|\b(?:update|adjust|change|fill in|pay)\b[^.!?\n]{0,80}\baccording to\b|\bas (?:described|specified|instructed|requested)\b|\bpay (?:the|this|my) (?:bill|invoice)/i;
