// An export request to lines: every log record or span becomes one line, an export request of its own with the
// resource and scope that it came with, as the `otlp-json` format reads them. Decides no lanes; keeps nothing.
import { isUtf8 } from "node:buffer";
import { LIMITS } from "../core/limits.ts";
import { parseExact } from "../core/numbers.ts";
import type { Signal } from "./otlp-messages.ts";
import { type Decoded, type Fields, decode } from "./otlp-proto.ts";
import { TooMuch, Undecodable } from "./otlp-refusal.ts";

export type Encoding = "json" | "protobuf";

/** One record, as its line and as what the line holds. */
export interface Line {
  readonly bytes: Buffer;
  readonly request: Fields;
  readonly resource: Fields;
}

export interface Lines {
  readonly lines: readonly Line[];
  /** Records that cannot be kept. */
  readonly rejected: number;
  /** Bytes of these, where known, and the first of them. */
  readonly rejected_bytes: number;
  readonly head: Uint8Array | undefined;
  /** Texts that were not UTF-8: what was not is U+FFFD. */
  readonly mended: number;
}

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_LIST = 91;
const OPEN_OBJECT = 123;
/** Numbers that a double may not hold. */
const LONG_NUMBER = /[[:,]\s*-?\d(?:\d{15}|[\d.]*e)/i;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Objects and lists in JSON bytes. */
function countValues(bytes: Buffer): number {
  let count = 0;
  let quoted = false;
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i]!;
    if (quoted) {
      if (c === BACKSLASH) i++;
      else if (c === QUOTE) quoted = false;
    } else if (c === QUOTE) quoted = true;
    else if (c === OPEN_LIST || c === OPEN_OBJECT) count++;
  }
  return count;
}

function parseJson(signal: Signal, bytes: Buffer): Decoded {
  if (countValues(bytes) > LIMITS.otlp_values) throw new TooMuch(`more than ${LIMITS.otlp_values} values`);
  const text = bytes.toString("utf8");
  let value: unknown;
  try {
    value = LONG_NUMBER.test(text) ? parseExact(text) : JSON.parse(text);
  } catch {
    // Why is not told: the parser's message quotes the text.
    throw new Undecodable("the body is not JSON");
  }
  if (!isObject(value)) throw new Undecodable("the body is not a JSON object");
  if (value[signal.resources] === undefined && Object.keys(value).length > 0)
    throw new Undecodable(`the body has no ${signal.resources}`);
  return { value, broken: [], mended: text.includes("\ufffd") && !isUtf8(bytes) ? 1 : 0 };
}

/** What is at `key`: a list of objects, or nothing. */
function listAt(of: Fields, key: string): readonly Fields[] {
  const list = of[key] ?? [];
  if (!Array.isArray(list) || !list.every(isObject)) throw new Undecodable(`${key} is not a list of objects`);
  return list;
}

function objectAt(of: Fields, key: string): Fields {
  const value = of[key] ?? {};
  if (!isObject(value)) throw new Undecodable(`${key} is not an object`);
  return value;
}

class Cutter {
  readonly lines: Line[] = [];
  rejected = 0;
  rejected_bytes = 0;
  head: Uint8Array | undefined;
  readonly #signal: Signal;
  #bytes = 0;

  constructor(signal: Signal) {
    this.#signal = signal;
  }

  reject(bytes: Uint8Array): void {
    this.rejected++;
    this.rejected_bytes += bytes.length;
    this.head ??= Uint8Array.from(bytes.subarray(0, LIMITS.raw_bytes));
  }

  cut(value: Fields): void {
    const { resources, scopes, records } = this.#signal;
    for (const of of listAt(value, resources)) {
      const resource = objectAt(of, "resource");
      const outer = `{"${resources}":[{"resource":${textOf(resource)},"${scopes}":[{"scope":`;
      for (const group of listAt(of, scopes)) {
        const scope = objectAt(group, "scope");
        const list = group[records] ?? [];
        if (!Array.isArray(list)) throw new Undecodable(`${records} is not a list`);
        const before = `${outer}${textOf(scope)},"${records}":[`;
        for (const record of list as readonly unknown[]) this.#record(resource, scope, before, record);
      }
    }
  }

  #record(resource: Fields, scope: Fields, before: string, record: unknown): void {
    const { resources, scopes, records } = this.#signal;
    let text: string;
    try {
      text = JSON.stringify(record);
    } catch {
      this.reject(Buffer.from(`a ${this.#signal.name} record nested too deep to be written`));
      return;
    }
    const bytes = Buffer.from(`${before}${text}]}]}]}\n`);
    if (!isObject(record) || bytes.length > LIMITS.line_bytes) return this.reject(bytes);
    this.#bytes += bytes.length;
    if (this.lines.length >= LIMITS.otlp_records)
      throw new TooMuch(`more than ${LIMITS.otlp_records} records: send smaller batches`);
    if (this.#bytes > LIMITS.otlp_lines_bytes)
      throw new TooMuch(
        `records of more than ${LIMITS.otlp_lines_bytes} bytes, with their resource: send smaller batches`,
      );
    const request = { [resources]: [{ resource, [scopes]: [{ scope, [records]: [record] }] }] };
    this.lines.push({ bytes, request, resource });
  }
}

function textOf(value: Fields): string {
  try {
    return JSON.stringify(value);
  } catch {
    throw new Undecodable("a resource or scope is nested too deep");
  }
}

/** The lines of one export request. Throws Undecodable or TooMuch when nothing of it can be kept. */
export function cutRequest(signal: Signal, encoding: Encoding, bytes: Buffer): Lines {
  const { value, broken, mended } =
    encoding === "json" ? parseJson(signal, bytes) : decode(signal.request, bytes);
  const cutter = new Cutter(signal);
  for (const record of broken) cutter.reject(record);
  cutter.cut(value);
  const { lines, rejected, rejected_bytes, head } = cutter;
  return { lines, rejected, rejected_bytes, head, mended };
}
