// Derived fields: where data goes, what the tool is, hidden characters, encoded runs, sizes.
import { describe, expect, test } from "vitest";
import { type Event, newEvent, serialise } from "../../src/core/generated/event.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { Json } from "../../src/core/text.ts";
import { type Run, longestRun } from "../../src/normalise/encoded.ts";
import { cutTexts } from "../../src/normalise/cut.ts";
import { enrich } from "../../src/normalise/enrich.ts";
import { FLAG_UNUSUAL } from "../../src/normalise/prefilter.ts";
import { toolClass } from "../../src/normalise/tool-class.ts";
import { hostOf, isLoopback } from "../../src/normalise/url.ts";

function enriched(fields: Partial<Event>, flags = 0): Event {
  const e = Object.assign(newEvent(), fields);
  enrich(e, flags);
  return e;
}
const call = (args: Json, more: Partial<Event> = {}): Event =>
  enriched({ "gen_ai.tool.call.arguments": args, ...more });

describe("destinations", () => {
  test.each([
    ["https://Example.COM/a", "example.com"],
    ["http://user:pass@h.example:8080/x@y", "h.example"],
    ["https://[2001:db8::1]:443/", "2001:db8::1"],
    ["https://a.example?x", "a.example"],
    ["https://a.example.", "a.example"],
    ["https://a.example\\@evil.example/", "a.example"],
    ["ftp://a.example/", undefined],
    ["https://", undefined],
    ["httpsx", undefined],
  ])("%s", (url, host) => expect(hostOf(url)).toBe(host));

  test("loopback", () => {
    for (const host of ["localhost", "127.0.0.1", "127.1", "::1", "a.localhost"])
      expect(isLoopback(host), host).toBe(true);
    for (const host of ["127.evil.example", "localhost.example", "10.0.0.1"])
      expect(isLoopback(host), host).toBe(false);
  });

  test("a call with a URL goes out", () => {
    const e = call({ url: "https://api.example/v1", n: 1 });
    expect([e["url.domain"], e["destination.domain"], e["network.direction"]]).toEqual([
      "api.example",
      "api.example",
      "egress",
    ]);
    const c = call(
      { command: "x" },
      { "process.command_line": "cd /httpd && curl -s https://up.example/x -d @f" },
    );
    expect(c["destination.domain"]).toBe("up.example");
  });

  test("calls to this machine, results and calls without URL do not", () => {
    const e = call({ url: "http://localhost:9200/" });
    expect([e["url.domain"], e["destination.domain"], e["network.direction"]]).toEqual([
      "localhost",
      undefined,
      undefined,
    ]);
    expect(
      enriched({ "url.full": "https://a.example", "event.action": "tool-result" })["network.direction"],
    ).toBeUndefined();
    expect(call({ text: "see https://a.example" })["url.domain"]).toBeUndefined();
  });

  test("what a mapper has set stays", () => {
    const e = call(
      { url: "https://a.example" },
      { "destination.domain": "b.example", "tapline.data.bytes_out": 7 },
    );
    expect([e["destination.domain"], e["tapline.data.bytes_out"]]).toEqual(["b.example", 7]);
  });
});

describe("data that a request is aimed at", () => {
  test("queries, and files and addresses where there are several", () => {
    const e = call({
      sql: "SELECT 1",
      paths: ["/a", "/b"],
      urls: ["https://a.example", "https://b.example"],
    });
    expect(e["tapline.data.query"]).toBe("SELECT 1");
    expect(e["tapline.data.targets"]).toEqual(["/a", "/b", "https://a.example", "https://b.example"]);
    expect(call({ query: "open issues" })["tapline.data.query"]).toBe("open issues");
    expect(call({ paths: ["/a"], query: 7 })).toMatchObject({
      "tapline.data.targets": undefined,
      "tapline.data.query": undefined,
    });
  });

  test("of very many, the first are listed and the event says so", () => {
    const paths = Array.from({ length: LIMITS.data_targets + 1 }, (_, n) => `/${n}`);
    const e = call({ paths, files: paths });
    expect(e["tapline.data.targets"]).toEqual(paths.slice(0, LIMITS.data_targets));
    expect(e["tapline.data.truncated"]).toEqual(["tapline.data.targets"]);
  });

  test("a long query is cut and the event says so", () => {
    const e = call({ query: "q".repeat(LIMITS.query_chars + 1) });
    cutTexts(e);
    expect(e["tapline.data.query"]).toHaveLength(LIMITS.query_chars);
    expect(e["tapline.data.truncated"]).toEqual(["tapline.data.query"]);
  });
});

test.each([
  ["Read", "private"],
  ["read_file", "private"],
  ["mcp__postgres__query", "private"],
  ["search_emails", "private"],
  ["get_iban", "private"],
  ["WebFetch", "untrusted"],
  ["get_webpage", "untrusted"],
  ["brave_web_search", "untrusted"],
  ["mcp__fetch__fetch_url", "untrusted"],
  ["send_email", "egress"],
  ["mcp__slack__post_message", "egress"],
  ["uploadFile", "egress"],
  ["publish", "egress"],
  ["Bash", "other"],
  ["add_numbers", "other"],
  ["", "other"],
])("tool %s is %s", (name, expected) => expect(toolClass(name)).toBe(expected));

describe("hidden characters", () => {
  test.each([
    ["zero\u200bwidth", ["invisible"]],
    ["\u202egpj.exe", ["bidi"]],
    ["\u{e0049}\u{e0067}", ["tags_block"]],
    ["\u001b[31mred", ["ansi"]],
    ["a\u0000b", ["control"]],
    ["\u200b\u001b[0m", ["invisible", "ansi"]],
    ["family 👩‍👩‍👧, tab\t and\nline", undefined],
  ])("%j", (text, flags) => {
    expect(enriched({ "gen_ai.tool.call.result": { text } }, FLAG_UNUSUAL)["tapline.text.flags"]).toEqual(
      flags,
    );
    expect(enriched({ "gen_ai.tool.description": text }, FLAG_UNUSUAL)["tapline.text.flags"]).toEqual(flags);
    expect(
      enriched({ "gen_ai.tool.call.arguments": { [text]: 1 } }, FLAG_UNUSUAL)["tapline.text.flags"],
    ).toEqual(flags);
  });
});

describe("encoded runs", () => {
  const base64 = Buffer.from("the quick brown fox jumps over the lazy dog ".repeat(10)).toString("base64");
  test("length and entropy of the longest", () => {
    const e = call({ a: `curl -d ${base64.slice(0, 80)} h`, b: [base64], c: "word ".repeat(100) });
    expect(e["tapline.text.encoded_run"]).toBe(base64.length);
    expect(e["tapline.text.entropy"]).toBeGreaterThan(4);
    const hex = call({ a: "0123456789abcdef".repeat(8) });
    expect([hex["tapline.text.encoded_run"], hex["tapline.text.entropy"]]).toEqual([128, 4]);
  });
  test.each([
    "word ".repeat(100),
    "-".repeat(200),
    "/home/ana/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z/A1",
    "a".repeat(100),
  ])("none in %s", (text) => expect(call({ text })["tapline.text.encoded_run"]).toBeUndefined());
  test("finds a run wherever it stands, as a slow search does", () => {
    for (let at = 0; at < 200; at++) {
      const text = `${"ab ".repeat(80).slice(0, at)} ${base64.slice(0, 64 + (at % 30))} ${"c ".repeat(40)}`;
      const run: Run = { start: 0, length: 0, text: "" };
      longestRun(text, run);
      expect(run.length, `at ${at}`).toBe(64 + (at % 30));
      expect(text.slice(run.start, run.start + run.length)).toBe(base64.slice(0, run.length));
    }
  });
});

test("sizes are bytes of text, keys and numbers", () => {
  expect(call({ ab: "é€🙂", n: [12, true] })["tapline.data.bytes_out"]).toBe(2 + 9 + 1 + 2 + 4);
  expect(enriched({ "gen_ai.tool.call.result": "é".repeat(100) })["tapline.data.bytes_in"]).toBe(200);
});

test("numbers that JSON cannot say become text", () => {
  const e = call(JSON.parse('{"a":1e400,"b":[-1e400,1],"__proto__":{"c":1e400}}') as Json);
  const text = serialise(e);
  expect(text).toContain('{"a":"Infinity","b":["-Infinity",1],"__proto__":{"c":"Infinity"}}');
  expect(call({ a: 1 })["gen_ai.tool.call.arguments"]).toEqual({ a: 1 });
});
