// An outage of hours is a backlog of hours: entries that a cluster has not got, in the ledger's files. They are collected
// while it refuses connections, and sent when it is back, while fresh lines keep coming: these are recorded and reach
// another sink at once, memory stays what it was, and everything is everywhere once. A short backlog in CI; with
// TAPLINE_FULL=1 what 278 events a second make in two hours.
import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { verifyLedger } from "../../src/ledger/verify.ts";
import type { Status } from "../../src/status.ts";
import { configure, ended, newHome, start, tapline } from "../commands/tapline.ts";
import { startServer } from "../integration/servers.ts";
import { Feed, Tail, callLine } from "./fresh.ts";
import { Gate } from "./gate.ts";

const FULL = process.env["TAPLINE_FULL"] === "1";
const RATE = 278;
const BEHIND = Number(process.env["TAPLINE_BACKLOG"] ?? (FULL ? 2_000_000 : 20_000));
const FILES = 4;
const CHUNK_LINES = 10_000;
const WAIT_MS = FULL ? 3_600_000 : 150_000;
const POLL_MS = 100;
const PAGE = 10_000;
/** Fresh lines come in within this; the longest of all within that. */
const P99_MS = 5_000;
const MAX_MS = 15_000;
/** What a collector has, and its backlog would not fit into. */
const PEAK_MB = 1_024;
/** The drain is faster than what comes by so much. */
const TIMES = 10;

const url = await startServer("opensearch");

describe.skipIf(url === undefined)("a backlog", () => {
  const namespace = `b${randomBytes(6).toString("hex")}`;
  const streams = `logs-tapline.*-${namespace}`;
  const home = newHome();
  const logs = join(home, "logs");
  const out = join(home, "events.ndjson");
  afterAll(() => fetch(`${url}/_data_stream/${streams}`, { method: "DELETE" }));

  function status(): Status | undefined {
    const path = join(home, "state", "status.json");
    return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Status) : undefined;
  }
  const sinkOf = ({ sinks }: Status, name: string): Status["sinks"][number] =>
    sinks.find((sink) => sink.name === name)!;
  async function until(what: string, holds: (now: Status) => boolean): Promise<void> {
    const deadline = performance.now() + WAIT_MS;
    for (let now = status(); now === undefined || !holds(now); now = status()) {
      expect(performance.now(), `${what}: ${JSON.stringify(now?.sinks)}`).toBeLessThan(deadline);
      await sleep(POLL_MS);
    }
  }
  const shipped = (now: Status, lines: number): boolean =>
    now.tally.read === lines && now.sinks.every(({ pending }) => pending === 0);

  async function append(): Promise<void> {
    for (let n = 0; n < BEHIND;) {
      const count = Math.min(CHUNK_LINES, BEHIND - n);
      const text = Array.from({ length: count }, (_, i) => callLine(`call-${n + i}`, n + i)).join("");
      appendFileSync(join(logs, `mcp-${(n / CHUNK_LINES) % FILES}.jsonl`), text);
      n += count;
      await sleep(1);
    }
  }

  /** How many documents there are. The `event.sequence` of each, whatever index it is in, has to be the number of those
   * before it: else the place of the first where it is not, below 0. */
  async function documentsInOrder(): Promise<number> {
    await fetch(`${url}/${streams}/_refresh`, { method: "POST" });
    for (let count = 0, after: number[] | undefined; ;) {
      const body = { size: PAGE, _source: false, sort: [{ "event.sequence": "asc" }], search_after: after };
      const answer = await fetch(`${url}/${streams}/_search`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      const { hits } = (await answer.json()) as { hits: { hits: { sort: number[] }[] } };
      for (const { sort } of hits.hits) if (sort[0] !== count++) return -count;
      if (hits.hits.length === 0) return count;
      after = hits.hits.at(-1)!.sort;
    }
  }

  test(
    "of an outage of hours is drained while what is fresh comes in at once, and all is there once",
    async () => {
      mkdirSync(logs);
      const gate = new Gate(url!);
      await gate.open();
      const config = configure(home, {
        namespace,
        workers: 2,
        viewer: { enabled: false },
        sources: { agents: { type: "file", include: [join(logs, "*.jsonl")], poll_ms: 50 } },
        sinks: { cluster: { type: "opensearch", url: gate.url }, out: { type: "file", path: out } },
      });
      expect((await tapline(home, ["setup", "opensearch", "-c", config, "--allow-missing"])).code).toBe(0);
      const collector = start(home, "run", "-c", config);
      const end = ended(collector, "", 3 * WAIT_MS);
      const peakMb = (): number => {
        const text = readFileSync(`/proc/${collector.pid}/status`, "utf8");
        return Math.round(Number(/VmHWM:\s+(\d+)/.exec(text)![1]) / 1_024);
      };
      const tail = new Tail(out, BEHIND);
      await until("a first shipment", (now) => now.entries > 0 && shipped(now, 0));

      await gate.close();
      const began = performance.now();
      await append();
      await until(
        "the backlog",
        (now) =>
          now.tally.read === BEHIND &&
          sinkOf(now, "out").pending === 0 &&
          sinkOf(now, "cluster").trouble !== undefined,
      );
      const collected_s = (performance.now() - began) / 1_000;
      const before = sinkOf(status()!, "cluster");
      expect(before.dead).toBe(0);
      expect(before.pending).toBeGreaterThanOrEqual(BEHIND);
      const peak_before = peakMb();

      // It is back: the pause between two attempts is no part of the drain.
      const feed = new Feed(join(logs, "fresh.jsonl"), RATE);
      await gate.open();
      let from = status()!;
      let to = from;
      await until("the end of the backlog", (now) => {
        to = now;
        if (sinkOf(now, "cluster").created === before.created) from = now;
        return sinkOf(now, "cluster").pending < RATE;
      });
      feed.stop();
      const drained_s = (to.at_ms - from.at_ms) / 1_000;
      const rate = (sinkOf(to, "cluster").created - before.created) / drained_s;
      const fresh = feed.sent_ms.length;
      await until("everything", (now) => shipped(now, BEHIND + fresh));
      const peak = peakMb();
      collector.kill("SIGTERM");
      expect((await end).code).toBe(0);

      const { broken, sinks, entries } = status()!;
      expect([broken, ...sinks.map(({ dead, pending }) => dead + pending)]).toEqual([[], 0, 0]);
      while (tail.entries < entries) await sleep(POLL_MS);
      tail.stop();
      await gate.close();
      const waits = feed.sent_ms.map((sent, n) => tail.seen_ms[n]! - sent).toSorted((a, b) => a - b);
      const p99 = Math.round(waits[Math.floor(waits.length * 0.99)]!);
      const max = Math.round(waits.at(-1)!);
      console.log(
        `${BEHIND.toLocaleString("en")} calls behind a cluster that was away, collected in ${collected_s.toFixed(0)} s: drained at ` +
          `${Math.round(rate).toLocaleString("en")} entries/s in ${drained_s.toFixed(0)} s, ${(rate / RATE).toFixed(1)} times what came meanwhile; ` +
          `${fresh} fresh ones recorded and in another sink after ${p99} ms (p99), ${max} ms (max); peak ${peak_before} MB before, ${peak} MB after`,
      );
      expect(tail.misplaced, "places in the file").toEqual([]);
      expect(
        tail.times.every((times) => times === 1),
        "each call of the backlog is in the file once",
      ).toBe(true);
      expect(tail.fresh_times, "and each fresh one").toEqual(Array.from({ length: fresh }, () => 1));
      expect(await documentsInOrder(), "documents in the cluster").toBe(entries);
      expect((await verifyLedger(join(home, "state", "ledger"), {})).findings).toEqual([]);
      expect(p99).toBeLessThan(P99_MS);
      expect(max).toBeLessThan(MAX_MS);
      expect(peak).toBeLessThan(PEAK_MB);
      if (FULL) expect(rate / RATE).toBeGreaterThanOrEqual(TIMES);
    },
    3 * WAIT_MS,
  );
});
