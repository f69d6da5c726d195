// The real sinks, behind an endpoint that misbehaves in every way that was seen of servers and proxies, in an order that a
// seed gives, with stops and rollovers in between: all arrives, once; what is refused is a dead letter with its reason;
// the counts add up. 3 seeds in CI, 60 with TAPLINE_FULL=1.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import type { EntryBatch, Sink } from "../../src/core/stage.ts";
import { Delivery } from "../../src/deliver.ts";
import { openDeadLetters } from "../../src/sinks/dead-letters.ts";
import elasticsearch from "../../src/sinks/elasticsearch.ts";
import opensearch from "../../src/sinks/opensearch.ts";
import { expected, series, testContext } from "../sinks/batches.ts";
import { BulkProxy, faultsOf } from "./bulk-proxy.ts";
import { randomOf } from "../random.ts";

const FULL = process.env["TAPLINE_FULL"] === "1";
const SEED = Number(process.env["TAPLINE_SEED"] ?? (FULL ? Date.now() % 1_000_000 : 1));
const SEEDS = Array.from({ length: FULL ? 60 : 3 }, (_, i) => SEED + i);
const ENTRIES = 900;
const FAULTS = 24;

// Many small requests, and no long waits between tries.
const SMALL = {
  retry_ms_min: 2,
  retry_ms_max: 40,
  bulk_items: 25,
  sink_batch_entries: 60,
  cursor_save_ms: 0,
};
const USUAL = Object.fromEntries(Object.keys(SMALL).map((key) => [key, LIMITS[key as keyof typeof SMALL]]));
beforeAll(() => void Object.assign(LIMITS, SMALL));
afterAll(() => void Object.assign(LIMITS, USUAL));

/** A ledger of events that all are durable. */
function ledgerOf(whole: EntryBatch): ConstructorParameters<typeof Delivery>[0]["ledger"] {
  const starts = [0];
  for (let at = 0; at < whole.run.length;)
    starts.push((at += 2 + ((whole.run[at]! << 8) | whole.run[at + 1]!)));
  return {
    durable: whole.count,
    first: 0,
    read: (first, entries) => {
      const end = Math.min(whole.count, first + entries);
      if (end === first) return Promise.resolve(undefined);
      const run = whole.run.slice(starts[first], starts[end]);
      return Promise.resolve({
        first,
        count: end - first,
        run,
        hashes: whole.hashes.slice(first * 32, end * 32),
      });
    },
    waitDurable: (_, signal, most_ms = 60_000) => {
      const end = AbortSignal.any([signal, AbortSignal.timeout(most_ms)]);
      return end.aborted
        ? Promise.resolve()
        : new Promise((resolve) => end.addEventListener("abort", () => resolve(), { once: true }));
    },
  };
}

function sinkFor(engine: "elasticsearch" | "opensearch", url: string): Sink {
  const options = { type: engine, url, timeout_s: 1 };
  return engine === "elasticsearch"
    ? elasticsearch.create(elasticsearch.config.parse(options), testContext())
    : opensearch.create(opensearch.config.parse(options), testContext());
}

describe.each(["elasticsearch", "opensearch"] as const)("%s", (product) => {
  test.each(SEEDS)(
    "whatever the endpoint does, everything arrives once (seed %i)",
    async (seed) => {
      const dir = mkdtempSync(join(tmpdir(), "tapline-bulk-"));
      onTestFinished(() => rmSync(dir, { recursive: true }));
      const proxy = new BulkProxy({ product });
      const url = await proxy.start();
      onTestFinished(() => proxy.stop());
      const random = randomOf(seed);
      const whole = series(`s${seed}`, ENTRIES);
      const documents = expected(whole);
      const refused = new Set<string>();
      for (const { id } of documents) if (random() < 0.02) refused.add(id);
      proxy.refuse = ({ id }) => (refused.has(id) ? 400 : undefined);
      proxy.max_bytes = 9_000; // fewer than a request has
      proxy.script.push(...faultsOf(seed, FAULTS));
      const letters = openDeadLetters(dir, "sink");

      // Stopped and started again some times while faults last, each time with a rollover.
      let cursor;
      for (let runs = 0; cursor === undefined; runs++) {
        const delivery = new Delivery({
          name: "sink",
          sink: sinkFor(product, url),
          ledger: ledgerOf(whole),
          cursor_dir: dir,
          keepDead: letters.append.bind(letters),
          log: () => {},
        });
        const stop = new AbortController();
        const running = delivery.run(stop.signal);
        const until = runs < 3 ? Math.floor((FAULTS * (3 - runs)) / 4) : -1;
        const enough = (): boolean => delivery.cursor.acked === ENTRIES || proxy.script.length <= until;
        await vi.waitFor(() => expect(enough()).toBe(true), { timeout: 60_000, interval: 5 });
        stop.abort();
        await running;
        proxy.truth!.rollover();
        if (delivery.cursor.acked === ENTRIES) cursor = delivery.cursor;
      }

      const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);
      const there = proxy.truth!.documents().toSorted(byId);
      expect(there).toEqual(documents.filter(({ id }) => !refused.has(id)).toSorted(byId));
      const kept = await letters.list();
      expect(kept.map(({ id }) => id).toSorted()).toEqual([...refused].toSorted());
      for (const letter of kept) expect(letter).toMatchObject({ status: 400, reason: /injected 400/ });
      const { created, existing, dead, filtered, acked } = cursor;
      expect([created + existing + dead + filtered, dead, filtered]).toEqual([acked, refused.size, 0]);
      expect(proxy.met.size, `faults met: ${[...proxy.met.keys()].join("; ")}`).toBeGreaterThan(7);
    },
    120_000,
  );
});
