// Writes documents to a topic of Kafka, one message an entry, keyed by session. A write ends when the brokers have
// acknowledged all its messages; what is sent again is what they did not, under the same ids, by which readers drop
// repeats. Batches leave one after the other, so that the order within a session is that of the ledger.
import { z } from "zod";
import { TaplineError } from "../core/errors.ts";
import type { Component, EntryBatch, Sink, SinkContext, WriteResult } from "../core/stage.ts";
import { type Producer, disconnect } from "../kafka/client.ts";
import { checkConnection, connectionShape, topicName } from "../kafka/options.ts";
import { openProducer } from "../kafka/producer.ts";
import { type Encoder, encoderOf } from "./kafka-encode.ts";
import { Sending, stopped } from "./kafka-sending.ts";

const config = z
  .strictObject({
    type: z.literal("kafka"),
    ...connectionShape,
    topic: topicName.default("tapline-events").describe("Topic to write to; it has to be there"),
    encoding: z
      .enum(["avro", "confluent", "json"])
      .default("avro")
      .describe(
        "avro: single-object encoding; confluent: Avro behind the id that `registry` gave the schema; json: documents as the search engines get them",
      ),
    compression: z.enum(["none", "gzip", "snappy", "lz4", "zstd"]).default("lz4"),
  })
  .superRefine((options, context) => {
    checkConnection(options, context);
    if ((options.encoding === "confluent") !== (options.registry !== undefined))
      context.addIssue("registry goes with encoding: confluent");
  })
  .describe(
    "Events to Kafka, one message each: key, session; headers, origin and index in the ledger, id, trace",
  );

class KafkaSink implements Sink {
  readonly #options: z.output<typeof config>;
  readonly #context: SinkContext;
  readonly #counts = { resent: 0 };
  #encoder: Encoder | undefined;
  #producer: Producer | undefined;
  #sending: Sending | undefined;
  #attempts = 0;
  #busy = false;
  readonly #waiters: (() => void)[] = [];

  constructor(options: z.output<typeof config>, context: SinkContext) {
    this.#options = options;
    this.#context = context;
  }

  get counts(): Readonly<Record<string, number>> {
    return this.#counts;
  }

  /** Connects and asks for the topic, and registers nothing. */
  async check(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.#connect();
  }

  async open(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#encoder ??= await encoderOf(this.#options, this.#context.origin);
    await this.#connect();
  }

  async #connect(): Promise<Producer> {
    if (this.#producer !== undefined) return this.#producer;
    const { topic, compression } = this.#options;
    const { producer } = await openProducer(this.#options, topic, compression);
    producer.on("delivery-report", (error, { opaque }) => this.#sending?.report(error, opaque));
    return (this.#producer = producer);
  }

  async write(batch: EntryBatch, resent: boolean, signal: AbortSignal): Promise<WriteResult> {
    await this.#turn(batch.first, signal);
    try {
      return await this.#write(batch, resent, signal);
    } finally {
      this.#busy = false;
      for (const wake of this.#waiters.splice(0)) wake();
    }
  }

  /** Resolves when no other batch is under way, and none before this one waits to be tried again. */
  async #turn(first: number, signal: AbortSignal): Promise<void> {
    while (this.#busy || (this.#sending !== undefined && this.#sending.first !== first)) {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      this.#waiters.push(() => resolve(undefined));
      signal.addEventListener("abort", resolve, { once: true });
      await promise;
      // The signal is that of all deliveries: what is left on it would be there until the end.
      signal.removeEventListener("abort", resolve);
      if (signal.aborted) throw stopped();
    }
    if (signal.aborted) throw stopped();
    this.#busy = true;
  }

  async #write(batch: EntryBatch, resent: boolean, signal: AbortSignal): Promise<WriteResult> {
    const producer = await this.#connect();
    const again = this.#sending !== undefined;
    const sending = (this.#sending ??= new Sending(batch, this.#options.topic));
    try {
      const result = await sending.attempt(producer, this.#encoder!, ++this.#attempts, signal);
      this.#sending = undefined;
      return result;
    } catch (error) {
      // A producer that has met a fatal error does nothing any more: the next attempt gets another.
      if (error instanceof TaplineError && error.code === "KAFKA_FATAL") await this.#drop();
      throw error;
    } finally {
      const sent = sending.takeSent();
      // What a crash or a failed attempt left in doubt; it may be there twice.
      if (resent || again) this.#counts.resent += sent;
    }
  }

  async #drop(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    if (producer !== undefined) await disconnect(producer, true);
  }

  async close(): Promise<void> {
    await this.#drop();
    this.#sending = undefined;
  }
}

const component: Component<typeof config, Sink, SinkContext> = {
  config,
  create: (options, context) => new KafkaSink(options, context),
};
export default component;
