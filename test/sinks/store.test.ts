// The store sink with its process, on a real ledger: ranges, deaths, and readers that are not ours.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RangeSink } from "../../src/core/stage.ts";
import { Ledger } from "../../src/ledger/log.ts";
import { openReader } from "../../src/ledger/reader.ts";
import { openStore } from "../../src/store/reader.ts";
import store from "../../src/sinks/store.ts";
import { PARQUET, python } from "../python.ts";
import { series, testContext } from "./batches.ts";

const signal = new AbortController().signal;
let state_dir: string;
let ledger: Ledger;
let sink: RangeSink;
let lines: string[];

beforeEach(async () => {
  state_dir = mkdtempSync(join(tmpdir(), "tapline-sink-"));
  const dir = join(state_dir, "ledger");
  ({ ledger } = await Ledger.open({ dir, origin: "tapline/test", log: () => {} }));
  sink = newSink();
});
afterEach(async () => {
  await sink.close();
  await ledger.close();
  rmSync(state_dir, { recursive: true, force: true });
});

function newSink(memory_mb = 512): RangeSink {
  const context = testContext(state_dir);
  lines = context.lines;
  return store.create({ type: "store", memory_mb }, context);
}
const storeDir = (): string => join(state_dir, "test");

async function append(count: number): Promise<number> {
  const { run, hashes, first } = series("s", count, ledger.size);
  ledger.append({ run, hashes, count, header: "{}" });
  await ledger.commit();
  return first;
}

/** Processes that write the store of this test, started by this process or by any. */
function writers(by: "own" | "any" = "own"): number[] {
  const own = (pid: string): boolean => {
    try {
      const [stat, command] = ["stat", "cmdline"].map((name) =>
        readFileSync(`/proc/${pid}/${name}`, "latin1"),
      );
      if (stat!.includes(") Z ")) return false;
      const parent = stat!.slice(stat!.lastIndexOf(")") + 2).split(" ")[1];
      return (
        (by === "any" || parent === String(process.pid)) &&
        command!.includes("store-writer.ts") &&
        command!.includes(state_dir)
      );
    } catch {
      return false; // it ended meanwhile
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && own(name))
    .map(Number);
}

async function sequences(): Promise<number[]> {
  const reader = await openStore(storeDir());
  const rows = await reader.query('SELECT "event.sequence" AS n FROM events ORDER BY 1');
  await reader.close();
  return rows.map((row) => Number(row["n"]));
}
const upTo = (end: number): number[] => Array.from({ length: end }, (_, i) => i);
const fate = (created: number, existing = 0): unknown => ({ created, existing, dead: [], filtered: 0 });

test("ranges of a running ledger become rows, files only the owner can read", async () => {
  await append(700);
  await sink.open(signal);
  expect(await sink.writeRange(0, 700, signal)).toEqual(fate(700));
  await append(30);
  expect(await sink.writeRange(700, 730, signal)).toEqual(fate(30));
  expect(await sink.writeRange(650, 730, signal)).toEqual(fate(0, 80));
  expect(await sequences()).toEqual(upTo(730));
  for (const name of readdirSync(storeDir(), { recursive: true, encoding: "utf8" })) {
    expect(statSync(join(storeDir(), name)).mode & 0o077, name).toBe(0);
  }
});

test("a reader sees the entries that are not in files yet", async () => {
  await append(300);
  await sink.writeRange(0, 200, signal);
  const reader = openReader(join(state_dir, "ledger"));
  const events = await openStore(storeDir(), { ledger: reader });
  const ask = async (): Promise<unknown> =>
    await events.query('SELECT count(DISTINCT "event.id") AS n FROM events');
  expect(await ask()).toEqual([{ n: 300 }]);
  await append(50);
  expect(await ask()).toEqual([{ n: 350 }]);
  await events.close();
  await reader.close();
});

test("a process that is killed is started again, and every entry is there once", async () => {
  await append(20_000);
  const outcomes: unknown[] = [];
  for (const delay_ms of [0, 100, 200, 400]) {
    await sink.open(signal);
    const range = sink.writeRange(0, 20_000, signal).catch((error: unknown) => error);
    await sleep(delay_ms);
    for (const pid of writers()) process.kill(pid, "SIGKILL");
    outcomes.push(await range);
  }
  // Under load the first kill may come before there is a process: one of the four meets it.
  expect(outcomes).toContainEqual(expect.objectContaining({ code: "STORE_WRITER_DIED", retry: true }));
  const { created, existing } = await sink.writeRange(0, 20_000, signal);
  expect(created + existing).toBe(20_000);
  expect(await sequences()).toEqual(upTo(20_000));
});

test("the process ends with a collector that is killed", async () => {
  const script = `import store from "./src/sinks/store.ts";
    const context = { name: "test", state_dir: process.argv[1], now: Date.now, log() {} };
    const sink = store.create({ type: "store", memory_mb: 512 }, context);
    await sink.writeRange(0, 100, AbortSignal.timeout(60_000));
    console.log("written");`;
  await append(100);
  const collector = spawn(process.execPath, ["--input-type=module-typescript", "-e", script, state_dir]);
  try {
    await once(collector.stdout, "data");
    expect(writers("any")).toHaveLength(1);
  } finally {
    collector.kill("SIGKILL");
  }
  for (let tries = 0; writers("any").length > 0 && tries < 100; tries++) await sleep(50);
  expect(writers("any")).toEqual([]);
  expect(await sink.writeRange(0, 100, signal)).toEqual(fate(0, 100));
});

test("a process that keeps dying is an error that says so, and a success ends it", async () => {
  await append(10);
  const tries: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    await sink.open(signal);
    for (const pid of writers()) process.kill(pid, "SIGSTOP");
    const range = sink.writeRange(0, 10, signal).catch((error: unknown) => error);
    for (const pid of writers()) process.kill(pid, "SIGKILL");
    tries.push(await range);
  }
  expect(tries).toMatchObject([
    { retry: true },
    { retry: true },
    { retry: false, code: "STORE_WRITER_DIED" },
  ]);
  expect((tries[2] as Error).message).toContain("3 times");
  expect(await sink.writeRange(0, 10, signal)).toEqual(fate(10));
});

test("a store has one writer", async () => {
  await append(10);
  await sink.writeRange(0, 10, signal);
  const other = newSink();
  await expect(other.writeRange(0, 10, signal)).rejects.toMatchObject({ code: "STORE_LOCKED", retry: true });
  await sink.close();
  expect(await other.writeRange(0, 10, signal)).toEqual(fate(0, 10));
  await other.close();
});

test("a range that is not in the ledger yet is asked for again later", async () => {
  await append(10);
  await expect(sink.writeRange(0, 20, signal)).rejects.toMatchObject({ code: "STORE_NO_ENTRY", retry: true });
  await append(10);
  expect(await sink.writeRange(0, 20, signal)).toEqual(fate(20));
  expect(await sequences()).toEqual(upTo(20));
});

test("a stop does not wait for the range, and the process ends with the sink", async () => {
  await append(5_000);
  await sink.open(signal);
  const stop = new AbortController();
  const range = sink.writeRange(0, 5_000, stop.signal);
  stop.abort();
  await expect(range).rejects.toMatchObject({ code: "STOPPED" });
  expect(writers()).toHaveLength(1);
  const { created, existing } = await sink.writeRange(0, 5_000, signal);
  expect(created + existing).toBe(5_000);
  await sink.close();
  await sink.close();
  expect(writers()).toEqual([]);
  expect(lines).toEqual([]);
});

const PYTHON = python(PARQUET);

const SCRIPT = `
import json, sys, duckdb, pandas
d = sys.argv[1]
files = [d + "/" + f["path"] for f in json.load(open(d + "/manifest.json"))["files"]]
frame = pandas.concat([pandas.read_parquet(f) for f in files])
tools = frame.groupby("gen_ai.tool.name").size().to_dict()
shell = duckdb.connect()
shell.execute("SET VARIABLE d = '" + d + "'")
shell.execute("SET VARIABLE files = (SELECT list(getvariable('d') || '/' || f.path) FROM (SELECT unnest(files) AS f FROM read_json(getvariable('d') || '/manifest.json')))")
sql = shell.execute('SELECT count(*), max("event.sequence"), min("@timestamp")::VARCHAR FROM read_parquet(getvariable(\\'files\\'))').fetchone()
first = json.loads(frame["entry"].iloc[0])
print(json.dumps({"rows": len(frame), "tools": tools, "sql": sql, "id": first["event"]["id"], "dtype": str(frame["@timestamp"].dtype)[:10]}))
`;

test.skipIf(PYTHON === undefined)(
  "pandas and DuckDB of another language read it while it is written",
  async () => {
    await append(1_000);
    await sink.writeRange(0, 600, signal);
    await sink.writeRange(600, 1_000, signal);
    const { stdout } = await promisify(execFile)(PYTHON!, ["-c", SCRIPT, storeDir()]);
    expect(JSON.parse(stdout)).toEqual({
      rows: 1_000,
      tools: { tool_0: 200, tool_1: 200, tool_2: 200, tool_3: 200, tool_4: 200 },
      sql: [1_000, 999, "2026-10-01 00:00:00"],
      id: "s-00000000",
      dtype: "datetime64",
    });
  },
);
