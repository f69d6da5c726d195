// A producer as whatever writes to Kafka here has it: idempotent, acknowledged by all replicas, and the same key in the
// same partition as from clients in Java. Sends nothing itself.
import { LIMITS } from "../core/limits.ts";
import { type Producer, connect, disconnect, loadLibrary, settingsOf, troubleOf } from "./client.ts";
import type { ConnectionOptions } from "./options.ts";

/** Connects. `partitions` are those of `topic`, of which there is at least one. Throws what troubleOf tells, and what
 * settingsOf and loadLibrary throw. */
export async function openProducer(
  options: ConnectionOptions,
  topic: string,
  compression: string,
): Promise<{ readonly producer: Producer; readonly partitions: number }> {
  const settings = await settingsOf(options);
  const { Producer } = loadLibrary();
  const producer = new Producer({
    ...settings,
    "enable.idempotence": true,
    acks: -1,
    "compression.codec": compression,
    // That of the clients in Java, so that a session's messages are in one partition whoever writes them.
    partitioner: "murmur2_random",
    "linger.ms": 5,
    "message.timeout.ms": LIMITS.kafka_message_ms,
    "queue.buffering.max.messages": LIMITS.sink_batch_entries * 2,
    dr_cb: true,
  });
  try {
    const partitions = await connect(producer, topic);
    if (partitions === 0) throw troubleOf({ message: "unknown topic" }, topic);
    producer.setPollInterval(LIMITS.kafka_poll_ms);
    return { producer, partitions };
  } catch (error) {
    await disconnect(producer, true);
    throw error;
  }
}
