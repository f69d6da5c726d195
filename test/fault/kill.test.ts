// SIGKILL at random moments while files rotate: then every line is in the ledger, the store and the cluster exactly once,
// the counters add up, and the ledger verifies: by our verifier and by two that are not ours, every checkpoint that was
// published between the kills being a prefix of it. 8 rounds in CI, 50 with TAPLINE_FULL=1, any number with TAPLINE_ROUNDS.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { forEachEntry } from "../../src/core/entry.ts";
import { openReader } from "../../src/ledger/reader.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import type { Status } from "../../src/status.ts";
import { openStore } from "../../src/store/reader.ts";
import { startServer } from "../integration/servers.ts";
import { buildVerifiers, fsckAccepts, goverify, haveGo } from "../ledger/oracle.ts";

const FULL = process.env["TAPLINE_FULL"] === "1";
const ROUNDS = Number(process.env["TAPLINE_ROUNDS"] ?? (FULL ? 50 : 8));
const SEED = Number(process.env["TAPLINE_SEED"] ?? Date.now() % 1_000_000);
const main = resolve("bin/tapline.js");

function tapline(config: string, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [main, "run", "-c", config, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  started.push(child);
  return child;
}

/** What the collector last told; undefined before the first time. */
function readStatus(state_dir: string): Status | undefined {
  const path = join(state_dir, "status.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Status) : undefined;
}

/** Waits until a collector has told that it recorded more than was recorded before it. */
async function progress(state_dir: string, collector: ChildProcess, before: number): Promise<void> {
  for (let waited = 0; ; waited++) {
    const status = readStatus(state_dir);
    if (status?.pid === collector.pid && status!.tally.read > before) return;
    expect(collector.exitCode, "the collector's end before it was killed").toBeNull();
    expect(waited, "polls for progress").toBeLessThan(1200);
    await sleep(50);
  }
}

const started: ChildProcess[] = [];
afterAll(() => {
  for (const child of started) child.kill("SIGKILL");
});

function countIds(into: Map<string, number>, text: string): void {
  const document = JSON.parse(text) as {
    event: { action: string };
    gen_ai?: { tool?: { call?: { id?: string } } };
  };
  const id = document.gen_ai?.tool?.call?.id;
  if (document.event.action === "tool-call" && id !== undefined) into.set(id, (into.get(id) ?? 0) + 1);
}

async function inLedger(dir: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const reader = openReader(dir);
  const size = await reader.size();
  for (let at = 0; at < size;) {
    const batch = (await reader.read(at, 4096, 8 << 20))!;
    const run = Buffer.from(batch.run.buffer, batch.run.byteOffset, batch.run.length);
    forEachEntry(batch.run, (start, end) => countIds(found, run.toString("utf8", start, end)));
    at += batch.count;
  }
  await reader.close();
  return found;
}

function exactlyOnce(
  found: ReadonlyMap<string, number>,
  written: number,
): { missing: string[]; doubled: string[] } {
  const missing = Array.from({ length: written }, (_, n) => `call-${n}`).filter((id) => !found.has(id));
  const doubled = [...found].filter(([, count]) => count !== 1).map(([id]) => id);
  return { missing: missing.slice(0, 5), doubled: doubled.slice(0, 5) };
}

async function inIndex(url: string, namespace: string): Promise<Map<string, number>> {
  const index = `logs-tapline.activity-${namespace}`;
  await fetch(`${url}/${index}/_refresh`, { method: "POST" });
  const found = new Map<string, number>();
  let after: unknown[] | undefined;
  for (;;) {
    const body = {
      size: 5000,
      query: { term: { "event.action": "tool-call" } },
      _source: ["gen_ai.tool.call.id"],
      sort: [{ "event.sequence": "asc" }],
      ...(after === undefined ? {} : { search_after: after }),
    };
    const answer = await fetch(`${url}/${index}/_search`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const { hits } = (await answer.json()) as {
      hits: { hits: { _source: { gen_ai: { tool: { call: { id: string } } } }; sort: unknown[] }[] };
    };
    for (const hit of hits.hits) {
      const { id } = hit._source.gen_ai.tool.call;
      found.set(id, (found.get(id) ?? 0) + 1);
    }
    if (hits.hits.length === 0) return found;
    after = hits.hits.at(-1)!.sort;
  }
}

/** By our verifier, and by two that are not ours where there is a Go to build them. */
async function verify(dir: string, saved: readonly string[]): Promise<void> {
  const { findings, size } = await verifyLedger(dir, { checkpoints: saved });
  expect(findings).toEqual([]);
  expect(saved.length).toBeGreaterThan(ROUNDS / 2);
  if (!haveGo) return;
  buildVerifiers();
  expect(fsckAccepts(dir), "fsck").toBe(true);
  expect(goverify(dir, saved)).toBe(`0 verified ${size} entries and ${saved.length} older checkpoints`);
}

test(
  `after ${ROUNDS} kills every line is everywhere exactly once`,
  async () => {
    const url = await startServer("opensearch");
    expect(url, "an OpenSearch server").toBeDefined();
    const home = mkdtempSync(join(tmpdir(), "tapline-kill-"));
    const logs = join(home, "logs");
    mkdirSync(logs);
    const state_dir = join(home, "state");
    const namespace = `kill_${SEED}`;
    const config = join(home, "tapline.yml");
    writeFileSync(
      config,
      JSON.stringify({
        state_dir,
        namespace,
        sources: { agents: { type: "file", include: [join(logs, "*.jsonl*")], poll_ms: 50 } },
        sinks: { local: { type: "store" }, cluster: { type: "opensearch", url } },
      }),
    );
    const setup = spawn(process.execPath, [main, "setup", "opensearch", "-c", config, "--allow-missing"], {
      stdio: "ignore",
    });
    expect((await once(setup, "exit"))[0]).toBe(0);

    const writer = spawn(process.execPath, ["test/fault/writer.child.ts", logs, String(SEED)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    started.push(writer);
    let said = "";
    writer.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const saved: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const before = readStatus(state_dir)?.tally.read ?? 0;
      const collector = tapline(config);
      // Half of them die whatever they are at, starting or recovering; the others once they have made some way.
      if (round % 2 === 1) await progress(state_dir, collector, before);
      await sleep(Math.random() * 1500);
      collector.kill("SIGKILL");
      await once(collector, "exit");
      const checkpoint = join(state_dir, "ledger", "checkpoint");
      if (!existsSync(checkpoint)) continue;
      saved.push(join(home, `checkpoint-${round}`));
      copyFileSync(checkpoint, saved.at(-1)!);
    }
    writer.kill("SIGTERM");
    await once(writer, "exit");
    const written = Number(said);
    expect(written).toBeGreaterThan(ROUNDS * 50);
    const read_before = readStatus(state_dir)!.tally.read;

    const last = tapline(config);
    for (let waited = 0; waited < 1200; waited++) {
      await sleep(500);
      const now = readStatus(state_dir);
      if (now?.pid !== last.pid || now!.tally.read < written) continue;
      if (now!.sinks.every((sink) => sink.pending === 0)) break;
    }
    last.kill("SIGTERM");
    expect((await once(last, "exit"))[0]).toBe(0);

    const none = { missing: [], doubled: [] };
    expect(exactlyOnce(await inLedger(join(state_dir, "ledger")), written), `ledger, seed ${SEED}`).toEqual(
      none,
    );
    await verify(join(state_dir, "ledger"), saved);
    expect(exactlyOnce(await inIndex(url!, namespace), written), `index, seed ${SEED}`).toEqual(none);
    const store = await openStore(join(state_dir, "local"));
    const [row] = (await store.query(
      `SELECT count(*) AS n, count(DISTINCT id) AS ids, max(CAST(substr(id, 6) AS BIGINT)) AS last FROM
         (SELECT "gen_ai.tool.call.id" AS id FROM events WHERE "event.action" = 'tool-call')`,
    )) as Record<"n" | "ids" | "last", bigint>[];
    await store.close();
    expect([row!.n, row!.ids, row!.last].map(Number), `store, seed ${SEED}`).toEqual([
      written,
      written,
      written - 1,
    ]);

    const status = readStatus(state_dir)!;
    expect(status.broken).toEqual([]);
    expect(status.tally.read).toBe(written);
    for (const sink of status.sinks) expect([sink.name, sink.pending, sink.dead]).toEqual([sink.name, 0, 0]);
    console.log(
      `${ROUNDS} kills, ${written} lines, seed ${SEED}: ledger ${status.entries} entries, ` +
        `${saved.length} checkpoints kept, at least ${read_before} lines read by collectors that were killed`,
    );
    rmSync(home, { recursive: true });
  },
  300_000 + ROUNDS * 30_000,
);
