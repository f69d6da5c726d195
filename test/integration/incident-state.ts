// The index of the present of incidents on a real server: what it holds, that older never replaces newer, and that it is
// built again from the ledger's events.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Event, serialise } from "../../src/core/generated/event.ts";
import type { Sink } from "../../src/core/stage.ts";
import elasticsearch from "../../src/sinks/elasticsearch.ts";
import incidentState from "../../src/sinks/incident-state.ts";
import { MONITORS } from "../../src/sinks/monitors.ts";
import opensearch from "../../src/sinks/opensearch.ts";
import { STATE_INDEX } from "../../src/sinks/incident-setup.ts";
import { connect, setup } from "../../src/sinks/setup.ts";
import { type Engine } from "../../src/sinks/setup-plan.ts";
import { batchOf } from "../sinks/batches.ts";
import { alertEvent, incidentEvent, noticeContext } from "../sinks/notices.ts";

const never = new AbortController().signal;
const MINUTE_MS = 60_000;
const BEGAN_MS = Date.UTC(2026, 10, 28, 10);
const at = (minute: number): string => new Date(BEGAN_MS + minute * MINUTE_MS).toISOString();

type Found = { _source?: Record<string, unknown>; _version?: number; found: boolean };

export function incidentStateSuite(name: string, engine: Engine, url: string | undefined): void {
  describe.skipIf(url === undefined)(`${name}, the present of incidents`, () => {
    const all = Array.from({ length: 6 }, () => randomBytes(16).toString("hex"));
    const [ids, fresh] = [all.slice(0, 3), all.slice(3)];
    const [a, b, c] = ids as [string, string, string];
    const options = incidentState.config.parse({
      type: "incident-state",
      engine,
      url: url ?? "http://127.0.0.1:1",
    });
    const context = noticeContext();
    const newSink = (): Sink => incidentState.create(options, context);
    const fetched = async (path: string, init: object = {}): Promise<never> =>
      (await (await fetch(`${url}/${path}`, init)).json()) as never;
    const documentOf = (id: string): Promise<Found> => fetched(`${STATE_INDEX}/_doc/${id}`);
    const event = (id: string, minute: number, fields: Partial<Event>): Event =>
      incidentEvent("state", minute, { "@timestamp": at(minute), "tapline.incident.id": id, ...fields });
    const opened = (id: string, minute: number): Event =>
      event(id, minute, {
        "tapline.incident.rule": "session",
        "tapline.incident.group.value": "s<b>1",
        "tapline.incident.alert_ids": ["a1", "a2"],
        "tapline.incident.alert_count": 2,
        "tapline.incident.rules": ["Secret Leaves"],
        "tapline.incident.window.start": at(minute - 2),
        "tapline.incident.window.end": at(minute + 600),
        "tapline.incident.deadlines": { acknowledge: { due: at(minute + 60), until: "acknowledged" } },
      });
    const events: Event[] = [
      opened(a, 0),
      opened(b, 1),
      event(a, 10, { "tapline.incident.transition": "acknowledged", "user.name": "ann" }),
      event(a, 12, {
        "tapline.incident.transition": "notified",
        "tapline.incident.notice.id": "n1",
        "tapline.incident.notice.recipients": ["soc@example.com"],
      }),
      opened(c, 13),
      event(a, 30, {
        "tapline.incident.transition": "closed",
        "tapline.incident.verdict": "true_positive",
        "user.name": "bob",
      }),
      event(b, 61, {
        "tapline.incident.transition": "overdue",
        "tapline.incident.deadline.name": "acknowledge",
      }),
    ];
    // Between other entries of the ledger.
    const indexOf = (i: number): number => 100 + i;
    const placed = events.map((step, i) => ({
      index: indexOf(i),
      step: Object.fromEntries(Object.entries(step).filter(([, value]) => value !== undefined)),
    }));
    const batch = (from: number, to: number) => batchOf(events.slice(from, to).map(serialise), indexOf(from));

    beforeAll(async () => {
      const server = await connect(engine, options);
      const result = await setup(engine, server, { retention_days: 400, signal: never });
      const again = await setup(engine, server, { retention_days: 400, signal: never });
      await server.close();
      expect(result.installed).toContain(`index template ${STATE_INDEX}`);
      expect(again).toEqual(result);
      expect(result.missing.map((part) => part.name)).toContain("role tapline_incident_writer");
    });
    afterAll(async () => {
      for (const id of all) await fetch(`${url}/${STATE_INDEX}/_doc/${id}`, { method: "DELETE" });
    });

    test("a document an incident, with who, when and how long, and the ledger's index as its version", async () => {
      const sink = newSink();
      await sink.open(never);
      expect(await sink.write(batch(0, 4), false, never)).toEqual({
        created: 4,
        existing: 0,
        dead: [],
        filtered: 0,
      });
      await sink.write(batch(4, 7), false, never);
      const { _source, _version } = await documentOf(a);
      expect(_version).toBe(indexOf(5));
      expect(_source).toMatchObject({
        "@timestamp": at(30),
        event: { sequence: indexOf(5) },
        gen_ai: { conversation: { id: "s<b>1" } },
        host: { name: "test" },
        tapline: {
          incident: {
            id: a,
            status: "closed",
            level: "high",
            verdict: "true_positive",
            alert_count: 2,
            alert_ids: ["a1", "a2"],
            opened_at: at(0),
            acknowledged_by: "ann",
            closed_by: "bob",
            notice: { recipients: ["soc@example.com"] },
            seconds: { detect: 120, acknowledge: 600, notify: 720, close: 1_800 },
            odd: 0,
          },
        },
      });
      expect((await documentOf(b))._source).toMatchObject({
        tapline: {
          incident: {
            status: "open",
            deadline: { name: "acknowledge", due: at(61), passed: ["acknowledge"] },
          },
        },
      });
      await sink.close();
    });

    test("dashboards can count: by status and level, and the mean time to acknowledge", async () => {
      await fetch(`${url}/${STATE_INDEX}/_refresh`, { method: "POST" });
      const answer: { aggregations: Record<string, { buckets?: object[]; value?: number }> } = await fetched(
        `${STATE_INDEX}/_search`,
        {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({
            size: 0,
            query: { terms: { "tapline.incident.id": ids } },
            aggs: {
              status: { terms: { field: "tapline.incident.status" } },
              passed: { terms: { field: "tapline.incident.deadline.passed" } },
              due: { min: { field: "tapline.incident.deadline.due" } },
              acknowledge: { avg: { field: "tapline.incident.seconds.acknowledge" } },
            },
          }),
        },
      );
      const { status, passed, due, acknowledge } = answer.aggregations;
      expect(status!.buckets).toMatchObject([
        { key: "open", doc_count: 2 },
        { key: "closed", doc_count: 1 },
      ]);
      expect(passed!.buckets).toMatchObject([{ key: "acknowledge", doc_count: 1 }]);
      expect([due!.value, acknowledge!.value]).toEqual([Date.parse(at(61)), 600]);
    });

    test("older never replaces newer, and what is resent changes nothing", async () => {
      const late = newSink();
      await late.open(never);
      // A sink that knows the first events only, as one whose cursor was lost does at first.
      expect(await late.write(batch(0, 2), true, never)).toMatchObject({ created: 2, dead: [] });
      expect(await documentOf(a)).toMatchObject({ _version: indexOf(5) });
      await late.close();
    });

    test("what the index lacks is built from the ledger at the start, by the template", async () => {
      const [x, y, z] = fresh as [string, string, string];
      const renamed = new Map([
        [a, x],
        [b, y],
        [c, z],
      ]);
      context.incidents = async () =>
        placed.map(({ index, step }) => ({
          index,
          step: { ...step, "tapline.incident.id": renamed.get(step["tapline.incident.id"] as string) },
        }));
      expect((await documentOf(x)).found).toBe(false);
      const sink = newSink();
      await sink.open(never);
      expect(await documentOf(x)).toMatchObject({ found: true, _version: indexOf(5) });
      expect((await documentOf(z))._source).toMatchObject({ tapline: { incident: { status: "open" } } });
      const mapping: Record<string, { mappings: { dynamic: string } }> = await fetched(
        `${STATE_INDEX}/_mapping`,
      );
      expect(mapping[STATE_INDEX]!.mappings.dynamic).toBe("false");
      await sink.close();
    });

    test("what picks up alerts finds them: Elastic's rule External Alerts, and the monitors for OpenSearch", async () => {
      const namespace = `t${randomBytes(6).toString("hex")}`;
      const e = alertEvent(1, {
        "data_stream.namespace": namespace,
        "event.severity": 73,
        "event.created": new Date().toISOString(),
      });
      const events_sink = { elasticsearch, opensearch }[engine];
      const sink = events_sink.create(events_sink.config.parse({ type: engine, url }) as never, context);
      await sink.open(never);
      expect(await sink.write(batchOf([serialise(e)], 7), false, never)).toMatchObject({ created: 1 });
      await sink.close();
      const stream = `logs-tapline.alert-${namespace}`;
      for (const index of [stream, STATE_INDEX]) await fetched(`${index}/_refresh`, { method: "POST" });
      const countOf = async (index: string, query: object): Promise<number> => {
        const headers = { "content-type": "application/json" };
        const found: { count: number } = await fetched(`${index}/_count`, {
          method: "POST",
          headers,
          body: JSON.stringify({ query }),
        });
        return found.count;
      };
      const promoted = {
        bool: {
          filter: [{ term: { "event.kind": "alert" } }, { term: { "data_stream.namespace": namespace } }],
          must_not: [{ terms: { "event.module": ["endgame", "endpoint"] } }],
        },
      };
      expect(await countOf("logs-*", promoted)).toBe(1);
      for (const { body } of MONITORS) {
        const { search } = (body as { inputs: { search: { indices: string[]; query: { query: object } } }[] })
          .inputs[0]!;
        const text = JSON.stringify(search.query.query).replaceAll("{{period_end}}", String(Date.now()));
        expect(await countOf(search.indices.join(), JSON.parse(text) as object)).toBeGreaterThan(0);
      }
      await fetch(`${url}/_data_stream/${stream}`, { method: "DELETE" });
    });
  });
}
