// Messages as records: those of any format as they are; events of another collector out of their encoding, with the
// name of the ledger that they come from. What cannot be decoded is handed on as it is, and becomes an event that says so.
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { TaplineError, reasonOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { type Codec, SINGLE_OBJECT_BYTES, codecOf, eventCodec } from "../kafka/avro.ts";
import type { Message } from "../kafka/client.ts";
import type { RegistryOptions } from "../kafka/options.ts";
import { schemaOf } from "../kafka/registry.ts";

const CONFLUENT_BYTES = 5;
const BRACE = 0x7b;

export interface Decoded {
  readonly bytes: Buffer;
  readonly id: string | undefined;
}

/** Value of a header, where the message has it once or more. */
function header(message: Message, name: string): string | undefined {
  for (const one of message.headers ?? []) if (Object.hasOwn(one, name)) return String(one[name]);
  return undefined;
}

export class Decoder {
  readonly #registry: RegistryOptions | undefined;
  readonly #log: (level: "warn", message: string) => void;
  /** By head of single-object encoding. */
  readonly #codecs = new Map<string, Codec>();
  /** By id in the registry; undefined for ids that it does not have. */
  readonly #by_id = new Map<number, Codec | undefined>();
  readonly #told = new Set<string>();
  /** Messages that could not be decoded. */
  undecodable = 0;

  private constructor(registry: RegistryOptions | undefined, log: (level: "warn", message: string) => void) {
    this.#registry = registry;
    this.#log = log;
  }

  /** `schemas` are files of schemas that other versions write. Throws KAFKA_SCHEMA. */
  static async open(
    registry: RegistryOptions | undefined,
    schemas: readonly string[],
    log: (level: "warn", message: string) => void,
  ): Promise<Decoder> {
    const decoder = new Decoder(registry, log);
    decoder.#add(await eventCodec());
    for (const path of schemas) {
      try {
        decoder.#add(await codecOf(await readFile(path, "utf8")));
      } catch (cause) {
        throw new TaplineError("KAFKA_SCHEMA", `${path} is no Avro schema of events: ${reasonOf(cause)}`, {
          remedy: "name files like mappings/generated/event.avsc",
          cause,
        });
      }
    }
    return decoder;
  }

  #add(codec: Codec): void {
    this.#codecs.set(codec.head.toString("hex"), codec);
  }

  /** Fetches the schemas that messages name and that are not known. Waits for a registry that does not answer. */
  async prepare(messages: readonly Message[], signal: AbortSignal): Promise<void> {
    if (this.#registry === undefined) return;
    for (const { value } of messages) {
      if (value === null || value[0] !== 0 || value.length < CONFLUENT_BYTES) continue;
      const id = value.readUInt32BE(1);
      if (!this.#by_id.has(id)) await this.#fetch(this.#registry, id, signal);
    }
  }

  async #fetch(registry: RegistryOptions, id: number, signal: AbortSignal): Promise<void> {
    if (this.#by_id.size >= LIMITS.kafka_schemas) this.#by_id.clear();
    while (!signal.aborted) {
      try {
        const schema = await schemaOf(registry, id);
        this.#by_id.set(id, await codecOf(schema).catch(() => undefined));
        return;
      } catch (error) {
        this.#tell(reasonOf(error));
        if (!(error instanceof TaplineError) || !error.retry) {
          this.#by_id.set(id, undefined);
          return;
        }
        await sleep(LIMITS.kafka_reconnect_ms, undefined, { signal }).catch(() => {});
      }
    }
  }

  #tell(what: string): void {
    if (this.#told.size >= LIMITS.kafka_schemas || this.#told.has(what)) return;
    this.#told.add(what);
    this.#log("warn", what);
  }

  /** The event of another collector as a record: `{"origin", "event"}`. */
  event(message: Message, value: Buffer): Decoded {
    try {
      const document = this.#document(value);
      const origin = header(message, "tapline-origin");
      const from = origin === undefined ? "" : `"origin":${JSON.stringify(origin)},`;
      const bytes = Buffer.concat([Buffer.from(`{${from}"event":`), document, Buffer.from("}")]);
      return { bytes, id: header(message, "tapline-id") };
    } catch (error) {
      this.undecodable++;
      this.#tell(`a message of ${message.topic} cannot be decoded: ${reasonOf(error)}`);
      return { bytes: value, id: undefined };
    }
  }

  #document(value: Buffer): Buffer {
    if (value[0] === BRACE) return value;
    if (value[0] === 0 && this.#registry !== undefined && value.length >= CONFLUENT_BYTES) {
      const id = value.readUInt32BE(1);
      const codec = this.#by_id.get(id);
      if (codec === undefined) throw new Error(`the registry has no schema of events with the id ${id}`);
      return Buffer.from(codec.decode(value.subarray(CONFLUENT_BYTES)));
    }
    const head = value.toString("hex", 0, SINGLE_OBJECT_BYTES);
    const codec = this.#codecs.get(head);
    if (codec !== undefined) return Buffer.from(codec.decode(value.subarray(SINGLE_OBJECT_BYTES)));
    if (head.startsWith("c301"))
      throw new Error(`no schema has the fingerprint ${head.slice(4)}: see \`schemas\``);
    throw new Error("it is neither Avro nor JSON");
  }
}
