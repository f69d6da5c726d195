// Entries of a batch as messages of Kafka: value, key and headers. Asks the schema registry once, when it is made.
import { LIMITS } from "../core/limits.ts";
import type { EntryBatch } from "../core/stage.ts";
import { type Codec, eventCodec, parseDocument } from "../kafka/avro.ts";
import type { RegistryOptions } from "../kafka/options.ts";
import { register } from "../kafka/registry.ts";
import { SPLICED_BYTES, writeDocument } from "./document.ts";

const HASH_BYTES = 32;
const TRACE = /^[\da-f]{32}$/;
const SPAN = /^[\da-f]{16}$/;

export interface Message {
  readonly id: string;
  readonly key: string;
  readonly value: Buffer;
  readonly headers: readonly Readonly<Record<string, string>>[];
  /** Why it cannot be sent, if it cannot. */
  readonly error: string | undefined;
}

type Value = (text: Buffer, document: Record<string, unknown>) => Buffer;

interface Known {
  readonly event?: { readonly id?: string };
  readonly gen_ai?: { readonly conversation?: { readonly id?: string } };
  readonly tapline?: { readonly stream?: string };
  readonly trace?: { readonly id?: string };
  readonly span?: { readonly id?: string };
}

/** Goes through a batch, entry by entry. */
export class Encoder {
  readonly #origin: string;
  readonly #type: string;
  readonly #value: Value;
  readonly #buffer = Buffer.allocUnsafeSlow(LIMITS.entry_bytes + SPLICED_BYTES);
  #batch!: EntryBatch;
  #run!: Buffer;
  #at = 0;
  #place = 0;

  constructor(origin: string, type: string, value: Value) {
    this.#origin = origin;
    this.#type = type;
    this.#value = value;
  }

  begin(batch: EntryBatch): void {
    const { run } = batch;
    this.#batch = batch;
    this.#run = Buffer.from(run.buffer, run.byteOffset, run.length);
    this.#at = 0;
    this.#place = 0;
  }

  /** The next entry as a message. */
  next(): Message {
    const { first, hashes } = this.#batch;
    const start = this.#at + 2;
    const end = start + this.#run.readUInt16BE(this.#at);
    const index = first + this.#place;
    const length = writeDocument(
      this.#run,
      start,
      end,
      index,
      hashes,
      this.#place * HASH_BYTES,
      this.#buffer,
      0,
    );
    this.#at = end;
    this.#place++;
    const text = this.#buffer.subarray(0, length);
    const document = parseDocument(text.toString("utf8"));
    const known = document as Known;
    const id = known.event?.id ?? "";
    const key = known.gen_ai?.conversation?.id ?? known.tapline?.stream ?? this.#origin;
    const headers: Record<string, string>[] = [
      { "content-type": this.#type },
      { "tapline-id": id },
      { "tapline-origin": this.#origin },
      { "tapline-index": String(index) },
    ];
    const trace = known.trace?.id ?? "";
    const span = known.span?.id ?? "";
    if (TRACE.test(trace) && SPAN.test(span)) headers.push({ traceparent: `00-${trace}-${span}-01` });
    try {
      return { id, key, value: this.#value(text, document), headers, error: undefined };
    } catch (error) {
      return { id, key, value: text, headers, error: (error as Error).message };
    }
  }
}

/** Bytes that say which schema follows: a zero and the id that the registry gave it. */
function confluentHead(id: number): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  return head;
}

const avroValue =
  (codec: Codec, head: Buffer): Value =>
  (_, document) =>
    Buffer.concat([head, codec.encode(document)]);

/** Throws what the registry makes of a schema, KAFKA_REGISTRY. */
export async function encoderOf(
  options: {
    readonly encoding: "avro" | "confluent" | "json";
    readonly topic: string;
    readonly registry?: RegistryOptions | undefined;
  },
  origin: string,
): Promise<Encoder> {
  const { encoding, topic, registry } = options;
  // The producer copies what it is given.
  if (encoding === "json") return new Encoder(origin, "application/json", (text) => text);
  const codec = await eventCodec();
  const head =
    encoding === "avro"
      ? codec.head
      : confluentHead(await register(registry!, `${topic}-value`, codec.schema));
  return new Encoder(origin, "avro/binary", avroValue(codec, head));
}
