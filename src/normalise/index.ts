// Records to entries: a batch of raw bytes in, a run of finished documents out. Synchronous; one instance serves
// one worker. Reads no files, knows no ledger; rules come in as `inspect`.
import { isAscii, isUtf8 } from "node:buffer";
import { blockEnd } from "../core/framing.ts";
import { LIMITS } from "../core/limits.ts";
import { RuleFailed, TaplineError } from "../core/errors.ts";
import type { Event } from "../core/generated/event.ts";
import type { Run } from "../core/run.ts";
import type { Segment, StreamInfo } from "../core/stage.ts";
import { depthOf } from "../core/text.ts";
import { type Blob, moveLongTexts } from "./blob.ts";
import { type Counts, noCounts } from "./counts.ts";
import { redactCut } from "./cut.ts";
import { limitObjects } from "./depth.ts";
import { repeatsKey } from "../core/duplicates.ts";
import type { Format, Mapper, Outcome } from "./format.ts";
import { formatNamed } from "./probe.ts";
import { FLAG_DEEP, FLAG_NUMBER, FLAG_SECRET, FLAG_UNUSUAL, prefilter } from "./prefilter.ts";
import { type ScopeOptions, RecordScope } from "./scope.ts";
import type { SessionState } from "./session.ts";
import { parseRecord, splitGlued, whyNot } from "./text-json.ts";

export interface Work {
  readonly buffer: Uint8Array;
  readonly segments: readonly Segment[];
  readonly streams: readonly StreamInfo[];
  /** Streams of which nothing comes after this batch. */
  readonly ended?: readonly string[];
  readonly now_ms: number;
}

export interface Normalised extends Run {
  readonly counts: Counts;
  readonly blobs: readonly Blob[];
  /** Changes of the sessions that the batch touched, `[id, SessionState][]` as JSON: whoever keeps them needs the
   * text alone. */
  readonly sessions: string;
}

interface OpenStream {
  readonly info: StreamInfo;
  readonly format: Format;
  readonly mapper: Mapper;
}

export interface NormaliserState {
  readonly sessions: readonly (readonly [string, SessionState])[];
}

const NEWLINE = 10;
const RETURN = 13;
const BOM = "\ufeff";
/** Records with any of these, or longer than LIMITS.object_path_bytes, may hold what servers would not index. */
const ODD = FLAG_SECRET | FLAG_UNUSUAL;
const REASON_CHARS = 200;

export class Normaliser {
  readonly scope: RecordScope;
  readonly #options: ScopeOptions;
  readonly #streams = new Map<string, OpenStream>();
  #counts: Counts = noCounts();
  /** Whether events of the current record need a closer look. */
  #odd = false;
  /** The event in hand stands for one on which the rules failed. */
  #mute = false;
  #repeats = false;
  /** Size of the run at which the current record's events have to end. */
  #full_bytes = Infinity;

  constructor(options: ScopeOptions) {
    this.#options = options;
    this.scope = new RecordScope({ ...options, inspect: (e, write) => this.#inspect(e, write) });
  }

  /** Sees every event when it is finished. */
  #inspect(e: Event, write: (alert: Event) => void): void {
    if (this.scope.out.bytes > this.#full_bytes) throw new RangeError("too many events of one record");
    if (this.#odd) this.#inspectOdd(e, write);
    else if (!this.#mute) this.#options.inspect?.(e, write);
  }

  /** Rules see long texts whole; what is stored is what a server can index. */
  #inspectOdd(e: Event, write: (alert: Event) => void): void {
    if (this.#repeats) e["tapline.record.duplicate_keys"] = true;
    limitObjects(e);
    if (!this.#mute) {
      this.#options.inspect?.(e, (alert) => {
        limitObjects(alert);
        write(alert);
      });
    }
    for (const blob of moveLongTexts(e, this.#options.digest)) this.scope.blobs.push(blob);
  }

  state(): NormaliserState {
    return { sessions: [...this.scope.sessions].map(([id, session]) => [id, session.state()]) };
  }

  restore(state: NormaliserState): void {
    this.scope.restore(state.sessions);
  }

  #open(info: StreamInfo): void {
    const format = formatNamed(info.format) ?? formatNamed("unknown")!;
    this.#streams.set(info.id, { info, format, mapper: format.open(info) });
  }

  process(work: Work): Normalised {
    for (const info of work.streams) this.#open(info);
    this.#counts = noCounts();
    this.scope.beginBatch(work.now_ms);
    const buffer = Buffer.from(work.buffer.buffer, work.buffer.byteOffset, work.buffer.length);
    for (let i = 0; i < work.segments.length; i++) this.#segment(buffer, work.segments[i]!);
    if (work.ended !== undefined) for (const id of work.ended) this.#streams.delete(id);
    const drift = this.scope.drift.take();
    if (drift !== undefined) this.#counts.drift = drift;
    return {
      ...this.scope.out.take(),
      counts: this.#counts,
      blobs: this.scope.blobs,
      sessions: JSON.stringify(this.scope.changes()),
    };
  }

  #segment(buffer: Buffer, segment: Segment): void {
    const stream = this.#streams.get(segment.stream)!;
    this.scope.beginStream(stream.info, stream.format.vantage);
    const bytes = buffer.subarray(segment.start, segment.end);
    const ascii = isAscii(bytes);
    if (stream.info.framing === "message")
      return this.#line(stream, bytes, 0, bytes.length, segment.offset, ascii);
    const isBlocks = stream.info.framing === "block";
    let start = 0;
    while (start < bytes.length) {
      const isBlock = isBlocks && bytes[start] !== NEWLINE;
      let next = isBlock ? blockEnd(bytes, start, bytes.length) - 1 : bytes.indexOf(NEWLINE, start);
      if (next < 0) next = bytes.length;
      const end = next > start && bytes[next - 1] === RETURN ? next - 1 : next;
      if (end === start) this.#count("skipped:blank");
      else if (this.scope.out.bytes > LIMITS.dense_run_bytes && end - start < LIMITS.raw_bytes) {
        next = this.#keepTogether(bytes, start, segment.offset + start);
      } else this.#line(stream, bytes, start, end, segment.offset + start, ascii);
      start = next + 1;
    }
  }

  /** Keeps the next records as they are, in one event: a batch of tiny ones would make more than a frame holds.
   * Returns where the last of them ends. */
  #keepTogether(bytes: Buffer, start: number, offset: number): number {
    this.scope.beginRecord(offset, FLAG_SECRET | FLAG_UNUSUAL);
    let last = Math.min(start + LIMITS.raw_bytes, bytes.length);
    if (last < bytes.length) last = bytes.lastIndexOf(NEWLINE, last);
    let lines = 0;
    for (let at = start; at < last; lines++) {
      const next = bytes.indexOf(NEWLINE, at);
      at = next === -1 ? last : next + 1;
    }
    this.#unreadable(bytes, start, last, "too_dense", `${lines} short records, kept together`);
    // The first of them is counted.
    this.#counts.read += lines - 1;
    this.#counts.recorded += lines - 1;
    this.#counts.unparsable += lines - 1;
    return last;
  }

  #line(of: OpenStream, bytes: Buffer, start: number, end: number, offset: number, ascii: boolean): void {
    const flags = prefilter(bytes, start, end);
    this.scope.beginRecord(offset, flags);
    this.#odd = end - start > LIMITS.object_path_bytes || (flags & ODD) !== 0;
    this.#repeats = false;
    if ((flags & FLAG_DEEP) !== 0 && depthOf(bytes, start, end) > LIMITS.depth) {
      this.#unreadable(bytes, start, end, "too_deep", `nested deeper than ${LIMITS.depth}`);
      return;
    }
    if (!ascii && !isUtf8(bytes.subarray(start, end))) {
      this.#unreadable(
        bytes,
        start,
        end,
        "not_utf8",
        "not valid UTF-8: event.original holds its bytes as Latin-1",
      );
      return;
    }
    // A line at a time: the text of a whole segment would outlive the collections while its lines are mapped.
    const text = bytes.toString(ascii ? "latin1" : "utf8", start, end);
    const record = of.format.decode?.(text) ?? parseRecord(text, (flags & FLAG_NUMBER) !== 0);
    if (record === undefined) return this.#recover(of, bytes, start, end, text);
    if (of.format.asks?.(record) === true && repeatsKey(bytes, start, end)) this.#odd = this.#repeats = true;
    this.#map(of, record, bytes, start, end);
  }

  /** A line that is no JSON: perhaps several values glued together (writers that race) or a file's first after a
   * byte order mark, else kept as it is. */
  #recover(of: OpenStream, bytes: Buffer, start: number, end: number, text: string): void {
    const why = whyNot();
    const marked = text.startsWith(BOM) ? parseRecord(text.slice(1), true) : undefined;
    const values = marked === undefined ? splitGlued(text) : [marked];
    if (values === undefined) this.#unreadable(bytes, start, end, "not_json", why);
    else for (const value of values) this.#map(of, value, bytes, start, end);
  }

  /** Maps one record. A mapper or rule that fails costs this record its events, not the collector its life; the
   * record is kept as it is. Trouble with the world goes on to those who can wait for it to end. */
  #map(of: OpenStream, record: unknown, bytes: Buffer, start: number, end: number): void {
    this.#full_bytes = LIMITS.full_run_bytes;
    let outcome: Outcome | undefined;
    let failure: unknown;
    try {
      outcome = of.mapper(record, this.scope);
    } catch (error) {
      if (error instanceof TaplineError) throw error;
      failure = error;
    }
    this.#full_bytes = Infinity;
    if (outcome !== undefined) {
      if (of.format.fields !== undefined) this.scope.noteFields(of.format.fields, record);
      return this.#count(outcome);
    }
    const why = this.#options.redactor.redactText(String(failure)).slice(0, REASON_CHARS);
    this.#mute = failure instanceof RuleFailed;
    this.#unreadable(bytes, start, end, this.#mute ? "rule_failed" : "mapper_failed", why);
    this.#mute = false;
  }

  /** Keeps a record that cannot be read as an event of its own, raw bytes within limits. */
  #unreadable(bytes: Buffer, start: number, end: number, type: string, message: string): void {
    const e = this.scope.event("unparsable-record", undefined);
    const cut = Math.min(end, start + LIMITS.raw_bytes);
    const encoding = type === "not_utf8" ? "latin1" : "utf8";
    const text = bytes.toString(encoding, start, cut);
    const beyond = bytes.toString(encoding, cut, Math.min(end, cut + LIMITS.beyond_chars));
    const original = redactCut(text, beyond, this.#options.redactor.redactText);
    e["error.type"] = type;
    e["error.message"] = message;
    e["event.outcome"] = "failure";
    e["event.original"] = original;
    e["tapline.data.bytes_in"] = end - start;
    if (cut < end) e["tapline.data.truncated"] = ["event.original"];
    this.scope.flags &= ~FLAG_SECRET;
    this.scope.emit(e);
    this.#counts.unparsable++;
    this.#count("recorded");
  }

  #count(outcome: Outcome): void {
    const counts = this.#counts;
    counts.read++;
    if (outcome === "recorded") counts.recorded++;
    else if (outcome === "merged") counts.merged++;
    else counts.skipped[outcome.slice(8)] = (counts.skipped[outcome.slice(8)] ?? 0) + 1;
  }
}
