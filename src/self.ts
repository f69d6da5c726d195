// The collector's own events: starts, stops, heartbeats, gaps, snapshots, configuration. Silence is evidence too,
// so what the collector does and could not read is recorded, and judged by rules, like anything else.
import assert from "node:assert";
import { type Origin, eventOf } from "./core/event.ts";
import type { Action } from "./core/generated/classes.ts";
import { type Event, serialise } from "./core/generated/event.ts";
import { RunWriter, type Run } from "./core/run.ts";
import { LIMITS } from "./core/limits.ts";
import type { Gap, StreamInfo } from "./core/stage.ts";
import { fromMs } from "./core/time.ts";
import { redactCut } from "./normalise/cut.ts";

/** Cuts every value of an event to about `chars` characters, and names the fields. */
function cutValues(e: Event, chars: number): void {
  const fields = e as unknown as Record<string, unknown>;
  const cut = new Set(e["tapline.data.truncated"]);
  for (const [name, value] of Object.entries(fields)) {
    const json = typeof value === "string" ? value : JSON.stringify(value ?? null);
    if (json.length <= chars || name === "tapline.data.truncated") continue;
    if (typeof value === "string") fields[name] = value.slice(0, chars).toWellFormed();
    else if (Array.isArray(value)) fields[name] = value.slice(0, Math.floor(value.length / 2));
    else fields[name] = { text: json.slice(0, chars).toWellFormed() };
    cut.add(name);
  }
  e["tapline.data.truncated"] = [...cut];
}

export class SelfRecorder {
  readonly #origin: Origin;
  readonly #now: () => number;
  /** What was added and not taken yet. */
  readonly out = new RunWriter(64 * 1024);
  /** Events added since the start, by action. */
  readonly counts = new Map<string, number>();
  /** Called with every event before it is added; may add alerts. */
  inspect: ((e: Event) => void) | undefined;
  readonly #redactText: (text: string) => string;
  readonly #started: string;
  #count = 0;

  /** `started_ms` makes ids unique between runs. */
  constructor(origin: Origin, started_ms: number, now: () => number, redactText: (text: string) => string) {
    this.#redactText = redactText;
    this.#origin = origin;
    this.#now = now;
    this.#started = `${origin.host}-${started_ms.toString(36)}`;
  }

  #event(action: Action, message: string): Event {
    const e = eventOf(action, this.#origin);
    const now = fromMs(this.#now())!;
    e["@timestamp"] = now;
    e["message"] = message;
    e["tapline.vantage"] = "self";
    e["event.created"] = now;
    e["event.id"] = `self-${this.#started}-${(this.#count++).toString(36)}`;
    return e;
  }

  /** Adds one event of the collector itself; `fill` sets what it holds beyond a message. */
  add(action: Action, message: string, fill?: (e: Event) => void): void {
    const e = this.#event(action, message);
    fill?.(e);
    this.write(e);
  }

  #counted(e: Event): void {
    const action = e["event.action"]!;
    this.counts.set(action, (this.counts.get(action) ?? 0) + 1);
  }

  /** Adds an event that is finished, behind its alerts. One too large for an entry loses the ends of its values, which
   * are copies; rules see what is left. */
  write(e: Event): void {
    this.#counted(e);
    let text = serialise(e);
    for (let chars = LIMITS.own_text_chars; Buffer.byteLength(text) > LIMITS.entry_bytes; chars /= 2) {
      assert(chars >= 1, "an event without its values fits in an entry");
      cutValues(e, chars);
      text = serialise(e);
    }
    this.inspect?.(e);
    this.out.add(text);
  }

  gap(gap: Gap): void {
    const bytes = gap.bytes === undefined ? "" : `, ${gap.bytes} bytes`;
    this.add("gap", `${gap.path}: ${gap.reason} at offset ${gap.offset}${bytes}`, (e) => {
      e["log.file.path"] = gap.path;
      e["log.offset"] = gap.offset;
      e["tapline.stream"] = gap.stream;
      e["tapline.gap.reason"] = gap.reason;
      e["tapline.gap.bytes"] = gap.bytes;
      e["event.outcome"] = "failure";
      if (gap.head === undefined) return;
      const head = Buffer.from(gap.head).toString("utf8");
      // A secret may go on behind it.
      const kept = head.length > 2 * LIMITS.beyond_chars ? head.length - LIMITS.beyond_chars : head.length;
      e["event.original"] = redactCut(head.slice(0, kept), head.slice(kept), this.#redactText);
      e["tapline.data.truncated"] = ["event.original"];
    });
  }

  stream(info: StreamInfo): void {
    this.add("stream-found", `reading ${info.path} as ${info.format}`, (e) => {
      e["log.file.path"] = info.path;
      e["tapline.source"] = info.source;
      e["tapline.stream"] = info.id;
      e["tapline.format"] = info.format;
      e["gen_ai.conversation.id"] = info.session;
      e["tapline.session.resolved_by"] = info.resolved_by;
    });
  }

  /** What was added since the last call. */
  take(): Run {
    return this.out.take();
  }
}
