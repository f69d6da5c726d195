// An engine as a worker runs it, for hostile input: everything that must hold of any batch is checked on the way.
import { expect } from "vitest";
import { forEachEntry, leafHashOf } from "../../src/core/entry.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { Capture, EntryBatch } from "../../src/core/stage.ts";
import { type Engine, type EngineResult, openEngine, rulesBelow } from "../../src/engine.ts";
import { BUNDLED_RULES } from "../../src/paths.ts";
import { BulkEncoder } from "../../src/sinks/bulk.ts";

export const NOW_MS = Date.UTC(2026, 10, 23, 12);
/** A document as a sink gets it, read back. */
// oxlint-disable-next-line typescript/no-explicit-any -- what is in it is what the tests are about
export type Document = Record<string, any>;
export interface Read {
  readonly documents: Document[];
  readonly texts: string[];
  readonly result: EngineResult;
}

export async function newEngine(namespace = "default"): Promise<Engine> {
  return openEngine({
    origin: { namespace, host: "test", version: "0" },
    key: "test",
    started: "2020-01-01T00:00:00.000Z",
    rules: await rulesBelow([BUNDLED_RULES]),
    subject_keys: undefined,
  }).engine;
}

const capture: Capture = {
  arguments: "redacted",
  results: "redacted",
  messages: "redacted",
  identity: "full",
};
let streams = 0;

export interface ReadOptions {
  readonly format?: string;
  readonly options?: unknown;
  readonly modified_ms?: number;
}

/** One batch of one new stream through the engine. Checks the law, and every document: valid JSON, within an entry,
 * hashed right, and such that the bulk encoder takes it. */
export function read(engine: Engine, input: string | Uint8Array, options: ReadOptions = {}): Read {
  const buffer = Buffer.from(input as string);
  const id = `stream${streams++}`;
  const info = {
    id,
    source: "test",
    path: `/test/${id}`,
    format: options.format ?? "mcp",
    session: undefined,
  };
  const result = engine.process({
    buffer,
    segments: [{ stream: id, start: 0, end: buffer.length, offset: 0 }],
    streams: [{ ...info, options: options.options, capture, modified_ms: options.modified_ms ?? NOW_MS }],
    now_ms: NOW_MS,
  });
  const { counts } = result;
  const skipped = Object.values(counts.skipped).reduce((a, b) => a + b, 0);
  expect(counts.recorded + counts.merged + skipped, "read = recorded + merged + skipped").toBe(counts.read);
  const texts: string[] = [];
  const ids = new Set<string>();
  const documents: Document[] = [];
  forEachEntry(result.run, (start, end, position) => {
    const bytes = result.run.subarray(start, end);
    expect(bytes.length).toBeLessThanOrEqual(LIMITS.entry_bytes);
    const leaf = result.hashes.subarray(position * 32, position * 32 + 32);
    expect(Buffer.compare(leafHashOf(bytes), leaf), "leaf hash").toBe(0);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const document = JSON.parse(text) as Document;
    ids.add(document["event"].id as string);
    texts.push(text);
    documents.push(document);
  });
  expect(documents).toHaveLength(result.count);
  expect(ids.size, "ids are unique").toBe(result.count);
  if (result.count > 0) new BulkEncoder().encode(batchOf(result));
  return { documents, texts, result };
}

export function batchOf(result: EngineResult): EntryBatch {
  return { first: 0, count: result.count, run: result.run, hashes: result.hashes };
}

/** Documents that are no alert. */
export function eventsOf({ documents }: Read): Document[] {
  return documents.filter((document) => document["event"].kind !== "alert");
}

/** An MCP line with this message. */
export function line(msg: unknown, more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    ts: "2026-11-01T00:00:00.000Z",
    dir: "c2s",
    conn: "c1",
    session: "s1",
    ...more,
    msg,
  });
}

export function callOf(args: unknown, id: unknown = 1, name = "read_file"): unknown {
  return { jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: args } };
}

/** An MCP line of a tool call with arguments in JSON text, which may be what JSON.stringify would not write. */
export function rawCall(args: string, id = "1"): string {
  return line("@").replace(
    '"@"',
    () =>
      `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"read_file","arguments":${args}}}`,
  );
}

const good = (n: number): string =>
  `${line(callOf({ path: `/good/${n}` }, `good${n}`), { session: "good" })}\n`;
const isGood = (d: Document): boolean => JSON.stringify(d["gen_ai"]?.tool ?? d["tapline"]).includes("/good/");

/** Puts a good call before and after `lines`, checks that both are there as always, and gives the events between. */
export function between(engine: Engine, lines: string | Uint8Array, options: ReadOptions = {}): Read {
  const parts = [Buffer.from(good(1)), Buffer.from(lines as string), Buffer.from("\n"), Buffer.from(good(2))];
  const all = read(engine, Buffer.concat(parts), options);
  expect(all.documents.filter(isGood)).toHaveLength(2);
  return { ...all, documents: all.documents.filter((d) => !isGood(d)) };
}
