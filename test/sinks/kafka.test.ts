// The sink for Kafka against a real broker: what is in the topic, byte by byte and in order, and what becomes of what
// cannot be written. Repeats are dropped by id, as readers have to.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TaplineError } from "../../src/core/errors.ts";
import { serialise } from "../../src/core/generated/event.ts";
import type { Sink, SinkContext } from "../../src/core/stage.ts";
import { SINGLE_OBJECT_BYTES, eventCodec } from "../../src/kafka/avro.ts";
import type { Message } from "../../src/kafka/client.ts";
import kafka from "../../src/sinks/kafka.ts";
import { sinkContract } from "../contract/sink.ts";
import { deleteTopic, headersOf, messagesOf, newTopic, startKafka } from "../kafka/topics.ts";
import { batchOf, expected, series, testContext, toolCall } from "./batches.ts";

const never = new AbortController().signal;
const broker = await startKafka();
const codec = await eventCodec();

function create(topic: string, more: object = {}): Sink {
  const options = kafka.config.parse({ type: "kafka", brokers: broker ?? "127.0.0.1:9092", topic, ...more });
  return kafka.create(options, testContext() as unknown as SinkContext);
}

/** The document of a message, whatever its encoding. */
function documentOf({ value }: Message): Record<string, Record<string, unknown>> {
  const json = value![0] === 0x7b ? value!.toString() : codec.decode(value!.subarray(SINGLE_OBJECT_BYTES));
  return JSON.parse(json) as Record<string, Record<string, unknown>>;
}

if (broker !== undefined)
  for (const encoding of ["avro", "json"] as const) {
    sinkContract(`kafka, ${encoding}`, async () => {
      const topic = await newTopic(broker, 3);
      return {
        sink: create(topic, { encoding }),
        repeats: true,
        async stored() {
          const by_id = new Map<string, { id: string; document: Record<string, unknown> }>();
          for (const message of await messagesOf(broker, topic)) {
            const id = headersOf(message)["tapline-id"]!;
            by_id.set(id, { id, document: documentOf(message) });
          }
          return [...by_id.values()];
        },
        end: () => deleteTopic(broker, topic),
      };
    });
  }

describe.skipIf(broker === undefined)("kafka", () => {
  let topic: string;
  beforeAll(async () => {
    topic = await newTopic(broker!, 3, { "max.message.bytes": "20000" });
  });
  afterAll(() => deleteTopic(broker!, topic));

  test("messages of a session are in one partition, in the ledger's order, with what readers need in headers", async () => {
    const sink = create(topic);
    await sink.open(never);
    const events = Array.from({ length: 900 }, (_, n) => {
      const e = toolCall("order", n);
      e["gen_ai.conversation.id"] = `session-${n % 7}`;
      e["trace.id"] = "0af7651916cd43dd8448eb211c80319c";
      e["span.id"] = "b7ad6b7169203331";
      return serialise(e);
    });
    const batches = [0, 300, 600].map((first) => batchOf(events.slice(first, first + 300), first));
    await Promise.all(batches.map((batch) => sink.write(batch, false, never)));
    await sink.close();
    const messages = await messagesOf(broker!, topic);
    const by_key = Map.groupBy(messages, ({ key }) => String(key));
    expect([...by_key.keys()].toSorted()).toEqual(Array.from({ length: 7 }, (_, n) => `session-${n}`));
    for (const of of by_key.values()) {
      expect(new Set(of.map(({ partition }) => partition)).size).toBe(1);
      const indexes = of.map((message) => Number(headersOf(message)["tapline-index"]));
      expect(indexes).toEqual(indexes.toSorted((a, b) => a - b));
    }
    expect(headersOf(messages[0]!)).toMatchObject({
      "content-type": "avro/binary",
      "tapline-origin": "tapline/test",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    });
    const all = batches.flatMap((batch) => expected(batch));
    expect(messages.map(documentOf).toSorted(byId)).toEqual(
      all.map((one) => one.document as never).toSorted(byId),
    );
  });

  test("what the broker will never take is a dead letter, and costs no other its place", async () => {
    const sink = create(topic, { encoding: "json", compression: "none" });
    await sink.open(never);
    const long = toolCall("long", 1);
    long["message"] = "x".repeat(40_000);
    const batch = batchOf(
      [serialise(toolCall("long", 0)), serialise(long), serialise(toolCall("long", 2))],
      50,
    );
    const result = await sink.write(batch, false, never);
    await sink.close();
    expect(result).toMatchObject({ created: 2, existing: 0, filtered: 0 });
    expect(result.dead).toMatchObject([{ index: 51, status: 400 }]);
    expect(result.dead[0]!.id).toBe("long-00000001");
  });

  test("what is sent again is counted", async () => {
    const sink = create(topic);
    await sink.open(never);
    await sink.write(series("again", 20, 0), false, never);
    await sink.write(series("again", 20, 0), true, never);
    await sink.close();
    expect(sink.counts).toEqual({ resent: 20 });
  });

  test("a topic that is not there, and brokers that do not answer, are told with what to do", async () => {
    const wrong = (error: unknown): string[] => {
      expect(error).toBeInstanceOf(TaplineError);
      expect((error as TaplineError).retry).toBe(true);
      return [(error as TaplineError).code, (error as TaplineError).message];
    };
    const nobody = create("t", { brokers: "127.0.0.1:1" });
    const [code, message] = wrong(await nobody.open(never).catch((e: unknown) => e));
    expect([code, message]).toEqual(["KAFKA_UNREACHABLE", expect.stringContaining("transport failure")]);
    await nobody.close();
  });
});

const byId = (a: Record<string, Record<string, unknown>>, b: typeof a): number =>
  String(a["event"]!["id"]) < String(b["event"]!["id"]) ? -1 : 1;

describe("the configuration of kafka", () => {
  const problems = (more: object): string[] =>
    (kafka.config.safeParse({ type: "kafka", brokers: "k:9092", ...more }).error?.issues ?? []).map(
      ({ message }) => message,
    );

  test("takes one broker or many, and refuses what would not work or would show a secret", () => {
    expect(problems({})).toEqual([]);
    expect(problems({ brokers: ["a:1", "[::1]:9092"] })).toEqual([]);
    expect(problems({ brokers: "kafka" })).toEqual(["a host and a port, such as kafka-1:9092"]);
    const user = { username: "u", password_env: "P" };
    expect(problems({ sasl: { ...user, mechanism: "plain" } })).toEqual([
      "sasl plain would show the password: it needs tls",
    ]);
    expect(problems({ sasl: { ...user, mechanism: "plain" }, tls: {} })).toEqual([]);
    expect(problems({ sasl: { username: "u" }, tls: {} })).toEqual(["one of password_file and password_env"]);
    expect(problems({ tls: { cert_file: "c" } })).toEqual(["cert_file and key_file go together"]);
    expect(problems({ encoding: "confluent" })).toEqual(["registry goes with encoding: confluent"]);
    expect(problems({ topic: "a b" })).toEqual(["a topic: letters, digits, . _ and -"]);
  });
});
