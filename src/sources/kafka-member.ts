// One member of a consumer group: connects and stays connected, reads messages as long as there is room for them, and
// commits what is durable. Which partitions it reads, and from where, is kafka-ownership.ts.
import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf } from "../core/errors.ts";
import { InOrder } from "../core/in-order.ts";
import { LIMITS } from "../core/limits.ts";
import type { Context } from "../core/stage.ts";
import {
  type Consumer,
  type KafkaError,
  type Message,
  type Settings,
  type TopicPartition,
  type TopicPartitionOffset,
  connect,
  disconnect,
  troubleOf,
} from "../kafka/client.ts";
import { Commits } from "./kafka-commits.ts";
import type { Missing } from "./kafka-batch.ts";
import { Ownership } from "./kafka-ownership.ts";
import type { Partition } from "./kafka-partition.ts";

const OFFSET_OUT_OF_RANGE = -140;
const FATAL = -150;

export interface MemberParts {
  readonly context: Context;
  readonly topics: readonly string[];
  /** Where a partition begins that nobody has read. */
  readonly start: "earliest" | "latest";
  /** A consumer that is not connected. */
  create(): Promise<Consumer>;
  partition(of: TopicPartition): Partition;
  partitions(): readonly Partition[];
  /** Takes messages; resolves when more may come. */
  take(messages: readonly Message[], signal: AbortSignal): Promise<void>;
  /** Forgets messages of a partition that were not handed over. */
  drop(partition: Partition): void;
  miss(partition: Partition, gap: Missing): void;
  /** Whether a gap of a partition waits to be handed over. */
  hasGap(partition: Partition): boolean;
  /** Bytes of messages that wait to be handed over. */
  held(): number;
  /** The topic of matches, if there is one, and how far back its partitions are read when taken over, ms. */
  readonly matches: string | undefined;
  back(): number;
}

export const SETTINGS: Settings = {
  "enable.auto.commit": false,
  "enable.auto.offset.store": false,
  "enable.partition.eof": true,
  "isolation.level": "read_committed",
  "partition.assignment.strategy": "cooperative-sticky",
  "queued.min.messages": 10_000,
  "queued.max.messages.kbytes": LIMITS.kafka_fetch_bytes / 1024,
  "fetch.max.bytes": LIMITS.kafka_fetch_bytes,
  "fetch.message.max.bytes": LIMITS.kafka_fetch_bytes / 8,
};
export const TOPIC_SETTINGS: Settings = { "auto.offset.reset": "error" };

export class Member {
  readonly #parts: MemberParts;
  readonly #stop = new AbortController();
  readonly #changes = new InOrder();
  readonly counts = { rebalances: 0, overlap: 0, errors: 0, commits_failed: 0 };
  #consumer: Consumer | undefined;
  #commits: Commits | undefined;
  #running: Promise<void> = Promise.resolve();
  #ownership: Ownership | undefined;
  #last_trouble = "";
  /** Ends that were told with messages which are not taken yet. */
  #ends: TopicPartitionOffset[] = [];
  /** Of the messages that came last. */
  #usual_bytes: number = LIMITS.kafka_message_bytes;

  constructor(parts: MemberParts) {
    this.#parts = parts;
  }

  get connected(): boolean {
    return this.#consumer !== undefined;
  }

  /** Whether partitions were told once since it connected. */
  get assigned(): boolean {
    return this.#ownership?.assigned === true;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Called when more of a partition is durable. */
  durable(): void {
    this.#commits?.soon();
  }

  /** Whether nothing of a partition is left at the brokers, as far as they have told. */
  atEnd(partition: Partition): boolean {
    if (partition.queue.length > 0) return false;
    if (partition.drained) return true;
    try {
      const { highOffset } = this.#consumer!.getWatermarkOffsets(partition.topic, partition.partition);
      // What the client knows may be of the last time that the partition was read here.
      return highOffset >= 0 && partition.next >= Math.max(highOffset, partition.high);
    } catch {
      return false; // nothing was told yet
    }
  }

  /** Partitions of all topics of records. */
  get total(): number {
    return this.#ownership?.total ?? 0;
  }

  /** Messages behind the last one handed over, as far as the brokers have told. */
  lag(partition: Partition): number {
    if (partition.drained) return 0;
    try {
      const { highOffset } = this.#consumer!.getWatermarkOffsets(partition.topic, partition.partition);
      return Math.max(0, highOffset - (partition.handed ?? partition.next));
    } catch {
      return 0; // nothing was told yet
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        const consumer = await this.#parts.create();
        consumer.setDefaultConsumeTimeout(LIMITS.kafka_consume_ms);
        this.#listen(consumer);
        await connect(consumer, undefined);
        this.#consumer = consumer;
        const commits = new Commits(consumer, () => this.#parts.partitions(), this.counts);
        this.#commits = commits;
        this.#ownership = new Ownership({
          member: this.#parts,
          counts: this.counts,
          signal,
          commit: () => commits.now(consumer),
          trouble: (what) => this.#trouble(what),
        });
        consumer.subscribe(this.#parts.topics);
        await this.#pump(consumer, signal);
      } catch (error) {
        this.#trouble(reasonOf(error));
      }
      await this.#leave();
      if (!signal.aborted) await sleep(LIMITS.kafka_reconnect_ms, undefined, { signal }).catch(() => {});
    }
  }

  #trouble(what: string): void {
    this.counts.errors++;
    if (what === this.#last_trouble) return;
    this.#last_trouble = what;
    this.#parts.context.log("warn", `${this.#parts.context.name}: ${what}`);
  }

  #listen(consumer: Consumer): void {
    consumer.on("event.error", (error) => this.#trouble(troubleOf(error, undefined).message));
    consumer.on("partition.eof", (at) => void this.#ends.push(at));
    consumer.on("offset.commit", (error, offsets) => this.#commits?.told(error, offsets));
    consumer.on("rebalance", (error, partitions) => {
      this.counts.rebalances++;
      void this.#changes.take(() => this.#ownership!.rebalance(consumer, error, partitions));
    });
  }

  /** Ends when told to, and throws when this consumer cannot go on. */
  async #pump(consumer: Consumer, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const room = LIMITS.kafka_held_bytes - this.#parts.held();
      this.#pause(consumer, room <= 0);
      const count = Math.min(LIMITS.kafka_consume_messages, Math.ceil(Math.max(room, 1) / this.#usual_bytes));
      const got = await consume(consumer, count);
      if ("code" in got) await this.#failed(consumer, got);
      else {
        if (got.length > 0) {
          this.#last_trouble = "";
          const bytes = got.reduce((sum, { size }) => sum + size, 0);
          this.#usual_bytes = Math.max(1, bytes / got.length);
        }
        await this.#parts.take(got, signal);
        this.#meetEnds();
      }
    }
    // Answers come with what is read.
    const commits = this.#commits!;
    const committed = commits.now(consumer);
    while (commits.waiting) await consume(consumer, 1);
    await committed;
  }

  /** The client tells the end of a partition before it gives the messages that lead there: before they are taken, nothing
   * is at its end. */
  #meetEnds(): void {
    for (const at of this.#ends.splice(0)) {
      const partition = this.#parts.partition(at);
      partition.end = Math.max(partition.end ?? 0, at.offset);
    }
  }

  async #failed(consumer: Consumer, error: KafkaError): Promise<void> {
    if (error.code === FATAL) throw troubleOf(error, undefined);
    if (error.code === OFFSET_OUT_OF_RANGE)
      await this.#changes.take(() => this.#ownership!.lookAgain(consumer));
    else this.#trouble(troubleOf(error, undefined).message);
    await sleep(LIMITS.kafka_consume_ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }

  #pause(consumer: Consumer, full: boolean): void {
    const some = this.#parts.partitions().filter((p) => p.owned && p.paused !== full);
    if (some.length === 0) return;
    if (full) consumer.pause(some);
    else consumer.resume(some);
    for (const partition of some) partition.paused = full;
  }

  async #leave(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    this.#ownership?.leave();
    if (consumer !== undefined) await disconnect(consumer, false);
    await this.#changes.idle();
    this.#ends = [];
    this.#commits = this.#ownership = undefined;
    for (const partition of this.#parts.partitions()) {
      partition.owned = false;
      this.#parts.drop(partition);
    }
  }
}

function consume(consumer: Consumer, count: number): Promise<readonly Message[] | KafkaError> {
  const { promise, resolve } = Promise.withResolvers<readonly Message[] | KafkaError>();
  consumer.consume(count, (error, messages) => resolve(error ?? messages));
  return promise;
}
