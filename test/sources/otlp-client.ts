// A receiver with a stand-in for the pipeline behind it, and what clients send to it.
import { type IncomingHttpHeaders, request } from "node:http";
import { laneOf } from "../../src/lane.ts";
import { sessionIn } from "../../src/normalise/probe.ts";
import type { Router, Source } from "../../src/core/stage.ts";
import otlp from "../../src/sources/otlp.ts";
import { Bench, LANES, maker, testRouter } from "./harness.ts";

export const otlpRouter = (lanes = LANES): Router => ({
  ...testRouter(),
  lanes,
  laneOf: (session) => laneOf(session, lanes),
  sessionIn,
});

export type Receiver = Source & { readonly port: number; readonly counts: Readonly<Record<string, number>> };

/** A bench whose source listens on a free port of loopback. */
export function otlpBench(dir: string, config: object = {}, router = otlpRouter()): Bench {
  return new Bench(maker(otlp as never, { type: "otlp", listen: "127.0.0.1:0", ...config }), dir, router);
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer | string;
  readonly port: number;
}

/** One request on a connection of its own. */
export function send({ path, method, headers, body, port }: Sent): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const options = {
    host: "127.0.0.1",
    port,
    path: path ?? "/v1/logs",
    method: method ?? "POST",
    headers: { "content-type": "application/json", ...headers },
    agent: false as const,
  };
  const req = request(options, (res) => {
    const pieces: Buffer[] = [];
    res.on("data", (piece: Buffer) => pieces.push(piece));
    res.on("end", () =>
      resolve({ status: res.statusCode!, headers: res.headers, body: Buffer.concat(pieces) }),
    );
    res.on("error", reject);
  });
  req.on("error", reject);
  req.end(body);
  return promise;
}

const text = (key: string, stringValue: string): object => ({ key, value: { stringValue } });

/** A log record of a session, told by its name. */
export function logRecord(session: string | undefined, name: string, pad = 0): object {
  return {
    timeUnixNano: "1795168800000000000",
    body: { stringValue: "x".repeat(pad) },
    eventName: name,
    attributes: session === undefined ? [] : [text("session.id", session)],
  };
}

export function logs(records: readonly unknown[], service = "agent"): string {
  const resource = { attributes: [text("service.name", service)] };
  return JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ scope: {}, logRecords: records }] }] });
}

/** Session and name of each record that was handed over. */
export function namesOf(bench: Bench): string[] {
  return bench.records.map(({ text: line }) => {
    const { resourceLogs } = JSON.parse(line) as {
      resourceLogs: { scopeLogs: { logRecords: { eventName: string }[] }[] }[];
    };
    return resourceLogs[0]!.scopeLogs[0]!.logRecords[0]!.eventName;
  });
}

/** Reads and settles until `done`. */
export async function pumpUntil<T>(bench: Bench, done: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const ended = done.finally(() => stop.abort());
  ended.catch(() => {});
  while (!stop.signal.aborted) {
    if (!(await bench.read()))
      await bench.source.wait(AbortSignal.any([stop.signal, AbortSignal.timeout(1_000)]));
    bench.settle();
  }
  return ended;
}
