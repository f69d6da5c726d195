// mappings/generated/event.avsc against two readers of Avro that are not ours: real events fit the schema, come back
// from bytes as they were, and what does not fit is refused.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import avro from "avsc";
import { describe, expect, test } from "vitest";
import { FIELDS } from "../../src/core/generated/event.ts";
import type { Document } from "../fault/engine.ts";
import { FASTAVRO, python } from "../python.ts";
import { documents } from "./documents.ts";

const SCHEMA = "mappings/generated/event.avsc";

/** What of Avro's schema language the generated schema uses. */
interface Node {
  readonly type: string;
  readonly name?: string;
  readonly logicalType?: string;
  readonly items?: string;
  readonly fields?: readonly { readonly name: string; readonly type: readonly ["null", Node | string] }[];
}
const schema = JSON.parse(readFileSync(SCHEMA, "utf8")) as Node;
const type = avro.Type.forSchema(schema as never);

/** A document as a record of the schema: every field present, times in milliseconds, objects as text. */
function toAvro(value: unknown, node: Node | string): unknown {
  if (value === undefined) return null;
  if (typeof node === "string") return typeof value === "object" ? JSON.stringify(value) : value;
  if (node.logicalType === "timestamp-millis") return Date.parse(value as string);
  if (node.type !== "record") return value;
  const of = value as Document;
  const left = new Set(Object.keys(of));
  const record: Record<string, unknown> = {};
  for (const {
    name,
    type: [, inner],
  } of node.fields!) {
    const key = node === schema && name === "timestamp" ? "@timestamp" : name;
    record[name] = toAvro(of[key], inner);
    left.delete(key);
  }
  if (left.size > 0) throw new Error(`no field for ${[...left].join(", ")}`);
  return record;
}

/** The way back. */
function fromAvro(value: unknown, node: Node | string): unknown {
  if (value === null) return undefined;
  if (typeof node === "string") return value;
  if (node.logicalType === "timestamp-millis") return new Date(value as number).toISOString();
  if (node.type !== "record") return value;
  const record = value as Record<string, unknown>;
  const of: Document = {};
  for (const {
    name,
    type: [, inner],
  } of node.fields!) {
    const back = fromAvro(record[name], inner);
    if (back !== undefined) of[node === schema && name === "timestamp" ? "@timestamp" : name] = back;
  }
  return Object.keys(of).length === 0 && node !== schema ? undefined : of;
}

/** A document whose objects without a schema are text, as they are in Avro. */
function asText(document: Document, prefix = ""): Document {
  const of: Document = {};
  for (const [key, value] of Object.entries(document)) {
    const name = prefix + key;
    const plain = typeof value === "object" && value !== null && !Array.isArray(value);
    if (name in FIELDS) of[key] = plain ? JSON.stringify(value) : value;
    else of[key] = plain ? asText(value as Document, `${name}.`) : value;
  }
  return of;
}

const all = await documents();
const records = all.map((document) => toAvro(document, schema));

describe("avsc", () => {
  test("reads the schema, which has a place of the right kind for every field of the table", () => {
    const kinds: Record<string, unknown> = {
      "keyword[]": { type: "array", items: "string" },
      "long[]": { type: "array", items: "long" },
      date: { type: "long", logicalType: "timestamp-millis" },
      long: "long",
      double: "double",
      boolean: "boolean",
    };
    for (const [name, kind] of Object.entries(FIELDS)) {
      let at: Node | string = schema;
      for (const key of name.replace("@", "").split(".")) {
        const field: { readonly type: readonly ["null", Node | string] } | undefined = (
          at as Node
        ).fields!.find((one) => one.name === key);
        expect(field, name).toBeDefined();
        at = field!.type[1];
      }
      expect(at, name).toEqual(kinds[kind] ?? "string");
    }
  });

  test("real events fit, and come back as they were", () => {
    expect(all.length).toBeGreaterThan(300);
    const actions = new Set(all.map((document) => document["event"].action as string));
    for (const action of ["tool-call", "tool-result", "rule-alert", "unparsable-record"])
      expect([...actions]).toContain(action);
    for (const [i, record] of records.entries()) {
      const wrong: string[] = [];
      type.isValid(record, { errorHook: (path) => void wrong.push(path.join(".")) });
      expect(wrong).toEqual([]);
      const back = type.fromBuffer(type.toBuffer(record)) as unknown;
      expect(fromAvro(back, schema)).toEqual(asText(all[i]!));
    }
  });

  test("what does not fit is refused", () => {
    const with_ = (name: string, value: unknown): unknown => {
      const copy = structuredClone(records[0]) as Record<string, Record<string, unknown>>;
      copy["event"]![name] = value;
      return copy;
    };
    expect(type.isValid(with_("severity", 3))).toBe(true);
    for (const wrong of ["3", 1.5, {}, true]) expect(type.isValid(with_("severity", wrong))).toBe(false);
    expect(type.isValid(with_("no_such_field", 1), { noUndeclaredFields: true })).toBe(false);
    expect(() => toAvro({ ...all[0], no_such_field: 1 }, schema)).toThrow("no field for no_such_field");
  });
});

const READ_AND_WRITE = `
import io, json, sys
import fastavro
from fastavro.validation import validate
schema = fastavro.parse_schema(json.load(open(sys.argv[1])))
given = json.load(sys.stdin)
for one in given:
    record = fastavro.schemaless_reader(io.BytesIO(bytes.fromhex(one)), schema)
    validate(record, schema, strict=True)
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, record, strict=True)
    print(out.getvalue().hex())
`;

const fastavro = python(FASTAVRO);
test.skipIf(fastavro === undefined)(
  "fastavro reads the same records from the bytes, and writes the same bytes",
  () => {
    const bytes = records.map((record) => type.toBuffer(record).toString("hex"));
    const out = execFileSync(fastavro!, ["-c", READ_AND_WRITE, SCHEMA], {
      input: JSON.stringify(bytes),
      maxBuffer: 1 << 30,
      encoding: "utf8",
    });
    expect(out.trimEnd().split("\n")).toEqual(bytes);
  },
);
