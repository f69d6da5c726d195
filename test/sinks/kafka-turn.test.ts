// Batches that wait for their turn, with a producer that is none and acknowledges when it is told to: they leave in order,
// and a wait leaves nothing behind on the signal, which is the same for all deliveries.
import { EventEmitter, getEventListeners } from "node:events";
import { expect, test, vi } from "vitest";
import type { SinkContext } from "../../src/core/stage.ts";
import kafka from "../../src/sinks/kafka.ts";
import { series, testContext } from "./batches.ts";

const sent: number[] = [];
class Fake extends EventEmitter {
  isConnected = (): boolean => true;
  setPollInterval(): void {}
  connect(_options: object, done: (error: null, metadata: object) => void): void {
    setImmediate(() => done(null, { topics: [{ name: "t", partitions: [{}] }] }));
  }
  disconnect(_timeout_ms: number, done: () => void): void {
    setImmediate(done);
  }
  produce(...call: readonly unknown[]): void {
    sent.push(call[5] as number);
  }
  acknowledge(): void {
    for (const opaque of sent.splice(0)) this.emit("delivery-report", null, { opaque });
  }
}
const made: Fake[] = [];
vi.mock("../../src/kafka/client.ts", async (original) => ({
  ...(await original<object>()),
  loadLibrary: () => ({
    Producer: class extends Fake {
      constructor() {
        super();
        made.push(this);
      }
    },
  }),
}));

test("a batch that waits for its turn leaves nothing on the signal, sent or stopped", async () => {
  const options = kafka.config.parse({ type: "kafka", brokers: "b:1", topic: "t", encoding: "json" });
  const sink = kafka.create(options, testContext() as unknown as SinkContext);
  const stop = new AbortController();
  const listeners = (): number => getEventListeners(stop.signal, "abort").length;
  await sink.open(stop.signal);
  const write = (n: number): Promise<unknown> => sink.write(series("s", 2, 2 * n), false, stop.signal);
  for (let round = 0; round < 3; round++) {
    const done: number[] = [];
    const writes = [0, 1, 2].map((n) => write(3 * round + n).then(() => done.push(n)));
    for (let n = 0; n < 3; n++) {
      await vi.waitFor(() => expect(sent.length).toBe(2));
      expect(listeners()).toBe(3 - n);
      made[0]!.acknowledge();
    }
    await Promise.all(writes);
    expect([done, listeners()]).toEqual([[0, 1, 2], 0]);
  }
  const cut = Promise.allSettled([write(100), write(101)]);
  await vi.waitFor(() => expect(sent.length).toBe(2));
  stop.abort();
  expect(await cut).toMatchObject([
    { reason: { code: "SINK_STOPPED" } },
    { reason: { code: "SINK_STOPPED" } },
  ]);
  expect(listeners()).toBe(0);
  await sink.close();
});
