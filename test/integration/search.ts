// What holds against every real server: setup, ship, aggregate, one poisoned document, a rollover before a resend.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Event, serialise } from "../../src/core/generated/event.ts";
import type { EntryBatch, Sink } from "../../src/core/stage.ts";
import elasticsearch from "../../src/sinks/elasticsearch.ts";
import opensearch from "../../src/sinks/opensearch.ts";
import { connect, setup } from "../../src/sinks/setup.ts";
import { type Engine } from "../../src/sinks/setup-plan.ts";
import { batchOf, expected, testContext, toolCall } from "../sinks/batches.ts";

const never = new AbortController().signal;

export function searchSuite(name: string, engine: Engine, url: string | undefined): void {
  describe.skipIf(url === undefined)(`${name}, a real server`, () => {
    const namespace = `t${randomBytes(6).toString("hex")}`;
    const stream = `logs-tapline.activity-${namespace}`;
    const config = engine === "elasticsearch" ? elasticsearch.config : opensearch.config;
    const options = (): never => config.parse({ type: engine, url }) as never;
    let sink: Sink;

    const events = (
      series: string,
      count: number,
      change: (e: Event, i: number) => void = () => {},
    ): EntryBatch =>
      batchOf(
        Array.from({ length: count }, (_, i) => {
          const e = toolCall(`${namespace}-${series}`, i, namespace);
          change(e, i);
          return serialise(e);
        }),
        10_000,
      );
    async function countOf(series: string): Promise<number> {
      await fetchJson("POST", `${url}/${stream}/_refresh`);
      const query = { prefix: { "event.id": `${namespace}-${series}-` } };
      return ((await fetchJson("POST", `${url}/${stream}/_count`, { query })) as { count: number }).count;
    }

    beforeAll(async () => {
      const server = await connect(engine, options());
      const first = await setup(engine, server, { retention_days: 400, signal: never });
      const second = await setup(engine, server, { retention_days: 400, signal: never });
      await server.close();
      expect(first.installed).toContain("index template logs-tapline");
      expect(second).toEqual(first);
      // The test servers have neither lifecycle nor, here, security: setup has to say so.
      expect(first.missing.map((part) => part.name)).toContain("lifecycle policy tapline");
      expect(first.missing.map((part) => part.name)).toContain("role tapline_writer");
      sink = (engine === "elasticsearch" ? elasticsearch : opensearch).create(options(), testContext());
      await sink.open(never);
    });
    afterAll(async () => {
      await sink?.close();
      await fetch(`${url}/_data_stream/${stream}`, { method: "DELETE" });
    });

    test("aggregations by tool, server, verdict and control return what the input holds", async () => {
      const batch = events("agg", 3_000);
      expect(await sink.write(batch, false, never)).toEqual({
        created: 3_000,
        existing: 0,
        dead: [],
        filtered: 0,
      });
      expect(await countOf("agg")).toBe(3_000);
      const fields = [
        "gen_ai.tool.name",
        "tapline.server.name",
        "tapline.decision.verdict",
        "tapline.control.iso42001",
      ];
      const aggs = Object.fromEntries(fields.map((field) => [field, { terms: { field, size: 100 } }]));
      const query = { prefix: { "event.id": `${namespace}-agg-` } };
      const answer: { aggregations: Record<string, { buckets: { key: string; doc_count: number }[] }> } =
        await fetchJson("POST", `${url}/${stream}/_search`, { size: 0, query, aggs });
      for (const field of fields) {
        const want = new Map<string, number>();
        for (const { document } of expected(batch)) {
          const value = field
            .split(".")
            .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], document);
          for (const one of [value].flat() as string[]) want.set(one, (want.get(one) ?? 0) + 1);
        }
        const got = new Map(
          answer.aggregations[field]!.buckets.map((bucket) => [bucket.key, bucket.doc_count]),
        );
        expect(got, field).toEqual(want);
      }
    });

    test("it is a data stream, and documents come back as they were sent, byte for byte", async () => {
      const batch = events("bytes", 3);
      await sink.write(batch, false, never);
      await fetchJson("POST", `${url}/${stream}/_refresh`);
      const query = { term: { "event.id": `${namespace}-bytes-00000001` } };
      const init = {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query }),
      };
      const text = await (await fetch(`${url}/${stream}/_search`, init)).text();
      const { document, id } = expected(batch)[1]!;
      expect(text).toContain(`"_source":${JSON.stringify(document)}`);
      expect(text).toContain(`"_id":"${id}"`);
      expect(text).toContain(`"_index":".ds-${stream}-`);
    });

    test("a poisoned document is a dead letter, and the rest of its batch is indexed", async () => {
      const batch = events("poison", 100, (e, i) => {
        if (i === 41) e["gen_ai.tool.call.arguments"] = "a string where the mapping has an object";
        if (i === 42) e["@timestamp"] = "2026-13-45T99:99:99.999Z";
      });
      const result = await sink.write(batch, false, never);
      expect(result).toMatchObject({ created: 98, existing: 0, filtered: 0 });
      expect(result.dead.map(({ index, id, status }) => ({ index, id, status }))).toEqual([
        { index: 10_041, id: `${namespace}-poison-00000041`, status: 400 },
        { index: 10_042, id: `${namespace}-poison-00000042`, status: 400 },
      ]);
      expect(result.dead[0]!.reason).toContain("gen_ai.tool.call.arguments");
      expect(result.dead[1]!.reason).toContain("@timestamp");
      expect(await countOf("poison")).toBe(98);
    });

    test("malformed leaves and long texts do not cost a document", async () => {
      const batch = events("odd", 4, (e, i) => {
        if (i === 0) e["destination.ip"] = "not an address";
        if (i === 1) e["event.duration"] = 1e300;
        if (i === 2) e["event.reason"] = "r".repeat(40_000);
        if (i === 3) e["event.original"] = "o".repeat(40_000);
      });
      expect(await sink.write(batch, false, never)).toMatchObject({ created: 4, dead: [] });
    });

    test("a rollover between apply and resend gives no duplicate", async () => {
      const batch = events("roll", 500);
      expect(await sink.write(batch, false, never)).toMatchObject({ created: 500 });
      await fetchJson("POST", `${url}/${stream}/_rollover`);
      // Nothing was refreshed in between: the sink sees to that itself.
      expect(await sink.write(batch, true, never)).toEqual({
        created: 0,
        existing: 500,
        dead: [],
        filtered: 0,
      });
      expect(await countOf("roll")).toBe(500);
      // The trap is real: without the lookup the same ids are stored again.
      expect(await sink.write(events("roll", 5), false, never)).toMatchObject({ created: 5 });
      expect(await countOf("roll")).toBe(505);
    });

    test("within one backing index the server itself refuses what is there", async () => {
      const batch = events("again", 50);
      await sink.write(batch, false, never);
      expect(await sink.write(batch, false, never)).toMatchObject({ created: 0, existing: 50 });
    });
  });
}

async function fetchJson(method: string, url: string, body?: unknown): Promise<never> {
  const init = { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(url, body === undefined ? { method } : init);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text.slice(0, 500)}`);
  return JSON.parse(text) as never;
}
