// Confluent's framing and the registry behind it, which is a stand-in of ours: none that speaks its API can be had here.
// What it is asked is held against the documentation of that API.
import { type IncomingHttpHeaders, createServer } from "node:http";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { TaplineError } from "../../src/core/errors.ts";
import { serialise } from "../../src/core/generated/event.ts";
import { codecOf } from "../../src/kafka/avro.ts";
import type { Message } from "../../src/kafka/client.ts";
import { register, schemaOf } from "../../src/kafka/registry.ts";
import { encoderOf } from "../../src/sinks/kafka-encode.ts";
import { Decoder } from "../../src/sources/kafka-decode.ts";
import { batchOf, expected, toolCall } from "../sinks/batches.ts";

interface Asked {
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
let asked: Asked[] = [];
let answer = { status: 200, text: '{"id":7}' };
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (part: Buffer) => (body += part.toString()));
  request.on("end", () => {
    asked.push({ line: `${request.method} ${request.url}`, headers: request.headers, body });
    response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.text);
  });
});
let url: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;
});
afterAll(() => void server.close());
beforeEach(() => {
  asked = [];
  answer = { status: 200, text: '{"id":7}' };
});

const problem = async (work: Promise<unknown>): Promise<[string, boolean, string]> => {
  const error = await work.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(TaplineError);
  const { code, retry, message } = error as TaplineError;
  return [code, retry, message];
};

describe("the registry", () => {
  test("gives a schema its id, and is shown user and password", async () => {
    process.env["REGISTRY_PASSWORD"] = "secret-word";
    const options = { url, username: "ann", password_env: "REGISTRY_PASSWORD" };
    expect(await register(options, "a topic-value", '"int"')).toBe(7);
    expect(asked[0]!.line).toBe("POST /api/subjects/a%20topic-value/versions");
    expect(JSON.parse(asked[0]!.body)).toEqual({ schema: '"int"', schemaType: "AVRO" });
    expect(asked[0]!.headers.authorization).toBe(`Basic ${btoa("ann:secret-word")}`);
    answer = { status: 200, text: '{"schema":"\\"int\\""}' };
    expect(await schemaOf(options, 9)).toBe('"int"');
    expect(asked[1]!.line).toBe("GET /api/schemas/ids/9");
  });

  test("that refuses, or is none, is told with what it said, and without the password", async () => {
    process.env["REGISTRY_PASSWORD"] = "secret-word";
    const options = { url, username: "ann", password_env: "REGISTRY_PASSWORD" };
    answer = { status: 409, text: '{"error_code":409,"message":"incompatible schema"}' };
    const [code, retry, message] = await problem(register(options, "s", '"int"'));
    expect([code, retry]).toEqual(["KAFKA_REGISTRY", true]);
    expect(message).toBe(`the registry at ${url} answered 409: incompatible schema`);
    answer = { status: 404, text: '{"message":"Schema 9 not found"}' };
    expect(await problem(schemaOf(options, 9))).toEqual(["KAFKA_REGISTRY", false, expect.any(String)]);
    for (const text of ["<html>", '{"id":-1}', '{"id":"7"}', "{}"]) {
      answer = { status: 200, text };
      const told = await problem(register(options, "s", '"int"'));
      expect(told[0]).toBe("KAFKA_REGISTRY");
      expect(told[2]).not.toContain("secret-word");
    }
    const gone = { url: "http://127.0.0.1:1" };
    expect((await problem(schemaOf(gone, 1))).slice(0, 2)).toEqual(["KAFKA_REGISTRY", true]);
  });
});

test("a message is a zero, the id in four bytes, and a body of the schema that was registered", async () => {
  answer = { status: 200, text: '{"id":66051}' };
  const encoder = await encoderOf({ encoding: "confluent", topic: "t", registry: { url } }, "tapline/test");
  const batch = batchOf([serialise(toolCall("confluent", 1))], 5);
  encoder.begin(batch);
  const { value } = encoder.next();
  expect([...value.subarray(0, 5)]).toEqual([0, 0, 1, 2, 3]);
  const { schema } = JSON.parse(asked[0]!.body) as { schema: string };
  const codec = await codecOf(schema);
  expect(JSON.parse(codec.decode(value.subarray(5)))).toEqual(expected(batch)[0]!.document);
});

describe("a reader", () => {
  const never = new AbortController().signal;
  const message = (value: Buffer): Message => ({
    topic: "t",
    partition: 0,
    offset: 0,
    value,
    key: null,
    size: value.length,
    headers: [{ "tapline-origin": "tapline/a" }, { "tapline-id": "confluent-00000001" }],
  });
  const make = async (): Promise<{ value: Buffer; schema: string; document: object }> => {
    const encoder = await encoderOf({ encoding: "confluent", topic: "t", registry: { url } }, "tapline/a");
    const batch = batchOf([serialise(toolCall("confluent", 1))], 5);
    encoder.begin(batch);
    const { schema } = JSON.parse(asked[0]!.body) as { schema: string };
    return { value: encoder.next().value, schema, document: expected(batch)[0]!.document };
  };

  test("asks the registry once for the schema of an id, and reads by it", async () => {
    const { value, schema, document } = await make();
    asked = [];
    answer = { status: 200, text: JSON.stringify({ schema }) };
    const decoder = await Decoder.open({ url }, [], () => {});
    await decoder.prepare([message(value), message(value)], never);
    const { bytes, id } = decoder.event(message(value), value);
    expect(JSON.parse(bytes.toString())).toEqual({ origin: "tapline/a", event: document });
    expect(id).toBe("confluent-00000001");
    expect(asked.map(({ line }) => line)).toEqual(["GET /api/schemas/ids/7"]);
  });

  test("waits for a registry that is busy, and hands on what none has a schema for", async () => {
    const { value } = await make();
    const told: string[] = [];
    const decoder = await Decoder.open({ url }, [], (_, what) => void told.push(what));
    const stop = new AbortController();
    answer = { status: 503, text: '{"message":"busy"}' };
    const waiting = decoder.prepare([message(value)], stop.signal);
    await expect.poll(() => told.length).toBe(1);
    stop.abort();
    await waiting;
    answer = { status: 404, text: '{"message":"Schema 7 not found"}' };
    await decoder.prepare([message(value)], never);
    expect(decoder.event(message(value), value)).toEqual({ bytes: value, id: undefined });
    expect(decoder.undecodable).toBe(1);
  });

  test("knows the schemas of other versions from files, and refuses files that are none", async () => {
    const dir = mkdtempSync(join(tmpdir(), "tapline-schema-"));
    const old = join(dir, "old.avsc");
    const type = { type: "record", name: "event", fields: [{ name: "id", type: ["null", "string"] }] };
    const fields = [{ name: "event", type: ["null", { ...type, name: "event_event" }], default: null }];
    writeFileSync(old, JSON.stringify({ ...type, namespace: "tapline", fields }));
    const codec = await codecOf(readFileSync(old, "utf8"));
    const value = Buffer.concat([codec.head, codec.encode({ event: { id: "old-1" } })]);
    const decoder = await Decoder.open(undefined, [old], () => {});
    expect(JSON.parse(decoder.event(message(value), value).bytes.toString())).toEqual({
      origin: "tapline/a",
      event: { event: { id: "old-1" } },
    });
    writeFileSync(old, "[]");
    expect((await problem(Decoder.open(undefined, [old], () => {})))[0]).toBe("KAFKA_SCHEMA");
    rmSync(dir, { recursive: true });
  });
});
