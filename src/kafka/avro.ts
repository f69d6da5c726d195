// Documents as Avro, by mappings/generated/event.avsc, and back. A schema is known by its fingerprint (CRC-64-AVRO of
// its canonical form), which single-object encoding puts before the bytes. Objects are JSON text in Avro, which has no
// free ones: they go in and come out as they were written.
import { readFile } from "node:fs/promises";
import type { Type } from "avsc";
import { FIELDS } from "../core/generated/event.ts";
import { quotedAfter } from "../core/text.ts";

const SCHEMA = new URL("../../mappings/generated/event.avsc", import.meta.url);
const MAGIC = [0xc3, 0x01] as const;
/** Bytes before a body in single-object encoding. */
export const SINGLE_OBJECT_BYTES = MAGIC.length + 8;

const TABLE: Readonly<Record<string, string>> = FIELDS;

type Fields = Record<string, unknown>;
type Kind = "plain" | "date" | "text" | "json" | Plan;
interface Field {
  /** In the record of Avro, which has no `@`. */
  readonly name: string;
  readonly kind: Kind;
  /** The field as JSON, up to its value. */
  readonly head: string;
}
/** A record: what is done with each of its fields, by the name in the document. */
interface Plan {
  readonly fields: ReadonlyMap<string, Field>;
  readonly list: readonly Field[];
}
interface Node {
  readonly type: string;
  readonly logicalType?: string;
  readonly fields?: readonly { readonly name: string; readonly type: readonly unknown[] }[];
}

/** One schema, ready to write and read. */
export interface Codec {
  /** The schema as JSON. */
  readonly schema: string;
  /** Head of single-object encoding: what says that these bytes are of this schema. */
  readonly head: Buffer;
  /** The body of a document, which is changed on the way. Throws Error for a field that the schema has not. */
  encode(document: Fields): Buffer;
  /** The document of a body, as JSON on one line. Throws Error for bytes that are none. */
  decode(body: Buffer): string;
}

function planOf(node: Node, prefix: string): Plan {
  const fields = new Map<string, Field>();
  for (const { name, type } of node.fields ?? []) {
    const key = prefix === "" && name === "timestamp" ? "@timestamp" : name;
    const kind = kindOf(type[1] as Node | string, prefix + key);
    fields.set(key, { name, kind, head: `${JSON.stringify(key)}:` });
  }
  return { fields, list: [...fields.values()] };
}

function kindOf(type: Node | string, name: string): Kind {
  if (type === "string") return TABLE[name] === "object" ? "json" : "text";
  if (typeof type === "string") return "plain";
  if (type.type === "record") return planOf(type, `${name}.`);
  return type.logicalType === "timestamp-millis" ? "date" : "plain";
}

/** Makes the fields of a document what the schema calls for, in place. */
function fit(fields: Fields, plan: Plan, prefix: string): void {
  for (const key in fields) {
    const field = plan.fields.get(key);
    const value = fields[key];
    if (field === undefined) throw new Error(`the Avro schema has no field ${prefix}${key}`);
    const { kind } = field;
    if (kind === "date") fields[field.name] = Date.parse(value as string);
    else if (typeof kind === "object") fit(value as Fields, kind, `${prefix}${key}.`);
    else if (kind !== "plain" && typeof value === "object") fields[key] = JSON.stringify(value);
  }
}

/** The fields of a record as JSON; "" when it has none. */
function textOf(record: Fields, { list }: Plan): string {
  let text = "";
  for (let i = 0; i < list.length; i++) {
    const { name, kind, head } = list[i]!;
    const value = record[name];
    if (value === null || value === undefined) continue;
    let inner: string;
    if (typeof kind === "object") inner = textOf(value as Fields, kind);
    else if (kind === "json") inner = value as string;
    else if (kind === "date") inner = `"${new Date(value as number).toISOString()}"`;
    else inner = typeof value === "string" ? quotedAfter('"', value) : JSON.stringify(value);
    if (inner !== "") text += (text === "" ? "{" : ",") + head + inner;
  }
  return text === "" ? "" : `${text}}`;
}

const EMPTY = 0xc15d213aa4d7a795n;

/** CRC-64-AVRO, as the specification of Avro has it, in the byte order of single-object encoding. */
export function fingerprint(text: string): Buffer {
  let print = EMPTY;
  for (const byte of Buffer.from(text)) {
    let row = (print ^ BigInt(byte)) & 0xffn;
    for (let bit = 0; bit < 8; bit++) row = (row >> 1n) ^ (EMPTY & -(row & 1n));
    print = (print >> 8n) ^ row;
  }
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(print & 0xffffffffffffffffn);
  return out;
}

/** Makes a codec of a schema's JSON. Throws Error for what is no schema of events. */
export async function codecOf(schema: string): Promise<Codec> {
  const { default: avro } = await import("avsc");
  const parsed = JSON.parse(schema) as Node;
  const type: Type = avro.Type.forSchema(parsed as never);
  if (parsed.type !== "record") throw new Error("the schema is not that of a record");
  const plan = planOf(parsed, "");
  return {
    schema,
    head: Buffer.concat([Buffer.from(MAGIC), fingerprint(JSON.stringify(type.schema()))]),
    encode(document) {
      fit(document, plan, "");
      return type.toBuffer(document);
    },
    decode: (body) => textOf(type.fromBuffer(body) as Fields, plan) || "{}",
  };
}

/** The codec of this version's events. */
export async function eventCodec(): Promise<Codec> {
  return codecOf(JSON.stringify(JSON.parse(await readFile(SCHEMA, "utf8"))));
}

/** Only behind what comes before a value: in texts such digits are common, hashes above all, and looking closer is dear. */
const LONG_NUMBER = /[:,[]-?(?:[\d.]{16}|[\d.]+[eE][-+]?\d)/;

/** Parses a document; numbers that JavaScript would round keep their digits. */
export function parseDocument(text: string): Fields {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text) as Fields;
  return JSON.parse(text, exactly as never) as Fields;
}

function exactly(_: string, value: unknown, { source }: { source?: string }): unknown {
  if (typeof value !== "number" || source === undefined || String(value) === source) return value;
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(source);
}
