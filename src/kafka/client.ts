// Loads node-rdkafka, which is not installed with the rest, and makes its configuration. What of it is used is
// declared here, so that everything else checks and runs without it.
import { createRequire } from "node:module";
import { TaplineError, reasonOf, systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { readText, secretOf } from "../core/secrets.ts";
import type { ConnectionOptions } from "./options.ts";

const PACKAGE = "node-rdkafka";
/** Where `npm run kafka` builds it. */
const PLACE = new URL("../../optional/kafka/package.json", import.meta.url);

export type Settings = Record<string, string | number | boolean | object>;

/** An error of librdkafka. */
export interface KafkaError {
  readonly message: string;
  readonly code: number;
}
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}
export interface TopicPartitionOffset extends TopicPartition {
  readonly offset: number;
}
export interface Message extends TopicPartitionOffset {
  readonly value: Buffer | null;
  readonly key: Buffer | string | null;
  readonly size: number;
  readonly headers?: readonly Readonly<Record<string, Buffer | string>>[];
}
interface Metadata {
  readonly topics: readonly { readonly name: string; readonly partitions: readonly object[] }[];
}
/** With an error there is no value. Called from outside of all code that could catch: what throws ends the process. */
type Done<T> = (
  ...answer: [error: KafkaError, value: undefined] | [error: null | undefined, value: T]
) => void;

/** What both kinds of clients do. */
export interface Client {
  connect(options: { topic?: string; timeout: number; allTopics: boolean }, done: Done<Metadata>): void;
  disconnect(timeout_ms: number, done: () => void): void;
  disconnect(done: () => void): void;
  isConnected(): boolean;
  getMetadata(options: { topic: string; timeout: number }, done: Done<Metadata>): void;
  on(event: "event.error", listener: (error: KafkaError) => void): void;
  /** Told when it begins to take itself apart, since it could not connect. */
  once(event: "connection.failure", listener: () => void): void;
  removeAllListeners(event: string): void;
}
export interface Producer extends Client {
  produce(
    topic: string,
    partition: number | null,
    value: Buffer,
    key: string,
    timestamp: null,
    opaque: number,
    headers: readonly Readonly<Record<string, string>>[],
  ): void;
  poll(): void;
  setPollInterval(interval_ms: number): void;
  on(event: "event.error", listener: (error: KafkaError) => void): void;
  on(
    event: "delivery-report",
    listener: (error: KafkaError | null, report: { readonly opaque: number }) => void,
  ): void;
}
export interface Consumer extends Client {
  subscribe(topics: readonly string[]): void;
  unsubscribe(): void;
  consume(count: number, done: Done<readonly Message[]>): void;
  setDefaultConsumeTimeout(timeout_ms: number): void;
  incrementalAssign(partitions: readonly TopicPartitionOffset[]): void;
  incrementalUnassign(partitions: readonly TopicPartition[]): void;
  commit(offsets: readonly TopicPartitionOffset[]): void;
  committed(
    partitions: readonly TopicPartition[],
    timeout_ms: number,
    done: Done<readonly { topic: string; partition: number; offset?: number }[]>,
  ): void;
  queryWatermarkOffsets(
    topic: string,
    partition: number,
    timeout_ms: number,
    done: Done<{ readonly lowOffset: number; readonly highOffset: number }>,
  ): void;
  /** `offset` is a time there, ms; the answer's is that of the first message of that time or later, or below 0. */
  offsetsForTimes(
    times: readonly TopicPartitionOffset[],
    timeout_ms: number,
    done: Done<readonly TopicPartitionOffset[]>,
  ): void;
  getWatermarkOffsets(
    topic: string,
    partition: number,
  ): { readonly lowOffset: number; readonly highOffset: number };
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  on(event: "event.error", listener: (error: KafkaError) => void): void;
  on(event: "partition.eof", listener: (at: TopicPartitionOffset) => void): void;
  on(
    event: "rebalance",
    listener: (error: KafkaError | undefined, partitions: readonly TopicPartition[]) => void,
  ): void;
  on(
    event: "offset.commit",
    listener: (error: KafkaError | null, offsets: readonly TopicPartitionOffset[]) => void,
  ): void;
}
interface Library {
  readonly Producer: new (settings: Settings) => Producer;
  readonly KafkaConsumer: new (settings: Settings, topic: Settings) => Consumer;
}

// Reports of delivery bring no code, so trouble is known by the text that librdkafka has for it.
const KINDS = [
  ["message", /message size too large|invalid timestamp|failed to validate record/i],
  ["fatal", /fatal error/i],
  ["tls", /ssl|certificate/i],
  ["login", /authentication/i],
  ["rights", /authorization failed/i],
  ["topic", /unknown topic|unknown partition/i],
] as const;
type Kind = (typeof KINDS)[number][0] | "world";

/** What kind of trouble it is; `message`: one that a message will always meet. */
export function kindOf(error: Pick<KafkaError, "message">): Kind {
  return KINDS.find(([, text]) => text.test(error.message))?.[0] ?? "world";
}

/** The library. Throws KAFKA_NOT_INSTALLED where it is not there or does not load. */
export function loadLibrary(place: URL = PLACE): Library {
  try {
    return createRequire(place)(PACKAGE) as Library;
  } catch (cause) {
    const missing = systemCode(cause) === "MODULE_NOT_FOUND";
    const why = missing ? "is not installed" : `does not load: ${reasonOf(cause)}`;
    throw new TaplineError("KAFKA_NOT_INSTALLED", `the package ${PACKAGE} ${why}`, {
      remedy: "run `npm run kafka`, which builds it; docs/guides/kafka.md says what that needs",
      cause,
    });
  }
}

/** Settings of librdkafka for a connection. Files are read now, so that a wrong path is told by name. */
export async function settingsOf({ brokers, tls, sasl }: ConnectionOptions): Promise<Settings> {
  const settings: Settings = {
    "metadata.broker.list": brokers.join(),
    "client.id": "tapline",
    "security.protocol": `${sasl === undefined ? "" : "sasl_"}${tls === undefined ? "plaintext" : "ssl"}`,
    "reconnect.backoff.max.ms": LIMITS.kafka_reconnect_ms,
  };
  if (tls?.ca_file !== undefined) settings["ssl.ca.pem"] = await readText(tls.ca_file, "KAFKA_SECRET");
  if (tls?.cert_file !== undefined)
    settings["ssl.certificate.pem"] = await readText(tls.cert_file, "KAFKA_SECRET");
  if (tls?.key_file !== undefined) settings["ssl.key.pem"] = await readText(tls.key_file, "KAFKA_SECRET");
  if (sasl !== undefined) {
    settings["sasl.mechanisms"] = sasl.mechanism.toUpperCase();
    settings["sasl.username"] = sasl.username;
    settings["sasl.password"] = (await secretOf(sasl.password_file, sasl.password_env, "KAFKA_SECRET"))!;
  }
  return settings;
}

/** Connects, and resolves with the partitions of `topic`. Throws KAFKA_UNREACHABLE and what `troubleOf` tells. */
export async function connect(client: Client, topic: string | undefined): Promise<number> {
  let last: KafkaError | undefined;
  client.on("event.error", (error) => {
    // The first cause says more than that nobody is left.
    if (last === undefined || kindOf(error) !== "world") last = error;
  });
  const { promise, resolve, reject } = Promise.withResolvers<Metadata>();
  const options = { timeout: LIMITS.kafka_connect_ms, allTopics: false };
  client.connect(topic === undefined ? options : { ...options, topic }, (error, metadata) => {
    if (error === null || error === undefined) resolve(metadata);
    else reject(troubleOf(last ?? error, topic));
  });
  // A client tells its troubles when it is asked.
  const asking = setInterval(() => {
    if (!client.isConnected()) return;
    if ("poll" in client) (client as Producer).poll();
    else (client as Consumer).consume(1, () => {});
  }, LIMITS.kafka_asking_ms);
  // A poll of a client that another thread is taking apart meets what is no more, and ends the process.
  client.once("connection.failure", () => clearInterval(asking));
  const { topics } = await promise.finally(() => clearInterval(asking));
  return topics.find(({ name }) => name === topic)?.partitions.length ?? 0;
}

/** Closes a client without waiting longer than LIMITS.kafka_close_ms. */
export async function disconnect(client: Client, producer: boolean): Promise<void> {
  // A client that never connected, or gave up, has closed itself.
  if (!client.isConnected()) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const late = setTimeout(resolve, LIMITS.kafka_close_ms);
  client.on("event.error", () => {}); // nobody is left to be told
  // As in `connect`: what is left to send is sent without polls.
  if (producer) (client as Producer).setPollInterval(0);
  if (producer) client.disconnect(LIMITS.kafka_close_ms / 2, resolve);
  else client.disconnect(resolve);
  await promise;
  clearTimeout(late);
}

const TROUBLE: Readonly<Record<Kind, readonly [code: string, remedy: string]>> = {
  message: ["KAFKA_MESSAGE", "see the topic's max.message.bytes"],
  fatal: ["KAFKA_FATAL", "see the brokers' logs"],
  tls: ["KAFKA_TLS", "check tls, and the names in the brokers' certificates"],
  login: ["KAFKA_REFUSED", "check sasl: user, password and mechanism"],
  rights: ["KAFKA_REFUSED", "the user needs rights on topic or group: see docs/guides/kafka.md"],
  topic: ["KAFKA_TOPIC", "create the topic: see docs/guides/kafka.md"],
  world: ["KAFKA_UNREACHABLE", "check brokers, and whether they can be reached"],
};

/** What librdkafka says, as an error to retry, with what may be done. */
export function troubleOf(error: Pick<KafkaError, "message">, topic: string | undefined): TaplineError {
  const [code, remedy] = TROUBLE[kindOf(error)];
  const of = topic === undefined ? "" : ` (topic ${topic})`;
  return new TaplineError(code, `Kafka: ${error.message}${of}`, { retry: true, remedy });
}
