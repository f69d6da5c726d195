// Decodes OTLP's protobuf into the objects of OTLP's JSON, by the tables of otlp-messages.ts. Bounded in depth and in
// the number of messages; a broken log record or span costs itself alone. Knows no other protobuf.
import { isUtf8 } from "node:buffer";
import { LIMITS } from "../core/limits.ts";
import type { Field, Message, Scalar } from "./otlp-messages.ts";
import { TooMuch, Undecodable } from "./otlp-refusal.ts";

export type Fields = Record<string, unknown>;

export interface Decoded {
  readonly value: Fields;
  /** Bytes of the records that could not be read. */
  readonly broken: readonly Uint8Array[];
  /** Texts that were not UTF-8: what was not is U+FFFD. */
  readonly mended: number;
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
const WIRE: Readonly<Record<Scalar, number>> = {
  text: BYTES,
  hex: BYTES,
  base64: BYTES,
  fixed64: FIXED64,
  double: FIXED64,
  fixed32: FIXED32,
  int64: VARINT,
  int32: VARINT,
  uint32: VARINT,
  bool: VARINT,
};
const VARINT_BYTES = 10;
/** A varint of so many bytes is exact as a number. */
const NUMBER_BYTES = 7;

class Decoder {
  readonly #bytes: Buffer;
  #at = 0;
  #messages = 0;
  readonly broken: Uint8Array[] = [];
  mended = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Reads a message that ends at `end` into `into`: fields that come twice are merged as protobuf says. */
  message(of: Message, end: number, depth: number, into: Fields): Fields {
    if (++this.#messages > LIMITS.otlp_values) throw new TooMuch(`more than ${LIMITS.otlp_values} values`);
    if (depth > LIMITS.depth) throw new Undecodable(`nested deeper than ${LIMITS.depth}`);
    while (this.#at < end) {
      const tag = Number(this.#varint(end));
      const wire = tag % 8;
      const field = of.fields.get(Math.floor(tag / 8));
      const expected = field === undefined ? -1 : typeof field.kind === "string" ? WIRE[field.kind] : BYTES;
      if (tag < 8) throw new Undecodable("field number 0");
      if (field === undefined || wire !== expected) this.#skip(wire, end);
      else this.#field(of, field, end, depth, into);
    }
    return into;
  }

  #field(of: Message, field: Field, end: number, depth: number, into: Fields): void {
    const { name, kind, many } = field;
    if (of.choice) for (const other in into) if (other !== name) delete into[other];
    if (typeof kind === "string") {
      into[name] = this.#scalar(kind, end);
      return;
    }
    const stop = this.#length(end);
    const known = many ? undefined : (into[name] as Fields | undefined);
    const value = kind.record
      ? this.#record(kind, stop, depth)
      : this.message(kind, stop, depth + 1, known ?? {});
    if (!many) into[name] = value;
    else if (value !== undefined) ((into[name] ??= []) as unknown[]).push(value);
  }

  #record(of: Message, stop: number, depth: number): Fields | undefined {
    const start = this.#at;
    try {
      return this.message(of, stop, depth + 1, {});
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error;
      this.broken.push(this.#bytes.subarray(start, stop));
      this.#at = stop;
      return undefined;
    }
  }

  #scalar(kind: Scalar, end: number): unknown {
    switch (kind) {
      case "text": {
        const [start, stop] = this.#span(end);
        return this.#text(start, stop);
      }
      case "hex":
      case "base64": {
        const [start, stop] = this.#span(end);
        return this.#bytes.toString(kind, start, stop);
      }
      case "fixed64":
        return this.#bytes.readBigUInt64LE(this.#step(8, end)).toString();
      case "fixed32":
        return this.#bytes.readUInt32LE(this.#step(4, end));
      case "double": {
        const value = this.#bytes.readDoubleLE(this.#step(8, end));
        return Number.isFinite(value) ? value : String(value);
      }
      case "bool":
        return Number(this.#varint(end)) !== 0;
      case "int64":
        return BigInt.asIntN(64, BigInt(this.#varint(end))).toString();
      case "int32":
        return Number(BigInt.asIntN(32, BigInt(this.#varint(end))));
      case "uint32":
      default:
        return Number(BigInt.asUintN(32, BigInt(this.#varint(end))));
    }
  }

  #text(start: number, stop: number): string {
    const text = this.#bytes.toString("utf8", start, stop);
    if (text.includes("\ufffd") && !isUtf8(this.#bytes.subarray(start, stop))) this.mended++;
    return text;
  }

  /** Start and end of the bytes that come next, which are stepped over. */
  #span(end: number): [number, number] {
    const stop = this.#length(end);
    const start = this.#at;
    this.#at = stop;
    return [start, stop];
  }

  /** Where the message or text that comes next ends. */
  #length(end: number): number {
    const stop = Number(this.#varint(end)) + this.#at;
    if (stop > end) throw new Undecodable("a length beyond the end");
    return stop;
  }

  #step(bytes: number, end: number): number {
    const start = this.#at;
    this.#at += bytes;
    if (this.#at > end) throw new Undecodable("cut off");
    return start;
  }

  #skip(wire: number, end: number): void {
    if (wire === VARINT) this.#varint(end);
    else if (wire === FIXED64) this.#step(8, end);
    else if (wire === BYTES) this.#span(end);
    else if (wire === FIXED32) this.#step(4, end);
    else throw new Undecodable(`wire type ${wire}`);
  }

  #varint(end: number): number | bigint {
    const start = this.#at;
    let value = 0;
    let scale = 1;
    for (let n = 1; n <= VARINT_BYTES; n++) {
      const byte = this.#bytes[this.#step(1, end)]!;
      value += (byte & 127) * scale;
      scale *= 128;
      if (byte < 128) return n <= NUMBER_BYTES ? value : this.#long(start);
    }
    throw new Undecodable("a number of more than 10 bytes");
  }

  /** The varint from `start` to here, exactly. */
  #long(start: number): bigint {
    let value = 0n;
    for (let at = this.#at - 1; at >= start; at--) value = (value << 7n) | BigInt(this.#bytes[at]! & 127);
    return BigInt.asUintN(64, value);
  }
}

/** Decodes one export request. Throws Undecodable or TooMuch. */
export function decode(of: Message, bytes: Buffer): Decoded {
  const decoder = new Decoder(bytes);
  const value = decoder.message(of, bytes.length, 1, {});
  return { value, broken: decoder.broken, mended: decoder.mended };
}
