// Brokers that are none, with one group, and a client of them that answers as node-rdkafka does: an answer that failed has
// one argument, and a consumer counts as connected until what its closing revokes was given up.
import { EventEmitter } from "node:events";
import type { KafkaError, Message, TopicPartition, TopicPartitionOffset } from "../../src/kafka/client.ts";

const ASSIGN = -175;
const REVOKE = -174;
const OFFSET_OUT_OF_RANGE = -140;

export const QUESTIONS = [
  "committed",
  "queryWatermarkOffsets",
  "offsetsForTimes",
  "getMetadata",
  "consume",
] as const;

/** A topic of one partition. */
export interface FakeTopic {
  low: number;
  high: number;
  /** What the group has of it. */
  committed?: number;
}

export class FakeBrokers {
  readonly topics: Map<string, FakeTopic>;
  readonly consumers: FakeConsumer[] = [];
  /** What the next questions fail with; once they are used up, questions are answered. */
  readonly failures = Object.fromEntries(QUESTIONS.map((name) => [name, []])) as unknown as Record<
    (typeof QUESTIONS)[number],
    KafkaError[]
  >;
  /** What was committed, in order. */
  readonly commits: number[] = [];

  constructor(topics: Record<string, FakeTopic>) {
    this.topics = new Map(Object.entries(topics));
  }

  /** The library, as `loadLibrary` gives it. */
  get library(): object {
    const made = (consumer: FakeConsumer): void => void this.consumers.push(consumer);
    const brokers = (): this => this;
    return {
      KafkaConsumer: class extends FakeConsumer {
        constructor() {
          super(brokers());
          made(this);
        }
      },
    };
  }

  get last(): FakeConsumer {
    return this.consumers.at(-1)!;
  }
}

type Done = (error: KafkaError | null, value?: unknown) => void;

export class FakeConsumer extends EventEmitter {
  readonly #brokers: FakeBrokers;
  /** Where it reads, by topic. */
  readonly assigned = new Map<string, number>();
  #connected = false;
  #unassigned: () => void = () => {};
  /** What it tells from now on in place of messages. */
  failed: KafkaError | undefined;

  constructor(brokers: FakeBrokers) {
    super();
    this.#brokers = brokers;
  }

  setDefaultConsumeTimeout(): void {}
  pause(): void {}
  resume(): void {}
  isConnected = (): boolean => this.#connected;

  connect(_options: object, done: Done): void {
    this.#connected = true;
    setImmediate(() => done(null, { topics: [] }));
  }

  disconnect(done: () => void): void {
    this.#unassigned = () => {
      this.#connected = false;
      setImmediate(done);
    };
    this.revoke();
  }

  get #all(): TopicPartition[] {
    return [...this.#brokers.topics.keys()].map((topic) => ({ topic, partition: 0 }));
  }

  subscribe(): void {
    setImmediate(() => this.emit("rebalance", { code: ASSIGN, message: "assign" }, this.#all));
  }

  /** As when another member joins that gets everything. */
  revoke(): void {
    this.emit("rebalance", { code: REVOKE, message: "revoke" }, this.#all);
  }

  incrementalAssign(partitions: readonly TopicPartitionOffset[]): void {
    for (const { topic, offset } of partitions) this.assigned.set(topic, offset);
  }

  incrementalUnassign(partitions: readonly TopicPartition[]): void {
    for (const { topic } of partitions) this.assigned.delete(topic);
    if (this.assigned.size === 0) this.#unassigned();
  }

  #answer(done: Done, to: (typeof QUESTIONS)[number], value: () => unknown): void {
    const failure = this.#brokers.failures[to].shift();
    setImmediate(() => (failure === undefined ? done(null, value()) : done(failure)));
  }

  committed(asked: readonly TopicPartition[], _ms: number, done: Done): void {
    this.#answer(done, "committed", () =>
      asked.map((of) => ({ ...of, offset: this.#brokers.topics.get(of.topic)!.committed ?? -1001 })),
    );
  }

  queryWatermarkOffsets(topic: string, _partition: number, _ms: number, done: Done): void {
    this.#answer(done, "queryWatermarkOffsets", () => this.getWatermarkOffsets(topic));
  }

  offsetsForTimes(asked: readonly TopicPartitionOffset[], _ms: number, done: Done): void {
    this.#answer(done, "offsetsForTimes", () =>
      asked.map((of) => ({ ...of, offset: this.#brokers.topics.get(of.topic)!.low })),
    );
  }

  getMetadata({ topic }: { topic: string }, done: Done): void {
    this.#answer(done, "getMetadata", () => ({ topics: [{ name: topic, partitions: [{}] }] }));
  }

  getWatermarkOffsets(topic: string): { lowOffset: number; highOffset: number } {
    const { low, high } = this.#brokers.topics.get(topic)!;
    return { lowOffset: low, highOffset: high };
  }

  commit(offsets: readonly TopicPartitionOffset[]): void {
    for (const { topic, offset } of offsets) {
      this.#brokers.topics.get(topic)!.committed = offset;
      this.#brokers.commits.push(offset);
    }
    setImmediate(() => this.emit("offset.commit", null, offsets));
  }

  consume(count: number, done: Done): void {
    setTimeout(() => {
      const failure = this.failed ?? this.#brokers.failures.consume.shift();
      if (failure !== undefined) return done(failure);
      const messages: Message[] = [];
      for (const [topic, next] of this.assigned) {
        const { low, high } = this.#brokers.topics.get(topic)!;
        if (next < low || next > high) return done({ code: OFFSET_OUT_OF_RANGE, message: "out of range" });
        for (let offset = next; offset < high && messages.length < count; offset++) {
          const value = Buffer.from(`${topic} ${offset}`);
          messages.push({ topic, partition: 0, offset, value, key: null, size: value.length });
        }
        const end = messages.findLast((one) => one.topic === topic)?.offset ?? next - 1;
        this.assigned.set(topic, end + 1);
        if (end + 1 === high) this.emit("partition.eof", { topic, partition: 0, offset: high });
      }
      return done(null, messages);
    }, 1);
  }
}
