// Reconciling against a real server: documents are deleted, altered, moved, added and copied, and every one is counted once.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serialise } from "../../src/core/generated/event.ts";
import type { EntryBatch, Sink } from "../../src/core/stage.ts";
import elasticsearch from "../../src/sinks/elasticsearch.ts";
import opensearch from "../../src/sinks/opensearch.ts";
import { type ReconcileOptions, type Reconciled, Reconciler } from "../../src/sinks/reconcile.ts";
import { connect, setup } from "../../src/sinks/setup.ts";
import { type Engine } from "../../src/sinks/setup-plan.ts";
import { batchOf, expected, testContext, toolCall } from "../sinks/batches.ts";

const never = new AbortController().signal;
const COUNT = 1_500;

export function reconcileSuite(name: string, engine: Engine, url: string | undefined): void {
  describe.skipIf(url === undefined)(`${name}: the ledger against its documents`, () => {
    const namespace = `r${randomBytes(6).toString("hex")}`;
    const stream = `logs-tapline.activity-${namespace}`;
    const config = engine === "elasticsearch" ? elasticsearch.config : opensearch.config;
    const options = (): never => config.parse({ type: engine, url }) as never;
    const batch = batchOf(
      Array.from({ length: COUNT }, (_, i) => {
        const e = toolCall(namespace, i, namespace);
        e["host.name"] = namespace;
        e["user.name"] = i === 1_400 ? "[SEALED:v1:key-gone]" : i === 1_450 ? "[SEALED:v1:erased:]" : "sam";
        if (i === 900) e["event.duration"] = 2 ** 53;
        return serialise(e);
      }),
    );
    const documents = expected(batch);
    let sink: Sink;

    async function send(method: string, path: string, body?: unknown): Promise<never> {
      const init = { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
      const answer = await fetch(`${url}/${path}`, body === undefined ? { method } : init);
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 500)}`);
      return JSON.parse(text) as never;
    }
    interface Stored {
      readonly _index: string;
      readonly _id: string;
      readonly _seq_no: number;
      readonly _primary_term: number;
      readonly _source: Record<string, Record<string, unknown>>;
    }
    async function stored(index: number): Promise<Stored> {
      await send("POST", `${stream}/_refresh`);
      const query = { ids: { values: [documents[index]!.id] } };
      const found: { hits: { hits: Stored[] } } = await send("POST", `${stream}/_search`, {
        query,
        seq_no_primary_term: true,
      });
      return found.hits.hits[0]!;
    }
    async function alter(index: number, change: (text: string) => string): Promise<void> {
      const { _index, _id, _seq_no, _primary_term, _source } = await stored(index);
      const answer = await fetch(
        `${url}/${_index}/_doc/${_id}?if_seq_no=${_seq_no}&if_primary_term=${_primary_term}`,
        {
          method: "PUT",
          headers: { "content-type": "application/json" },
          body: change(JSON.stringify(_source)),
        },
      );
      expect(answer.status).toBe(200);
    }
    async function remove(index: number): Promise<void> {
      const { _index, _id } = await stored(index);
      await send("DELETE", `${_index}/_doc/${_id}`);
    }
    async function add(
      id: string,
      change: (document: Record<string, Record<string, unknown>>) => void,
    ): Promise<void> {
      const document = structuredClone(documents[0]!.document) as Record<string, Record<string, unknown>>;
      document["event"]!["id"] = id;
      change(document);
      await send("PUT", `${stream}/_create/${id}`, document);
    }
    async function reconcile(
      more: Partial<ReconcileOptions> = {},
      part: EntryBatch = batch,
    ): Promise<Reconciled> {
      const server = await connect(engine, options());
      const of = { host: namespace, from: 0, to: COUNT, whole: true, dead: new Set<number>(), ...more };
      const reconciler = new Reconciler(server, { sealed: "[SEALED:v1:", erased: [], leave_out: [], ...of });
      await reconciler.open(never);
      await reconciler.compare(part, never);
      if (of.whole) await reconciler.outside(COUNT, never);
      await server.close();
      return reconciler.result();
    }

    beforeAll(async () => {
      const server = await connect(engine, options());
      await setup(engine, server, { retention_days: 400, signal: never });
      await server.close();
      sink = (engine === "elasticsearch" ? elasticsearch : opensearch).create(options(), testContext());
      await sink.open(never);
    });
    afterAll(async () => {
      await sink?.close();
      await fetch(`${url}/_data_stream/${stream}`, { method: "DELETE" });
    });

    test("counts every document that is missing, altered or extra exactly once", async () => {
      const nothing = await reconcile();
      expect(nothing).toMatchObject({ entries: COUNT, same: 0, missing: COUNT });
      // Documents of no host belong to no ledger: others on this server may have left some.
      const stray = nothing.extra;
      expect(await sink.write(batch, false, never)).toMatchObject({ created: COUNT });
      const clean = {
        entries: COUNT,
        same: COUNT,
        unsealed: 0,
        altered: 0,
        missing: 0,
        dead: 0,
        extra: stray,
      };
      expect(await reconcile()).toMatchObject(clean);

      await alter(1_400, (text) => text.replace("[SEALED:v1:key-gone]", "sam"));
      await remove(0);
      await remove(511);
      await remove(1_499);
      await remove(1_450);
      await alter(3, (text) => text.replace('"tool_3"', '"tool_4"'));
      await alter(900, (text) => text.replace("9007199254740992", "9007199254740993"));
      await alter(700, (text) => text.replace('"sequence":700', '"sequence":5'));
      await alter(20, (text) => text.replace('"sequence":20', '"sequence":1300'));
      await alter(21, (text) => text.replace('"sequence":21', '"sequence":22'));
      await alter(22, (text) => text.replace('"sequence":22', '"sequence":999999'));
      await alter(23, (text) => text.replace('"sequence":23,', ""));
      await alter(24, (text) => text.replace(`"host":{"name":"${namespace}"}`, '"host":{}'));
      await add(`${namespace}-added-1`, (d) => (d["event"]!["sequence"] = 10));
      await add(`${namespace}-added-2`, (d) => delete d["event"]!["sequence"]);
      await add(`${namespace}-added-3`, (d) => (d["event"]!["sequence"] = 5_000_000));
      await add(`${namespace}-added-4`, (d) => delete d["host"]);
      await send("POST", `${stream}/_rollover`);
      await send("PUT", `${stream}/_create/${documents[30]!.id}`, documents[30]!.document);

      const found = await reconcile({ dead: new Set([511, 512]), erased: ["[SEALED:v1:erased:"] });
      expect(found).toMatchObject({
        entries: COUNT,
        same: COUNT - 4 - 8 - 1,
        unsealed: 1,
        altered: 8,
        missing: 2,
        dead: 1,
        erased: 1,
        extra: stray + 5,
      });
      const listed = (kind: string): unknown[] =>
        found.differences.filter((one) => one.kind === kind).map((one) => [one.index, one.fields]);
      expect(listed("missing")).toEqual([
        [0, undefined],
        [1_499, undefined],
      ]);
      expect(listed("altered")).toEqual([
        [3, ["gen_ai.tool.name"]],
        [20, ["event.sequence"]],
        [21, ["event.sequence"]],
        [22, ["event.sequence"]],
        [23, ["event.sequence"]],
        [24, ["host.name"]],
        [700, ["event.sequence"]],
        [900, ["event.duration"]],
      ]);
      const extra = found.differences.filter((one) => one.kind === "extra").map((one) => one.id);
      expect(extra).toEqual(
        expect.arrayContaining([...[1, 2, 3, 4].map((n) => `${namespace}-added-${n}`), documents[30]!.id]),
      );
    });

    test("what the sink leaves out is not missed, and compared where it is there", async () => {
      expect(await reconcile({ leave_out: ["tapline.activity"], dead: new Set([511]) })).toMatchObject({
        entries: COUNT,
        altered: 8,
        missing: 0,
        dead: 1,
        filtered: 3,
      });
      expect(await reconcile({ leave_out: ["tapline.alert"] })).toMatchObject({ missing: 4, filtered: 0 });
    });

    test("a part of the ledger is compared alone", async () => {
      const part = batchOf(
        documents.slice(600, 800).map((_, i) => {
          const e = toolCall(namespace, 600 + i, namespace);
          e["host.name"] = namespace;
          e["user.name"] = "sam";
          return serialise(e);
        }),
        600,
      );
      expect(await reconcile({ from: 600, to: 800, whole: false }, part)).toMatchObject({
        entries: 200,
        same: 199,
        altered: 1,
        missing: 0,
        extra: 0,
      });
    });
  });
}
