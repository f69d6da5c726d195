// What becomes of a partition between two owners, on brokers that are none: gaps that were found and not recorded, where
// a member begins, answers that do not come, and a consumer that dies meanwhile.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import type { Component, Source } from "../../src/core/stage.ts";
import kafka from "../../src/sources/kafka.ts";
import { Bench, maker, removeDir, tempDir } from "./harness.ts";
import { FakeBrokers, type FakeTopic, QUESTIONS } from "./kafka-fake.ts";

let brokers: FakeBrokers;
vi.mock("../../src/kafka/client.ts", async (original) => ({
  ...(await original<object>()),
  loadLibrary: () => brokers.library,
}));

const component = kafka as unknown as Component<never, Source>;
const USUAL = {
  kafka_reconnect_ms: LIMITS.kafka_reconnect_ms,
  kafka_truncated_ms: LIMITS.kafka_truncated_ms,
};
Object.assign(LIMITS, { kafka_reconnect_ms: 50, kafka_truncated_ms: 5 });
afterAll(() => void Object.assign(LIMITS, USUAL));

let dir: string;
const benches: Bench[] = [];
beforeEach(() => void (dir = tempDir()));
afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.source.close();
  removeDir(dir);
}, 20_000);

const bench = async (more: object = {}): Promise<Bench> => {
  const config = { type: "kafka", brokers: ["b:1"], topics: ["t"], format: "mcp", ...more };
  const made = await new Bench(maker(component, config), dir).open();
  benches.push(made);
  return made;
};
const TIMED_OUT = { code: -185, message: "Local: Timed out" };
const topic = (of: FakeTopic): FakeTopic => {
  brokers = new FakeBrokers({ t: of });
  return of;
};
const soon = (check: () => void): Promise<void> => vi.waitFor(check, 15_000);
const owns = (b: Bench, partitions = 1): Promise<void> =>
  soon(() => expect(b.source.counts).toMatchObject({ partitions }));

test("a gap of a partition that is about to go is recorded before it goes, and by nobody else", async () => {
  const t = topic({ low: 10, high: 15, committed: 5 });
  const b = await bench();
  await owns(b);
  brokers.last.revoke();
  await b.source.wait(AbortSignal.timeout(5_000));
  // A wait that ends although there is nothing to read would be asked for again at once, and no timer had a turn.
  expect(await b.read()).toBe(true);
  await sleep(50);
  expect([t.committed, brokers.last.assigned.size]).toEqual([5, 1]);
  b.settle();
  await owns(b, 0);
  expect(b.gaps).toMatchObject([{ reason: "rotated_away", offset: 5 }]);
  expect([...b.positions.values()]).toMatchObject([{ topic: "t", offset: 10 }]);
  expect(t.committed).toBe(10);
  const next = await (await bench()).drain();
  expect([next.gaps, next.texts]).toEqual([[], ["t 10", "t 11", "t 12", "t 13", "t 14"]]);
});

test("a gap that nobody takes before a stop holds nothing up, and is found by who comes next", async () => {
  const t = topic({ low: 10, high: 15, committed: 5 });
  const b = await bench();
  await owns(b);
  const before = performance.now();
  await b.source.close();
  expect(performance.now() - before).toBeLessThan(LIMITS.kafka_handover_ms / 2);
  expect(t.committed).toBe(5);
  const next = await (await bench()).drain();
  expect(next.gaps).toMatchObject([{ reason: "rotated_away", offset: 5 }]);
  expect(next.texts.length).toBe(5);
});

test("that a topic is another one is recorded before its partition goes: the next owner cannot know", async () => {
  const t = topic({ low: 0, high: 20 });
  const b = await (await bench()).drain();
  await soon(() => expect(t.committed).toBe(20));
  // Made anew: the brokers forget what the group had.
  Object.assign(t, { high: 3, committed: undefined });
  await b.source.wait(AbortSignal.timeout(5_000));
  brokers.last.revoke();
  await sleep(50);
  expect(await b.read()).toBe(true);
  b.settle();
  await owns(b, 0);
  expect(b.gaps).toMatchObject([{ reason: "truncated", offset: 3 }]);
});

test("what the brokers do not answer is asked again, whatever the question", async () => {
  brokers = new FakeBrokers({
    t: { low: 0, high: 5, committed: 5 },
    m: { low: 0, high: 5, committed: 5 },
  });
  for (const name of QUESTIONS) brokers.failures[name].push(TIMED_OUT);
  const b = await bench({ matches: "m" });
  await owns(b, 2);
  expect(b.source.counts).toMatchObject({ errors: QUESTIONS.length });
  expect(b.warnings.join()).toContain("Timed out");
  await b.drain();
  expect(b.batches.flatMap(({ told }) => told ?? []).length).toBe(5);
});

test("a consumer that dies while its partitions are looked up makes room for another", async () => {
  topic({ low: 0, high: 2 });
  const refused = { code: -150, message: "Local: Fatal error" };
  // As when another member took this one's name: nothing is answered any more, however often it is asked.
  brokers.failures.committed.push(...Array.from({ length: 1_000 }, () => refused));
  const b = await bench();
  await soon(() => expect(b.source.counts!["errors"]).toBeGreaterThan(0));
  const first = brokers.last;
  first.failed = refused;
  await soon(() => expect(first.isConnected()).toBe(false));
  brokers.failures.committed = [];
  await b.drain();
  expect([brokers.consumers.length, b.texts]).toEqual([2, ["t 0", "t 1"]]);
});

test("the group is told at once where reading begins: what comes while nobody reads is not skipped", async () => {
  const t = topic({ low: 0, high: 100 });
  const b = await bench({ start: "latest" });
  await soon(() => expect(t.committed).toBe(100));
  await b.source.close();
  expect([b.texts, b.positions.size]).toEqual([[], 0]);
  t.high = 103;
  const next = await (await bench({ start: "latest" })).drain();
  expect(next.texts).toEqual(["t 100", "t 101", "t 102"]);
  expect([...next.positions.values()]).toMatchObject([{ offset: 103, committed: 100 }]);
  await soon(() => expect(t.committed).toBe(103));
});

test("what went before anything was read is a gap, where reading had begun", async () => {
  const t = topic({ low: 0, high: 0 });
  await bench();
  await soon(() => expect(t.committed).toBe(0));
  await benches[0]!.source.close();
  Object.assign(t, { low: 4, high: 6 });
  const next = await (await bench()).drain();
  expect([next.gaps, next.texts]).toMatchObject([[{ reason: "rotated_away", offset: 0 }], ["t 4", "t 5"]]);
});

test("a topic that was made anew is read from its first offset, wherever others start", async () => {
  const t = topic({ low: 0, high: 20 });
  const b = await (await bench({ start: "latest" })).drain();
  await soon(() => expect(t.committed).toBe(20));
  brokers.commits.splice(0);
  Object.assign(t, { low: 1, high: 3, committed: undefined });
  await b.source.wait(AbortSignal.timeout(5_000));
  expect(await b.read()).toBe(true);
  await sleep(2 * LIMITS.kafka_commit_ms);
  expect(brokers.commits, "nothing is committed before the gap is durable").toEqual([]);
  b.settle();
  await b.drain();
  expect([b.gaps, b.texts]).toMatchObject([[{ reason: "truncated", offset: 3 }], ["t 1", "t 2"]]);
  expect([...b.positions.values()]).toMatchObject([{ offset: 3, generation: 1 }]);
  await soon(() => expect(t.committed).toBe(3));
});
