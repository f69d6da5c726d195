// A real Kafka for tests: topics of their own, everything in a topic read back, and why not where there is none.
import { randomBytes } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf } from "../../src/core/errors.ts";
import {
  type Consumer,
  type Message,
  type Producer,
  connect,
  disconnect,
  loadLibrary,
} from "../../src/kafka/client.ts";
import { startServer } from "../integration/servers.ts";

const TIMEOUT_MS = 20_000;

interface Admin {
  createTopic(
    topic: { topic: string; num_partitions: number; replication_factor: number; config?: object },
    timeout: number,
    done: (error?: Error) => void,
  ): void;
  deleteTopic(topic: string, timeout: number, done: (error?: Error) => void): void;
  disconnect(): void;
}

/** The broker of this machine, started when there is none; undefined, and the reason said, where that cannot be. */
export async function startKafka(): Promise<string | undefined> {
  try {
    await loadLibrary();
  } catch (error) {
    if (process.env["TAPLINE_FULL"] !== undefined) throw error;
    console.warn(`skipping the tests against Kafka: ${reasonOf(error)}; \`npm run kafka\` builds it`);
    return undefined;
  }
  return startServer("kafka");
}

/** Where scripts/servers/kafka.sh keeps the certificates of the broker at this port. */
export function tlsDir(port: number): string {
  const root = process.getuid?.() === 0;
  const home = root ? "/var/cache" : (process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"));
  const dir = process.env["TAPLINE_SERVERS_DIR"] ?? join(home, "tapline-servers");
  return join(dir, "run", `kafka-4.3.1-${port}`, "tls");
}

const SETTINGS = { "socket.timeout.ms": TIMEOUT_MS };

async function withAdmin(
  broker: string,
  work: (admin: Admin, done: (error?: Error) => void) => void,
): Promise<void> {
  const library = (await loadLibrary()) as unknown as {
    AdminClient: { create(settings: object): Admin };
  };
  const admin = library.AdminClient.create({ ...SETTINGS, "metadata.broker.list": broker });
  try {
    await new Promise<void>((resolve, reject) => {
      work(admin, (error) => (error ? reject(error) : resolve()));
    });
  } finally {
    admin.disconnect();
  }
}

/** A new topic with a name of its own. */
export async function newTopic(broker: string, partitions: number, config = {}): Promise<string> {
  const topic = `test-${randomBytes(6).toString("hex")}`;
  const options = { topic, num_partitions: partitions, replication_factor: 1, config };
  await withAdmin(broker, (admin, done) => admin.createTopic(options, TIMEOUT_MS, done));
  // The broker itself hears of it a moment later.
  for (let known = 0; known < partitions; await sleep(50)) known = await partitionsOf(broker, topic);
  return topic;
}

async function partitionsOf(broker: string, topic: string): Promise<number> {
  const { Producer } = await loadLibrary();
  const producer = new Producer({ ...SETTINGS, "metadata.broker.list": broker });
  try {
    return await connect(producer, topic);
  } finally {
    await disconnect(producer, true);
  }
}

export async function deleteTopic(broker: string, topic: string): Promise<void> {
  await withAdmin(broker, (admin, done) => admin.deleteTopic(topic, TIMEOUT_MS, done));
}

function ready(client: Consumer | Producer): Promise<void> {
  return new Promise((resolve, reject) => {
    client.on("event.error", () => {});
    client.connect({ timeout: TIMEOUT_MS, allTopics: false }, (error) =>
      error ? reject(new Error(error.message)) : resolve(),
    );
  });
}

/** Every message that is in the topic now, partition by partition, in order. */
export async function messagesOf(broker: string, topic: string): Promise<Message[]> {
  const { KafkaConsumer } = await loadLibrary();
  const settings = {
    ...SETTINGS,
    "metadata.broker.list": broker,
    "group.id": `read-${randomBytes(6).toString("hex")}`,
    "enable.auto.commit": false,
    "enable.partition.eof": true,
  };
  const consumer = new KafkaConsumer(settings, {}) as Consumer & {
    assign(partitions: readonly object[]): void;
  };
  await ready(consumer);
  const found: Message[] = [];
  try {
    const partitions = await partitionsOf(broker, topic);
    const ended = new Set<number>();
    consumer.on("partition.eof", ({ partition }) => void ended.add(partition));
    consumer.setDefaultConsumeTimeout(200);
    consumer.assign(Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: 0 })));
    while (ended.size < partitions) {
      const more = await new Promise<readonly Message[]>((resolve, reject) =>
        consumer.consume(10_000, (error, messages) =>
          error ? reject(new Error(error.message)) : resolve(messages),
        ),
      );
      found.push(...more);
    }
  } finally {
    await new Promise<void>((resolve) => consumer.disconnect(resolve));
  }
  return found.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
}

/** Headers of a message by name. */
export function headersOf(message: Message): Record<string, string> {
  return Object.fromEntries(
    (message.headers ?? []).flatMap((one) => Object.entries(one).map(([k, v]) => [k, String(v)])),
  );
}
