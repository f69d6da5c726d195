// The main job into real servers, through the command line: set up, run, aggregate, one poisoned document, its replay
// after the mapping is repaired, and replays of everything, also after a rollover.
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../../src/sinks/setup-plan.ts";
import { openStore } from "../../src/store/reader.ts";
import {
  type Document,
  checkDocument,
  configure,
  countBy,
  documents,
  entriesOf,
  field,
  newHome,
  tapline,
} from "../commands/tapline.ts";
import { type ServerName, startServer } from "./servers.ts";

const INPUT = [
  "sample/claude-code-session.jsonl",
  "sample/mcp-session.jsonl",
  "test/fixtures/claude-code/real.jsonl",
  "test/fixtures/mcp/deny.jsonl",
  "test/fixtures/mcp/server-filesystem.jsonl",
  "test/fixtures/copilot/decisions.jsonl",
];
const FIELDS = [
  "gen_ai.tool.name",
  "tapline.server.name",
  "tapline.decision.verdict",
  "tapline.control.iso42001",
  "event.action",
  "rule.name",
];

/** One call whose user has a name that the server's mapping, as this test spoils it, does not take. */
const POISONED = {
  ts: "2026-11-20T10:00:00.000Z",
  dir: "c2s",
  conn: "p1",
  session: "poisoned",
  user: "no-number",
  server: { name: "poisoned", transport: "stdio" },
  msg: {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "poisoned_tool", arguments: { n: 1 } },
  },
};

async function json(method: string, url: string, body?: unknown): Promise<never> {
  const init = { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(url, body === undefined ? { method } : init);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text.slice(0, 500)}`);
  return JSON.parse(text) as never;
}

interface Template {
  mappings?: { properties: Record<string, { properties: Record<string, unknown> }> };
}

interface Counted {
  hits: { total: { value: number } };
  aggregations: Record<string, { buckets: { key: string; doc_count: number }[] }>;
}

async function runSuite(server: ServerName, engine: Engine): Promise<void> {
  const url = await startServer(server);
  describe.skipIf(url === undefined)(`the main job into ${server}, a real server`, () => {
    const namespace = `r${randomBytes(6).toString("hex")}`;
    const streams = `logs-tapline.*-${namespace}`;
    const spoiled = `spoiled-${namespace}`;
    const home = newHome();
    const logs = join(home, "logs");
    const config = configure(home, {
      namespace,
      workers: 2,
      sources: { agents: { type: "file", include: [join(logs, "*.jsonl")] } },
      sinks: { cluster: { type: engine, url }, local: { type: "store" } },
    });
    const run = (...args: string[]) => tapline(home, [...args, "-c", config]);
    const replay = async (...args: string[]) => {
      const { code, stdout, stderr } = await run(...args, "--sink", "cluster", "--json");
      if (stdout === "") throw new Error(stderr);
      return [code, JSON.parse(stdout)] as const;
    };
    let entries: Document[] = [];
    let poisoned = -1;

    async function search(): Promise<Counted> {
      await json("POST", `${url}/${streams}/_refresh`);
      const aggs = Object.fromEntries(
        [...FIELDS, "_index"].map((name) => [name, { terms: { field: name, size: 1000 } }]),
      );
      return json("POST", `${url}/${streams}/_search`, { size: 0, track_total_hits: true, aggs });
    }

    /** Data streams with documents: their backing indices tell. */
    const streamsOf = ({ aggregations }: Counted): string[] => {
      const names = aggregations["_index"]!.buckets.map(
        ({ key }) => /^\.ds-(.+?)(?:-\d{4}\.\d\d\.\d\d)?-\d{6}$/.exec(key)![1]!,
      );
      return [...new Set(names)].toSorted();
    };

    /** A template above ours, for this namespace alone, in which `user.name` has this type. */
    async function mapUserNameAs(type: string): Promise<void> {
      const found: {
        index_templates: { index_template: Document & { priority: number; template?: Template } }[];
      } = await json("GET", `${url}/_index_template/logs-tapline`);
      const ours = found.index_templates[0]!.index_template;
      // What comes from components is merged with this; what stands in the template itself is changed in place.
      const template = structuredClone(ours.template) ?? {};
      const mappings = (template.mappings ??= { properties: {} });
      (mappings.properties["user"] ??= { properties: {} }).properties["name"] = { type };
      await json("PUT", `${url}/_index_template/${spoiled}`, {
        ...ours,
        index_patterns: [`logs-tapline.activity-${namespace}`],
        priority: ours.priority + 1,
        template,
      });
    }

    beforeAll(async () => {
      mkdirSync(logs);
      for (const [i, path] of INPUT.entries()) {
        // Users are numbers here, so that one document alone is at fault.
        const text = readFileSync(path, "utf8").replaceAll(/"user": ?"[^"]*"/g, '"user":"1001"');
        writeFileSync(join(logs, `${i}.jsonl`), text);
      }
      writeFileSync(join(logs, "poisoned.jsonl"), `${JSON.stringify(POISONED)}\n`);
      const setup = await run("setup", engine, "--json");
      const result = JSON.parse(setup.stdout) as { installed: string[]; missing: { name: string }[] };
      expect(result.installed).toContain("index template logs-tapline");
      expect(setup.code, "what the server cannot have is named, and is exit code 1").toBe(
        result.missing.length > 0 ? 1 : 0,
      );
      expect((await run("setup", engine, "--allow-missing")).code).toBe(0);
      await mapUserNameAs("long");
    });
    afterAll(async () => {
      await fetch(`${url}/_data_stream/${streams}`, { method: "DELETE" });
      await fetch(`${url}/_index_template/${spoiled}`, { method: "DELETE" });
    });

    test("check finds the server, run ships everything but the poisoned document", async () => {
      expect((await run("check")).code).toBe(0);
      const { code, stderr } = await run("run", "--once");
      expect([code, stderr]).toEqual([0, ""]);
      entries = await entriesOf(join(home, "state", "ledger"));
      for (const entry of entries) checkDocument(entry);
      const named = entries.flatMap((entry, index) =>
        field(entry, "user.name") === POISONED.user && field(entry, "event.action") === "tool-call"
          ? [index]
          : [],
      );
      expect(named.length).toBe(1);
      poisoned = named[0]!;
      const status = await run("status", "--json");
      const told = JSON.parse(status.stdout) as { sinks: Record<string, unknown>[] };
      expect(told.sinks[0]).toMatchObject({
        name: "cluster",
        created: entries.length - 1,
        existing: 0,
        dead: 1,
        pending: 0,
      });
    });

    test("documents are in data streams, and aggregations return what the ledger and the store hold", async () => {
      const shipped = entries.filter((_, index) => index !== poisoned);
      const found = await search();
      expect(found.hits.total.value).toBe(shipped.length);
      for (const name of FIELDS) {
        const buckets = found.aggregations[name]!.buckets.map(
          ({ key, doc_count }) => [key, doc_count] as const,
        );
        expect(new Map(buckets), name).toEqual(countBy(shipped, name));
        expect(buckets.length, name).toBeGreaterThan(1);
      }
      const names = countBy(shipped, "data_stream.dataset").keys();
      expect(streamsOf(found)).toEqual(
        [...names].map((dataset) => `logs-${dataset}-${namespace}`).toSorted(),
      );
      const store = await openStore(join(home, "state", "local"));
      for (const name of [
        "gen_ai.tool.name",
        "tapline.server.name",
        "tapline.decision.verdict",
        "event.action",
      ]) {
        const rows = (await store.query(
          `SELECT "${name}" AS value, count(*) AS n FROM events WHERE "${name}" IS NOT NULL GROUP BY 1`,
        )) as { value: string; n: bigint | number }[];
        expect(new Map(rows.map(({ value, n }) => [value, Number(n)])), name).toEqual(countBy(entries, name));
      }
      await store.close();
    });

    test("the poisoned document is a dead letter; another try fails while the mapping is wrong", async () => {
      const list = async () => documents((await run("dlq", "list", "--json")).stdout);
      const letters = await list();
      expect(letters).toMatchObject([{ sink: "cluster", index: poisoned, status: 400 }]);
      expect(letters[0]!["id"]).toBe(field(entries[poisoned]!, "event.id"));
      expect(letters[0]!["reason"]).toMatch(/user\.name/);
      expect(await replay("dlq", "replay")).toMatchObject([
        1,
        { entries: 1, created: 0, existing: 0, dead: 1 },
      ]);
      expect((await list()).map((letter) => letter["index"])).toEqual([poisoned]);
    });

    test("after the mapping is repaired the dead letter is delivered and no longer listed", async () => {
      await mapUserNameAs("keyword");
      await json("POST", `${url}/logs-tapline.activity-${namespace}/_rollover`);
      expect(await replay("dlq", "replay")).toMatchObject([
        0,
        { entries: 1, created: 1, existing: 0, filtered: 0, dead: 0 },
      ]);
      expect((await run("dlq", "list")).stdout).toContain("no dead letters");
      expect((await search()).hits.total.value).toBe(entries.length);
    });

    test("a replay of the whole ledger creates nothing, also after a rollover of every stream", async () => {
      const all = { entries: entries.length, created: 0, existing: entries.length, dead: 0 };
      expect(await replay("replay", "--from", "0")).toMatchObject([0, all]);
      for (const name of streamsOf(await search())) await json("POST", `${url}/${name}/_rollover`);
      expect(await replay("replay", "--from", "0")).toMatchObject([0, all]);
      expect((await search()).hits.total.value).toBe(entries.length);
    });

    test("a cursor that was lost ships nothing twice", async () => {
      writeFileSync(
        join(home, "state", "cursors", "cluster.json"),
        JSON.stringify({ acked: 0, sending: entries.length, created: 0, existing: 0, dead: 0, filtered: 0 }),
      );
      expect((await run("run", "--once")).code).toBe(0);
      const status = JSON.parse((await run("status", "--json")).stdout) as {
        entries: number;
        sinks: Document[];
      };
      expect(status.sinks[0]).toMatchObject({
        existing: entries.length,
        created: status.entries - entries.length,
        pending: 0,
      });
      expect((await search()).hits.total.value).toBe(status.entries);
    });
  });
}

await runSuite("opensearch", "opensearch");
await runSuite("elasticsearch8", "elasticsearch");
