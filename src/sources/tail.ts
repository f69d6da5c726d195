// What is known of one generation of one file: which it is, how far it was read, where its records go.
// Holds state and turns it into positions; reads nothing.
import type { Stats } from "node:fs";
import type { Position, ResolvedBy, Router, StreamFacts, StreamInfo } from "../core/stage.ts";
import type { Framing } from "../core/framing.ts";
import { LIMITS } from "../core/limits.ts";
import type { Chain } from "./chain.ts";
import type { StreamOptions } from "./stream-options.ts";
import { type Mark, type Packing, NOTHING, digest, keyOf, nextId } from "./identity.ts";
import type { Unpacker } from "./unpack.ts";

export class Tail {
  id = "";
  /** Where it was first seen: the name of the stream. */
  path: string;
  /** Where it is now. */
  at: string;
  dev: number;
  ino: number;
  birth_ms: number;
  key: string;
  gen = 0;
  head_len = 0;
  head_hash = NOTHING;
  offset = 0;
  tail_len = 0;
  tail_hash = NOTHING;
  size = 0;
  mtime_ms = 0;
  format = "unknown";
  session: string | undefined;
  framing: Framing = "line";
  /** What the first records tell of the client behind the stream. */
  facts: StreamFacts | undefined;
  resolved_by: ResolvedBy | undefined;
  /** Index of the queue its records leave by; -1 until the first record is there. */
  queue = -1;
  /** The stream's StreamInfo was handed over. */
  announced = false;
  /** The ledger knows the stream. */
  recorded = false;
  /** Id of the generation before, until this one has something to record. */
  before: string | undefined;
  /** Bytes after the offset that hold no line end. */
  scanned = 0;
  /** Size at which the head was last looked at without finding a line end. */
  probed_size = -1;
  /** The head is to be compared with the file, since the position comes from an earlier run. */
  resumed = false;
  /** Start after what was there at this size; 0 for the beginning. */
  from_end = 0;
  /** What comes after the last line end is handed over too. */
  flush = false;
  /** Notices that have to leave first. */
  waiting = 0;
  /** First bytes, between the first look and the question whether it is a copy. */
  head: Uint8Array | undefined;
  /** Seems to be a copy of this one: not read while that one is there. */
  copy_of: Tail | undefined;
  /** The generation that it copies. */
  copy_gen = 0;
  /** A copy that is not complete yet gets until then. */
  held_until_ms = 0;
  /** Names that lead to the file now. */
  links = 0;
  /** When it lost the name by which it was first seen; 0 while it has it. */
  rotated_ms = 0;
  /** No name leads to it; read on while it is open. */
  gone = false;
  /** Read to what was its end when it was last asked, the part after the last line end included. */
  at_end = false;
  /** Read, durable, and nothing more will be written: its absence is no loss. Remembered until `keep_until_ms`. */
  complete = false;
  keep_until_ms = 0;
  /** Nothing more will come of it. */
  done = false;
  /** It could not be opened or read; tried again at the next look. */
  denied = false;
  /** Device of the directory in which it was last seen; undefined before. */
  dir_dev: number | undefined;
  /** What lies there while its file system is away. */
  away: { readonly dev: number; readonly since_ms: number } | undefined;
  /** When its size or time was last seen to change. */
  changed_ms = 0;
  /** Without a name: when to look for it again. */
  check_ms = 0;
  hole_bytes = 0;
  packed: Packing | undefined;
  packed_size: number | undefined;
  unpacker: Unpacker | undefined;
  /** Where the chain of its stream stood after what was read. */
  chain: Chain | undefined;
  /** Gaps since the chain was last looked at. */
  torn = 0;
  /** Everything before this offset is durable. */
  settled = 0;

  constructor(path: string, stats: Pick<Stats, "dev" | "ino" | "birthtimeMs">) {
    this.path = path;
    this.at = path;
    this.dev = stats.dev;
    this.ino = stats.ino;
    this.birth_ms = stats.birthtimeMs;
    this.key = keyOf(stats);
  }

  static resume(id: string, mark: Mark): Tail {
    const tail = new Tail(mark.path, { dev: mark.dev, ino: mark.ino, birthtimeMs: mark.birth_ms });
    tail.at = mark.at ?? mark.path;
    tail.gen = mark.gen;
    tail.id = id;
    tail.recorded = true;
    if (mark.ended === true) {
      tail.offset = mark.offset;
      tail.renew();
      return tail;
    }
    tail.head_len = mark.head_len;
    tail.head_hash = mark.head_hash;
    tail.offset = tail.settled = mark.offset;
    tail.tail_len = mark.tail_len;
    tail.tail_hash = mark.tail_hash;
    tail.format = mark.format;
    tail.session = mark.session;
    tail.framing = mark.framing ?? "line";
    tail.facts = mark.facts;
    tail.resolved_by = mark.resolved_by;
    tail.packed = mark.packed;
    tail.packed_size = mark.packed_size;
    tail.complete = mark.complete === true;
    tail.chain = mark.chain;
    tail.resumed = true;
    return tail;
  }

  position(): Position {
    return {
      path: this.path,
      ...(this.at === this.path ? undefined : { at: this.at }),
      dev: this.dev,
      ino: this.ino,
      birth_ms: this.birth_ms,
      gen: this.gen,
      head_len: this.head_len,
      head_hash: this.head_hash,
      offset: this.offset,
      tail_len: this.tail_len,
      tail_hash: this.tail_hash,
      format: this.format,
      ...(this.session === undefined ? undefined : { session: this.session }),
      ...(this.framing === "line" ? undefined : { framing: this.framing }),
      ...(this.facts === undefined ? undefined : { facts: this.facts }),
      ...(this.resolved_by === undefined ? undefined : { resolved_by: this.resolved_by }),
      ...(this.packed === undefined ? undefined : { packed: this.packed }),
      ...(this.packed_size === undefined ? undefined : { packed_size: this.packed_size }),
      ...(this.complete ? { complete: true } : undefined),
      ...(this.chain === undefined ? undefined : { chain: this.chain }),
    };
  }

  info(common: StreamOptions): StreamInfo {
    return {
      id: this.id,
      source: common.source,
      path: this.path,
      format: common.format ?? this.format,
      session: common.session ?? this.session,
      framing: this.framing,
      lane: this.#laneKey(common),
      options: common.options,
      capture: common.capture,
      resolved_by: this.resolved_by,
      modified_ms: this.mtime_ms,
    };
  }

  /** Sets format and session from the first whole records, and the queue that follows from them. */
  recognise(head: Uint8Array, router: Router, common: StreamOptions): void {
    const found = router.probe(head, this.path, common.format);
    this.format = common.format ?? found.format;
    this.session = common.session ?? found.session;
    this.facts = found.facts;
    this.resolved_by = undefined;
    this.enqueueAt(router, common);
  }

  /** Goes on as a part of a session that was found for it; its worker is told of that. */
  join(session: string | undefined, by: ResolvedBy, router: Router, options: StreamOptions): void {
    this.session = session;
    this.resolved_by = by;
    this.announced = false;
    this.enqueueAt(router, options);
  }

  enqueueAt(router: Router, options: StreamOptions): void {
    const queue = router.laneOf(this.#laneKey(options));
    // Whoever was told of the stream before is another worker, or nobody knows which.
    if (queue !== this.queue) this.announced = false;
    this.queue = queue;
  }

  #laneKey({ lane_key }: StreamOptions): string {
    return this.session ?? lane_key?.(this.path) ?? this.id;
  }

  /** Continues in another file what `other` read of the same content. */
  takeOver(other: Tail): void {
    this.id = other.id;
    this.path = other.path;
    this.gen = other.gen;
    this.head_len = other.head_len;
    this.head_hash = other.head_hash;
    this.offset = other.offset;
    this.settled = other.settled;
    this.tail_len = other.tail_len;
    this.tail_hash = other.tail_hash;
    this.format = other.format;
    this.session = other.session;
    this.framing = other.framing;
    this.facts = other.facts;
    this.resolved_by = other.resolved_by;
    this.queue = other.queue;
    this.announced = other.announced;
    this.recorded = other.recorded;
    this.before = other.before;
    this.copy_of = undefined;
  }

  /** Moves on to `offset`; `bytes` are what comes before it in the file, at least the last KiB of it. */
  advance(offset: number, bytes: Uint8Array): void {
    this.offset = offset;
    this.tail_len = Math.min(LIMITS.head_bytes, offset, bytes.length);
    this.tail_hash = digest(bytes.subarray(bytes.length - this.tail_len));
    this.scanned = 0;
  }

  /** Becomes the next generation of the same file, read from 0. */
  renew(): void {
    this.copy_of = undefined;
    this.before ??= this.recorded ? this.id : undefined;
    this.gen++;
    this.id = nextId(this.id, this.gen);
    this.head_len = this.tail_len = this.offset = this.scanned = this.settled = this.hole_bytes = 0;
    this.head_hash = this.tail_hash = NOTHING;
    this.queue = -1;
    this.facts = undefined;
    this.probed_size = -1;
    this.announced = this.recorded = this.resumed = false;
    this.from_end = 0;
    this.packed_size = undefined;
  }

  get behind(): number {
    return this.packed === undefined
      ? Math.max(0, this.size - this.offset)
      : this.packed_size === this.size
        ? 0
        : this.size;
  }
}
