// The topic by which the members of a group tell each other what rules matched, as the source that reads it writes it:
// matches by key, clocks into every partition. Sends once; whoever calls it sends again what failed.
import type { MatchExchange } from "../core/exchange.ts";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { type KafkaError, type Producer, disconnect, troubleOf } from "../kafka/client.ts";
import type { ConnectionOptions } from "../kafka/options.ts";
import { openProducer } from "../kafka/producer.ts";
import type { Partition } from "./kafka-partition.ts";

/** Opaque numbers of reports: an attempt's number. Those of an attempt that was given up are not counted. */
interface Attempt {
  readonly number: number;
  left: number;
  error: KafkaError | undefined;
  readonly done: PromiseWithResolvers<void>;
}

interface ToSend {
  readonly partition: number | null;
  readonly key: string;
  readonly text: string;
}

export interface ExchangeTopic {
  readonly connection: ConnectionOptions;
  readonly topic: string;
  partitions(): Iterable<Partition>;
  /** How many partitions the topics of records have, as was found when partitions were last given out. */
  total(): number;
}

export class KafkaExchange implements MatchExchange {
  readonly #parts: ExchangeTopic;
  back_ms = 0;
  #producer: Producer | undefined;
  #places = 0;
  #attempts = 0;
  #attempt: Attempt | undefined;

  constructor(parts: ExchangeTopic) {
    this.#parts = parts;
  }

  get reading(): MatchExchange["reading"] {
    return [...this.#parts.partitions()]
      .filter((p) => p.owned && !p.holdsMatches)
      .map(({ id, topic, partition, since_ms }) => ({ id, name: `${topic}/${partition}`, since_ms }));
  }

  get total(): number {
    return this.#parts.total();
  }

  get judging(): readonly string[] {
    return [...this.#parts.partitions()]
      .filter((p) => p.holdsMatches && (p.owned || p.in_flight > 0))
      .map(({ id }) => id);
  }

  async send(
    matches: readonly { readonly key: string; readonly text: string }[],
    clocks: readonly string[],
  ): Promise<void> {
    const producer = await this.#connect();
    try {
      await this.#all(
        producer,
        matches.map(({ key, text }) => ({ partition: null, key, text })),
      );
      const everywhere = Array.from({ length: this.#places }, (_, partition) => partition);
      for (const text of clocks)
        await this.#all(
          producer,
          everywhere.map((partition) => ({ partition, key: "clock", text })),
        );
    } catch (error) {
      // A producer that has met a fatal error does nothing any more: the next attempt gets another.
      if (error instanceof TaplineError && error.code === "KAFKA_FATAL") await this.close();
      throw error;
    }
  }

  async #connect(): Promise<Producer> {
    if (this.#producer !== undefined) return this.#producer;
    const { connection, topic } = this.#parts;
    const { producer, partitions } = await openProducer(connection, topic, "lz4");
    this.#places = partitions;
    producer.on("delivery-report", (error, { opaque }) => this.#report(error, opaque));
    return (this.#producer = producer);
  }

  async #all(producer: Producer, messages: readonly ToSend[]): Promise<void> {
    for (let at = 0; at < messages.length; at += LIMITS.exchange_messages)
      await this.#some(producer, messages.slice(at, at + LIMITS.exchange_messages));
  }

  async #some(producer: Producer, messages: readonly ToSend[]): Promise<void> {
    const number = ++this.#attempts;
    const attempt: Attempt = { number, left: 0, error: undefined, done: Promise.withResolvers<void>() };
    this.#attempt = attempt;
    for (const { partition, key, text } of messages) {
      try {
        producer.produce(this.#parts.topic, partition, Buffer.from(text), key, null, number, []);
        attempt.left++;
      } catch (error) {
        attempt.error = error as KafkaError;
        break;
      }
    }
    if (attempt.left > 0) await attempt.done.promise;
    if (attempt.error !== undefined) throw troubleOf(attempt.error, this.#parts.topic);
  }

  #report(error: KafkaError | null | undefined, number: number): void {
    const attempt = this.#attempt;
    if (attempt?.number !== number) return;
    if (error !== null && error !== undefined) attempt.error ??= error;
    if (--attempt.left === 0) attempt.done.resolve();
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    this.#attempt?.done.resolve();
    if (producer !== undefined) await disconnect(producer, true);
  }
}
