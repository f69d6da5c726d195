// OpenTelemetry's own SDK exports to a running collector: logs and spans in both encodings, metrics beside them, with
// and without the token; what it was told to have arrived is in the ledger, after kills too, and no more than once.
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { OTLPLogExporter as LogJson } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as LogProto } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter as TraceJson } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as TraceProto } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { expect, test } from "vitest";
import type { Status } from "../../src/status.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { type Answer, logRecord, logs, send } from "../sources/otlp-client.ts";
import {
  type Document,
  actionsOf,
  configure,
  ended,
  entriesOf,
  field,
  newHome,
  start,
  tapline,
} from "./tapline.ts";

const ROUNDS = process.env["TAPLINE_FULL"] === "1" ? 40 : 5;
const TOKEN = "0123456789abcdef0123456789abcdef";

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function listening(port: number): Promise<void> {
  for (let waited = 0; waited < 600; waited++) {
    const answer = await send({ port, method: "GET" }).catch(() => undefined);
    if (answer !== undefined) return;
    await sleep(50);
  }
  throw new Error("the receiver does not listen");
}

interface Running {
  readonly home: string;
  readonly config: string;
  readonly port: number;
}

async function configured(options: object = {}): Promise<Running> {
  const [home, port] = [newHome(), await freePort()];
  const config = configure(home, {
    workers: 2,
    sources: { agents: { type: "otlp", listen: `127.0.0.1:${port}`, ...options } },
    sinks: { none: { type: "null" } },
  });
  return { home, config, port };
}

const statusOf = (home: string): Status =>
  JSON.parse(readFileSync(join(home, "state", "status.json"), "utf8")) as Status;

/** Exports a prompt, a tool's result and spans of a chat and its tool, as agents do. */
async function exportAll(
  session: string,
  exporters: { log: LogJson | LogProto; trace: TraceJson | TraceProto },
): Promise<void> {
  const logging = new LoggerProvider({
    processors: [new BatchLogRecordProcessor({ exporter: exporters.log })],
  });
  const logger = logging.getLogger("com.anthropic.claude_code.events", "2.1.330");
  const event = (name: string, attributes: Record<string, string | number>): void =>
    logger.emit({
      body: `claude_code.${name}`,
      attributes: { "session.id": session, "event.name": name, ...attributes },
    });
  event("user_prompt", { prompt: "what is the weather?", prompt_length: 20 });
  event("tool_result", {
    tool_name: "mcp_tool",
    tool_use_id: `toolu_${session}`,
    success: "true",
    duration_ms: 312,
    tool_parameters: JSON.stringify({ mcp_server_name: "weather", mcp_tool_name: "forecast" }),
  });
  await logging.forceFlush();
  await logging.shutdown();
  const tracing = new TracerProvider({
    spanProcessors: [new BatchSpanProcessor({ exporter: exporters.trace })],
  });
  const tracer = tracing.getTracer("agent");
  const span = tracer.startSpan("execute_tool forecast", {
    attributes: {
      "gen_ai.conversation.id": `${session}-spans`,
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "forecast",
      "gen_ai.tool.call.id": `call_${session}`,
      "gen_ai.tool.call.arguments": JSON.stringify({ city: "Berlin" }),
    },
  });
  span.end();
  await tracing.forceFlush();
  await tracing.shutdown();
}

/** What a session's records gave; what is seen for the first time or set off an alert depends on who came before. */
const of = (all: readonly Document[], session: string): Document[] =>
  all.filter(
    (document) =>
      field(document, "gen_ai.conversation.id") === session &&
      field(document, "tapline.vantage") === "otel" &&
      field(document, "event.kind") !== "alert",
  );

/** What is the same in every export: everything but times, ids and digests. */
function shape(documents: readonly Document[], session: string): unknown {
  const drop = /^(?:id|sequence|hash|created|duration|start|end|offset|call_key|args_hash|original)$/;
  const text = JSON.stringify(documents, (key, value: unknown) =>
    drop.test(key) || key === "@timestamp" || key === "stream" ? undefined : value,
  );
  return JSON.parse(text.replaceAll(session, "SESSION").replaceAll(/"(?:trace|span)":\{[^}]*\}/g, '"t":{}'));
}

test("OpenTelemetry's SDK: logs and spans in both encodings arrive normalised, and alike; metrics are counted", async () => {
  const { home, config, port } = await configured({ token_env: "TAPLINE_TEST_TOKEN" });
  process.env["TAPLINE_TEST_TOKEN"] = TOKEN;
  const child = start(home, "run", "-c", config);
  const done = ended(child);
  await listening(port);
  const url = `http://localhost:${port}`;
  const headers = { authorization: `Bearer ${TOKEN}` };
  const to = (path: string) => ({ url: `${url}${path}`, headers }) as never;
  await exportAll("in-json", {
    log: new LogJson(to("/v1/logs")),
    trace: new TraceJson(to("/v1/traces")),
  });
  // As agents are told: by the environment.
  Object.assign(process.env, {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_HEADERS: `Authorization=Bearer ${TOKEN}`,
    OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
  });
  await exportAll("in-protobuf", { log: new LogProto(), trace: new TraceProto() });
  const metrics = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(to("/v1/metrics")) })],
  });
  metrics.getMeter("agent").createCounter("claude_code.token.usage").add(7);
  await metrics.forceFlush();
  await metrics.shutdown();
  const refused = await send({ port, body: logs([logRecord("nobody", "x")]) });
  expect(refused.status).toBe(401);
  await sleep(1_200);
  const shown = await tapline(home, ["status", "-c", config]);
  expect(shown.code).toBe(0);
  expect(shown.stdout).toMatch(/source {6}agents: .*refused 401 1/);
  // A client may export its metrics once more when it stops.
  expect(shown.stdout).toMatch(/recorded 6 \+ merged 0 \+ skipped (\d+) \(metrics \1\)/);
  child.kill("SIGINT");
  const { code, stdout, stderr } = await done;
  expect([code, stdout + stderr]).toEqual([0, expect.not.stringContaining(TOKEN)]);

  const all = await entriesOf(join(home, "state", "ledger"));
  const texts = JSON.stringify(all);
  expect(texts).not.toContain(TOKEN);
  expect(texts).not.toContain("nobody");
  for (const session of ["in-json", "in-protobuf"]) {
    const [prompt] = actionsOf(of(all, session), "prompt");
    expect(field(prompt!, "service.name")).toBe("claude-code");
    expect(field(prompt!, "tapline.vantage")).toBe("otel");
    const [result] = actionsOf(of(all, session), "tool-result");
    expect(field(result!, "gen_ai.tool.name")).toBe("forecast");
    expect(field(result!, "tapline.server.name")).toBe("weather");
    expect(field(result!, "event.outcome")).toBe("success");
    const [call] = actionsOf(of(all, `${session}-spans`), "tool-call");
    expect(field(call!, "gen_ai.tool.call.arguments")).toEqual({ city: "Berlin" });
  }
  expect(shape(of(all, "in-protobuf"), "in-protobuf")).toEqual(shape(of(all, "in-json"), "in-json"));
  expect(shape(of(all, "in-protobuf-spans"), "in-protobuf")).toEqual(
    shape(of(all, "in-json-spans"), "in-json"),
  );
}, 120_000);

/** Posts until it is told that the collector has it. */
async function insist(port: number, body: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const packed = { port, body: gzipSync(body), headers: { "content-encoding": "gzip" } };
    const answer: Answer | undefined = await send(packed).catch(() => undefined);
    if (answer?.status === 200) return;
    if (answer !== undefined && answer.status !== 503)
      throw new Error(`${answer.status} ${answer.body.toString()}`);
    await sleep(100);
  }
  throw new Error("never taken");
}

test(`after ${ROUNDS} kills everything that was acknowledged is in the ledger, once`, async () => {
  const { home, config, port } = await configured();
  let n = 0;
  let stop = false;
  const client = async (which: number): Promise<void> => {
    while (!stop) {
      // Three sessions, so that a request is cut over the workers.
      const records = Array.from({ length: 30 }, (_, i) =>
        logRecord(`c${which}-${i % 3}`, `kill.${n++}`, 200),
      );
      await insist(port, logs(records));
    }
  };
  const clients = [0, 1, 2, 3].map(client);
  let child = start(home, "run", "-c", config);
  for (let round = 0; round < ROUNDS; round++) {
    await listening(port);
    await sleep(200 + Math.random() * 800);
    child.kill("SIGKILL");
    await once(child, "exit");
    child = start(home, "run", "-c", config);
  }
  await listening(port);
  stop = true;
  await Promise.all(clients);
  const done = ended(child);
  await sleep(1_200);
  child.kill("SIGINT");
  expect((await done).code).toBe(0);

  const seen = new Map<string, number>();
  const ids = new Set<string>();
  const all = await entriesOf(join(home, "state", "ledger"));
  for (const document of all) {
    ids.add(field(document, "event.id") as string);
    const name = field(document, "tapline.record.type");
    if (typeof name === "string" && name.startsWith("kill.")) seen.set(name, (seen.get(name) ?? 0) + 1);
  }
  expect(n).toBeGreaterThan(ROUNDS * 30);
  expect([...seen].filter(([, count]) => count > 1)).toEqual([]);
  expect(seen.size).toBe(n);
  expect(ids.size, "event ids").toBe(all.length);
  expect((await verifyLedger(join(home, "state", "ledger"), {})).findings).toEqual([]);
  const status = statusOf(home);
  expect(status.broken).toEqual([]);
  expect(status.tally.read - status.tally.merged).toBe(n);
  console.log(`${ROUNDS} kills, ${n} records, ${status.tally.merged} of them came again`);
}, 600_000);

/** The most memory that a process has had, in MiB. */
function peakOf(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

test.runIf(process.platform === "linux")(
  "bombs do not make the collector grow",
  async () => {
    const { home, config, port } = await configured();
    const child = start(home, "run", "-c", config);
    const done = ended(child);
    await listening(port);
    const warm = Array.from({ length: 50 }, (_, i) =>
      insist(port, logs([logRecord("s", `warm.${i}`, 2_000)])),
    );
    await Promise.all(warm);
    const before = peakOf(child.pid!);
    const unpacked = 512 * 1024 * 1024;
    const bomb = gzipSync(Buffer.alloc(unpacked, "["));
    const headers = { "content-encoding": "gzip" };
    for (let round = 0; round < 4; round++) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => send({ port, body: bomb, headers })),
      );
      for (const { status } of answers) expect([413, 503]).toContain(status);
    }
    const grown = peakOf(child.pid!) - before;
    console.log(`80 bombs of 512 MiB: ${before.toFixed(0)} MiB before, ${grown.toFixed(0)} MiB more at most`);
    expect(grown).toBeLessThan(160);
    await insist(port, logs([logRecord("s", "after")]));
    child.kill("SIGINT");
    expect((await done).code).toBe(0);
  },
  120_000,
);

test("--once does not wait for a receiver, and a second one on the port is refused", async () => {
  const { home, config, port } = await configured();
  const file = join(home, "otlp.jsonl");
  writeFileSync(file, `${logs([logRecord("s", "from a file")])}\n`);
  const once_ = await tapline(home, ["run", "--once", "-c", config, file]);
  expect(once_.code).toBe(0);
  expect(once_.stdout).toMatch(/1 records/);
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  const second = await tapline(home, ["run", "--once", "-c", config]);
  server.close();
  expect(second.code).toBe(3);
  expect(second.stderr).toMatch(/SOURCE_LISTEN|cannot listen/);
}, 120_000);
