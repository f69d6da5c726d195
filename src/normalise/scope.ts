// The way from one record to its events: what a mapper sees (Scope), and the steps every event takes on its way
// out. One instance serves a worker; it holds the current stream, session and record. Parses nothing.
import { type Origin, eventOf } from "../core/event.ts";
import type { Inventory } from "../core/inventory.ts";
import type { Action } from "../core/generated/classes.ts";
import { type Event, serialise } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";
import { RunWriter } from "../core/run.ts";
import type { SharedBuffers } from "../core/shared-buffers.ts";
import type { StreamInfo, Vantage } from "../core/stage.ts";
import type { Digest } from "../core/digest.ts";
import { fromEpoch, fromMs, parseTime } from "../core/time.ts";
import type { Scope } from "./format.ts";
import { Session, type SessionState } from "./session.ts";
import { type Blob, moveToBlobs } from "./blob.ts";
import { applyCapture } from "./capture.ts";
import { cutTexts } from "./cut.ts";
import { Drift, type KnownFields, unknownFields } from "./drift.ts";
import { enrich } from "./enrich.ts";
import { fromInventory } from "./inventory.ts";
import { limitObjects } from "./depth.ts";
import { FLAG_NESTED, FLAG_SECRET } from "./prefilter.ts";
import type { Redactor } from "./redact.ts";
import type { Sealer } from "./seal.ts";

const TIME_CHARS = 64;

/** Called with every finished event, before it is written; may emit alerts through `write`. */
type Inspect = (e: Event, write: (alert: Event) => void) => void;

export interface ScopeOptions {
  readonly origin: Origin;
  readonly digest: Digest;
  readonly redactor: Redactor;
  readonly inspect: Inspect | undefined;
  /** Encrypts identities where the capture level asks for it. */
  readonly sealer: Sealer | undefined;
  /** Canonical time of the run's start: older records are backfill. */
  readonly started: string;
  /** Sees every event with its content as it was, before redaction; sets derived fields. */
  readonly trace?: ((e: Event) => void) | undefined;
  /** Takes finished events in place of the run: nothing is written, for whoever measures what comes before. */
  readonly take?: ((e: Event) => void) | undefined;
  /** Memory for runs that leave the thread. */
  readonly buffers?: SharedBuffers | undefined;
}

export class RecordScope implements Scope {
  readonly digest: Digest;
  readonly out: RunWriter;
  readonly sessions = new Map<string, Session>();
  /** Sessions dropped because the bound bit. */
  evicted = 0;
  blobs: Blob[] = [];
  events = 0;
  offset = 0;
  /** Flags of the prefilter for the current record. */
  flags = 0;
  readonly drift = new Drift();
  /** Client version that the last event of the record names, and whether the format knew what it is. */
  #version: string | undefined;
  #isKnown = true;
  stream!: StreamInfo;
  /** What the policy knows, where there is one. */
  inventory: Inventory | undefined;
  readonly #options: ScopeOptions;
  readonly #write: (e: Event) => void;
  #vantage: Vantage = "other";
  #session: Session | undefined;
  readonly #touched = new Set<Session>();
  #emitted = 0;
  #arrival = "";
  #too_late = "";

  constructor(options: ScopeOptions) {
    this.#options = options;
    this.out = new RunWriter(LIMITS.batch_bytes * 3, options.buffers);
    this.digest = options.digest;
    this.#write = (e) => this.#finish(e);
  }

  /** Called once a batch: records without a time get this one. */
  beginBatch(now_ms: number): void {
    this.#arrival = fromMs(now_ms)!;
    this.#too_late = fromMs(now_ms + LIMITS.future_ms)!;
    this.events = 0;
    this.blobs = [];
  }

  beginStream(stream: StreamInfo, vantage: Vantage): void {
    this.stream = stream;
    this.#vantage = vantage;
  }

  beginRecord(offset: number, flags: number): void {
    this.offset = offset;
    this.flags = flags;
    this.#emitted = 0;
    this.#version = undefined;
    this.#isKnown = true;
    this.session();
  }

  session(named: string = this.stream.session ?? this.stream.id): Session {
    const id = named.length <= LIMITS.state_key_chars ? named : this.digest(named);
    let session = this.sessions.get(id);
    if (session === undefined) {
      session = new Session(id, this.digest);
      this.sessions.set(id, session);
      if (this.sessions.size > LIMITS.sessions) this.#evict();
    }
    // A hook may tell of a branch before its transcript is read, and names no other session.
    if (session.lane === undefined && this.stream.lane !== id) session.lane = this.stream.lane;
    session.clean = (this.flags & FLAG_SECRET) === 0 ? undefined : this.#options.redactor.redactText;
    if (session !== this.#session) this.#touched.add(session);
    this.#session = session;
    return session;
  }

  /** Changes of the sessions touched since the last call. */
  changes(): [string, SessionState][] {
    const changes = [...this.#touched].map((session): [string, SessionState] => [
      session.id,
      session.delta(),
    ]);
    this.#touched.clear();
    this.#session = undefined;
    return changes;
  }

  /** Drops the session that was created first: sessions end, and nothing marks their end reliably. */
  #evict(): void {
    this.sessions.delete(this.sessions.keys().next().value!);
    this.evicted++;
  }

  restore(sessions: readonly (readonly [string, SessionState])[]): void {
    for (const [id, state] of sessions) this.sessions.set(id, new Session(id, this.digest, state));
    // With other workers, or of frames, more may come than one holds.
    while (this.sessions.size > LIMITS.sessions) this.#evict();
  }

  event(action: Action, time: unknown): Event {
    const e = eventOf(action, this.#options.origin);
    const stream = this.stream;
    e["gen_ai.conversation.id"] = this.#session!.id;
    e["log.file.path"] = stream.path;
    e["log.offset"] = this.offset;
    e["tapline.source"] = stream.source;
    e["tapline.stream"] = stream.id;
    e["tapline.format"] = stream.format;
    e["tapline.vantage"] = this.#vantage;
    if (stream.resolved_by !== undefined && this.#session!.id === (stream.session ?? stream.id))
      e["tapline.session.resolved_by"] = stream.resolved_by;
    e["event.created"] = this.#arrival;
    this.#stamp(e, time);
    return e;
  }

  #stamp(e: Event, time: unknown): void {
    const known =
      typeof time === "string" ? parseTime(time) : typeof time === "number" ? fromEpoch(time) : undefined;
    if (known !== undefined && known <= this.#too_late) {
      e["@timestamp"] = known;
      e["tapline.time.source"] = "record";
      if (known !== time) e["tapline.time.original"] = this.#shown(String(time));
      this.#session!.last_time = known;
    } else {
      const last = this.#session!.last_time;
      e["@timestamp"] = last ?? fromMs(this.stream.modified_ms) ?? this.#arrival;
      e["tapline.time.source"] = last === undefined ? "arrival" : "stream";
      e["tapline.time.suspect"] = true;
      const told = typeof time === "string" || typeof time === "number" ? time : JSON.stringify(time);
      if (told !== undefined && told !== "null") e["tapline.time.original"] = this.#shown(String(told));
    }
    if (e["@timestamp"] < this.#options.started) e["tapline.backfill"] = true;
  }

  /** The beginning of what a record has in place of a time. */
  #shown(text: string): string {
    const isSecret = (this.flags & FLAG_SECRET) !== 0 && text.length > TIME_CHARS;
    return (isSecret ? this.#options.redactor.redactText(text) : text).slice(0, TIME_CHARS);
  }

  emit(e: Event): void {
    e["event.id"] = `${this.stream.id}-${this.offset.toString(36)}-${this.#emitted++}`;
    enrich(e, this.flags);
    if (this.inventory !== undefined) fromInventory(e, this.inventory);
    this.#options.trace?.(e);
    // A result repeats the URI of its call, which was another record.
    if ((this.flags & FLAG_SECRET) !== 0 || e["mcp.resource.uri"] !== undefined) {
      this.#options.redactor.redact(e, this.stream.capture);
    }
    cutTexts(e);
    // After redaction, which knows the keys of objects.
    if ((this.flags & FLAG_NESTED) !== 0) limitObjects(e);
    applyCapture(e, this.stream.capture, this.digest, this.#options.sealer);
    this.#version = e["service.version"];
    if (e["tapline.record.known"] === false) this.#noteType(e);
    this.#options.inspect?.(e, this.#write);
    this.#finish(e);
  }

  forward(e: Event): void {
    if ((this.flags & FLAG_NESTED) !== 0) limitObjects(e);
    this.#options.inspect?.(e, this.#write);
    this.#finish(e);
  }

  #noteType(e: Event): void {
    this.#isKnown = false;
    this.drift.add(this.stream.format, this.#version, "type", e["tapline.record.type"] ?? "");
  }

  /** Counts fields of the record that its format does not know. Of an unknown type all would be. */
  noteFields(known: KnownFields, record: unknown): void {
    const names = this.#isKnown ? unknownFields(known, record) : undefined;
    if (names === undefined) return;
    const version = this.#version ?? this.#session!.fact("service.version");
    const isSecret = (this.flags & FLAG_SECRET) !== 0;
    for (const name of names) {
      const safe = isSecret ? this.#options.redactor.redactText(name) : name;
      this.drift.add(this.stream.format, version, "field", safe);
    }
  }

  #finish(e: Event): void {
    this.events++;
    if (this.#options.take !== undefined) return this.#options.take(e);
    if (this.out.add(serialise(e))) return;
    for (const blob of moveToBlobs(e, LIMITS.entry_bytes, this.digest)) this.blobs.push(blob);
    this.out.add(serialise(e));
  }
}
