// A member of a group on a client that is none: the end of a partition counts when the messages before it were taken.
import { EventEmitter } from "node:events";
import { expect, test, vi } from "vitest";
import type { Consumer, Message } from "../../src/kafka/client.ts";
import { Member } from "../../src/sources/kafka-member.ts";
import { Partition } from "../../src/sources/kafka-partition.ts";
import { testContext } from "./harness.ts";

const message = { topic: "t", partition: 0, offset: 0, value: Buffer.from("a"), key: null, size: 1 };

/** Gives one message, and tells before that the partition ends behind it, as the library does. */
class Fake extends EventEmitter {
  #given = false;
  isConnected = (): boolean => true;
  setDefaultConsumeTimeout(): void {}
  subscribe(): void {}
  pause(): void {}
  resume(): void {}
  connect(_options: object, done: (error: null, metadata: object) => void): void {
    setImmediate(() => done(null, { topics: [] }));
  }
  disconnect(done: () => void): void {
    setImmediate(done);
  }
  consume(_count: number, done: (error: null, messages: readonly Message[]) => void): void {
    setTimeout(() => {
      const first = !this.#given && this.listenerCount("partition.eof") > 0;
      this.#given ||= first;
      if (first) this.emit("partition.eof", { topic: "t", partition: 0, offset: 1 });
      done(null, first ? [message] : []);
    }, 1);
  }
}

test("a partition is not at its end before the messages that lead there were taken", async () => {
  const group = { cluster: "kafka", group: "g", matches: undefined };
  const partition = new Partition(group, "t", 0);
  const taken = Promise.withResolvers<void>();
  const got: Message[] = [];
  const member = new Member({
    context: testContext("/nowhere"),
    topics: ["t"],
    start: "earliest",
    create: () => Promise.resolve(new Fake() as unknown as Consumer),
    partition: () => partition,
    partitions: () => [partition],
    async take(messages) {
      got.push(...messages);
      await taken.promise;
    },
    drop: () => {},
    miss: () => {},
    hasGap: () => false,
    held: () => 0,
    matches: undefined,
    back: () => 0,
  });
  member.start();
  await vi.waitFor(() => expect(got.length).toBe(1));
  expect(partition.drained).toBe(false);
  taken.resolve();
  await vi.waitFor(() => expect(partition.drained).toBe(true));
  await member.close();
});
