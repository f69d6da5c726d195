// Records to entries: a batch of raw bytes in, a run of finished documents out. Synchronous; one instance serves
// one worker. Reads no files, knows no ledger; rules come in as `inspect`.
import { isAscii, isUtf8 } from "node:buffer";
import { LIMITS } from "../core/limits.ts";
import type { Run } from "../core/run.ts";
import type { Segment, StreamInfo, Vantage } from "../core/stage.ts";
import type { Blob } from "./blob.ts";
import type { Mapper, Outcome } from "./format.ts";
import { formatNamed } from "./probe.ts";
import { FLAG_DEEP, FLAG_SECRET, prefilter } from "./prefilter.ts";
import { type ScopeOptions, RecordScope } from "./scope.ts";
import type { SessionState } from "./session.ts";
import { depthOf, splitGlued } from "./text-json.ts";

/** What became of the records of a batch. read = recorded + merged + the sum of skipped. */
export interface Counts {
  read: number;
  recorded: number;
  merged: number;
  skipped: Record<string, number>;
  unparsable: number;
}

export interface Work {
  readonly buffer: Uint8Array;
  readonly segments: readonly Segment[];
  readonly streams: readonly StreamInfo[];
  readonly now_ms: number;
}

export interface Normalised extends Run {
  readonly counts: Counts;
  readonly blobs: readonly Blob[];
  /** Changes of the sessions that the batch touched. */
  readonly sessions: readonly (readonly [string, SessionState])[];
}

interface OpenStream {
  readonly info: StreamInfo;
  readonly mapper: Mapper;
  readonly vantage: Vantage;
}

export interface NormaliserState {
  readonly sessions: readonly [string, SessionState][];
}

const NEWLINE = 10;
const RETURN = 13;

export class Normaliser {
  readonly scope: RecordScope;
  readonly #options: ScopeOptions;
  readonly #streams = new Map<string, OpenStream>();
  #counts: Counts = noCounts();

  constructor(options: ScopeOptions) {
    this.#options = options;
    this.scope = new RecordScope(options);
  }

  state(): NormaliserState {
    return { sessions: [...this.scope.sessions].map(([id, session]) => [id, session.state()]) };
  }

  restore(state: NormaliserState): void {
    this.scope.restore(state.sessions);
  }

  #open(info: StreamInfo): void {
    const format = formatNamed(info.format) ?? formatNamed("unknown")!;
    this.#streams.set(info.id, { info, mapper: format.open(info), vantage: format.vantage });
  }

  process(work: Work): Normalised {
    for (const info of work.streams) this.#open(info);
    this.#counts = noCounts();
    this.scope.beginBatch(work.now_ms);
    const buffer = Buffer.from(work.buffer.buffer, work.buffer.byteOffset, work.buffer.length);
    for (let i = 0; i < work.segments.length; i++) this.#segment(buffer, work.segments[i]!);
    return { ...this.scope.out.take(), counts: this.#counts, blobs: this.scope.blobs, sessions: this.scope.changes() };
  }

  #segment(buffer: Buffer, segment: Segment): void {
    const stream = this.#streams.get(segment.stream)!;
    this.scope.beginStream(stream.info, stream.vantage);
    // Text that is all ASCII is decoded once a segment, the rest line by line, since offsets are in bytes.
    const bytes = buffer.subarray(segment.start, segment.end);
    const ascii = isAscii(bytes) ? bytes.toString("latin1") : undefined;
    let start = 0;
    while (start < bytes.length) {
      let next = bytes.indexOf(NEWLINE, start);
      if (next === -1) next = bytes.length;
      const end = next > start && bytes[next - 1] === RETURN ? next - 1 : next;
      if (end === start) this.#count("skipped:blank");
      else this.#line(stream.mapper, bytes, start, end, segment.offset + start, ascii);
      start = next + 1;
    }
  }

  #line(map: Mapper, bytes: Buffer, start: number, end: number, offset: number, ascii: string | undefined): void {
    const flags = prefilter(bytes, start, end);
    this.scope.beginRecord(offset, flags);
    if ((flags & FLAG_DEEP) !== 0 && depthOf(bytes, start, end) > LIMITS.depth) {
      this.#unreadable(bytes, start, end, "too_deep", `nested deeper than ${LIMITS.depth}`);
      return;
    }
    if (ascii === undefined && !isUtf8(bytes.subarray(start, end))) {
      this.#unreadable(bytes, start, end, "not_utf8", "not valid UTF-8");
      return;
    }
    const text = ascii === undefined ? bytes.toString("utf8", start, end) : ascii.slice(start, end);
    const record = parse(text);
    if (record !== undefined) this.#count(map(record, this.scope));
    else this.#recover(map, bytes, start, end, text);
  }

  /** A line that is no JSON: perhaps several values glued together (writers that race), else kept as it is. */
  #recover(map: Mapper, bytes: Buffer, start: number, end: number, text: string): void {
    const values = splitGlued(text);
    if (values === undefined) {
      this.#unreadable(bytes, start, end, "not_json", parse_error);
      return;
    }
    for (const value of values) this.#count(map(value, this.scope));
  }

  /** Keeps a record that cannot be read as an event of its own, raw bytes within limits. */
  #unreadable(bytes: Buffer, start: number, end: number, type: string, message: string): void {
    const e = this.scope.event("unparsable-record", undefined);
    const cut = Math.min(end, start + LIMITS.raw_bytes);
    e["error.type"] = type;
    e["error.message"] = message;
    e["event.outcome"] = "failure";
    e["event.original"] = this.#options.redactor.redactText(bytes.toString("utf8", start, cut));
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

function noCounts(): Counts {
  return { read: 0, recorded: 0, merged: 0, skipped: {}, unparsable: 0 };
}

let parse_error = "";
/** The value of a JSON text, or undefined with the reason in `parse_error`: parsers report by throwing. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The message of V8 quotes the text; the reason is what comes before.
    parse_error = (error as Error).message.replace(/,? ?(?:"|\.\.\.|'|in JSON).*$/s, "");
    return undefined;
  }
}
