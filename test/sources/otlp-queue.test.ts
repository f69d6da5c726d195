// The queue between requests and batches, without the server: what it holds while more comes all the time, and what it
// takes of a request that a crash cut short.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import type { Position, RawBatch } from "../../src/core/stage.ts";
import { captureSchema } from "../../src/sources/options.ts";
import { Queue } from "../../src/sources/otlp-queue.ts";
import { LOGS } from "../../src/sources/otlp-messages.ts";
import { type Line, cutRequest } from "../../src/sources/otlp-records.ts";
import { LaneQueue, type Waiting } from "../../src/sources/otlp-taken.ts";
import { randomOf } from "../random.ts";
import { recordsOf } from "./harness.ts";
import { logRecord, logs, otlpRouter } from "./otlp-client.ts";

const COMMON = { source: "otlp", path: "otlp://here", capture: captureSchema.parse({}) };

const line = (bytes: Buffer): Line => ({ bytes, request: {}, resource: {} });

/** Bytes in use after a collection. */
function used(what: "arrayBuffers" | "heapUsed"): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage()[what];
}

describe("a queue that never runs empty", () => {
  test("lets go of the lines that are durable", () => {
    const queue = new Queue(otlpRouter(1), COMMON);
    const add = (digest: string): void => {
      const lines = [line(Buffer.alloc(1_000_000, "x"))];
      queue.add({ digest, lines, rejected: 0, skipped: {} }, 0);
    };
    for (let i = 0; i < 4; i++) add(`${i}`);
    const before = used("arrayBuffers");
    for (let i = 4; i < 64; i++) {
      queue.settle(queue.read(0, 0)!);
      add(`${i}`);
    }
    expect(queue.bytes).toBe(4_000_000);
    expect(used("arrayBuffers") - before).toBeLessThan(10_000_000);
  });

  test("does not grow by the lines that it has had", () => {
    const queue = new LaneQueue();
    const one = {} as Waiting;
    for (let i = 0; i < 100; i++) queue.push(one);
    const before = used("heapUsed");
    for (let i = 0; i < 3_000_000; i++) {
      queue.push(one);
      queue.drop();
    }
    expect(queue.first).toBe(one);
    expect(used("heapUsed") - before).toBeLessThan(8_000_000);
  });
});

/** Positions and records that are durable, over the crashes of a queue. */
class Durable {
  readonly names: string[] = [];
  readonly positions = new Map<string, Position>();
  queue!: Queue;
  #known = new Set<string>();

  /** What was read and is not durable is forgotten. */
  open(lanes: number): void {
    this.queue = new Queue(otlpRouter(lanes), COMMON);
    this.#known = new Set();
    const { window, streams } = this.queue;
    for (const [key, position] of structuredClone(this.positions))
      expect(window.restore(key, position) || streams.restore(key, position)).toBe(true);
  }

  /** As the source does: what is durable as a whole is not taken again. */
  add(digest: string, lines: readonly Line[]): void {
    const mark = this.queue.window.find(digest, 0);
    if (mark !== undefined && mark.done === undefined) return;
    this.queue.add({ digest, lines, rejected: 0, skipped: {} }, 0);
  }

  /** Makes a batch durable, if there is one. */
  take(batch: RawBatch | undefined): void {
    if (batch === undefined) return;
    for (const [key, position] of Object.entries(batch.positions)) {
      if (position === null) this.positions.delete(key);
      else this.positions.set(key, position);
    }
    for (const { text } of recordsOf(batch, this.#known))
      this.names.push(/"eventName":"([^"]*)"/.exec(text)![1]!);
    this.queue.settle(batch);
  }

  takeAll(lanes: number): void {
    while (this.queue.ready) for (let lane = 0; lane < lanes; lane++) this.take(this.queue.read(lane, 0));
  }
}

const cut = (body: string): readonly Line[] => cutRequest(LOGS, "json", Buffer.from(body)).lines;
/** A session of this lane of two. */
const sessionOf = (lane: number): string =>
  ["a", "b", "c", "d"].find((session) => otlpRouter().laneOf(session) === lane)!;

describe("a request that a crash cut short", () => {
  test("the stream of a new service, and its lane, are others when it comes again: no record is lost or doubled", () => {
    const lines = [
      ...cut(logs([logRecord(undefined, "new")])),
      ...cut(logs([logRecord(sessionOf(0), "old")])),
    ];
    let cuts = 0;
    // The lanes of the service's streams are drawn: one in four times the second one is on the lane that is durable.
    while (cuts < 64) {
      const durable = new Durable();
      durable.open(2);
      durable.add("one", lines);
      durable.take(durable.queue.read(0, 0));
      if (durable.names.length === 2) continue;
      cuts++;
      durable.open(2);
      durable.add("one", lines);
      durable.takeAll(2);
      expect(durable.names).toEqual(["old", "new"]);
    }
  });

  test("records of any services and sessions, any workers, any crashes: each is recorded once", () => {
    const random = randomOf(1);
    const below = (n: number): number => Math.floor(random() * n);
    for (let round = 0; round < 16; round++) {
      // In every other round more services than there are streams for.
      const services = round % 2 === 0 ? 5 : 2 * LIMITS.otlp_services;
      const requests = Array.from({ length: 3 }, (_, request) =>
        Array.from({ length: 300 }, (__, i) => {
          const session = below(2) === 0 ? undefined : `s${below(9)}`;
          return cut(
            logs([logRecord(session, `${request}.${i}`, below(3_000))], `of ${below(services)}`),
          )[0]!;
        }),
      );
      const durable = new Durable();
      for (let crash = 0; crash < 4; crash++) {
        const lanes = 1 + below(4);
        durable.open(lanes);
        const first = below(3);
        for (let i = 0; i < 3; i++) durable.add(`${(first + i) % 3}`, requests[(first + i) % 3]!);
        for (let i = below(4); i > 0; i--) durable.take(durable.queue.read(below(lanes), 0));
        durable.queue.read(below(lanes), 0); // handed over, and lost
      }
      durable.open(2);
      for (const [i, lines] of requests.entries()) durable.add(`${i}`, lines);
      durable.takeAll(2);
      expect(durable.names.length).toBe(900);
      expect(new Set(durable.names).size).toBe(900);
    }
  });

  test.each([
    ["an earlier version that counted by lane", { records: 2, lanes: 2, done: { "0": 1 } }],
    ["a version that cut it into other lines", { records: 3, done: "/w==" }],
  ])("what was cut under %s is taken again, all of it, and then known", (_, mark) => {
    const durable = new Durable();
    durable.positions.set("request:one", { at_ms: 0, ...mark });
    const lines = cut(logs([logRecord("s1", "one"), logRecord("s1", "two")]));
    durable.open(2);
    durable.add("one", lines);
    durable.takeAll(2);
    durable.open(2);
    durable.add("one", lines);
    durable.takeAll(2);
    expect(durable.names).toEqual(["one", "two"]);
  });

  test("what is kept of the longest request while it is durable in part is short", () => {
    const durable = new Durable();
    const body = logs(Array.from({ length: LIMITS.otlp_records }, () => logRecord("s1", "one")));
    durable.open(1);
    durable.add("one", cut(body));
    durable.take(durable.queue.read(0, 0));
    expect(durable.queue.ready).toBe(true);
    expect(JSON.stringify(durable.positions.get("request:one")).length).toBeLessThan(11_500);
  });
});
