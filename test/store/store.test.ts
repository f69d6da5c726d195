// The store's writer and reader in this process, on ledgers in memory: rows, values, restarts, merges.
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { leafHashOf } from "../../src/core/entry.ts";
import { TaplineError } from "../../src/core/errors.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { AIDS_VERSION } from "../../src/store/aids.ts";
import { gramsPath, readManifest, rollupPath } from "../../src/store/manifest.ts";
import { type Row, openStore } from "../../src/store/reader.ts";
import type { EntryReader } from "../../src/store/entries.ts";
import { StoreWriter } from "../../src/store/writer.ts";
import { documentAt, documents, memoryLedger } from "./ledgers.ts";

let dir: string;
let clock_ms: number;
let warnings: string[];
const open: StoreWriter[] = [];

beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), "tapline-store-")), "store");
  clock_ms = Date.now();
  warnings = [];
});
afterEach(() => {
  for (const writer of open.splice(0)) writer.close();
  rmSync(join(dir, ".."), { recursive: true, force: true });
});

function writerOf(ledger: EntryReader): StoreWriter {
  const writer = new StoreWriter({
    dir,
    ledger,
    memory_mb: 512,
    now: () => clock_ms,
    warn: (message) => warnings.push(message),
  });
  open.push(writer);
  return writer;
}

async function ask(sql: string, ledger?: EntryReader): Promise<Row[]> {
  const store = await openStore(dir, ledger === undefined ? {} : { ledger });
  try {
    return await store.query(sql);
  } finally {
    await store.close();
  }
}

const parquetFiles = (): string[] => readdirSync(join(dir, "parquet")).toSorted();
const SEQUENCES = `SELECT "event.sequence" AS n FROM events ORDER BY 1`;
const numbers = async (ledger?: EntryReader): Promise<unknown[]> =>
  (await ask(SEQUENCES, ledger)).map((row) => row["n"]);
const upTo = (end: number): number[] => Array.from({ length: end }, (_, i) => i);

test("a row has the entry, its index, its hash and its fields", async () => {
  const docs = documents(10);
  await writerOf(memoryLedger(docs)).write(0, 10);
  const rows = await ask(`SELECT * FROM events ORDER BY "event.sequence"`);
  expect(rows.map((row) => row["entry"])).toEqual(docs);
  const hashes = docs.map((doc) => `sha256:${Buffer.from(leafHashOf(Buffer.from(doc))).toString("hex")}`);
  expect(rows.map((row) => row["event.hash"])).toEqual(hashes);
  const parsed = JSON.parse(docs[7]!) as { tapline: { control: { direct: string[] } } };
  expect(rows[7]).toMatchObject({
    "event.sequence": 7,
    "@timestamp": new Date(Date.UTC(2026, 9, 1) + 7000),
    "event.id": "store-00000007",
    "gen_ai.tool.name": "tool_2",
    "tapline.entry.version": 1,
    "tapline.control.direct": parsed.tapline.control.direct,
    "event.duration": null,
  });
  expect(JSON.parse(String(rows[7]!["gen_ai.tool.call.arguments"]))).toEqual({
    path: "/tmp/7",
    text: '\u00e9\u4e2d\ud83d\ude00 "quoted" \\ back',
  });
});

test("types are those that other readers understand", async () => {
  await writerOf(memoryLedger(documents(1))).write(0, 1);
  const found = await ask("SELECT column_name AS name, column_type AS type FROM (DESCRIBE events)");
  const types = Object.fromEntries(found.map((row) => [row["name"], row["type"]]));
  expect(types).toMatchObject({
    "@timestamp": "TIMESTAMP",
    "event.sequence": "BIGINT",
    "event.hash": "VARCHAR",
    "event.risk_score": "DOUBLE",
    "tapline.primary": "BOOLEAN",
    "tapline.control.direct": "VARCHAR[]",
    "gen_ai.tool.call.arguments": "VARCHAR",
    entry: "VARCHAR",
  });
});

test("no value loses a row: what does not fit is null in its column and whole in `entry`", async () => {
  const odd = [
    '{"@timestamp":"not a time","event":{"id":"a","duration":"long ago","action":7,"category":"api"}}',
    '{"@timestamp":"2026-10-01T00:00:00.000Z","event":{"id":["b"],"duration":18446744073709551615}}',
    '{"event":"no group","tapline":[1],"log":{"offset":1.5,"file":{"path":{"a":1}}}}',
    '{"event":{"id":"\\ud83d alone","reason":"\\u0000 \\\\ud83d \\" tab\\t"}}',
    `{"message":"${"x".repeat(60_000)}","event":{"id":"long"}}`,
    '{"event":{"id":"a","id":"twice"}}',
    '{"event":{"risk_score":1e400,"id":"inf"}}',
    `{"tapline":{"ext":${"[".repeat(60)}${"]".repeat(60)}},"event":{"id":"deep"}}`,
    "{}",
  ];
  const broken = ["not json", "", '{"event":', 'a\tb\nc"d"\u0000e', "[1]", "null"];
  const docs = [documentAt(0), ...odd, ...broken, documentAt(1)];
  await writerOf(memoryLedger(docs)).write(0, docs.length);
  const rows = await ask(`SELECT * FROM events ORDER BY "event.sequence"`);
  expect(rows.map((row) => row["entry"])).toEqual(docs.map((doc) => doc.replace("\u0000", "\ufffd")));
  expect(rows[1]).toMatchObject({
    "@timestamp": null,
    "event.id": "a",
    "event.duration": null,
    "event.action": "7",
  });
  expect(rows[2]).toMatchObject({ "@timestamp": new Date("2026-10-01"), "event.duration": null });
  expect(rows[4]).toMatchObject({ "event.id": "\ufffd alone", "event.reason": '\u0000 \\ud83d " tab\t' });
  expect(rows[5]).toMatchObject({ "event.id": "long", message: "x".repeat(60_000) });
  expect(rows.at(-1)).toMatchObject({ "event.id": "store-00000001", "event.category": ["api"] });
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).not.toContain("not json");
});

test("the ledger's tail is read with the same values as the files", async () => {
  const docs = [...documents(20), '{"event":{"id":"\\ud83d alone"}}', "not json"];
  const ledger = memoryLedger(docs);
  const writer = writerOf(ledger);
  await writer.write(0, 5);
  const all = `SELECT * FROM events ORDER BY "event.sequence"`;
  const before = await ask(all, ledger);
  await writer.write(5, docs.length);
  const after = await ask(all);
  expect(before).toHaveLength(docs.length);
  expect(before).toEqual(after);
});

test("a store that is not there yet is the ledger alone", async () => {
  expect(await numbers(memoryLedger(documents(3)))).toEqual([0, 1, 2]);
  expect(await numbers()).toEqual([]);
});

test("an open reader follows the writer", async () => {
  const docs = documents(4);
  const ledger = memoryLedger(docs);
  const writer = writerOf(ledger);
  await writer.write(0, 2);
  const store = await openStore(dir, { ledger });
  const count = async (): Promise<unknown> =>
    (await store.query("SELECT count(*) AS n FROM events"))[0]!["n"];
  expect(await count()).toBe(4);
  docs.push(...documents(3, 4));
  expect(await count()).toBe(7);
  await writer.write(2, 6);
  expect(await count()).toBe(7);
  docs.push(...documents(1, 7));
  expect(await count()).toBe(8);
  await store.close();
});

test("an open reader has every entry once, whatever of what it took is in files by now", async () => {
  const ledger = memoryLedger(documents(20));
  const writer = writerOf(ledger);
  await writer.write(0, 5);
  const store = await openStore(dir, { ledger });
  const all = async (): Promise<unknown[]> => (await store.query(SEQUENCES)).map((row) => row["n"]);
  expect(await all()).toEqual(upTo(20));
  // The reader took [5, 20) at once.
  await writer.write(5, 12);
  expect(await all()).toEqual(upTo(20));
  await writer.write(12, 20);
  expect(await all()).toEqual(upTo(20));
  rmSync(join(dir, "manifest.json"));
  expect(await all()).toEqual(upTo(20));
  await store.close();
});

test("a range that is there is not written again", async () => {
  const ledger = memoryLedger(documents(10));
  const writer = writerOf(ledger);
  expect(await writer.write(0, 6)).toEqual({ created: 6, existing: 0 });
  expect(await writer.write(0, 6)).toEqual({ created: 0, existing: 6 });
  expect(await writer.write(4, 10)).toEqual({ created: 4, existing: 2 });
  writer.close();
  expect(await writerOf(ledger).write(3, 7)).toEqual({ created: 0, existing: 4 });
  expect(await numbers()).toEqual(upTo(10));
});

test("a deleted store comes back the same, from 0 or from any cursor", async () => {
  const ledger = memoryLedger(documents(300));
  const all = `SELECT * FROM events ORDER BY "event.sequence"`;
  for (const end of [100, 200, 300])
    await writerOf(ledger)
      .write(end - 100, end)
      .finally(() => open.at(-1)!.close());
  const rows = await ask(all);
  for (const first of [0, 299]) {
    rmSync(dir, { recursive: true });
    const writer = writerOf(ledger);
    expect(await writer.write(first, 300)).toEqual({ created: 300 - first, existing: 0 });
    writer.close();
    expect(await ask(all)).toEqual(rows);
  }
});

test("a file without a manifest is an orphan, and a damaged file is made again", async () => {
  const ledger = memoryLedger(documents(9));
  let writer = writerOf(ledger);
  for (const end of [3, 6, 9]) await writer.write(end - 3, end);
  writer.close();
  const good = parquetFiles();
  writeFileSync(join(dir, "parquet", "000000000009-000000000012.parquet"), "half");
  writeFileSync(join(dir, "parquet", "000000000009-000000000012.parquet.tmp"), "half");
  truncateSync(join(dir, "parquet", good[1]!), 100);
  writer = writerOf(ledger);
  expect(await writer.write(8, 9)).toEqual({ created: 1, existing: 0 });
  expect(warnings.join()).toContain("from entry 3");
  expect(parquetFiles()).toEqual([good[0], "000000000003-000000000009.parquet"]);
  expect(await numbers()).toEqual(upTo(9));
});

test("small files become larger ones, and the old ones stay for a while", async () => {
  const count = LIMITS.store_merge_files * LIMITS.store_merge_files + 5;
  const ledger = memoryLedger(documents(count));
  const writer = writerOf(ledger);
  const store = await openStore(dir);
  const seen = `SELECT count(*) AS rows, count(DISTINCT "event.sequence") AS entries FROM events`;
  for (let at = 0; at < count; at++) {
    await writer.write(at, at + 1);
    while (await writer.tidy());
    if (at % 50 === 0) expect(await store.query(seen)).toEqual([{ rows: at + 1, entries: at + 1 }]);
  }
  const { files, retired } = readManifest(dir);
  expect(files.map((file) => file.rows)).toEqual([256, 1, 1, 1, 1, 1]);
  expect(retired.length).toBeGreaterThan(256);
  expect(retired.every((file) => existsSync(join(dir, file.path)))).toBe(true);
  expect(await numbers()).toEqual(upTo(count));
  clock_ms += LIMITS.store_grace_ms;
  await writer.tidy();
  expect(parquetFiles()).toHaveLength(6);
  expect(readManifest(dir).retired).toEqual([]);
  expect(await store.query(seen)).toEqual([{ rows: count, entries: count }]);
  await store.close();
}, 300_000);

test("a file that stays gets summary rows and runs of letters, and gets them again", async () => {
  // Long entries: it takes few to make a file that is not merged any more.
  const long = "lorem ipsum dolor ".repeat(3_000);
  const count = Math.ceil(LIMITS.store_small_bytes / long.length) + 10;
  const entries = documents(count).map((text) => text.replace(/}$/, `,"message":"${long}"}`));
  const ledger = memoryLedger(entries);
  const writer = writerOf(ledger);
  await writer.write(0, 3);
  while (await writer.tidy());
  expect(readManifest(dir).files[0]!.aids).toBeUndefined();
  await writer.write(3, count);
  while (await writer.tidy());
  const file = readManifest(dir).files.at(-1)!;
  expect(file.aids).toMatchObject({ version: AIDS_VERSION, grams: { bytes: expect.any(Number) as number } });
  const beside = [rollupPath(file.first, file.end), gramsPath(file.first, file.end)].map((path) =>
    join(dir, path),
  );
  expect(beside.map((path) => existsSync(path))).toEqual([file.aids!.rollup !== undefined, true]);
  writer.close();
  rmSync(beside[1]!);
  writeFileSync(join(dir, "rollup", "000000000000-000000000001.parquet"), "half");
  const again = writerOf(ledger);
  await again.write(count - 1, count);
  expect(readManifest(dir).files.at(-1)!.aids).toBeUndefined();
  expect(existsSync(join(dir, "rollup", "000000000000-000000000001.parquet"))).toBe(false);
  while (await again.tidy());
  expect(existsSync(beside[1]!)).toBe(true);
  expect(readManifest(dir).files.at(-1)!.aids).toEqual(file.aids);
}, 300_000);

test("a store of another ledger, or of a newer version, is not touched", async () => {
  const writer = writerOf(memoryLedger(documents(5)));
  await writer.write(0, 5);
  writer.close();
  const before = readFileSync(join(dir, "manifest.json"), "utf8");
  const refused = async (ledger: EntryReader, code: string): Promise<void> => {
    const error = await writerOf(ledger)
      .write(0, 5)
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ code, retry: false });
    expect((error as TaplineError).remedy).toContain("move the store's directory away");
  };
  await refused(memoryLedger(documents(5, 1000)), "STORE_OTHER_LEDGER");
  await refused(memoryLedger(documents(3)), "STORE_OTHER_LEDGER");
  expect(readFileSync(join(dir, "manifest.json"), "utf8")).toBe(before);
  writeFileSync(join(dir, "manifest.json"), '{"version":2}');
  await refused(memoryLedger(documents(5)), "STORE_NEWER");
  for (const text of [
    "",
    "{",
    "null",
    "[]",
    '{"version":1,"end":9,"files":[],"retired":[],"last_hash":""}',
  ]) {
    writeFileSync(join(dir, "manifest.json"), text);
    await refused(memoryLedger(documents(5)), "STORE_DAMAGED");
  }
});

test("rows of entries that retention removed go, and the store goes on, is opened again and made again", async () => {
  const all = documents(900);
  let first = 0;
  const ledger: EntryReader = { ...memoryLedger(all), first: () => first };
  const sequences = async (): Promise<unknown[]> =>
    (
      await ask(
        'SELECT count(*) AS n, min("event.sequence") AS least, max("event.sequence") AS most FROM events',
      )
    ).map(({ n, least, most }) => [n, least, most]);
  const writer = writerOf(ledger);
  await writer.write(0, 300);
  await writer.write(300, 600);
  // One file goes, and the next is cut.
  first = 512;
  await writer.tidy();
  expect(await sequences()).toEqual([[88, 512, 599]]);
  await writer.write(600, 700);
  writer.close();
  const again = writerOf(ledger);
  await again.write(700, 800);
  expect(await sequences()).toEqual([[288, 512, 799]]);
  // More than the store has yet.
  first = 850;
  await again.write(800, 900);
  expect(await sequences()).toEqual([[50, 850, 899]]);
  again.close();
  rmSync(dir, { recursive: true });
  const anew = writerOf(ledger);
  await anew.write(0, 900);
  expect(await sequences()).toEqual([[50, 850, 899]]);
  anew.close();
});

test("SQL reaches the store and nothing else", async () => {
  await writerOf(memoryLedger(documents(3))).write(0, 3);
  const store = await openStore(dir);
  const failure = (sql: string): Promise<unknown> => store.query(sql).catch((error: unknown) => error);
  for (const sql of [
    "SELECT * FROM read_text('/etc/passwd')",
    `COPY (SELECT 1) TO '${join(dir, "..", "out.csv")}'`,
    "SET enable_external_access = true",
    "INSTALL httpfs",
    "ATTACH '/tmp/x.db'",
    "SELECT nonsense",
  ]) {
    expect(await failure(sql), sql).toMatchObject({ code: "STORE_QUERY", retry: false });
  }
  expect(await failure("SELECT * FROM range(200000)")).toMatchObject({ code: "STORE_ANSWER_TOO_LONG" });
  const found = await store.query(`SELECT "event.sequence" AS n FROM events WHERE "gen_ai.tool.name" = ?`, [
    "tool_1",
  ]);
  expect(found).toEqual([{ n: 1 }]);
  await store.close();
});
