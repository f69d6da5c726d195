// One batch on its way to Kafka, over all attempts: which messages have their fate, which wait for a report, which the
// brokers refused. Knows no connection; repeats nothing that was acknowledged.
import { TaplineError } from "../core/errors.ts";
import type { DeadLetter, EntryBatch, WriteResult } from "../core/stage.ts";
import { type KafkaError, type Producer, kindOf, troubleOf } from "../kafka/client.ts";
import type { Encoder, Message } from "./kafka-encode.ts";

/** Reports carry the number of their attempt times this and the place of their message in the batch. */
const SPAN = 65_536;
const PERMANENT = 400;
const OPEN = 0;
const SETTLED = 1;
/** Refused together with its neighbours: the brokers name no culprit. */
const SUSPECT = 2;

export class Sending {
  readonly first: number;
  readonly #batch: EntryBatch;
  readonly #topic: string;
  readonly #fates: Uint8Array;
  readonly #dead: DeadLetter[] = [];
  #attempt = 0;
  /** Messages of the attempt without a report. */
  #waiting = 0;
  #failed: KafkaError | undefined;
  #done: (value?: unknown) => void = () => {};
  /** The message that is sent alone, if one is. */
  #alone: Message | undefined;
  #sent = 0;

  constructor(batch: EntryBatch, topic: string) {
    this.first = batch.first;
    this.#batch = batch;
    this.#topic = topic;
    this.#fates = new Uint8Array(batch.count);
  }

  /** Messages handed over since the last call. */
  takeSent(): number {
    const sent = this.#sent;
    this.#sent = 0;
    return sent;
  }

  /** Sends what has no fate yet. `attempt` is a number that no attempt of this producer had. Throws what troubleOf
   * tells, and SINK_STOPPED. */
  async attempt(
    producer: Producer,
    encoder: Encoder,
    attempt: number,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    this.#attempt = attempt;
    this.#waiting = 0;
    this.#failed = undefined;
    const { count } = this.#batch;
    encoder.begin(this.#batch);
    for (let i = 0; i < count && this.#failed === undefined; i++) {
      const message = encoder.next();
      if (this.#fates[i] === OPEN) this.#produce(producer, message, i);
    }
    await this.#reported(signal);
    if (this.#fates.includes(SUSPECT)) await this.#oneByOne(producer, encoder, signal);
    const dead = this.#dead.toSorted((a, b) => a.index - b.index);
    return { created: count - dead.length, existing: 0, dead, filtered: 0 };
  }

  /** Sends the suspects one at a time: what is refused alone is a dead letter. */
  async #oneByOne(producer: Producer, encoder: Encoder, signal: AbortSignal): Promise<void> {
    encoder.begin(this.#batch);
    for (let i = 0; i < this.#batch.count; i++) {
      const message = encoder.next();
      if (this.#fates[i] !== SUSPECT) continue;
      this.#alone = message;
      this.#produce(producer, message, i);
      await this.#reported(signal).finally(() => (this.#alone = undefined));
    }
  }

  #produce(producer: Producer, message: Message, place: number): void {
    if (message.error !== undefined) {
      this.#bury(place, message, message.error);
      return;
    }
    const { value, key, headers } = message;
    try {
      producer.produce(this.#topic, null, value, key, null, this.#attempt * SPAN + place, headers);
      this.#waiting++;
      this.#sent++;
    } catch (error) {
      if (kindOf(error as KafkaError) === "message") this.#bury(place, message, (error as Error).message);
      // A queue that is full, or a producer that has ended: nothing after this one may go before it.
      else this.#failed = error as KafkaError;
    }
  }

  #bury(place: number, { id }: Message, reason: string): void {
    this.#fates[place] = SETTLED;
    this.#dead.push({ index: this.first + place, id, status: PERMANENT, reason });
  }

  /** Takes a delivery report. */
  report(error: KafkaError | null | undefined, opaque: number): void {
    if (Math.floor(opaque / SPAN) !== this.#attempt) return; // of an attempt that a stop has cut short
    const place = opaque % SPAN;
    this.#waiting--;
    if (error === null || error === undefined) this.#fates[place] = SETTLED;
    else if (kindOf(error) !== "message") this.#failed ??= error;
    else if (this.#alone === undefined) this.#fates[place] = SUSPECT;
    else this.#bury(place, this.#alone, error.message);
    if (this.#waiting === 0) this.#done();
  }

  async #reported(signal: AbortSignal): Promise<void> {
    if (this.#waiting > 0) {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      this.#done = resolve;
      signal.addEventListener("abort", resolve, { once: true });
      await promise;
      signal.removeEventListener("abort", resolve);
    }
    if (this.#failed !== undefined) throw troubleOf(this.#failed, this.#topic);
    if (this.#waiting > 0) throw stopped();
  }
}

export const stopped = (): TaplineError =>
  new TaplineError("SINK_STOPPED", "stopped before the brokers answered", { retry: true });
