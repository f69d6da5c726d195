// The contracts between the stages. Stages never import each other; only pipeline.ts knows them all.
// The unit of work is the batch: `await` once a batch, never once an event.
import type { z } from "zod";
import type { MatchExchange, Told } from "./exchange.ts";
import type { Framing } from "./framing.ts";
import type { Event } from "./generated/event.ts";
import type { Said } from "./incident.ts";

/** JSON that a source understands and nobody else needs to: where it stands in one stream. */
export type Position = Record<string, unknown>;

export type Vantage = "transcript" | "proxy" | "hook" | "otel" | "gateway" | "chat" | "other" | "self";
export type CaptureLevel = "metadata" | "hashed" | "redacted" | "full";
export interface Capture {
  readonly arguments: CaptureLevel;
  readonly results: CaptureLevel;
  readonly messages: CaptureLevel;
  readonly identity: "full" | "pseudonym" | "sealed";
}

/** One generation of one stream (a file until it is truncated or replaced). Sent once, before its first segment. */
export interface StreamInfo {
  /** Deterministic and unique: the same bytes in the same place give the same id after a restart. */
  readonly id: string;
  /** Name of the source in the configuration. */
  readonly source: string;
  readonly path: string;
  readonly format: string;
  /** Agent session that the stream belongs to, where path, head or resolver tell. */
  readonly session: string | undefined;
  /** How its records end; with their line when undefined. */
  readonly framing?: Framing | undefined;
  /** What its worker is chosen by; without one any worker reads it. */
  readonly lane?: string | undefined;
  /** Options of the `json` format's mapping; other formats have none. */
  readonly options: unknown;
  readonly capture: Capture;
  /** How the session was found, or why not, where the records do not name it. */
  readonly resolved_by?: ResolvedBy | undefined;
  /** When the stream's bytes were last written, ms since 1970: stands in for records without a time. */
  readonly modified_ms: number;
}

/** How a stream whose records name no session came to one, or why it did not. */
export type ResolvedBy = "pid" | "cwd" | "ambiguous" | "none";

/** What the first records of a stream tell of the client behind it. Times in ms since 1970. */
export interface StreamFacts {
  /** An agent's own record of a session: others can be joined to it. */
  readonly transcript: boolean;
  /** A transcript whose events go to another session than the one whose worker reads it. */
  readonly branch?: boolean | undefined;
  readonly pid?: number | undefined;
  /** When the process of that id started. */
  readonly started_ms?: number | undefined;
  /** Digest of the working directory. */
  readonly cwd?: string | undefined;
  /** Earliest time in the first records. */
  readonly from_ms?: number | undefined;
}

/** `again`: "soon" when the answer may change in a moment, "later" when a session may still turn up. */
export interface Finding {
  readonly session: string | undefined;
  readonly by: ResolvedBy;
  readonly again: "soon" | "later" | undefined;
}

/** Joins streams to sessions. Knows what the streams of all sources told. */
export interface Sessions {
  /** A stream of this session, which lies at `path`; `by` when the session was found and not named. */
  learn(session: string, facts: StreamFacts, path: string, by: ResolvedBy | undefined): void;
  /** The session of a stream whose records name none. `asked_ms` is when that was first asked. */
  find(facts: StreamFacts, asked_ms: number): Finding;
}

/** Bytes [start, end) of a batch's buffer: whole records (lines, each with its newline) of one stream. */
export interface Segment {
  readonly stream: string;
  readonly start: number;
  readonly end: number;
  /** Offset of `start` in the stream. */
  readonly offset: number;
}

/** Something that could not be read. It becomes an entry: silence is evidence. */
export interface Gap {
  readonly stream: string;
  readonly path: string;
  readonly reason:
    | "truncated"
    | "vanished"
    | "rotated_away"
    | "spool_cut"
    | "spool_edited"
    | "spool_unclosed"
    | "line_too_long"
    | "evicted"
    | "too_large"
    | "unreadable";
  readonly offset: number;
  /** Bytes lost, where known. */
  readonly bytes: number | undefined;
  /** First bytes of what was left out, for a line that is too long. */
  readonly head: Uint8Array | undefined;
}

/** Whole records of streams of one lane, and the positions reached when they are durable. */
export interface RawBatch {
  readonly lane: number;
  readonly buffer: Uint8Array;
  readonly segments: readonly Segment[];
  /** Streams whose first segment or gap is in this batch. */
  readonly streams: readonly StreamInfo[];
  readonly gaps: readonly Gap[];
  /** Stream id → position after this batch; null when the stream is finished and can be forgotten. */
  readonly positions: Readonly<Record<string, Position | null>>;
  /** Bytes known to be waiting in this source after this batch. */
  readonly behind_bytes: number;
  readonly left_out?: LeftOut;
  /** What others told, in order; counted in `left_out`. */
  readonly told?: readonly Told[];
}

/** Records that a source has read and no worker needs to see: those that came before, and by reason what is not kept. */
export interface LeftOut {
  readonly merged: number;
  readonly skipped: Readonly<Record<string, number>>;
}

/** Hands over records and remembers nothing durable: the ledger keeps its positions. */
export interface Source {
  /** Called once. `positions` is what the ledger holds for this source: stream id → position. */
  open(positions: ReadonlyMap<string, Position>, router: Router): Promise<void>;
  /** The next batch of a lane, or undefined when there is nothing now. Never called twice at once for one source. */
  read(lane: number): Promise<RawBatch | undefined>;
  /** Called after the batch's frame is durable, in order. */
  settle(batch: RawBatch): void;
  /** Resolves when `read` may have something (or after the poll interval). Rejects never. */
  wait(signal: AbortSignal): Promise<void>;
  /** Bounds that bit and trouble that was met, by name, since open. */
  readonly counts?: Readonly<Record<string, number>>;
  /** True when all input known at open has been handed over (for `scan` and for tests). */
  readonly drained: boolean;
  /** False while there is more that `read` does not give yet. Without it, what `read` gives is all there is. */
  readonly rested?: boolean;
  /** Of sources whose streams are shared with other collectors, where correlations count across these. */
  readonly exchange?: MatchExchange | undefined;
  close(): Promise<void>;
}

/** What the pipeline knows of streams: their format, their session and their worker. */
export interface Router {
  readonly lanes: number;
  /** Recognises a stream from its first whole records. Format "unknown" when none claims it; `named` is the
   * format that the configuration names, if it does. */
  probe(
    head: Uint8Array,
    path: string,
    named?: string,
  ): { format: string; session: string | undefined; facts?: StreamFacts | undefined };
  /** A session's streams share a lane. */
  laneOf(session: string): number;
  /** The session of one parsed record, for sources whose streams hold the records of many. */
  sessionIn(format: string, record: unknown): string | undefined;
  /** Finds sessions for streams that name none; without it they stay alone. */
  readonly sessions?: Sessions;
}

/** Entries [first, first + count) of the ledger, as a run (see core/entry.ts), with their leaf hashes. */
export interface EntryBatch {
  readonly first: number;
  readonly count: number;
  readonly run: Uint8Array;
  /** 32 bytes an entry. */
  readonly hashes: Uint8Array;
  /** To be called when nobody will look at the run again: its memory is used for other entries then. A reader that
   * does not call it keeps that memory from being used, and nothing else. */
  readonly release?: (() => void) | undefined;
}

export interface DeadLetter {
  readonly index: number;
  readonly id: string;
  readonly status: number;
  readonly reason: string;
}
/** created + existing + dead.length + filtered = batch.count, always. */
export interface WriteResult {
  readonly created: number;
  readonly existing: number;
  readonly dead: readonly DeadLetter[];
  readonly filtered: number;
}

/** A reader of the ledger with a cursor of its own; keeps nothing that the ledger does not hold. */
export interface Sink {
  /** For `tapline check`, in place of `open`: asks the world whether a write would succeed, and writes nothing. */
  check?(signal: AbortSignal): Promise<void>;
  /** Throws TaplineError when the world is not ready; `retry` says whether to try again. */
  open(signal: AbortSignal): Promise<void>;
  /** Resolves when every entry of the batch has its fate. `resent` is true when entries of the batch may have been
   * written before (restart, replay): the sink then looks them up first. Throws only TaplineError with `retry`;
   * the pipeline backs off and calls again with `resent`. May be called again before an earlier call resolves. */
  write(batch: EntryBatch, resent: boolean, signal: AbortSignal): Promise<WriteResult>;
  /** Safe without open, safe twice. */
  close(): Promise<void>;
  /** What was met since the sink was made, by name: for `tapline status`. */
  readonly counts?: Readonly<Record<string, number>>;
}

/** A sink that reads the ledger's files itself (in a process of its own) and is told ranges instead of bytes. */
export interface RangeSink {
  open(signal: AbortSignal): Promise<void>;
  /** Resolves when entries [first, end) have their fate. Called with the next range only after the last resolved. */
  writeRange(first: number, end: number, signal: AbortSignal): Promise<WriteResult>;
  close(): Promise<void>;
}

/** What the core hands to a component. Time and logging come in here, so that tests can bring their own. */
export interface Context {
  readonly name: string;
  readonly state_dir: string;
  /** Name of the collector's ledger, by which one collector is told from another. */
  readonly origin: string;
  now(): number;
  log(level: "debug" | "info" | "warn" | "error", message: string, fields?: Record<string, unknown>): void;
}

/** What sinks are handed besides. */
export interface SinkContext extends Context {
  /** Hands something said of incidents to the collector's own spool; durable when it returns. Throws SPOOL_FULL,
   * SPOOL_UNSAFE and SPOOL_UNWRITABLE. */
  submit(said: Said): void;
  /** Events of incidents in the ledger, each with its index. */
  incidents(): Promise<readonly { readonly index: number; readonly step: Readonly<Partial<Event>> }[]>;
}

/** Default export of every file in sources/ and sinks/. The schema is its documentation. */
export interface Component<S extends z.ZodType, T, C = Context> {
  readonly config: S;
  create(config: z.output<S>, context: C): T;
}
