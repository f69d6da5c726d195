// A schema registry that speaks Confluent's API: gives a schema its id, and the schema of an id. Knows no Avro.
import { readFile } from "node:fs/promises";
import { request as http } from "node:http";
import { request as https } from "node:https";
import { TaplineError, reasonOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { secretOf } from "../core/secrets.ts";
import type { RegistryOptions } from "./options.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** The id of a schema under a subject; registered when it is new. Throws KAFKA_REGISTRY. */
export async function register(options: RegistryOptions, subject: string, schema: string): Promise<number> {
  const path = `subjects/${encodeURIComponent(subject)}/versions`;
  const { id } = await ask(options, "POST", path, JSON.stringify({ schema, schemaType: "AVRO" }));
  if (typeof id === "number" && Number.isSafeInteger(id) && id >= 0 && id < 2 ** 32) return id;
  throw trouble(`the answer of ${options.url} holds no id`, true);
}

/** The schema of an id, as JSON. Throws KAFKA_REGISTRY; `retry` is false when there is none of that id. */
export async function schemaOf(options: RegistryOptions, id: number): Promise<string> {
  const { schema } = await ask(options, "GET", `schemas/ids/${id}`, undefined);
  if (typeof schema === "string") return schema;
  throw trouble(`the answer of ${options.url} holds no schema`, true);
}

async function ask(
  options: RegistryOptions,
  method: string,
  path: string,
  body: string | undefined,
): Promise<Record<string, unknown>> {
  let answer: Answer;
  let parsed: Record<string, unknown>;
  try {
    answer = await send(options, method, path, body);
    parsed = JSON.parse(answer.text) as Record<string, unknown>;
  } catch (cause) {
    if (cause instanceof TaplineError) throw cause;
    throw trouble(`the registry at ${options.url} does not answer as one: ${reasonOf(cause)}`, true, cause);
  }
  if (answer.status === 200) return parsed;
  const { message: why } = parsed;
  const said = typeof why === "string" ? why.slice(0, LIMITS.notify_answer_chars) : "";
  const message = `the registry at ${options.url} answered ${answer.status}: ${said}`;
  throw trouble(message, answer.status !== 404);
}

function trouble(message: string, retry: boolean, cause?: unknown): TaplineError {
  return new TaplineError("KAFKA_REGISTRY", message, {
    retry,
    remedy: "check registry: its URL, user and password",
    cause,
  });
}

async function send(
  options: RegistryOptions,
  method: string,
  path: string,
  body: string | undefined,
): Promise<Answer> {
  const base = options.url.endsWith("/") ? options.url : `${options.url}/`;
  const url = new URL(path, base);
  const password = await secretOf(options.password_file, options.password_env, "KAFKA_SECRET");
  const headers: Record<string, string> = {
    accept: "application/vnd.schemaregistry.v1+json, application/json",
    "content-type": "application/vnd.schemaregistry.v1+json",
  };
  if (password !== undefined) {
    const login = Buffer.from(`${options.username}:${password}`).toString("base64");
    headers["authorization"] = `Basic ${login}`;
  }
  const ca = options.ca_file === undefined ? {} : { ca: await readFile(options.ca_file) };
  const signal = AbortSignal.timeout(LIMITS.kafka_registry_ms);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const call = (url.protocol === "https:" ? https : http)(
    url,
    { method, headers, signal, ...ca },
    (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on("data", (part: Buffer) => {
        bytes += part.length;
        if (bytes > LIMITS.kafka_registry_bytes) call.destroy(new Error("its answer is too long"));
        else parts.push(part);
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString("utf8") }),
      );
      response.on("error", reject);
    },
  );
  call.on("error", reject);
  call.end(body);
  return promise;
}
