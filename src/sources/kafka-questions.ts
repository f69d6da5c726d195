// What a member asks the brokers of its partitions. Asks once; whoever calls it asks again.
import { LIMITS } from "../core/limits.ts";
import { type Consumer, troubleOf } from "../kafka/client.ts";
import type { Partition } from "./kafka-partition.ts";

export function committedOf(
  consumer: Consumer,
  partitions: readonly Partition[],
): Promise<Map<Partition, number | undefined>> {
  const { promise, resolve, reject } = Promise.withResolvers<Map<Partition, number | undefined>>();
  const asked = partitions.map(({ topic, partition }) => ({ topic, partition }));
  consumer.committed(asked, LIMITS.kafka_connect_ms, (error, offsets) => {
    if (error) return reject(troubleOf(error, undefined));
    const offsetOf = (p: Partition): number | undefined =>
      offsets.find((o) => o.topic === p.topic && o.partition === p.partition)?.offset;
    return resolve(
      new Map(
        partitions.map((p) => {
          const offset = offsetOf(p);
          return [p, offset === undefined || offset < 0 ? undefined : offset];
        }),
      ),
    );
  });
  return promise;
}

/** Offset of the first message of a partition at a time or later, if there is one. */
export function offsetAt(
  consumer: Consumer,
  { topic, partition }: Partition,
  time_ms: number,
): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const asked = [{ topic, partition, offset: time_ms }];
  consumer.offsetsForTimes(asked, LIMITS.kafka_connect_ms, (error, offsets) => {
    if (error) return reject(troubleOf(error, topic));
    const found = offsets[0]?.offset;
    return resolve(found === undefined || found < 0 ? undefined : found);
  });
  return promise;
}

export function partitionsOf(consumer: Consumer, topic: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  consumer.getMetadata({ topic, timeout: LIMITS.kafka_connect_ms }, (error, metadata) => {
    if (error) reject(troubleOf(error, topic));
    else resolve(metadata.topics.find(({ name }) => name === topic)?.partitions.length ?? 0);
  });
  return promise;
}

export function watermarksOf(
  consumer: Consumer,
  { topic, partition }: Partition,
): Promise<{ readonly lowOffset: number; readonly highOffset: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ lowOffset: number; highOffset: number }>();
  consumer.queryWatermarkOffsets(topic, partition, LIMITS.kafka_connect_ms, (error, offsets) => {
    if (error) reject(troubleOf(error, topic));
    else resolve(offsets);
  });
  return promise;
}
