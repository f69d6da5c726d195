// A real Kafka for tests: topics of their own, everything in a topic read back, and why not where there is none.
import { randomBytes } from "node:crypto";
import { connect as connectTo } from "node:net";
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
import { isRequired, startServer } from "../integration/servers.ts";

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

/** Whether the client is there; says why not. Throws where it is missing and required. */
export function haveClient(): boolean {
  try {
    loadLibrary();
    return true;
  } catch (error) {
    if (isRequired("kafka")) throw error;
    console.warn(`skipping what is tested against Kafka: ${reasonOf(error)}; \`npm run kafka\` builds it`);
    return false;
  }
}

/** The broker of this machine, started when there is none; undefined, and the reason said, where that cannot be. */
export async function startKafka(): Promise<string | undefined> {
  return haveClient() ? startServer("kafka") : undefined;
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
  const library = loadLibrary() as unknown as {
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

/** A new topic, with a name of its own when none is given. */
export async function newTopic(
  broker: string,
  partitions: number,
  config = {},
  topic = `test-${randomBytes(6).toString("hex")}`,
): Promise<string> {
  const options = { topic, num_partitions: partitions, replication_factor: 1, config };
  await withAdmin(broker, (admin, done) => admin.createTopic(options, TIMEOUT_MS, done));
  // The broker itself hears of it a moment later.
  for (let known = 0; known < partitions; await sleep(50)) known = await partitionsOf(broker, topic);
  return topic;
}

async function partitionsOf(broker: string, topic: string): Promise<number> {
  const { Producer } = loadLibrary();
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
    client.connect({ timeout: TIMEOUT_MS, allTopics: false }, (error, _metadata) =>
      error ? reject(new Error(error.message)) : resolve(),
    );
  });
}

/** Takes every message that is in the topic now; those of a partition in order. */
export async function eachMessage(
  broker: string,
  topic: string,
  take: (message: Message) => void,
): Promise<void> {
  const { KafkaConsumer } = loadLibrary();
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
      for (const message of more) take(message);
    }
  } finally {
    await new Promise<void>((resolve) => consumer.disconnect(resolve));
  }
}

/** Every message that is in the topic now, partition by partition, in order. */
export async function messagesOf(broker: string, topic: string): Promise<Message[]> {
  const found: Message[] = [];
  await eachMessage(broker, topic, (message) => void found.push(message));
  return found.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
}

/** Headers of a message by name. */
export function headersOf(message: Message): Record<string, string> {
  return Object.fromEntries(
    (message.headers ?? []).flatMap((one) => Object.entries(one).map(([k, v]) => [k, String(v)])),
  );
}
export interface ToSend {
  readonly value: Buffer | null;
  readonly key?: string;
  readonly partition?: number;
  readonly headers?: readonly Record<string, string>[];
}

/** Writes messages, and resolves when all are acknowledged. */
export async function send(broker: string, topic: string, messages: readonly ToSend[]): Promise<void> {
  const { Producer } = loadLibrary();
  const settings = { ...SETTINGS, "metadata.broker.list": broker, "enable.idempotence": true, dr_cb: true };
  const producer = new Producer(settings);
  await ready(producer);
  let left = messages.length;
  const done = Promise.withResolvers<void>();
  if (left === 0) done.resolve();
  producer.on("delivery-report", (error) => {
    if (error !== null && error !== undefined) done.reject(new Error(error.message));
    else if (--left === 0) done.resolve();
  });
  producer.setPollInterval(10);
  for (const { value, key, partition, headers } of messages)
    producer.produce(topic, partition ?? null, value as Buffer, key as string, null, 0, headers ?? []);
  await done.promise;
  producer.setPollInterval(0);
  await new Promise<void>((resolve) => producer.disconnect(TIMEOUT_MS, resolve));
}

/** Removes the messages of a partition before `offset`, as retention does: a DeleteRecords request, version 1, by hand,
 * since the library has none. */
export async function deleteRecords(
  broker: string,
  topic: string,
  partition: number,
  offset: number,
): Promise<void> {
  const text = (value: string): Buffer => {
    const length = Buffer.alloc(2);
    length.writeInt16BE(value.length);
    return Buffer.concat([length, Buffer.from(value)]);
  };
  const int = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
  };
  const long = Buffer.alloc(8);
  long.writeBigInt64BE(BigInt(offset));
  const head = Buffer.concat([Buffer.from([0, 21, 0, 1]), int(1), text("test")]);
  const body = [int(1), text(topic), int(1), int(partition), long, int(TIMEOUT_MS)];
  const request = Buffer.concat([head, ...body]);
  const socket = connectTo({ host: broker.split(":")[0]!, port: Number(broker.split(":")[1]) });
  socket.write(Buffer.concat([int(request.length), request]));
  let answer = Buffer.alloc(0);
  for await (const part of socket) {
    answer = Buffer.concat([answer, part as Buffer]);
    if (answer.length >= 4 && answer.length >= 4 + answer.readInt32BE()) break;
  }
  socket.destroy();
  const error = answer.readInt16BE(answer.length - 2);
  if (error !== 0) throw new Error(`DeleteRecords: error ${error}`);
}

/** Tells how many messages of a topic a group has not committed yet. Joins nothing. */
export class GroupLag {
  readonly #consumer: Consumer;
  readonly #partitions: readonly { topic: string; partition: number }[];

  private constructor(consumer: Consumer, topic: string, partitions: number) {
    this.#consumer = consumer;
    this.#partitions = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  }

  static async open(broker: string, group: string, topic: string, partitions: number): Promise<GroupLag> {
    const { KafkaConsumer } = loadLibrary();
    const settings = { ...SETTINGS, "metadata.broker.list": broker, "group.id": group };
    const consumer = new KafkaConsumer(settings, {});
    await ready(consumer);
    return new GroupLag(consumer, topic, partitions);
  }

  async lag(): Promise<number> {
    const committed = await new Promise<readonly { partition: number; offset?: number }[]>(
      (resolve, reject) =>
        this.#consumer.committed(this.#partitions, TIMEOUT_MS, (error, offsets) =>
          error ? reject(new Error(error.message)) : resolve(offsets),
        ),
    );
    let lag = 0;
    for (const { topic, partition } of this.#partitions) {
      const high = await new Promise<number>((resolve, reject) =>
        this.#consumer.queryWatermarkOffsets(topic, partition, TIMEOUT_MS, (error, offsets) =>
          error ? reject(new Error(error.message)) : resolve(offsets.highOffset),
        ),
      );
      lag += high - Math.max(0, committed.find((one) => one.partition === partition)?.offset ?? 0);
    }
    return lag;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#consumer.disconnect(resolve));
  }
}
