// One partition of a topic: what came of it and was not handed over, how far it was handed over, is durable and is
// committed. Its stream is the same for every member of the group, so that a record has one id whoever reads it.
import { hash } from "node:crypto";
import { z } from "zod";
import type { Position, StreamInfo } from "../core/stage.ts";
import type { TopicPartition } from "../kafka/client.ts";

const ID_CHARS = 20;

const markSchema = z.object({
  cluster: z.string(),
  group: z.string(),
  topic: z.string(),
  partition: z.int().min(0),
  /** Of the first message that the ledger has not. */
  offset: z.int().min(0),
  /** What the group was known to have committed then. */
  committed: z.int().min(0).optional(),
  /** How often the topic was found to be another one under the same name. */
  generation: z.int().min(0).default(0),
});
type Mark = z.output<typeof markSchema>;

/** What becomes of a message: a record, or nothing that a worker needs to see. */
export type Fate = "record" | "match" | "tombstone" | "blank" | "too_large";

export interface Queued {
  readonly offset: number;
  readonly fate: Fate;
  /** The record or match; of one that is too large its first bytes. */
  readonly bytes: Buffer;
  /** Bytes of the message. */
  readonly size: number;
  /** Id of an event that another collector made. */
  readonly id: string | undefined;
}

/** What tells the partitions of a source from those of others. */
export interface Group {
  readonly cluster: string;
  readonly group: string;
  /** The topic of matches, if there is one. */
  readonly matches?: string | undefined;
}

export class Partition implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly #of: Group;
  generation = 0;
  id = "";
  announced = false;
  /** Streams before this one, whose positions can be forgotten. */
  readonly replaced: string[] = [];
  /** Messages that wait to be handed over, in order. */
  queue: Queued[] = [];
  /** Bytes of them. */
  queue_bytes = 0;
  /** Whether this member reads it. */
  owned = false;
  /** No message is handed over any more: it is about to be another's. */
  leaving = false;
  paused = false;
  /** Offset after the last message that came. */
  next = 0;
  /** Offset after the last one handed over, or where reading begins; undefined when that is not known yet. */
  handed: number | undefined;
  /** Offset after the last one that is in the ledger, or where the group begins. */
  durable: number | undefined;
  /** What the group has, as far as this member was told. */
  committed: number | undefined;
  /** Where its end was last met. */
  end: number | undefined;
  /** Batches handed over and not durable. */
  in_flight = 0;
  /** When it was taken over, ms, and where it ended then. */
  since_ms = 0;
  high = 0;
  /** Of matches: what comes next is the first since it was taken over, and up to here all was taken in before. */
  fresh = false;
  again_until = 0;

  constructor(of: Group, topic: string, partition: number) {
    this.#of = of;
    this.topic = topic;
    this.partition = partition;
    this.#name();
  }

  /** A partition as the ledger knows it; undefined when the position is another group's, or none of Kafka. */
  static restore(of: Group, id: string, position: Position): Partition | undefined {
    const parsed = markSchema.safeParse(position);
    if (!parsed.success) return undefined;
    const mark: Mark = parsed.data;
    if (mark.cluster !== of.cluster || mark.group !== of.group) return undefined;
    const partition = new Partition(of, mark.topic, mark.partition);
    partition.generation = mark.generation;
    partition.#name();
    if (partition.id !== id) return undefined;
    partition.handed = partition.durable = mark.offset;
    partition.committed = mark.committed;
    return partition;
  }

  #name(): void {
    const { cluster } = this.#of;
    const { topic, partition, generation } = this;
    const name = JSON.stringify(["kafka", cluster, topic, partition, generation]);
    this.id = hash("sha256", name, "hex").slice(0, ID_CHARS);
  }

  /** The topic is another one under the same name: all of it is new, from its first offset, and its ids have to differ. */
  renew(first: number): void {
    this.replaced.push(this.id);
    this.generation++;
    this.announced = false;
    this.handed = first;
    this.durable = this.committed = undefined;
    this.#name();
  }

  /** Whether members tell each other in it what rules matched. */
  get holdsMatches(): boolean {
    return this.topic === this.#of.matches;
  }

  get path(): string {
    return `kafka://${this.#of.cluster}/${this.topic}/${this.partition}`;
  }

  /** Everything up to its end was handed over. */
  get drained(): boolean {
    return this.queue.length === 0 && this.end !== undefined && this.next <= this.end;
  }

  get ready(): boolean {
    return this.owned && !this.leaving && this.queue.length > 0;
  }

  position(): Position {
    const { topic, partition, generation, committed } = this;
    const { cluster, group } = this.#of;
    const mark: Mark = { cluster, group, topic, partition, offset: this.handed ?? 0, generation };
    return committed === undefined ? mark : { ...mark, committed };
  }

  /** What the worker has to know before the first segment; undefined when it knows. */
  announce(common: Pick<StreamInfo, "source" | "format" | "options" | "capture">): StreamInfo | undefined {
    if (this.announced) return undefined;
    this.announced = true;
    return {
      ...common,
      id: this.id,
      path: this.path,
      session: undefined,
      framing: "message",
      lane: this.id,
      // There is none: a record without a time gets that of its arrival.
      modified_ms: Number.NaN,
    };
  }
}
