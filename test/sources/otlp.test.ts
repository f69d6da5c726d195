// The receiver as a source: what is acknowledged is settled, repeats are recognised across crashes, sessions keep their
// lanes, and everything is accounted for.
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { laneOf } from "../../src/lane.ts";
import otlp from "../../src/sources/otlp.ts";
import { Bench, LANES, maker, recordsOf, removeDir, tempDir, testContext } from "./harness.ts";
import {
  type Receiver,
  logRecord,
  logs,
  namesOf,
  otlpBench,
  otlpRouter,
  pumpUntil,
  send,
} from "./otlp-client.ts";

let dir: string;
let bench: Bench;
beforeEach(async () => {
  dir = tempDir();
  bench = await otlpBench(dir).open();
});
afterEach(async () => {
  await bench.source.close();
  removeDir(dir);
});

const receiver = (): Receiver => bench.source as Receiver;
const post = (body: string | Buffer, headers?: Record<string, string>) =>
  send({ port: receiver().port, body, ...(headers === undefined ? {} : { headers }) });
const posted = (body: string | Buffer) => pumpUntil(bench, post(body));
/** Sessions that go to this lane. */
const sessionsOf = (lane: number, n: number): string[] =>
  Array.from({ length: 1_000 }, (_, i) => `s${i}`)
    .filter((session) => laneOf(session, LANES) === lane)
    .slice(0, n);
const leftOut = () => {
  const sum: Record<string, number> = { merged: 0 };
  for (const { left_out } of bench.batches) {
    sum["merged"]! += left_out!.merged;
    for (const [reason, n] of Object.entries(left_out!.skipped)) sum[reason] = (sum[reason] ?? 0) + n;
  }
  return sum;
};
/** The source dies; what was read and not settled is forgotten. */
const crash = () => bench.crash();
/** Waits for requests to be taken. */
async function taken(requests: number): Promise<void> {
  while (receiver().counts["requests"]! < requests || receiver().counts["held_bytes"] === 0) await sleep(5);
  await sleep(20);
}

describe("an answer", () => {
  test("comes when the records are settled, and not before", async () => {
    let answered = false;
    const answer = post(logs([logRecord("s1", "one"), logRecord("s2", "two")])).finally(
      () => (answered = true),
    );
    await taken(1);
    while (await bench.read());
    await sleep(100);
    expect(answered).toBe(false);
    bench.settle();
    expect((await answer).status).toBe(200);
    expect(namesOf(bench).toSorted()).toEqual(["one", "two"]);
    expect(bench.source.drained).toBe(true);
  });

  test("is 503 when that takes too long; what was sent is kept, and the next try meets it", async () => {
    const body = logs([logRecord("s1", "one")]);
    const first = await post(body);
    expect([first.status, first.headers["retry-after"]]).toEqual([503, String(LIMITS.otlp_retry_s)]);
    expect((await posted(body)).status).toBe(200);
    expect(namesOf(bench)).toEqual(["one"]);
    expect(leftOut()).toEqual({ merged: 1 });
  });

  test("is 503 at a stop", async () => {
    const answer = post(logs([logRecord("s1", "one")]));
    await taken(1);
    await bench.source.close();
    expect((await answer).status).toBe(503);
  });
});

describe("repeats", () => {
  const body = logs([logRecord("s1", "one"), logRecord("s2", "two"), logRecord("s3", "three")]);

  test("a request that is sent again is recognised, while it waits, later, and after a crash", async () => {
    const both = Promise.all([post(body), post(body)]);
    expect((await pumpUntil(bench, both)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await posted(body)).status).toBe(200);
    await crash();
    expect((await posted(body)).status).toBe(200);
    await pumpUntil(bench, sleep(50));
    expect(namesOf(bench).toSorted()).toEqual(["one", "three", "two"]);
    expect(leftOut()).toEqual({ merged: 9 });
    expect(receiver().counts["repeats"]).toBe(1);
  });

  test("what was not acknowledged is taken again after a crash", async () => {
    const answer = post(body).catch(() => undefined);
    await taken(1);
    while (await bench.read()); // handed over, never settled
    await crash();
    await answer;
    expect(bench.records).toEqual([]);
    expect((await posted(body)).status).toBe(200);
    expect(namesOf(bench).toSorted()).toEqual(["one", "three", "two"]);
  });

  test("what a crash left durable in part is taken up where it stopped", async () => {
    const [a, b] = [sessionsOf(0, 1)[0]!, sessionsOf(1, 1)[0]!];
    const many = Array.from({ length: 3_000 }, (_, i) => logRecord(i % 3 === 0 ? b : a, `n${i}`, 900));
    const large = logs(many);
    const answer = post(large).catch(() => undefined);
    await taken(1);
    await bench.read(); // one batch of each lane of several
    bench.settle();
    const before = bench.records.length;
    expect(before).toBeGreaterThan(500);
    expect(before).toBeLessThan(2_900);
    await bench.read(); // and one that is lost
    await crash();
    await answer;
    expect((await posted(large)).status).toBe(200);
    const names = namesOf(bench);
    expect(names.length).toBe(3_000);
    expect(new Set(names).size).toBe(3_000);
    expect(leftOut()).toEqual({ merged: before });
    expect((await posted(large)).status).toBe(200);
    await pumpUntil(bench, sleep(50));
    expect(bench.records.length).toBe(3_000);
  });

  test("other workers after such a crash: taken up where it stopped, too", async () => {
    const large = logs(Array.from({ length: 3_000 }, (_, i) => logRecord(`s${i % 7}`, `n${i}`, 900)));
    const answer = post(large).catch(() => undefined);
    await taken(1);
    await bench.read();
    bench.settle();
    expect(bench.records.length).toBeLessThan(2_900);
    await bench.source.close();
    await answer;
    const one = otlpBench(dir, {}, otlpRouter(1));
    for (const [id, position] of bench.positions) one.positions.set(id, position);
    await one.open();
    const again = send({ port: (one.source as Receiver).port, body: large });
    const [known, before] = [new Set<string>(), bench.records.length];
    while (!one.source.drained || bench.records.length === before) {
      const batch = await one.source.read(0);
      if (batch === undefined) await one.source.wait(AbortSignal.timeout(1_000));
      else {
        bench.records.push(...recordsOf(batch, known));
        one.source.settle(batch);
      }
    }
    expect((await again).status).toBe(200);
    const names = namesOf(bench);
    expect(names.length).toBe(3_000);
    expect(new Set(names).size).toBe(3_000);
    await one.source.close();
  });

  test("a digest leaves the window by age and by number, in the ledger too", async () => {
    let now = Date.now();
    const context = { ...testContext(dir), now: () => now };
    await bench.source.close();
    const make = maker(otlp as never, { type: "otlp", listen: "127.0.0.1:0" });
    bench = await new Bench(() => make(context), dir, otlpRouter()).open();
    await posted(body);
    const requests = () => [...bench.positions.keys()].filter((key) => key.startsWith("request:")).length;
    expect(requests()).toBe(1);
    now += LIMITS.otlp_repeat_ms + 1;
    await posted(logs([logRecord("s9", "other")]));
    expect(requests()).toBe(1);
    await posted(body);
    expect(namesOf(bench).filter((name) => name === "one").length).toBe(2);
  });

  test("the same bytes as another signal, and other bytes, are no repeat", async () => {
    expect((await posted("{}")).status).toBe(200);
    await posted(body);
    await posted(body.replace("one", "eno"));
    expect(bench.records.length).toBe(6);
  });
});

describe("lanes and streams", () => {
  test("every record is on the lane of its session; a session's order is kept", async () => {
    const records = Array.from({ length: 500 }, (_, i) => logRecord(`s${i % 13}`, `${i % 13}.${i}`));
    await posted(logs(records));
    for (const batch of bench.batches) {
      const text = Buffer.from(batch.buffer.buffer, batch.buffer.byteOffset).toString(
        "utf8",
        0,
        batch.segments.at(-1)?.end,
      );
      for (const [, n] of text.matchAll(/"eventName":"(\d+)\./g))
        expect(laneOf(`s${n}`, LANES)).toBe(batch.lane);
    }
    for (let n = 0; n < 13; n++) {
      const order = namesOf(bench).filter((name) => name.startsWith(`${n}.`));
      expect(order).toEqual(
        records.map((_, i) => `${i % 13}.${i}`).filter((name) => name.startsWith(`${n}.`)),
      );
    }
  });

  test("a span without a session is on the lane of its trace", async () => {
    const spans = Array.from({ length: 20 }, (_, i) => ({
      traceId: `${i.toString(16).padStart(2, "0")}8efff798038103d269b633813fc6aa`,
      spanId: "eee19b7ec3c1b174",
      name: "x",
    }));
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
    await pumpUntil(bench, send({ port: receiver().port, path: "/v1/traces", body }));
    for (const batch of bench.batches) {
      const text = Buffer.from(batch.buffer.buffer, batch.buffer.byteOffset).toString(
        "utf8",
        0,
        batch.segments.at(-1)?.end,
      );
      for (const [, id] of text.matchAll(/"traceId":"(\w+)"/g)) expect(laneOf(id!, LANES)).toBe(batch.lane);
    }
    expect(bench.records.length).toBe(20);
  });

  test("services whose records name no session have streams of their own, and the same ones after a restart", async () => {
    const streams = async (): Promise<string[]> => {
      const before = bench.records.length;
      await posted(logs([logRecord(undefined, "a")], "one"));
      await posted(logs([logRecord(undefined, `b${before}`)], "two"));
      await posted(logs([logRecord("s1", `c${before}`)], "one"));
      return bench.records.slice(-2).map(({ stream }) => stream);
    };
    const first = await streams();
    expect(new Set(first).size).toBe(2);
    await crash();
    expect(await streams()).toEqual(first);
    const by_stream = Map.groupBy(bench.records, ({ stream }) => stream);
    for (const records of by_stream.values()) {
      let offset = 0;
      for (const { offset: at, text } of records) {
        expect(at).toBe(offset);
        offset += Buffer.byteLength(text);
      }
    }
  });
});

describe("what cannot be kept", () => {
  test("metrics are answered and counted; empty requests are answered", async () => {
    const body = JSON.stringify({ resourceMetrics: [] });
    const answer = await pumpUntil(bench, send({ port: receiver().port, path: "/v1/metrics", body }));
    expect([answer.status, answer.body.toString()]).toEqual([200, "{}"]);
    expect((await post("{}")).status).toBe(200);
    expect((await post("", { "content-type": "application/x-protobuf" })).status).toBe(200);
    expect([bench.records.length, leftOut()]).toEqual([0, { merged: 0, metrics: 1 }]);
  });

  test("a record that is none is told by number, and is a gap; the others are kept", async () => {
    const answer = await posted(logs([7, logRecord("s1", "one"), null, [{}]]));
    const { partialSuccess } = JSON.parse(answer.body.toString()) as {
      partialSuccess: { rejectedLogRecords: string; errorMessage: string };
    };
    expect([answer.status, partialSuccess.rejectedLogRecords]).toEqual([200, "3"]);
    expect(namesOf(bench)).toEqual(["one"]);
    expect(bench.gaps).toMatchObject([{ reason: "unreadable" }]);
    expect(Buffer.from(bench.gaps[0]!.head!).toString()).toContain('"logRecords":[7]');
  });

  test.each([
    ["no JSON", '{"resourceLogs":[', 400, "unreadable"],
    ["no object", "[]", 400, "unreadable"],
    ["another signal", '{"resourceSpans":[]}', 400, "unreadable"],
    ["no list", '{"resourceLogs":{}}', 400, "unreadable"],
    ["no list of objects", '{"resourceLogs":[1]}', 400, "unreadable"],
    ["too many values", `{"resourceLogs":[${"[],".repeat(LIMITS.otlp_values)}[]]}`, 413, "too_large"],
    ["too many records", logs(Array.from({ length: LIMITS.otlp_records + 1 }, () => ({}))), 413, "too_large"],
  ])("%s is refused, and a gap", async (_, body, status, reason) => {
    const answer = await posted(body);
    expect([answer.status, typeof JSON.parse(answer.body.toString()).message]).toEqual([status, "string"]);
    await pumpUntil(bench, sleep(20));
    expect(bench.gaps).toMatchObject([{ reason, bytes: Buffer.byteLength(body) }]);
    expect(bench.records).toEqual([]);
  });

  test("a resource that would be copied too often is refused", async () => {
    const records = Array.from({ length: 100 }, (_, i) => logRecord("s", `${i}`));
    const answer = await posted(logs(records, "y".repeat(1_000_000)));
    expect(answer.status).toBe(413);
  });

  test("a record that nests too deep is kept as a line; one too deep to be written is a gap", async () => {
    const nested = (levels: number): string =>
      `{"attributes":[{"key":"session.id","value":{"stringValue":"s1"}}],"body":${'{"kvlistValue":'.repeat(levels)}1${"}".repeat(levels)}}`;
    const wrap = (record: string): string => `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${record}]}]}]}`;
    expect((await posted(wrap(nested(20)))).status).toBe(200);
    expect((await posted(wrap(nested(1_000)))).status).toBe(200);
    const far = await posted(wrap(nested(100_000)));
    expect([far.status, far.body.toString()]).toEqual([
      200,
      expect.stringContaining('"rejectedLogRecords":"1"'),
    ]);
    await pumpUntil(bench, sleep(20));
    expect(bench.records.map(({ text }) => text.split("kvlistValue").length - 1)).toEqual([20, 1_000]);
    // Nobody looks for the session of the second: it goes to the stream of its service.
    expect(new Set(bench.records.map(({ stream }) => stream)).size).toBe(2);
    expect(bench.gaps).toMatchObject([{ reason: "unreadable" }]);
  });

  test("integers that a double does not hold arrive as their digits", async () => {
    await posted(
      logs([{ ...logRecord("s", "n"), timeUnixNano: 0, attributes: [] }]).replace(
        ":0,",
        ":1795168800123456789,",
      ),
    );
    expect(bench.records[0]!.text).toContain('"timeUnixNano":"1795168800123456789"');
  });
});

test("wait ends when it is told to, close is safe without open and twice", async () => {
  const stop = new AbortController();
  const waited = bench.source.wait(stop.signal);
  stop.abort();
  await waited;
  await bench.source.close();
  await bench.source.close();
  await maker(otlp as never, { type: "otlp" })(testContext(dir)).close();
});

test("a batch's buffer is its own and is given back; batches keep their bounds", async () => {
  const records = Array.from({ length: 4_000 }, (_, i) => logRecord(`s${i % 5}`, `${i}`, 1_000));
  await posted(logs(records));
  expect(bench.batches.length).toBeGreaterThan(4);
  for (const { buffer } of bench.batches) expect(buffer.length).toBeLessThanOrEqual(LIMITS.batch_bytes);
  const long = logs([logRecord("s", "long", 3_000_000)]);
  expect((await posted(long)).status).toBe(200);
  expect(receiver().counts["held_bytes"]).toBe(0);
});
