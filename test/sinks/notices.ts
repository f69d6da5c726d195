// For the tests of sinks that notify: events to tell of, a context that keeps what was submitted, and a receiver over
// HTTP that answers as a test says.
import { mkdtempSync, rmSync } from "node:fs";
import { type IncomingHttpHeaders, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { eventOf } from "../../src/core/event.ts";
import { type Event, serialise } from "../../src/core/generated/event.ts";
import type { Said } from "../../src/core/incident.ts";
import type { EntryBatch, SinkContext } from "../../src/core/stage.ts";
import { ORIGIN, batchOf, testContext } from "./batches.ts";

export const INCIDENT = "0123456789abcdef0123456789abcdef";

/** The n-th event of an incident, of now. */
export function incidentEvent(name: string, n: number, fields: Partial<Event> = {}): Event {
  const e = eventOf("incident", ORIGIN);
  const now = new Date(Date.now() + 1_000).toISOString();
  e["@timestamp"] = e["event.created"] = now;
  e["event.id"] = `${name}-${String(n).padStart(8, "0")}`;
  e["tapline.vantage"] = "self";
  e["tapline.incident.id"] = INCIDENT;
  e["tapline.incident.transition"] = "opened";
  e["tapline.incident.level"] = "high";
  e["tapline.incident.group.by"] = "gen_ai.conversation.id";
  e["tapline.incident.group.value"] = "s1";
  return Object.assign(e, fields);
}

export function alertEvent(n: number, fields: Partial<Event> = {}): Event {
  const e = eventOf("rule-alert", ORIGIN);
  const now = new Date(Date.now() + 1_000).toISOString();
  e["@timestamp"] = e["event.created"] = now;
  e["event.id"] = `alert-${String(n).padStart(8, "0")}`;
  e["rule.name"] = "Secret Leaves";
  e["tapline.alert.level"] = "high";
  e["message"] = 'Secret Leaves: tool "curl"';
  return Object.assign(e, fields);
}

export const batch = (events: readonly Event[], first = 0): EntryBatch =>
  batchOf(events.map(serialise), first);

/** Events of an incident in place of tool calls, for the contract. */
export function incidentSeries(name: string, count: number, first = 0): EntryBatch {
  return batch(
    Array.from({ length: count }, (_, i) => incidentEvent(name, first + i)),
    first,
  );
}

const dirs: string[] = [];
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

export interface NoticeContext extends SinkContext {
  readonly lines: string[];
  readonly said: Said[];
  /** Added to the time. */
  later_ms: number;
}

export function noticeContext(state_dir = mkdtempSync(join(tmpdir(), "tapline-notices-"))): NoticeContext {
  dirs.push(state_dir);
  const said: Said[] = [];
  const context: NoticeContext = {
    ...testContext(state_dir),
    said,
    later_ms: 0,
    now: () => Date.now() + context.later_ms,
    submit: (one) => void said.push(one),
    incidents: async () => [],
  };
  return context;
}

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** How it answers. */
  answer: (response: ServerResponse, nth: number) => void;
  end(): Promise<void>;
}

export async function receiver(): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      received.push({ path: request.url ?? "", headers: request.headers, body });
      it.answer(response, received.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const it: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: (response) => void response.end("ok"),
    end: () => {
      server.closeAllConnections();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
  return it;
}
