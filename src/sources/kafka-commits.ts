// What a member tells the group of what is durable: at most so often, and at once before a partition is given up. A
// commit that fails costs nothing but work: what is not committed is read again, and recognised by position.
import { setTimeout as sleep } from "node:timers/promises";
import { LIMITS } from "../core/limits.ts";
import type { Consumer, KafkaError, TopicPartitionOffset } from "../kafka/client.ts";
import type { Partition } from "./kafka-partition.ts";

export class Commits {
  readonly #consumer: Consumer;
  readonly #partitions: () => readonly Partition[];
  readonly #counts: { commits_failed: number };
  #timer: NodeJS.Timeout | undefined;
  #waiting = 0;

  constructor(
    consumer: Consumer,
    partitions: () => readonly Partition[],
    counts: { commits_failed: number },
  ) {
    this.#consumer = consumer;
    this.#partitions = partitions;
    this.#counts = counts;
  }

  /** Whether somebody waits for an answer. */
  get waiting(): boolean {
    return this.#waiting > 0;
  }

  /** Commits in a moment. */
  soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#send();
    }, LIMITS.kafka_commit_ms);
  }

  #due(): Partition[] {
    return this.#partitions().filter(
      ({ owned, durable, committed }) => owned && durable !== undefined && durable > (committed ?? -1),
    );
  }

  /** Returns whether there was anything to commit. */
  #send(): boolean {
    const due = this.#due();
    if (due.length === 0) return false;
    const offsets = due.map(({ topic, partition, durable }) => ({ topic, partition, offset: durable! }));
    try {
      this.#consumer.commit(offsets);
    } catch {
      this.#failed();
    }
    return true;
  }

  /** Takes the group's answer. */
  told(error: KafkaError | null | undefined, offsets: readonly TopicPartitionOffset[]): void {
    if (error) return this.#failed();
    for (const { topic, partition, offset } of offsets) {
      const one = this.#partitions().find((p) => p.topic === topic && p.partition === partition);
      if (one !== undefined) one.committed = offset;
    }
  }

  #failed(): void {
    this.#counts.commits_failed++;
    if (this.#consumer.isConnected()) this.soon();
  }

  /** Commits, and waits for the answer, for as long as LIMITS.kafka_close_ms. The answer comes with what is read. */
  async now(consumer: Consumer): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#send()) return;
    this.#waiting++;
    const until = performance.now() + LIMITS.kafka_close_ms;
    while (this.#due().length > 0 && performance.now() < until && consumer.isConnected())
      await sleep(LIMITS.kafka_poll_ms);
    this.#waiting--;
  }
}
