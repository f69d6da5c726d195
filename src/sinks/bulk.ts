// The bulk encoder: entries of the ledger to NDJSON bodies, by copying bytes. Nothing is parsed or serialised
// again; event.sequence and event.hash are spliced in before the closing braces. Knows no client and no network.
import assert from "node:assert";
import { LIMITS } from "../core/limits.ts";
import type { EntryBatch } from "../core/stage.ts";
import { SPLICED_BYTES, writeDocument } from "./document.ts";

/** One request: `items` pairs of action line and document, each pair ending with a newline. */
export interface BulkBody {
  readonly bytes: Buffer;
  readonly items: number;
  /** Where each pair begins in `bytes`; one more than items, the last is the length. */
  readonly starts: Uint32Array;
  /** Ledger index of each item. */
  readonly indexes: Float64Array;
}

const ascii = (text: string): Buffer => Buffer.from(text, "latin1");
const HEAD = ascii('{"@timestamp":"2026-01-01T00:00:00.000Z","data_stream":{"type":"logs","dataset":"');
const NAMESPACE = ascii('","namespace":"');
const EVENT_ID = ascii('"event":{"id":"');
const ID = ascii('","_id":"');
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACE = 0x7d;
const NEWLINE = 0x0a;
const ID_BYTES = 512; // the servers' own limit
const SMALL_BYTES = 64 * 1024; // bodies up to this get memory of their size
const ITEM_BYTES = 512 + ID_BYTES + SPLICED_BYTES; // most that an item adds to its entry

/** Data streams seen: their bytes as an entry holds them, and the action line up to the id. */
interface Stream {
  readonly key: Buffer;
  readonly action: Buffer;
  readonly left_out: boolean;
}

/** Encodes batches for one target. `logs-<dataset>-<namespace>` names the data stream, as the entry says. */
export class BulkEncoder {
  readonly #streams: Stream[] = [];
  readonly #leave_out: ReadonlySet<string>;
  readonly #free: ArrayBufferLike[] = [];

  /** Entries of these datasets are in no body. */
  constructor(leave_out: readonly string[] = []) {
    this.#leave_out = new Set(leave_out);
  }

  /** The batch as bodies of at most `max_bytes` and `max_items`, in ledger order, without what is left out. */
  encode(
    batch: EntryBatch,
    maxBytes: number = LIMITS.bulk_bytes,
    maxItems: number = LIMITS.bulk_items,
  ): BulkBody[] {
    const run = Buffer.from(batch.run.buffer, batch.run.byteOffset, batch.run.byteLength);
    const bodies: BulkBody[] = [];
    let at = 0;
    let position = 0;
    while (at < run.length) {
      // How many entries fit, before any is copied: a body is allocated once, at its size.
      let end = at;
      let entries = 0;
      let items = 0;
      let room = 0;
      while (end < run.length && items < maxItems) {
        const length = 2 + ((run[end]! << 8) | run[end + 1]!);
        if (!this.#isLeftOut(run, end + 2)) {
          if (items > 0 && room + length + ITEM_BYTES > maxBytes) break;
          room += length + ITEM_BYTES;
          items++;
        }
        end += length;
        entries++;
      }
      assert(end <= run.length, "an entry ends within its run");
      if (items > 0) bodies.push(this.#body(batch, run, at, position, items, room));
      at = end;
      position += entries;
    }
    assert(position === batch.count, "a run holds as many entries as its batch says");
    return bodies;
  }

  /** Gives the memory of a body back that nobody looks at or sends any more. Made anew for each body it would be what the
   * thread collects its whole heap for, many times a second. */
  give({ bytes }: BulkBody): void {
    const memory = bytes.buffer;
    if (memory.byteLength === LIMITS.bulk_bytes && this.#free.length < LIMITS.bulk_in_flight) {
      this.#free.push(memory);
    }
  }

  #take(room: number): Buffer {
    const isLarge = room > SMALL_BYTES && room <= LIMITS.bulk_bytes;
    const memory = isLarge ? this.#free.pop() : undefined;
    if (memory !== undefined) return Buffer.from(memory);
    return Buffer.allocUnsafeSlow(isLarge ? LIMITS.bulk_bytes : room);
  }

  #isLeftOut(run: Buffer, start: number): boolean {
    return this.#leave_out.size > 0 && this.#streamOf(run, start + HEAD.length).left_out;
  }

  /** A body of the next `items` entries that are not left out, from `at` on. */
  #body(
    { hashes, first }: EntryBatch,
    run: Buffer,
    at: number,
    position: number,
    items: number,
    room: number,
  ): BulkBody {
    const bytes = this.#take(room);
    const starts = new Uint32Array(items + 1);
    const indexes = new Float64Array(items);
    let to = 0;
    for (let i = 0; i < items; position++) {
      const start = at + 2;
      at = start + ((run[at]! << 8) | run[at + 1]!);
      if (this.#isLeftOut(run, start)) continue;
      starts[i] = to;
      indexes[i++] = first + position;
      to = this.#action(run, start, at, bytes, to);
      to = writeDocument(run, start, at, first + position, hashes, position * 32, bytes, to);
      bytes[to++] = NEWLINE;
    }
    starts[items] = to;
    return { bytes: bytes.subarray(0, to), items, starts, indexes };
  }

  /** Writes the action line of the entry at [start, end); returns where it ends. */
  #action(run: Buffer, start: number, end: number, bytes: Buffer, to: number): number {
    const { action } = this.#streamOf(run, start + HEAD.length);
    to += action.copy(bytes, to);
    const from = idOf(run, start, end);
    let at = from;
    while (run[at] !== QUOTE && run[at] !== BACKSLASH) bytes[to++] = run[at++]!;
    assert(
      run[at] === QUOTE && at - from <= ID_BYTES,
      "an event id is at most 512 bytes, none of them escaped",
    );
    bytes[to++] = QUOTE;
    bytes[to++] = BRACE;
    bytes[to++] = BRACE;
    bytes[to++] = NEWLINE;
    return to;
  }

  #streamOf(run: Buffer, at: number): Stream {
    // An installation has a handful of streams, so comparing beats hashing.
    const streams = this.#streams;
    for (let i = 0; i < streams.length; i++) {
      const { key } = streams[i]!;
      let k = 0;
      while (k < key.length && key[k] === run[at + k]) k++;
      if (k === key.length) return streams[i]!;
    }
    const dataset = run.indexOf(QUOTE, at);
    const namespace = dataset + NAMESPACE.length;
    const laid =
      run.subarray(at - 12, at).equals(HEAD.subarray(-12)) &&
      run.subarray(dataset, namespace).equals(NAMESPACE);
    assert(laid, "an entry begins with @timestamp and data_stream");
    const end = run.indexOf(QUOTE, namespace);
    const named = run.toString("latin1", at, dataset);
    const name = `logs-${named}-${run.toString("latin1", namespace, end)}`;
    const action = Buffer.concat([ascii(`{"create":{"_index":"${name}`), ID]);
    const left_out = this.#leave_out.has(named);
    streams.push({ key: Buffer.from(run.subarray(at, end + 1)), action, left_out });
    return streams[streams.length - 1]!;
  }
}

// Quotes within JSON strings are escaped, so the last `"event":{"id":"` is the group, never text.
function idOf(run: Buffer, start: number, end: number): number {
  let at = end - EVENT_ID.length;
  for (; at > start; at--) {
    // The brace is the rarest byte of the pattern in the event group.
    if (run[at + 8] !== 0x7b) continue;
    let k = 0;
    while (k < EVENT_ID.length && run[at + k] === EVENT_ID[k]) k++;
    if (k === EVENT_ID.length) break;
  }
  assert(at > start, "an entry ends with the event group, its id first");
  return at + EVENT_ID.length;
}

const ACTION = '{"create":{"_index":"'.length;

/** The data stream and id of one item, for lookups and messages. */
export function itemOf(body: BulkBody, item: number): { stream: string; id: string } {
  const start = body.starts[item]! + ACTION;
  const stream = body.bytes.indexOf(QUOTE, start);
  const id = stream + ID.length;
  return {
    stream: body.bytes.toString("latin1", start, stream),
    id: body.bytes.toString("utf8", id, body.bytes.indexOf(QUOTE, id)),
  };
}

/** A body of some of the items of another, in order. */
export function pick(body: BulkBody, items: readonly number[]): BulkBody {
  const starts = new Uint32Array(items.length + 1);
  const indexes = new Float64Array(items.length);
  const parts: Buffer[] = [];
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!;
    const part = body.bytes.subarray(body.starts[item], body.starts[item + 1]);
    parts.push(part);
    starts[i + 1] = starts[i]! + part.length;
    indexes[i] = body.indexes[item]!;
  }
  return { bytes: Buffer.concat(parts), items: items.length, starts, indexes };
}
