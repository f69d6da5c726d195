// The queue between requests and batches, without the server: what it holds while more comes all the time.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { captureSchema } from "../../src/sources/options.ts";
import { Queue } from "../../src/sources/otlp-queue.ts";
import type { Line } from "../../src/sources/otlp-records.ts";
import { LaneQueue, type Waiting } from "../../src/sources/otlp-taken.ts";
import { otlpRouter } from "./otlp-client.ts";

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
