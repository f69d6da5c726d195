// Every panel, search and filter of a generated file, asked of a real server: each has to return data. And nothing that was
// recorded gets into a field whose values become links.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, setup } from "../../src/sinks/setup.ts";
import { type Engine } from "../../src/sinks/setup-plan.ts";
import elasticsearch from "../../src/sinks/elasticsearch.ts";
import opensearch from "../../src/sinks/opensearch.ts";
import { FILES, ofType, parse, readObjects } from "../dashboards/objects.ts";
import { type PanelQuery, queriesOf } from "../dashboards/queries.ts";
import { HOSTILE, type Loaded, load } from "./dashboards-data.ts";

interface Bucket {
  readonly key?: unknown;
  readonly doc_count: number;
  readonly [name: string]: unknown;
}
type Aggregations = Readonly<Record<string, { buckets?: Bucket[] | Record<string, Bucket> } & Figure>>;
interface Figure {
  readonly value?: number | null;
  readonly values?: Readonly<Record<string, number | null>>;
}
interface Answer {
  readonly error?: unknown;
  readonly hits: { readonly total: { readonly value: number } };
  readonly aggregations?: Aggregations;
}

/** Why a panel would be empty; undefined when it shows data. */
function empty({ buckets, metrics }: PanelQuery, answer: Answer): string | undefined {
  if (answer.error !== undefined) return JSON.stringify(answer.error).slice(0, 300);
  if (answer.hits.total.value === 0) return "no document";
  let at: readonly Aggregations[] = [answer.aggregations ?? {}];
  for (const name of buckets) {
    at = at.flatMap((one) => Object.values(one[name]?.buckets ?? {}) as never[]);
    at = at.filter((one) => (one as unknown as Bucket).doc_count > 0);
    if (at.length === 0) return `no bucket ${name}`;
  }
  const figure = ({ value, values }: Figure): boolean =>
    (value ?? Object.values(values ?? {})[0] ?? undefined) !== undefined;
  const missing = metrics.find((name) => !at.some((one) => figure(one[name]!)));
  return missing === undefined ? undefined : `no figure ${missing}`;
}

async function json(url: string, body: string, type = "application/json"): Promise<never> {
  const answer = await fetch(url, { method: "POST", headers: { "content-type": type }, body });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`POST ${url}: ${answer.status} ${text.slice(0, 500)}`);
  return JSON.parse(text) as never;
}

export function dashboardSuite(name: string, engine: Engine, url: string | undefined): void {
  describe.skipIf(url === undefined)(`dashboards on ${name}, a real server`, () => {
    const namespace = `d${randomBytes(6).toString("hex")}`;
    const objects = readObjects(engine === "elasticsearch" ? FILES.kibana : FILES.opensearch);
    let at: Loaded;

    beforeAll(async () => {
      const component = engine === "elasticsearch" ? elasticsearch : opensearch;
      const server = await connect(engine, component.config.parse({ type: engine, url }));
      await setup(engine, server, { retention_days: 400, signal: new AbortController().signal });
      await server.close();
      at = await load(engine, url!, namespace);
    });
    afterAll(async () => {
      await fetch(`${url}/_data_stream/logs-tapline.*-${namespace}`, { method: "DELETE" });
      await fetch(`${url}/tapline-incident-state-${namespace}`, { method: "DELETE" });
    });
    const indexOf = (view: string): string => (view === "tapline-events-view" ? at.events : at.incidents);

    test("every panel, search and filter returns data", async () => {
      const asked = queriesOf(objects);
      expect(asked.length).toBeGreaterThan(120);
      const lines = asked.flatMap(({ view, body }) => [
        JSON.stringify({ index: indexOf(view) }),
        JSON.stringify(body),
      ]);
      const { responses }: { responses: Answer[] } = await json(
        `${url}/_msearch`,
        `${lines.join("\n")}\n`,
        "application/x-ndjson",
      );
      expect(responses.length).toBe(asked.length);
      const without = asked.flatMap((one, i) => {
        const why = empty(one, responses[i]!);
        return why === undefined ? [] : [`${one.panel}: ${why}`];
      });
      expect(without).toEqual([]);
    });

    test("hostile texts arrived as they are, and none in a field whose values become links", async () => {
      const query = { terms: { "gen_ai.tool.name": HOSTILE } };
      const tools = { terms: { field: "gen_ai.tool.name", size: 100 } };
      const found: Answer = await json(
        `${url}/${at.events}/_search`,
        JSON.stringify({ size: 0, query, aggs: { tools } }),
      );
      const seen = (found.aggregations!["tools"]!.buckets as Bucket[]).map(({ key }) => key);
      expect(seen.toSorted()).toEqual([...HOSTILE].toSorted());
      for (const view of ofType(objects, "index-pattern")) {
        const formats: Record<string, { id: string }> = parse(view.attributes["fieldFormatMap"]);
        const linked = Object.keys(formats).filter((field) => formats[field]!.id === "url");
        const aggs = Object.fromEntries(
          linked.map((field) => [field, { terms: { field, size: 10_000 } }] as const),
        );
        const all: Answer = await json(
          `${url}/${indexOf(view.id)}/_search`,
          JSON.stringify({ size: 0, aggs }),
        );
        for (const field of linked) {
          const values = (all.aggregations![field]!.buckets as Bucket[]).map(({ key }) => String(key));
          for (const value of values) expect(value, field).toMatch(/^[\w.:-]+$/);
          if (!view.id.includes("incidents") || field !== "event.id")
            expect(values.length, field).toBeGreaterThan(0);
        }
      }
    });
  });
}
