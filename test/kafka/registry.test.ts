// Confluent's framing and the registry behind it, which is a stand-in of ours: none that speaks its API can be had here.
// What it is asked is held against the documentation of that API.
import { type IncomingHttpHeaders, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { TaplineError } from "../../src/core/errors.ts";
import { serialise } from "../../src/core/generated/event.ts";
import { codecOf } from "../../src/kafka/avro.ts";
import { register, schemaOf } from "../../src/kafka/registry.ts";
import { encoderOf } from "../../src/sinks/kafka-encode.ts";
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
