// The decoder of OTLP's protobuf beside OpenTelemetry's own writers: what they write as protobuf decodes to what they
// write as JSON. And hostile bytes: always an answer, in bounded time, never another error.
import * as fc from "fast-check";
import {
  JsonLogsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufTraceSerializer,
} from "@opentelemetry/otlp-transformer";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { LOGS, type Signal, TRACES } from "../../src/sources/otlp-messages.ts";
import { type Fields, decode } from "../../src/sources/otlp-proto.ts";
import { cutRequest } from "../../src/sources/otlp-records.ts";
import { Refusal, TooMuch, Undecodable } from "../../src/sources/otlp-refusal.ts";

const RUNS = process.env["TAPLINE_FULL"] === "1" ? 5_000 : 300;

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => Buffer.from(b).toString("hex"));
/** No number whose JSON is not its value: the writers differ there. */
const number = fc.oneof(
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Number.isInteger(n)),
);
const text = fc.string({ unit: "binary" });
const anything = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 20 }),
    fc.array(tie("any"), { maxLength: 4 }),
    fc.dictionary(text, tie("any"), { maxKeys: 4 }),
  ),
})).any;
const attributes = fc.dictionary(text, anything, { maxKeys: 5 });
const time = fc.tuple(fc.integer({ min: 0, max: 4_000_000_000 }), fc.integer({ min: 0, max: 999_999_999 }));
const resource = attributes.map((all) => ({ attributes: all, getRawAttributes: () => [] }));
const scope = fc.record({ name: text, version: fc.option(text, { nil: undefined }) });
const context = fc.record({
  traceId: hex(16),
  spanId: hex(8),
  traceFlags: fc.integer({ min: 0, max: 255 }),
});
const count = fc.nat(1_000);

const log = fc.record({
  hrTime: time,
  hrTimeObserved: time,
  spanContext: fc.option(context, { nil: undefined }),
  severityNumber: fc.option(fc.integer({ min: 1, max: 24 }), { nil: undefined }),
  severityText: fc.option(text, { nil: undefined }),
  body: anything,
  eventName: fc.option(text, { nil: undefined }),
  resource,
  instrumentationScope: scope,
  attributes,
  droppedAttributesCount: count,
});
const span = fc.record({
  name: text,
  kind: fc.integer({ min: 0, max: 4 }),
  spanContext: context.map((c) => ({ ...c, traceState: undefined })),
  spanContextOf: context,
  parentSpanContext: fc.option(context, { nil: undefined }),
  startTime: time,
  endTime: time,
  status: fc.record({ code: fc.integer({ min: 0, max: 2 }), message: fc.option(text, { nil: undefined }) }),
  attributes,
  links: fc.array(fc.record({ context, attributes, droppedAttributesCount: count }), { maxLength: 3 }),
  events: fc.array(fc.record({ name: text, time, attributes, droppedAttributesCount: count }), {
    maxLength: 3,
  }),
  ended: fc.constant(true),
  resource,
  instrumentationScope: scope,
  droppedAttributesCount: count,
  droppedEventsCount: count,
  droppedLinksCount: count,
});

/** One form for both: protobuf has no empty lists and no null, and its 64-bit integers are text in OTLP's JSON. */
function plain(of: unknown): unknown {
  if (Array.isArray(of)) return of.length === 0 ? undefined : of.map(plain);
  if (typeof of !== "object" || of === null) return of === null ? undefined : of;
  const all: Fields = {};
  for (const [key, inner] of Object.entries(of).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const made = key === "intValue" ? String(inner) : plain(inner);
    if (made !== undefined) all[key] = made;
  }
  return all;
}

/** Fields at their default, which protobuf may leave out and JSON may write. */
function withoutDefaults(of: unknown, key = ""): unknown {
  if (Array.isArray(of)) return of.map((item) => withoutDefaults(item));
  if (typeof of !== "object" || of === null) return of;
  const all: Fields = {};
  for (const [name, inner] of Object.entries(of)) {
    const isDefault = inner === 0 || inner === "" || inner === false;
    // A value of an attribute is what it is, also when it is empty.
    if (isDefault && !name.endsWith("Value")) continue;
    all[name] = withoutDefaults(inner, name);
  }
  return Object.keys(all).length === 0 && (key === "status" || key === "scope") ? undefined : all;
}

const shown = (of: unknown): string => JSON.stringify(plain(withoutDefaults(of)));

describe("what OpenTelemetry writes", () => {
  test("logs: protobuf decodes to the JSON of the same records", () => {
    fc.assert(
      fc.property(fc.array(log, { minLength: 1, maxLength: 4 }), (records) => {
        const json = JSON.parse(
          Buffer.from(JsonLogsSerializer.serializeRequest(records as never)!).toString(),
        );
        const bytes = Buffer.from(ProtobufLogsSerializer.serializeRequest(records as never)!);
        const decoded = decode(LOGS.request, bytes);
        expect(decoded.broken).toEqual([]);
        expect(shown(decoded.value)).toBe(shown(json));
        expect(cutRequest(LOGS, "protobuf", bytes).lines.length).toBe(records.length);
      }),
      { numRuns: RUNS },
    );
  });

  test("spans: protobuf decodes to the JSON of the same spans", () => {
    fc.assert(
      fc.property(fc.array(span, { minLength: 1, maxLength: 4 }), (made) => {
        const spans = made.map(({ spanContext, ...rest }) => ({ ...rest, spanContext: () => spanContext }));
        const json = JSON.parse(
          Buffer.from(JsonTraceSerializer.serializeRequest(spans as never)!).toString(),
        );
        const bytes = Buffer.from(ProtobufTraceSerializer.serializeRequest(spans as never)!);
        const decoded = decode(TRACES.request, bytes);
        expect(decoded.broken).toEqual([]);
        expect(shown(decoded.value)).toBe(shown(json));
      }),
      { numRuns: RUNS },
    );
  });
});

const wire = {
  varint: (value: bigint): number[] => {
    const out: number[] = [];
    let rest = BigInt.asUintN(64, value);
    for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
    return [...out, Number(rest)];
  },
  bytes: (field: number, content: readonly number[]): number[] => [
    ...wire.varint(BigInt(field * 8 + 2)),
    ...wire.varint(BigInt(content.length)),
    ...content,
  ],
};
const record = (content: readonly number[]): Buffer =>
  Buffer.from(wire.bytes(1, wire.bytes(2, wire.bytes(2, content))));
const first = (bytes: Buffer): Fields => {
  const { value: all } = decode(LOGS.request, bytes);
  const { scopeLogs } = (all["resourceLogs"] as { scopeLogs: { logRecords: Fields[] }[] }[])[0]!;
  return scopeLogs[0]!.logRecords[0]!;
};
const body = (content: readonly number[]): Buffer => record(wire.bytes(5, content));

describe("the wire format", () => {
  test("integers of 64 bits, exactly", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (n) => {
        expect(first(body([3 * 8, ...wire.varint(n)]))["body"]).toEqual({ intValue: n.toString() });
      }),
    );
    const fixed = Buffer.alloc(8, 0xff);
    expect(first(record([1 * 8 + 1, ...fixed]))["timeUnixNano"]).toBe((2n ** 64n - 1n).toString());
  });

  test("doubles that JSON does not hold are words", () => {
    for (const n of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(n);
      expect(first(body([4 * 8 + 1, ...bytes]))["body"]).toEqual({ doubleValue: String(n) });
    }
  });

  test("of a choice the last one counts; messages that come twice are merged; unknown fields are stepped over", () => {
    const a = wire.bytes(1, [97]);
    const yes = [2 * 8, 1];
    expect(first(body([...a, ...yes]))["body"]).toEqual({ boolValue: true });
    expect(first(body([...yes, ...a]))["body"]).toEqual({ stringValue: "a" });
    const list = (n: number) => wire.bytes(5, wire.bytes(1, [3 * 8, n]));
    expect(first(body([...list(1), ...list(2)]))["body"]).toEqual({
      arrayValue: { values: [{ intValue: "1" }, { intValue: "2" }] },
    });
    const unknown = [100 * 8, 1, ...wire.bytes(101, [1, 2, 3])].flatMap((n) =>
      n > 255 ? wire.varint(BigInt(n)) : [n],
    );
    expect(first(record([...unknown, ...wire.bytes(12, [110])]))).toEqual({ eventName: "n" });
    // A known field in another wire type is an unknown one.
    expect(first(record([12 * 8, 5, ...wire.bytes(12, [110])]))).toEqual({ eventName: "n" });
  });

  test("a broken record costs itself alone", () => {
    const good = wire.bytes(2, wire.bytes(12, [110]));
    const deep = (levels: number): number[] => {
      let inner: number[] = [];
      for (let i = 0; i < levels; i++) inner = wire.bytes(5, wire.bytes(1, inner));
      return wire.bytes(2, wire.bytes(5, inner));
    };
    for (const bad of [
      wire.bytes(2, [0xff]),
      wire.bytes(2, [7]),
      wire.bytes(2, [12 * 8 + 2, 9, 1]),
      deep(LIMITS.depth),
    ]) {
      const bytes = Buffer.from(wire.bytes(1, wire.bytes(2, [...good, ...bad, ...good])));
      const { lines, rejected, rejected_bytes, head } = cutRequest(LOGS, "protobuf", bytes);
      expect([lines.length, rejected]).toEqual([2, 1]);
      expect(rejected_bytes).toBe(head!.length);
    }
    expect(cutRequest(LOGS, "protobuf", Buffer.from(wire.bytes(1, wire.bytes(2, deep(10))))).rejected).toBe(
      0,
    );
  });

  test("text that is not UTF-8 is mended and told", () => {
    const { value: all, mended } = decode(LOGS.request, record(wire.bytes(12, [110, 0xff])));
    expect([JSON.stringify(all).includes("n\ufffd"), mended]).toEqual([true, 1]);
    expect(decode(LOGS.request, record(wire.bytes(12, [0xef, 0xbf, 0xbd]))).mended).toBe(0);
  });

  test("more messages than the bound are refused", () => {
    const many = Buffer.alloc(2 * (LIMITS.otlp_values + 1));
    for (let i = 0; i < many.length; i += 2) many[i] = 0x0a;
    expect(() => decode(LOGS.request, many)).toThrow(TooMuch);
  });
});

describe("hostile bytes", () => {
  const tried = (signal: Signal, bytes: Buffer): void => {
    try {
      cutRequest(signal, "protobuf", bytes);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  };

  test("any bytes are decoded or refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        for (const signal of [LOGS, TRACES]) tried(signal, Buffer.from(bytes));
      }),
      { numRuns: RUNS * 10 },
    );
  });

  test("a request that was changed, cut or repeated in places is decoded or refused", () => {
    const cut = fc.tuple(fc.array(log, { minLength: 1, maxLength: 3 }), fc.infiniteStream(fc.nat()));
    fc.assert(
      fc.property(cut, ([records, numbers]) => {
        const bytes = Buffer.from(ProtobufLogsSerializer.serializeRequest(records as never)!);
        const next = (below: number): number => (numbers.next().value as number) % below;
        for (let i = 0; i < 20; i++) {
          const changed = Buffer.from(bytes);
          for (let n = next(4); n >= 0; n--) changed[next(changed.length)] = next(256);
          tried(LOGS, changed);
          tried(LOGS, bytes.subarray(0, next(bytes.length)));
          tried(LOGS, Buffer.concat([bytes.subarray(next(bytes.length)), bytes]));
        }
      }),
      { numRuns: RUNS },
    );
  });

  test("a cut at any place inside a group is refused whole", () => {
    const bytes = record(wire.bytes(12, [110]));
    for (let end = 1; end < bytes.length; end++)
      expect(() => decode(LOGS.request, bytes.subarray(0, end))).toThrow(Undecodable);
  });
});
