// Whatever a record holds, its documents can be indexed: hostile records through a worker into a real server.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import type { Engine } from "../../src/engine.ts";
import elasticsearch from "../../src/sinks/elasticsearch.ts";
import opensearch from "../../src/sinks/opensearch.ts";
import { connect, setup } from "../../src/sinks/setup.ts";
import { type ServerName, startServer } from "../integration/servers.ts";
import { testContext } from "../sinks/batches.ts";
import { batchOf, callOf, line, newEngine, rawCall, read } from "./engine.ts";

const never = new AbortController().signal;
const nested = (depth: number, open: string, core: string, close: string): string =>
  open.repeat(depth) + core + close.repeat(depth);
const KEY = "k".repeat(200);
const { object_text_bytes: TEXT, object_depth: DEPTH } = LIMITS;

/** Arguments as JSON text. */
const ARGUMENTS: Record<string, string> = {
  "the longest text that stays": JSON.stringify({ a: "x".repeat(TEXT) }),
  "the longest text below the longest keys": nested(
    DEPTH,
    `{"${KEY}":`,
    JSON.stringify("€".repeat(TEXT / 3)),
    "}",
  ),
  "a longer text": JSON.stringify({ a: "x".repeat(TEXT + 1) }),
  "32,766 bytes": JSON.stringify({ a: "x".repeat(32_766) }),
  "40,000 bytes in lists": JSON.stringify([[["y".repeat(40_000)]]]),
  "a hundred texts of 30,000 bytes": JSON.stringify(
    Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(30_000, "z")),
  ),
  "a long text behind __proto__": `{"__proto__":{"a":"${"p".repeat(40_000)}"}}`,
  "a long text below a long key": JSON.stringify({ ["k".repeat(300)]: "v".repeat(30_000) }),
  "a key of 1 MB": JSON.stringify({ ["k".repeat(1_000_000)]: 1 }),
  "a key of 33,000 bytes": JSON.stringify({ ["k".repeat(33_000)]: {} }),
  "keys that are too long together": nested(DEPTH, `{"${"k".repeat(1_900)}":`, "1", "}"),
  "a NUL in a key": '{"a":{"b\\u0000c":1},"x\\u0000":2}',
  "odd keys":
    '{"":{"":1}," ":2,".":3,"a.b":4,"a":{"b":5},"a.":6,"__proto__":{"x":7},"a=b":"c=d","\\ud800":8}',
  "a lone surrogate": '{"a":"\\ud800","b":"\\udfff\\ud800"}',
  "surrogates, many": `{"a":"${"\\ud800".repeat(10_000)}"}`,
  "as deep as records go": nested(LIMITS.depth - 3, '{"a":', "1", "}"),
  "as deep, of lists": `{"a":${nested(LIMITS.depth - 4, "[", "1", "]")}}`,
  "as deep as objects go": nested(DEPTH, '{"a":', '"x"', "}"),
  "ten thousand keys": JSON.stringify(
    Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`key${i}`, i])),
  ),
  "five thousand keys": JSON.stringify(
    Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`key${i}`, i])),
  ),
  "large numbers": '{"a":9007199254740993,"b":1e400,"c":1e308,"d":-0,"e":18446744073709551615,"f":5e-324}',
  text: '"text"',
  number: "7",
  list: '[1,"a",{"b":[null]}]',
  nothing: "null",
  truth: "true",
  "empty ones": '{"a":{},"b":[],"c":[{}],"d":[[]],"e":""}',
  "control characters": JSON.stringify({ a: "\u0000\u0001\u001b[31m\u007f\u0085\u2028" }),
};

const long = "é".repeat(30_000);
const LINES: readonly string[] = [
  ...Object.values(ARGUMENTS).map((args) => rawCall(args)),
  ...Object.values(ARGUMENTS).map((args) => `{"unknown":${args}}`),
  ...Object.values(ARGUMENTS),
  line(callOf({ url: `https://h.example/${long}`, command: long, path: long }, long, long), {
    user: { id: long, name: long, email: long },
    client: { name: long, version: long },
    server: { name: long, url: `https://h.example/${long}`, command: long },
  }),
  line({ jsonrpc: "2.0", id: 9, error: { code: long, message: long, data: long } }, { dir: "s2c" }),
  line(
    { jsonrpc: "2.0", id: 9, result: { tools: [{ name: long, description: long, inputSchema: long }] } },
    { dir: "s2c" },
  ),
  line(
    { jsonrpc: "2.0", id: 9, result: { content: [{ type: "text", text: long }, long, 7] } },
    { dir: "s2c" },
  ),
  ...["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00.000Z"].map((ts) =>
    line(callOf({}), { ts }),
  ),
  `{"cut":"${"\\u0000".repeat(9_000)}`,
  "\u0000".repeat(40_000),
];

const SERVERS: Record<"opensearch" | "elasticsearch", ServerName> = {
  opensearch: "opensearch",
  elasticsearch: "elasticsearch8",
};
for (const name of ["opensearch", "elasticsearch"] as const) {
  const url = await startServer(SERVERS[name]);
  describe.skipIf(url === undefined)(`into ${name}`, () => {
    const namespace = `hostile${randomBytes(6).toString("hex")}`;
    const type = name === "opensearch" ? opensearch : elasticsearch;
    const options = (): never => type.config.parse({ type: name, url }) as never;
    let engine: Engine;
    beforeAll(async () => {
      engine = await newEngine(namespace);
      const server = await connect(name, options());
      await setup(name, server, { retention_days: 400, signal: never });
      await server.close();
    });
    afterAll(async () => {
      await fetch(`${url}/_data_stream/logs-tapline.*-${namespace}`, { method: "DELETE" });
    });

    test("no document is a dead letter", async () => {
      const sink = type.create(options(), testContext());
      await sink.open(never);
      const { result, texts } = read(engine, LINES.join("\n"));
      expect(result.counts).toMatchObject({ read: LINES.length, recorded: LINES.length });
      const written = await sink.write(batchOf(result), false, never);
      const dead = written.dead.map((d) => `${d.reason.slice(0, 300)} IN ${texts[d.index]!.slice(0, 200)}`);
      expect(dead).toEqual([]);
      expect(written.created).toBe(result.count);
      await sink.close();
    }, 120_000);
  });
}
