// Documents as Avro and back, on what the fixtures of all formats give; fingerprints and single-object encoding
// against fastavro, which is not ours.
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import {
  SINGLE_OBJECT_BYTES,
  codecOf,
  eventCodec,
  fingerprint,
  parseDocument,
} from "../../src/kafka/avro.ts";
import type { Document } from "../fault/engine.ts";
import { documents } from "../mappings/documents.ts";
import { FASTAVRO, python } from "../python.ts";

const all: readonly Document[] = await documents();
const codec = await eventCodec();
const copy = (document: Document): Document => structuredClone(document);

describe("a document", () => {
  test("comes back from Avro as it was", () => {
    expect(all.length).toBeGreaterThan(300);
    for (const document of all)
      expect(JSON.parse(codec.decode(codec.encode(copy(document))))).toEqual(document);
  });

  test("keeps the digits of numbers that JavaScript would round", () => {
    const text =
      '{"gen_ai":{"tool":{"call":{"arguments":{"id":12345678901234567890,"f":1.10,"e":1e400,"of":[-0.12345678901234567,1E+400,-98765432109876543]}}}}}';
    expect(codec.decode(codec.encode(parseDocument(text)))).toBe(text);
  });

  test("with a field that the schema has not is refused, by name", () => {
    expect(() => codec.encode({ tapline: { nonsense: 1 } })).toThrow("no field tapline.nonsense");
  });

  test("bytes that are none are refused", () => {
    expect(() => codec.decode(Buffer.from([0xff, 0xff, 0xff]))).toThrow();
    expect(() => codec.decode(Buffer.alloc(0))).toThrow();
  });
});

test("a schema that is none of events is refused", async () => {
  await expect(codecOf('"string"')).rejects.toThrow("not that of a record");
  await expect(codecOf("{")).rejects.toThrow();
});

test("the fingerprint of the empty text is the constant of the specification", () => {
  expect(fingerprint("").readBigUInt64LE()).toBe(0xc15d213aa4d7a795n);
  expect(fingerprint('"int"').readBigUInt64LE()).toBe(0x7275d51a3f395c8fn);
});

const READ = `
import io, json, sys
import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form
schema = json.load(open("mappings/generated/event.avsc"))
print(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))
parsed = fastavro.parse_schema(schema)
for one in json.load(sys.stdin):
    print(fastavro.schemaless_reader(io.BytesIO(bytes.fromhex(one)), parsed)["event"]["id"])
`;
const fastavro = python(FASTAVRO);
test.skipIf(fastavro === undefined)(
  "fastavro gives the schema the same fingerprint, and reads what follows it",
  () => {
    const some = all.slice(0, 50);
    const bodies = some.map((document) => codec.encode(copy(document)).toString("hex"));
    const out = execFileSync(fastavro!, ["-c", READ], { input: JSON.stringify(bodies), encoding: "utf8" });
    const [print, ...ids] = out.trimEnd().split("\n");
    // The specification's order of bytes; fastavro writes the number.
    expect(codec.head.length).toBe(SINGLE_OBJECT_BYTES);
    expect(codec.head.toString("hex")).toBe(`c301${print}`);
    expect(ids).toEqual(some.map((document) => document["event"].id as string));
  },
);
