// The source for Kafka, one member, against a real broker: order, ids, positions, what is no record, what cannot be
// decoded, what the brokers have thrown away. Groups of several members are in test/integration/kafka.test.ts.
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { serialise } from "../../src/core/generated/event.ts";
import type { Component, SinkContext, Source } from "../../src/core/stage.ts";
import kafkaSink from "../../src/sinks/kafka.ts";
import kafka from "../../src/sources/kafka.ts";
import { sourceContract } from "../contract/source.ts";
import {
  GroupLag,
  type ToSend,
  deleteRecords,
  deleteTopic,
  newTopic,
  send,
  startKafka,
} from "../kafka/topics.ts";
import { batchOf, expected, series, testContext, toolCall } from "../sinks/batches.ts";
import { Bench, maker, removeDir, tempDir } from "./harness.ts";

const broker = await startKafka();
const never = new AbortController().signal;
const component = kafka as unknown as Component<never, Source>;
const topics = new Map<string, string>();

const configOf = (topic: string, more: object = {}): object => ({
  type: "kafka",
  brokers: broker,
  topics: [topic],
  group: `group-of-${topic}`,
  format: "mcp",
  session_s: 5,
  ...more,
});

if (broker !== undefined)
  sourceContract("kafka", {
    component,
    messages: true,
    prepare: async (dir) => void topics.set(dir, await newTopic(broker, 40)),
    config: (dir) => configOf(topics.get(dir)!),
    write: (dir, n, text) => {
      const lines = text.split("\n").slice(0, -1);
      const messages = lines.map((line) => ({ value: Buffer.from(`${line}\n`), partition: n - 1 }));
      return send(broker, topics.get(dir)!, messages);
    },
  });

describe.skipIf(broker === undefined)("kafka", () => {
  let topic: string;
  let dir: string;
  const benches: Bench[] = [];
  beforeEach(async () => {
    dir = tempDir();
    topic = await newTopic(broker!, 2);
  });
  afterEach(async () => {
    for (const bench of benches.splice(0)) await bench.source.close();
    await deleteTopic(broker!, topic);
    removeDir(dir);
  });
  const bench = (more: object = {}): Bench => {
    const made = new Bench(maker(component, configOf(topic, more)), dir);
    benches.push(made);
    return made;
  };
  const put = (...values: (string | null)[]): Promise<void> =>
    send(
      broker!,
      topic,
      values.map((value): ToSend => ({ value: value === null ? null : Buffer.from(value), partition: 0 })),
    );
  const left = (b: Bench): Record<string, number> =>
    b.batches.reduce<Record<string, number>>(
      (sum, { left_out }) => {
        sum["merged"]! += left_out?.merged ?? 0;
        for (const [why, n] of Object.entries(left_out?.skipped ?? {})) sum[why] = (sum[why] ?? 0) + n;
        return sum;
      },
      { merged: 0 },
    );

  test("tombstones and empty messages are counted, and move the position", async () => {
    await put('{"n":1}', null, "", '{"n":2}', null);
    const b = await (await bench().open()).drain();
    expect(b.records.map(({ text, offset }) => [text, offset])).toEqual([
      ['{"n":1}', 0],
      ['{"n":2}', 3],
    ]);
    expect(left(b)).toEqual({ merged: 0, tombstone: 2, blank: 1 });
    expect([...b.positions.values()]).toMatchObject([{ topic, partition: 0, offset: 5 }]);
  });

  test("goes on where the ledger is, when the group is behind; and where the group is, when that is further", async () => {
    await put("a", "b", "c", "d");
    const b = await (await bench().open()).drain();
    expect(b.texts).toEqual(["a", "b", "c", "d"]);
    // As after a crash between the ledger and the commit: a group that knows nothing.
    const [id] = [...b.positions.keys()];
    const position = { ...b.positions.get(id!), group: "new", offset: 2, committed: undefined };
    const behind = bench({ group: "new" });
    behind.positions.set(id!, position);
    expect((await (await behind.open()).drain()).texts).toEqual(["c", "d"]);
    // A ledger that knows less than the group: another member was there meanwhile.
    await b.source.close();
    const further = bench();
    further.positions.set(id!, { ...b.positions.get(id!), offset: 3, committed: 1 });
    await (await further.open()).drain();
    expect(further.texts).toEqual([]);
    await further.source.close();
    const lag = await GroupLag.open(broker!, `group-of-${topic}`, topic, 2);
    expect(await lag.lag(), "the group is not set back").toBe(0);
    await lag.close();
    await put("e");
    await (await further.open()).drain();
    expect(further.texts).toEqual(["e"]);
    expect(further.source.counts).toMatchObject({ overlap: 2, partitions: 2, lag: 0, connected: 1 });
  });

  test("a topic that was made anew under the same name is another stream, and its beginning is a gap", async () => {
    await put("a", "b", "c");
    const b = await (await bench().open()).drain();
    await b.source.close();
    await deleteTopic(broker!, topic);
    await newTopic(broker!, 2, {}, topic);
    await put("d");
    await b.open();
    while (b.texts.length < 4) {
      if (!(await b.read())) await b.source.wait(AbortSignal.timeout(100));
      b.settle();
    }
    expect(b.texts).toEqual(["a", "b", "c", "d"]);
    expect(b.gaps).toMatchObject([{ reason: "truncated", offset: 1 }]);
    expect(b.records[3]!.stream).not.toBe(b.records[0]!.stream);
    expect([...b.positions.values()]).toMatchObject([{ partition: 0, offset: 1, generation: 1 }]);
  });

  test("no more is held than there is room for, and what waits is not lost", async () => {
    const values = Array.from({ length: 80 }, (_, n) => `${n} ${"x".repeat(500_000)}`);
    for (let at = 0; at < values.length; at += 10) await put(...values.slice(at, at + 10));
    const b = await bench().open();
    const held = (): number => b.source.counts!["held_bytes"]!;
    for (let same = 0, before = -1; same < 20 || held() === 0; same = held() === before ? same + 1 : 0) {
      before = held();
      await sleep(50);
    }
    expect(held()).toBeLessThan(LIMITS.kafka_held_bytes + 2 * LIMITS.kafka_fetch_bytes);
    await b.drain();
    expect(b.texts).toEqual(values);
  });

  test("another group reads everything again, under the same ids", async () => {
    await put("a", "b");
    const one = await (await bench().open()).drain();
    const two = await (await bench({ group: "two" }).open()).drain();
    expect(two.records).toEqual(one.records);
    const other = await (await bench({ group: "three", cluster: "elsewhere" }).open()).drain();
    expect(other.records[0]!.stream).not.toBe(one.records[0]!.stream);
  });

  test("starts at the end, where that is asked for", async () => {
    await put("old");
    const b = await (await bench({ start: "latest" }).open()).drain();
    await put("new");
    while (b.texts.length === 0) {
      if (!(await b.read())) await b.source.wait(AbortSignal.timeout(100));
      b.settle();
    }
    expect(b.texts).toEqual(["new"]);
  });

  test("what comes while nobody reads is not skipped, although it starts at the end and nothing came before", async () => {
    await put("old");
    const b = await (await bench({ start: "latest" }).open()).drain();
    await b.source.close();
    await put("between");
    await (await b.open()).drain();
    expect(b.texts).toEqual(["between"]);
  });

  test("what the brokers no longer have is a gap, and reading goes on behind it", async () => {
    await put("a", "b");
    const b = await (await bench().open()).drain();
    await b.source.close();
    await put("c", "d", "e");
    await deleteRecords(broker!, topic, 0, 4);
    await b.open();
    await b.drain();
    expect(b.texts).toEqual(["a", "b", "e"]);
    expect(b.gaps).toMatchObject([{ reason: "rotated_away", offset: 2 }]);
  });

  test("events of other collectors come as they were, whatever their encoding, and once", async () => {
    const batches = ["avro", "json"].map((name, i) => [name, series(name, 50, i * 1000)] as const);
    for (const [encoding, batch] of batches) {
      const options = kafkaSink.config.parse({ type: "kafka", brokers: broker, topic, encoding });
      const sink = kafkaSink.create(options, testContext() as unknown as SinkContext);
      await sink.open(never);
      await sink.write(batch, false, never);
      await sink.write(batch, true, never);
      await sink.close();
    }
    const b = await (await bench({ format: "tapline-event" }).open()).drain();
    const got = b.texts.map((text) => JSON.parse(text) as { origin: string; event: Record<string, unknown> });
    const all = batches.flatMap(([, batch]) => expected(batch).map(({ document }) => document));
    expect(got.length).toBe(100);
    expect(got.map(({ event }) => event)).toEqual(expect.arrayContaining(all));
    expect(new Set(got.map(({ origin }) => origin))).toEqual(new Set(["tapline/test"]));
    expect(left(b)).toEqual({ merged: 100 });
    expect(b.source.counts).toMatchObject({ repeats: 100, undecodable: 0 });
  });

  test("what cannot be decoded is handed on as it is, and said once", async () => {
    const [broken] = batchOf([serialise(toolCall("x", 1))]).run;
    const values = [
      Buffer.from("c3010000000000000000ff", "hex"),
      Buffer.from("c3010000000000000000ff", "hex"),
      Buffer.from([0, 0, 0, 0, 7, 1]),
      Buffer.from("no JSON"),
      Buffer.from([broken!, 1]),
    ];
    await send(
      broker!,
      topic,
      values.map((value) => ({ value, partition: 0 })),
    );
    const b = await (await bench({ format: "tapline-event" }).open()).drain();
    expect(b.records.length).toBe(5);
    expect(b.source.counts).toMatchObject({ undecodable: 5 });
    expect(b.warnings.filter((line) => line.includes("0000000000000000")).length).toBe(1);
  });

  test("is at its end when the brokers have nothing more, not while they have not answered", async () => {
    await put("a", "b");
    const b = await bench().open();
    expect(b.source.rested).toBe(false);
    await b.drain();
    while (b.source.rested === false) await b.source.wait(AbortSignal.timeout(100));
    expect(b.texts).toEqual(["a", "b"]);
  });

  test("members tell each other in a topic of their own, and who takes it over reads it back", async () => {
    const matches = await newTopic(broker!, 2);
    const b = await bench({ matches }).open();
    const { exchange } = b.source;
    exchange!.back_ms = 60_000;
    const told = (): string[] =>
      b.batches.flatMap((batch) =>
        (batch.told ?? []).map(({ bytes, fresh, again }) => {
          const text = Buffer.from(bytes).toString();
          return `${text}${fresh ? " fresh" : ""}${again ? " again" : ""}`;
        }),
      );
    const until = async (count: number): Promise<void> => {
      while (told().length < count) {
        if (!(await b.read())) await b.source.wait(AbortSignal.timeout(100));
        b.settle();
      }
    };
    const same = ["1", "2", "3"].map((n) => ({ key: "k", text: `match ${n}` }));
    await exchange!.send(same, ["clock"]);
    await until(5);
    // Matches with one key are in one partition, in order, and before the clock, which is in both.
    expect(told().toSorted()).toEqual(["clock", "clock fresh", "match 1 fresh", "match 2", "match 3"]);
    expect(told().filter((text) => text !== "clock fresh")).toEqual([
      "match 1 fresh",
      "match 2",
      "match 3",
      "clock",
    ]);
    expect([exchange!.total, exchange!.reading.length, exchange!.judging.length]).toEqual([2, 2, 2]);
    expect(left(b)).toEqual({ merged: 0, match: 5 });
    await b.source.close();
    b.batches.splice(0);
    // As another member: it knows what the group has committed, and nothing else.
    b.positions.clear();
    await b.open();
    b.source.exchange!.back_ms = 60_000;
    await until(5);
    expect(told().filter((text) => !text.startsWith("clock"))).toEqual([
      "match 1 fresh again",
      "match 2 again",
      "match 3 again",
    ]);
    await b.source.exchange!.send([{ key: "k", text: "match 4" }], []);
    await until(6);
    expect(told().at(-1)).toBe("match 4");
    await deleteTopic(broker!, matches);
  });
});
