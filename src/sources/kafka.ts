// Source `kafka`: a member of a consumer group. From a partition to this ledger exactly once: the position is in the
// frame with the entries, and the group is told what is durable. Reads records of any format, and what other collectors
// have made of theirs, which keep their ids.
import type { z } from "zod";
import type { Component, Context, Position, RawBatch, Router, Source } from "../core/stage.ts";
import { LIMITS } from "../core/limits.ts";
import {
  type Consumer,
  type Message,
  type TopicPartition,
  loadLibrary,
  settingsOf,
} from "../kafka/client.ts";
import { Drafts } from "./kafka-batch.ts";
import { Decoder } from "./kafka-decode.ts";
import { KafkaExchange } from "./kafka-exchange.ts";
import { Member, SETTINGS, TOPIC_SETTINGS } from "./kafka-member.ts";
import { type Fate, Partition } from "./kafka-partition.ts";
import { EVENTS, config } from "./kafka-options.ts";

const NONE = Buffer.alloc(0);

class KafkaSource implements Source {
  readonly #options: z.output<typeof config>;
  readonly #context: Context;
  readonly #partitions = new Map<string, Partition>();
  readonly #drafts: Drafts;
  readonly exchange: KafkaExchange | undefined;
  #decoder: Decoder | undefined;
  #member: Member | undefined;
  #router!: Router;
  #wake: () => void = () => {};
  #turn = 0;

  constructor(options: z.output<typeof config>, context: Context) {
    this.#options = options;
    this.#context = context;
    const { format, capture } = options;
    this.#drafts = new Drafts({ source: context.name, format, options: options.options, capture });
    const { matches } = options;
    if (matches === undefined) return;
    this.exchange = new KafkaExchange({
      connection: options,
      topic: matches,
      partitions: () => this.#partitions.values(),
      total: () => this.#member?.total ?? 0,
    });
  }

  async open(positions: ReadonlyMap<string, Position>, router: Router): Promise<void> {
    this.#router = router;
    const { registry, schemas, topics, start, format, matches } = this.#options;
    const log = (level: "warn", message: string): void =>
      this.#context.log(level, `${this.#context.name}: ${message}`);
    if (format === EVENTS) this.#decoder = await Decoder.open(registry, schemas, log);
    for (const [id, position] of positions) {
      const partition = Partition.restore(this.#options, id, position);
      if (partition !== undefined) this.#partitions.set(keyOf(partition), partition);
      else log("warn", `the position ${id} is not of the group ${this.#options.group} and is left alone`);
    }
    const consumer = await this.#maker();
    this.#member = new Member({
      context: this.#context,
      topics: matches === undefined ? topics : [...topics, matches],
      start,
      create: consumer,
      partition: (of) => this.#partition(of),
      partitions: () => [...this.#partitions.values()],
      take: (messages, signal) => this.#take(messages, signal),
      drop: (partition) => this.#drafts.drop(partition),
      miss: (partition, gap) => {
        this.#drafts.miss(partition, gap);
        this.#wake();
      },
      hasGap: (partition) => this.#drafts.hasGap(partition),
      held: () => this.#drafts.held_bytes,
      matches,
      back: () => this.exchange?.back_ms ?? 0,
    });
    this.#member.start();
  }

  /** What makes consumers. Throws what cannot be helped by waiting: no library, no secret. */
  async #maker(): Promise<() => Promise<Consumer>> {
    const { group, session_s } = this.#options;
    const { KafkaConsumer } = loadLibrary();
    await settingsOf(this.#options);
    // A member that comes back by this name gets its partitions back, and so goes on in the ledger that has them.
    const instance = `${this.#context.origin}_${this.#context.name}`.replaceAll(/[^\w.-]/g, "_");
    return async () =>
      new KafkaConsumer(
        {
          ...(await settingsOf(this.#options)),
          ...SETTINGS,
          "group.id": group,
          "group.instance.id": instance,
          "session.timeout.ms": session_s * 1000,
          "heartbeat.interval.ms": Math.min(3_000, Math.ceil((session_s * 1000) / 4)),
          rebalance_cb: () => {}, // the event does the work
          offset_commit_cb: true,
        },
        TOPIC_SETTINGS,
      );
  }

  #partition({ topic, partition }: TopicPartition): Partition {
    const key = keyOf({ topic, partition });
    let known = this.#partitions.get(key);
    if (known === undefined) {
      known = new Partition(this.#options, topic, partition);
      this.#partitions.set(key, known);
    }
    return known;
  }

  async #take(messages: readonly Message[], signal: AbortSignal): Promise<void> {
    await this.#decoder?.prepare(messages, signal);
    for (const message of messages) {
      const partition = this.#partition(message);
      // What was on its way when the partition was given up, or begins again elsewhere.
      if (!partition.owned || partition.leaving || message.offset < partition.next) continue;
      partition.next = message.offset + 1;
      this.#enqueue(partition, message);
    }
    this.#wake();
  }

  #enqueue(partition: Partition, message: Message): void {
    const { offset, value } = message;
    let [fate, bytes, id]: [Fate, Buffer, string | undefined] = ["record", NONE, undefined];
    if (value === null) fate = "tombstone";
    else if (value.length === 0) fate = "blank";
    else if (value.length > LIMITS.line_bytes) {
      fate = "too_large";
      bytes = Buffer.from(value.subarray(0, LIMITS.raw_bytes));
    } else if (partition.holdsMatches) [fate, bytes] = ["match", value];
    else if (this.#decoder === undefined) bytes = value;
    else ({ bytes, id } = this.#decoder.event(message, value));
    this.#drafts.enqueue(partition, { offset, fate, bytes, id, size: value?.length ?? 0 });
  }

  read(lane: number): Promise<RawBatch | undefined> {
    const own = [...this.#partitions.values()].filter((p) => this.#router.laneOf(p.id) === lane);
    // Each has its turn to be the first.
    const from = own.length === 0 ? 0 : this.#turn++ % own.length;
    return Promise.resolve(this.#drafts.read(lane, [...own.slice(from), ...own.slice(0, from)]));
  }

  settle(batch: RawBatch): void {
    this.#drafts.settle(batch);
    this.#member!.durable();
  }

  async wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    signal.addEventListener("abort", () => resolve(), { once: true });
    // What ends this wait has to be what `read` gives: the two would go round and round, and nothing else had a turn.
    const some = [...this.#partitions.values()].some((p) => this.#drafts.has(p));
    if (signal.aborted || some) return;
    await promise;
  }

  get counts(): Readonly<Record<string, number>> {
    const member = this.#member;
    const owned = [...this.#partitions.values()].filter((p) => p.owned);
    return {
      connected: member?.connected === true ? 1 : 0,
      partitions: owned.length,
      lag: owned.reduce((sum, partition) => sum + member!.lag(partition), 0),
      held_bytes: this.#drafts.held_bytes,
      repeats: this.#drafts.repeats,
      undecodable: this.#decoder?.undecodable ?? 0,
      ...member?.counts,
    };
  }

  get drained(): boolean {
    if (this.#member?.assigned !== true) return false;
    return [...this.#partitions.values()].every(
      (p) => !p.owned || (p.drained && p.in_flight === 0 && !this.#drafts.hasGap(p)),
    );
  }

  get rested(): boolean {
    const member = this.#member;
    if (member?.assigned !== true) return false;
    return [...this.#partitions.values()].every((p) => !p.owned || p.holdsMatches || member.atEnd(p));
  }

  async close(): Promise<void> {
    await this.#member?.close();
    await this.exchange?.close();
  }
}

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

const component: Component<typeof config, Source> = {
  config,
  create: (options, context) => new KafkaSource(options, context),
};
export default component;
