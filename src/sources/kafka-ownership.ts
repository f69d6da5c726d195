// Which partitions a member reads, and from where. One is given up when what was handed over of it is in the ledger and
// committed; one that is taken over goes on where this ledger or the group stands, whichever is further: everything
// before is in some member's ledger.
import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { Consumer, KafkaError, TopicPartition } from "../kafka/client.ts";
import type { MemberParts } from "./kafka-member.ts";
import type { Partition } from "./kafka-partition.ts";
import { committedOf, offsetAt, partitionsOf, watermarksOf } from "./kafka-questions.ts";

const ASSIGN = -175;
const REVOKE = -174;

interface OwnershipParts {
  readonly member: Pick<
    MemberParts,
    | "context"
    | "topics"
    | "matches"
    | "start"
    | "partition"
    | "partitions"
    | "drop"
    | "miss"
    | "hasGap"
    | "back"
  >;
  readonly counts: { overlap: number };
  readonly signal: AbortSignal;
  /** Commits what is durable, and resolves when that is known to be done or too much time has passed. */
  commit(): Promise<void>;
  trouble(what: string): void;
}

export class Ownership {
  readonly #parts: OwnershipParts;
  /** Whether partitions were told once; there may be none for this member. */
  assigned = false;
  /** Partitions of all topics of records, where members have to know. */
  total = 0;
  #left = false;

  constructor(parts: OwnershipParts) {
    this.#parts = parts;
  }

  /** Told before the consumer is closed: it is asked nothing any more. Closing takes its partitions back and waits until they
   * are given up, which waits for what is under way here. */
  leave(): void {
    this.#left = true;
  }

  get #over(): boolean {
    return this.#left || this.#parts.signal.aborted;
  }

  /** Takes over what a rebalance gives, or gives up what it takes. */
  async rebalance(
    consumer: Consumer,
    error: KafkaError | undefined,
    which: readonly TopicPartition[],
  ): Promise<void> {
    const partitions = which.map((of) => this.#parts.member.partition(of));
    try {
      if (error?.code === ASSIGN) await this.#assign(consumer, partitions);
      else if (error?.code === REVOKE) await this.#revoke(consumer, partitions);
    } catch (failure) {
      // Who has closed meanwhile has given up everything.
      if (!this.#over) this.#parts.trouble(reasonOf(failure));
    }
  }

  async #assign(consumer: Consumer, partitions: readonly Partition[]): Promise<void> {
    const group = await this.#asking(() => committedOf(consumer, this.#parts.member.partitions()));
    for (const [partition, offset] of group) this.#noteOverlap(partition, offset);
    for (const partition of partitions) {
      const { lowOffset, highOffset } = await this.#asking(() => watermarksOf(consumer, partition));
      this.#place(partition, group.get(partition), lowOffset, highOffset);
      partition.high = highOffset;
      if (partition.holdsMatches) partition.next = await this.#back(consumer, partition, lowOffset);
    }
    if (this.#parts.member.matches !== undefined) this.total = await this.#count(consumer);
    const since_ms = this.#parts.member.context.now();
    consumer.incrementalAssign(
      partitions.map(({ topic, partition, next }) => ({ topic, partition, offset: next })),
    );
    for (const partition of partitions)
      Object.assign(partition, { owned: true, leaving: false, paused: false, since_ms });
    this.assigned = true;
    // What this ledger has beyond what the group knows, and where it begins.
    void this.#parts.commit();
  }

  /** When another member has gone on where the group stood, what this ledger has beyond that is in two ledgers. */
  #noteOverlap(partition: Partition, group: number | undefined): void {
    const { handed, committed, owned } = partition;
    if (owned) return;
    if (handed !== undefined && group !== undefined && group > handed)
      this.#parts.counts.overlap += handed - Math.min(handed, committed ?? handed);
    partition.committed = group;
  }

  /** Where to go on: behind what this ledger has and behind what the group has, whoever has it. */
  #place(partition: Partition, group: number | undefined, low: number, high: number): void {
    const own = partition.handed;
    const known = own === undefined ? group : Math.max(own, group ?? 0);
    const all = this.#parts.member.start === "earliest" || partition.holdsMatches;
    const first = known ?? (all ? low : high);
    if (first < low) this.#miss(partition, "rotated_away", first);
    partition.handed = partition.next = Math.max(first, low);
    // What the group has is in some ledger, and must not be committed back. Where it has nothing, it is told where this
    // member begins, before there is anything to tell: the end is another one when somebody looks for it again.
    const told = known === undefined ? first : group;
    if (told !== undefined) partition.durable = Math.max(partition.durable ?? 0, told);
    partition.end = undefined;
    partition.fresh = partition.holdsMatches;
    partition.again_until = partition.next;
  }

  /** Where to begin in a partition of matches, so that what is known of its windows is made again: so long before the
   * time of what was taken in last. That time is looked for in steps, each twice as far back; too far does no harm. */
  async #back(consumer: Consumer, partition: Partition, low: number): Promise<number> {
    const { next } = partition;
    if (next <= low) return low;
    const now = this.#parts.member.context.now();
    let past = LIMITS.exchange_look_ms;
    for (; past < now; past *= 2) {
      const at = await this.#asking(() => offsetAt(consumer, partition, now - past));
      if (at !== undefined && at < next) break;
    }
    const time = Math.max(0, now - past - this.#parts.member.back());
    const at = (await this.#asking(() => offsetAt(consumer, partition, time))) ?? low;
    return Math.min(Math.max(at, low), next);
  }

  async #count(consumer: Consumer): Promise<number> {
    const { topics, matches } = this.#parts.member;
    let total = 0;
    for (const topic of topics)
      if (topic !== matches) total += await this.#asking(() => partitionsOf(consumer, topic));
    return total;
  }

  #miss(partition: Partition, reason: "rotated_away" | "truncated", offset: number): void {
    this.#parts.member.miss(partition, { reason, offset, bytes: undefined, head: undefined });
  }

  /** Takes nothing more of them, waits until what was handed over is durable, and commits it. */
  async #revoke(consumer: Consumer, partitions: readonly Partition[]): Promise<void> {
    for (const partition of partitions) {
      partition.leaving = true;
      this.#parts.member.drop(partition);
    }
    const until = performance.now() + LIMITS.kafka_handover_ms;
    while (partitions.some((p) => this.#isPending(p)) && performance.now() < until)
      await sleep(LIMITS.kafka_poll_ms);
    await this.#parts.commit();
    for (const partition of partitions) Object.assign(partition, { owned: false, leaving: false });
    consumer.incrementalUnassign(partitions.map(({ topic, partition }) => ({ topic, partition })));
  }

  /** Whether it has to wait for the ledger. After a stop nobody takes gaps: they are found again, since neither this ledger
   * nor the group has moved past them. */
  #isPending(partition: Partition): boolean {
    return partition.in_flight > 0 || (this.#parts.member.hasGap(partition) && !this.#over);
  }

  /** The brokers do not have what comes next of some partition: those begin again at what there is. */
  async lookAgain(consumer: Consumer): Promise<void> {
    for (const partition of this.#parts.member.partitions().filter((p) => p.owned)) {
      const { lowOffset, highOffset } = await this.#settled(consumer, partition);
      if (partition.next >= lowOffset && partition.next <= highOffset) continue;
      const { topic, partition: number } = partition;
      this.#parts.member.drop(partition);
      consumer.incrementalUnassign([{ topic, partition: number }]);
      if (partition.next > highOffset) {
        // Another topic under the same name, or its end was lost: the same offsets are other messages now. The group is told
        // when the gap is in the ledger.
        this.#miss(partition, "truncated", highOffset);
        partition.renew(lowOffset);
      }
      this.#place(partition, undefined, lowOffset, highOffset);
      consumer.incrementalAssign([{ topic, partition: number, offset: partition.next }]);
    }
  }

  /** First and last offset. After a change of leaders the last one may be behind for a moment. */
  async #settled(consumer: Consumer, partition: Partition): ReturnType<typeof watermarksOf> {
    for (let tries = 1; ; tries++) {
      const found = await this.#asking(() => watermarksOf(consumer, partition));
      if (partition.next <= found.highOffset || tries === LIMITS.kafka_truncated_tries) return found;
      await sleep(LIMITS.kafka_truncated_ms);
    }
  }

  /** Asks the brokers until they answer, or until that is of no use to anybody. */
  async #asking<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (this.#over) throw error;
        this.#parts.trouble(reasonOf(error));
        await sleep(LIMITS.retry_ms_min);
      }
    }
  }
}
