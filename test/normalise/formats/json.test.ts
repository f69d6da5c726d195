// The json mapper: a mapping end to end, what it may not set, and that nothing of a record is lost.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FIELDS } from "../../../src/core/generated/event.ts";
import { json, jsonMapping, unknown } from "../../../src/normalise/formats/json.ts";
import { fixture, golden, mapRecords } from "../harness.ts";

const MAPPING = {
  action: { field: "kind", map: { call: "tool-call", result: "tool-result" } },
  time: "when",
  session: "sess",
  vantage: "gateway",
  fields: {
    "user.id": "who.id",
    "user.email": "who.mail",
    "gen_ai.tool.name": "tool.name",
    "gen_ai.tool.call.id": "req.id",
    "gen_ai.tool.call.arguments": "req.args",
    "http.response.status_code": "code",
    "destination.ip": "ip",
    "service.name": { value: "gateway" },
  },
};

it("golden: a gateway's log through a mapping", () => {
  golden(json, "gateway", { options: MAPPING });
});

it("joins calls and results, and keeps what does not fit a field", () => {
  const { events } = mapRecords(json, fixture("json/gateway.jsonl"), { options: MAPPING });
  const [call, result, other] = events;
  expect(result!["tapline.call.joined"]).toBe(true);
  expect(result!["tapline.call_key"]).toBe(call!["tapline.call_key"]);
  expect(call!["tapline.vantage"]).toBe("gateway");
  expect(result!["tapline.ext"]).toEqual({ code: "soon", ip: "not an ip" });
  expect(other!["tapline.record.known"]).toBe(false);
});

it("keeps every value of a record, in a field or in tapline.ext", () => {
  const record = { a: { b: 1, c: 2 }, "a.b": 3, d: [1], e: null };
  const options = { fields: { "user.id": "a.b", "user.name": "d" } };
  const { events } = mapRecords(json, [record, { "a.b": 3 }], { options });
  expect(events[0]!["user.id"]).toBe("1");
  expect(events[0]!["tapline.ext"]).toEqual({ a: { c: 2 }, "a.b": 3, d: [1], e: null });
  expect(events[1]!["user.id"]).toBe("3");
  expect(events[1]!["tapline.ext"]).toBeUndefined();
});

it("without a mapping keeps all as it is, as does the format of what nobody recognises", () => {
  const lines = [{ ts: "2026-11-23T10:00:00Z", x: 1 }, [1], "text", 5, null, true];
  for (const format of [json, unknown]) {
    const { events } = mapRecords(format, lines);
    expect(events.map((e) => e["tapline.ext"])).toEqual([
      lines[0],
      ...lines.slice(1).map((value) => ({ value })),
    ]);
    expect(events.every((e) => e["event.action"] === "record" && e["tapline.record.known"] === false)).toBe(
      true,
    );
    expect(events[0]!["@timestamp"]).toBe("2026-11-23T10:00:00.000Z");
    expect(format.recognise(lines, "x")).toBe(0);
  }
});

describe("a mapping that cannot be", () => {
  it.each([
    ["an unknown field", { fields: { "user.nmae": "x" } }],
    ["a field that Tapline sets", { fields: { "event.hash": "x" } }],
    ["control tags", { fields: { "tapline.control.iso42001": { value: "A.9.4" } } }],
    ["the bookkeeping of calls", { fields: { "tapline.primary": { value: true } } }],
    ["an unknown class", { action: "tool-cal" }],
    ["a constant of the wrong type", { fields: { "server.port": { value: "http" } } }],
    ["an unknown key", { filds: {} }],
    ["a vantage of our own", { vantage: "self" }],
  ])("is refused: %s", (_what, options) => {
    expect(jsonMapping.safeParse(options).success).toBe(false);
    expect(() => mapRecords(json, [], { options })).toThrow();
  });
});

it("never throws, drops nothing, and keeps to the field types, whatever record and mapping hold", () => {
  const any = fc.jsonValue({ maxDepth: 3 });
  const key = fc.constantFrom("a", "b", "c", "a.b", "__proto__", "constructor", "toString", "1");
  const record = fc.dictionary(key, fc.oneof(any, fc.dictionary(key, any)), { maxKeys: 5 });
  const path = fc.array(key, { minLength: 1, maxLength: 3 }).map((keys) => keys.join("."));
  const settable = Object.keys(FIELDS).filter(
    (name) => jsonMapping.safeParse({ fields: { [name]: "a" } }).success,
  );
  expect(settable.length).toBeGreaterThan(80);
  const mapping = fc.record(
    {
      action: fc.oneof(
        fc.constantFrom("tool-call", "tool-result", "prompt"),
        fc.record({ field: path, map: fc.dictionary(fc.string(), fc.constant("tool-call")) }),
      ),
      time: path,
      session: path,
      fields: fc.dictionary(fc.constantFrom(...settable), path, { maxKeys: 6 }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      mapping,
      fc.array(fc.oneof(record, any), { minLength: 1, maxLength: 4 }),
      (options, lines) => {
        const parsed = JSON.parse(JSON.stringify(lines)) as unknown[];
        for (const outcome of mapRecords(json, parsed, { options }).outcomes)
          expect(outcome).toBe("recorded");
      },
    ),
    { numRuns: 500 },
  );
});
