// Hostile content of records through the whole work of a worker. For each: nothing else is lost, the counters add up,
// every document is valid JSON within an entry (engine.ts checks these), and what cannot be read is an event.
import { beforeAll, describe, expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import type { Engine } from "../../src/engine.ts";
import { type Document, between, callOf, eventsOf, line, newEngine, rawCall, read } from "./engine.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await newEngine();
});

/** The event of the only line between two good ones. */
function one(text: string, format?: string): Document {
  const documents = eventsOf(between(engine, text, format === undefined ? {} : { format }));
  expect(documents).toHaveLength(1);
  return documents[0]!;
}
const argsOf = (document: Document): Document => document["gen_ai"].tool.call.arguments as Document;

function expectUnreadable(document: Document, type: string): void {
  expect(document["event"]).toMatchObject({
    kind: "pipeline_error",
    action: "unparsable-record",
    outcome: "failure",
  });
  expect(document["error"].type).toBe(type);
}

const deep = (n: number): string => "[".repeat(n) + "]".repeat(n);
const chatCall = (text: string): string =>
  JSON.stringify({
    session: "s",
    messages: [{ role: "assistant", tool_calls: [{ id: "1", function: { name: "f", arguments: text } }] }],
  });

describe("depth", () => {
  test.each([65, 5_000, 100_000, 5_000_000])("%i arrays", (depth) => {
    const text = "[".repeat(depth) + "]".repeat(depth);
    const document = one(rawCall(text));
    expectUnreadable(document, "too_deep");
    expect(document["event"].original.length).toBeLessThanOrEqual(LIMITS.raw_bytes);
    expect(document["tapline"].data.bytes_in).toBeGreaterThan(2 * depth);
  });
  test("objects, unclosed and closed too often", () => {
    expectUnreadable(one('{"a":'.repeat(5_000) + "1" + "}".repeat(5_000)), "too_deep");
    expectUnreadable(one("[".repeat(100_000)), "too_deep");
    expectUnreadable(one("}".repeat(100_000) + '{"a":'.repeat(1_000)), "not_json");
  });
  test("within what a record may, deeper than an object may", () => {
    const depth = LIMITS.depth - 8;
    const args = '{"a":'.repeat(depth) + '"core"' + "}".repeat(depth);
    const document = one(rawCall(args));
    expect(document["tapline"].data.truncated).toEqual(["gen_ai.tool.call.arguments"]);
    expect(levels(argsOf(document))).toBe(LIMITS.object_depth);
    expect(JSON.stringify(argsOf(document))).toContain("core");
  });
  test("in text that formats read as JSON", () => {
    for (const n of [100_000, 40]) {
      const args = argsOf(one(chatCall(`{"a":${deep(n)}}`), "chat"));
      expect(levels(args)).toBeLessThanOrEqual(LIMITS.object_depth);
    }
    // Escaped, so that no bracket stands in the line.
    const escaped = chatCall(`{"a":${deep(40)}}`)
      .replaceAll("[]", "\\u005b\\u005d")
      .replaceAll("[[", "\\u005b\\u005b");
    expect(levels(argsOf(one(escaped, "chat")))).toBeLessThanOrEqual(LIMITS.object_depth);
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"f","arguments":{"a":${deep(100_000)}}}}`;
    const exchange = JSON.stringify({
      ts: 1,
      request: { method: "POST", body },
      response: { status: 200, body: deep(100_000) },
    });
    expect(eventsOf(between(engine, exchange)).length).toBeGreaterThan(0);
  });
});

function levels(value: unknown): number {
  let depth = 0;
  for (let at = [value]; at.length > 0; depth++) {
    at = at.flatMap((v) => (typeof v === "object" && v !== null ? (Object.values(v) as unknown[]) : []));
  }
  return depth - 1;
}

describe("keys", () => {
  test.each<[string, string, boolean]>([
    ["method", '"id":1,"method":"ping","method":"tools/call","params":{"name":"f","arguments":{}}', true],
    [
      "params",
      '"id":1,"params":{"name":"a"},"method":"tools/call","params":{"name":"f","arguments":{}}',
      true,
    ],
    ["name", '"id":1,"method":"tools/call","params":{"name":"safe","arguments":{},"name":"f"}', true],
    [
      "name, escaped",
      '"id":1,"method":"tools/call","params":{"name":"safe","arguments":{},"n\\u0061me":"f"}',
      true,
    ],
    [
      "arguments",
      '"id":1,"method":"tools/call","params":{"arguments":{"a":1},"name":"f","arguments":{}}',
      true,
    ],
    ["id", '"id":1,"id":2,"method":"tools/call","params":{"name":"f","arguments":{}}', true],
    [
      "within arguments",
      '"id":1,"method":"tools/call","params":{"name":"f","arguments":{"p":"/a","p" : "/b"}}',
      true,
    ],
    [
      "none",
      '"id":1,"method":"tools/call","params":{"name":"f","arguments":{"name":"id","id":["id",{"id":1}]}}',
      false,
    ],
  ])("twice in one object: %s", (_, members, repeats) => {
    const document = one(line("@").replace('"@"', () => `{"jsonrpc":"2.0",${members}}`));
    expect(document["tapline"].record?.duplicate_keys).toBe(repeats ? true : undefined);
    expect(document["gen_ai"].tool.name).toBe("f");
  });

  test("__proto__, constructor, empty, with dots", () => {
    const args =
      '{"__proto__":{"admin":true},"constructor":{"prototype":{"x":1}},"":{"":2},"a.b":3,"a":{"b":4},".":5}';
    const document = one(rawCall(args));
    expect(JSON.stringify(argsOf(document))).toBe(args);
    expect(({} as Record<string, unknown>)["admin"]).toBeUndefined();
    const whole = one('{"__proto__":{"dir":"c2s"},"constructor":1,"toString":2,"hasOwnProperty":3,"":4}');
    expect(Object.keys(whole["tapline"].ext as object)).toHaveLength(5);
    expect(JSON.stringify(whole)).toContain('"__proto__":{"dir":"c2s"}');
  });

  test("of 1 MB, and with NUL", () => {
    const document = one(rawCall(JSON.stringify({ ["k".repeat(1_000_000)]: 1, b: 2 })));
    expect(Object.keys(argsOf(document))).toEqual(["text"]);
    expect(document["tapline"].blob.bytes).toEqual([1_000_012]);
    expect(argsOf(one(rawCall('{"a\\u0000b":1}')))).toEqual({ text: '{"a\\u0000b":1}' });
    expect(argsOf(one(rawCall('{"x":[{"a\\u0000b":1}]}')))).toEqual({ x: ['{"a\\u0000b":1}'] });
  });

  test("ten thousand in one object, other ones in each of many", () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`key${i}`, i]));
    expect(one(rawCall(JSON.stringify(many)))["tapline"].blob.fields).toEqual(["gen_ai.tool.call.arguments"]);
    const lines = Array.from({ length: 3_000 }, (_, i) => line(callOf({ [`key${i}`]: i }, i)));
    const documents = eventsOf(read(engine, lines.join("\n")));
    expect(documents).toHaveLength(3_000);
    // Outside of objects, the table's names are all there are.
    const paths = new Set(documents.flatMap((d) => Object.keys(d["tapline"] as object)));
    expect(paths.size).toBeLessThan(20);
  });

  test("text, then an object, then a number in one place", () => {
    const values = ["text", { a: 1 }, 7, [1, { b: 2 }], null, true];
    const documents = eventsOf(read(engine, values.map((v, i) => line(callOf(v, i))).join("\n")));
    for (const document of documents)
      expect(Object.prototype.toString.call(argsOf(document))).toBe("[object Object]");
    expect(argsOf(documents[0]!)).toEqual({ value: "text" });
  });
});

describe("numbers", () => {
  test("that a double cannot hold keep their digits", () => {
    const document = one(
      rawCall(
        '{"int64":9007199254740993,"uint64":18446744073709551615,"big":1e400,"small":-1e400,"zero":-0,"f":1.5}',
      ),
    );
    expect(argsOf(document)).toEqual({
      int64: "9007199254740993",
      uint64: "18446744073709551615",
      big: expect.stringMatching(/^(?:1e400|Infinity)$/) as string,
      small: expect.stringMatching(/^-(?:1e400|Infinity)$/) as string,
      zero: 0,
      f: 1.5,
    });
    expect(JSON.stringify(one('{"dir":0,"n":[1e999]}')["tapline"].ext)).toContain("Infinity");
    expect(argsOf(one(chatCall('{"id":9007199254740993}'), "chat"))).toEqual({ id: "9007199254740993" });
  });
  test("two ids that a double would merge stay two calls", () => {
    const ids = ["9007199254740992", "9007199254740993"];
    const calls = ids.map((id) => rawCall(`{"of":"${id}"}`, id));
    const answers = ids.map((id) =>
      line("@", { dir: "s2c" }).replace(
        '"@"',
        () => `{"jsonrpc":"2.0","id":${id},"result":{"content":[],"of":"${id}"}}`,
      ),
    );
    const documents = eventsOf(read(engine, [...calls, ...answers].join("\n")));
    expect(documents.map((d) => d["jsonrpc"].request.id as string)).toEqual([...ids, ...ids]);
    const refs = documents.map((d) => d["tapline"].call.ref as string);
    expect(new Set(refs).size).toBe(2);
    for (const answer of documents.slice(2)) expect(answer["tapline"].call.joined).toBe(true);
  });

  test.each(["NaN", "Infinity", "-Infinity", "01", "1.", ".5", "0x10", "1_000", "+1", "undefined"])(
    "%s",
    (text) => {
      expectUnreadable(one(rawCall(`{"n":${text}}`)), "not_json");
    },
  );
});

test.each(["[]", "[1,2]", "7", "-0", '"text"', "null", "true", "{}", "[[[]]]", "1e999"])(
  "a record that is %s",
  (text) => {
    const document = one(text);
    expect(document["event"]).toMatchObject({ action: "record" });
    expect(document["tapline"].record.known).toBe(false);
    expect(Object.prototype.toString.call(document["tapline"].ext)).toBe("[object Object]");
  },
);

test.each(["mcp", "claude-code", "codex", "gemini", "copilot", "cursor", "otlp-json", "chat", "unknown"])(
  "records of any kind in a stream of %s",
  (format) => {
    const records = [
      "[]",
      "7",
      "null",
      '"x"',
      "{}",
      '{"type":7}',
      '{"type":"no-such-type","version":"999.0"}',
      "[null]",
    ];
    const odd = records.concat([
      '{"type":{"a":1},"message":[1],"payload":"x"}',
      '{"resourceLogs":{},"messages":{}}',
    ]);
    const { result } = read(engine, odd.join("\n"), { format });
    expect(result.counts.read).toBe(odd.length);
    expect(result.counts.unparsable).toBe(0);
  },
);
