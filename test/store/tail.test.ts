// The ledger's entries after a store's files: as many as there is room for in the memory of a reader, and no more.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { type Duckdb, openDuckdb } from "../../src/store/duckdb.ts";
import { openStore } from "../../src/store/reader.ts";
import { Tail } from "../../src/store/tail.ts";
import { memoryLedger } from "./ledgers.ts";

let dir = "";
let duckdb: Duckdb;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "tapline-tail-"));
  duckdb = await openDuckdb(":memory:", LIMITS.store_memory_mb, "");
});
afterEach(() => {
  duckdb.close();
  rmSync(dir, { recursive: true, force: true });
});

/** An event as long as those of agents are, every one with texts of its own. */
const documentOf = (i: number, chars: number): string =>
  JSON.stringify({
    "@timestamp": "2026-11-01T00:00:34.194Z",
    user: { name: `u${i % 50}` },
    gen_ai: {
      conversation: { id: `session-${i % 64}` },
      tool: { name: "search", call: { result: `${i} ${"a word or two ".repeat(chars / 14)}` } },
    },
    tapline: { call_key: `key-${i}`, control: { iso42001: ["A.6.2.6", "A.6.2.8"] } },
    event: { id: `id-${i}`, action: "tool-result", category: ["api"] },
  });
const many = (count: number, chars: number): string[] =>
  Array.from({ length: count }, (_, i) => documentOf(i, chars));
const countOf = async (): Promise<{ n: number; first: number }> => {
  const sql = `SELECT count(*)::INTEGER AS n, min("event.sequence")::INTEGER AS first FROM tail`;
  const [row] = (await duckdb.connection.runAndReadAll(sql)).getRowObjectsJS();
  return row as { n: number; first: number };
};

test("as many entries as a reader takes fit in the memory that it has, questions included", async () => {
  const ledger = memoryLedger(many(LIMITS.store_tail_entries + 10, 1_600));
  const store = await openStore(dir, { ledger });
  const sql = `SELECT count(*) AS n, count(DISTINCT "tapline.call_key") AS keys, max(length(entry)) > 1600 AS long FROM events`;
  expect(await store.query(sql)).toEqual([
    { n: LIMITS.store_tail_entries, keys: LIMITS.store_tail_entries, long: true },
  ]);
  await store.close();
}, 120_000);

test("long entries are as many as their bytes allow", async () => {
  const chars = 60_000;
  const fit = Math.ceil(LIMITS.store_tail_bytes / (chars + 500));
  const tail = await Tail.create(duckdb.connection, memoryLedger(many(fit + 100, chars)));
  await tail.fill(0);
  const { n } = await countOf();
  expect(n).toBeGreaterThan(fit - 20);
  expect(n).toBeLessThan(fit + 20);
  expect(tail.end).toBe(n);
}, 120_000);

test("what is forgotten makes room, in rows and in memory, and what is kept stays", async () => {
  const docs = many(20_000, 800);
  const tail = await Tail.create(duckdb.connection, memoryLedger(docs));
  const used: number[] = [];
  for (let round = 0; round < 6; round++) {
    await tail.fill(round * 20_000);
    expect(tail.end).toBe((round + 1) * 20_000);
    // The last batches are needed still.
    await tail.forget(tail.end - 1_000);
    const { n, first } = await countOf();
    expect([first, first + n]).toEqual([tail.end - 1_000, tail.end]);
    const memory = "SELECT sum(memory_usage_bytes)::DOUBLE AS bytes FROM duckdb_memory()";
    const [row] = (await duckdb.connection.runAndReadAll(memory)).getRowObjectsJS();
    used.push(Number(row!["bytes"]));
    docs.push(...Array.from({ length: 20_000 }, (_, i) => documentOf(docs.length + i, 800)));
  }
  expect(used.at(-1)! / used[1]!).toBeLessThan(1.3);
}, 120_000);

const sequences = async (): Promise<number[]> => {
  const sql = `SELECT "event.sequence"::INTEGER AS n FROM tail ORDER BY 1`;
  return (await duckdb.connection.runAndReadAll(sql)).getRowObjectsJS().map((row) => Number(row["n"]));
};

test("a batch that fails on its way into the table is there once when it comes again, wherever it failed", async () => {
  for (let fails = 1; fails <= 4; fails++) {
    await duckdb.connection.run("DROP TABLE IF EXISTS tail");
    let statements = 0;
    let armed = false;
    const connection = new Proxy(duckdb.connection, {
      get(target, name) {
        if (name === "run")
          return async (sql: string) => {
            if (armed && statements++ === fails) throw new Error("Out of Memory Error");
            return await target.run(sql);
          };
        const value = Reflect.get(target, name) as unknown;
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const tail = await Tail.create(connection, memoryLedger(many(3, 100)));
    armed = true;
    await tail.fill(0).catch(() => undefined);
    armed = false;
    await tail.fill(0);
    expect(await sequences(), `statement ${fails}`).toEqual([0, 1, 2]);
    expect(tail.end).toBe(3);
  }
});

test("when files end earlier than before, what was in them is taken from the ledger again", async () => {
  const docs = many(10, 100);
  const tail = await Tail.create(duckdb.connection, memoryLedger(docs));
  await tail.fill(8);
  await tail.fill(3);
  expect([await sequences(), tail.end]).toEqual([[3, 4, 5, 6, 7, 8, 9], 10]);
  // Rows of before that are kept for statements do not hide a hole after them.
  docs.push(...many(20, 100));
  await tail.fill(25);
  await tail.fill(12);
  expect([await sequences(), tail.end]).toEqual([Array.from({ length: 18 }, (_, i) => 12 + i), 30]);
  await tail.forget(30);
  await tail.fill(29);
  expect([await sequences(), tail.end]).toEqual([[29], 30]);
});
