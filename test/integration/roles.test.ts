// The role that `tapline setup` makes for the sink, in servers that have users: it ships and looks ids up, and neither changes nor
// removes what is there. Two servers more, which take minutes to start: full runs only.
import { randomBytes } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { serialise } from "../../src/core/generated/event.ts";
import type { Sink } from "../../src/core/stage.ts";
import elasticsearch from "../../src/sinks/elasticsearch.ts";
import opensearch from "../../src/sinks/opensearch.ts";
import { connect, setup } from "../../src/sinks/setup.ts";
import type { Engine } from "../../src/sinks/setup-plan.ts";
import { batchOf, expected, testContext, toolCall } from "../sinks/batches.ts";
import { as } from "./checkpoints.ts";
import { SHIPPER, securedElasticsearch, securedOpenSearch } from "./secured.ts";
import type { Secured } from "./servers.ts";

const never = new AbortController().signal;

function roleSuite(name: string, engine: Engine, server: Secured | undefined): void {
  describe.skipIf(server === undefined)(`the writer's role in ${name}`, () => {
    const type = engine === "elasticsearch" ? elasticsearch : opensearch;
    const given = server && as(server.url, server.username, server.password, server.ca_file);
    const [admin, writer] = [given ?? {}, (server && as(server.url, ...SHIPPER, server.ca_file)) ?? {}];
    const options = (who: object): never => type.config.parse({ type: engine, ...who }) as never;
    const namespace = `role${randomBytes(6).toString("hex")}`;
    const stream = `logs-tapline.activity-${namespace}`;
    const batch = batchOf(Array.from({ length: 30 }, (_, n) => serialise(toolCall("role", n, namespace))));
    let sink: Sink;
    let backing: string;

    async function ask(who: object, method: string, path: string, body?: unknown): Promise<Answer> {
      const client = await connect(engine, options(who));
      const bytes = typeof body === "string" ? body : JSON.stringify(body);
      const sent =
        body === undefined
          ? undefined
          : { bytes, type: typeof body === "string" ? ("ndjson" as const) : ("json" as const) };
      const answer = await client.request(method, path, {}, sent, never);
      await client.close();
      return { ...(JSON.parse(answer.text || "{}") as Omit<Answer, "status">), status: answer.status };
    }
    interface Hit {
      readonly _id: string;
      readonly _index: string;
      readonly _seq_no: number;
      readonly _primary_term: number;
      readonly _source: unknown;
    }
    type Answer = { status: number; errors?: boolean; failures?: unknown[]; hits?: { hits: Hit[] } };
    async function held(): Promise<Hit[]> {
      await ask(admin, "POST", `/${stream}/_refresh`);
      const search = { size: 100, seq_no_primary_term: true, sort: ["_doc"] };
      return (await ask(admin, "POST", `/${stream}/_search`, search)).hits!.hits;
    }

    beforeAll(async () => {
      const client = await connect(engine, options(admin));
      await setup(engine, client, { retention_days: 400, signal: never });
      await client.close();
      if (engine === "opensearch") {
        const [username, password] = SHIPPER;
        const user = { password, opendistro_security_roles: ["tapline_writer"] };
        const made = await ask(admin, "PUT", `/_plugins/_security/api/internalusers/${username}`, user);
        expect(made.status).toBeLessThan(300);
      }
      sink = type.create(options(writer), testContext());
      await sink.open(never);
    }, 600_000);

    test("ships, and finds what is there before it sends again", async () => {
      expect(await sink.write(batch, false, never)).toMatchObject({ created: 30, existing: 0, dead: [] });
      expect(await sink.write(batch, true, never)).toMatchObject({ created: 0, existing: 30, dead: [] });
      expect((await held()).map(({ _id }) => _id).toSorted()).toEqual(
        expected(batch)
          .map(({ id }) => id)
          .toSorted(),
      );
      await sink.close();
    });

    test("nothing that is there can be changed or removed with its credential", async () => {
      const before = await held();
      const { _id: id, _index, _seq_no, _primary_term } = before[0]!;
      backing = _index;
      const forged = { "@timestamp": "2026-01-01T00:00:00.000Z", message: "forged" };
      const match_all = { query: { match_all: {} } };
      const lines = (...all: object[]): string => all.map((line) => `${JSON.stringify(line)}\n`).join("");
      const attempts: [string, string, unknown?][] = [stream, backing].flatMap(
        (index): [string, string, unknown?][] => [
          ["PUT", `/${index}/_doc/${id}`, forged],
          ["DELETE", `/${index}/_doc/${id}`],
          ["POST", `/${index}/_update/${id}`, { doc: forged }],
          ["POST", "/_bulk", lines({ index: { _index: index, _id: id } }, forged)],
          ["POST", "/_bulk", lines({ update: { _index: index, _id: id } }, { doc: forged })],
          ["POST", "/_bulk", lines({ delete: { _index: index, _id: id } })],
          ["POST", `/${index}/_delete_by_query`, match_all],
          ["POST", `/${index}/_update_by_query`, match_all],
          ["DELETE", `/${index}`],
          ["POST", `/${index}/_close`],
          ["PUT", `/${index}/_settings`, { "index.blocks.read": true }],
        ],
      );
      attempts.push(["DELETE", `/_data_stream/${stream}`], ["PUT", "/_index_template/logs-tapline", {}]);
      const numbered = `/${backing}/_doc/${id}?if_seq_no=${_seq_no}&if_primary_term=${_primary_term}`;
      if (engine === "elasticsearch") attempts.push(["PUT", numbered, forged]);
      for (const [method, path, body] of attempts) {
        const answer = await ask(writer, method, path, body);
        const refused = answer.status >= 400 || answer.errors === true || (answer.failures?.length ?? 0) > 0;
        expect(refused, `${method} ${path} ${JSON.stringify(answer).slice(0, 300)}`).toBe(true);
      }
      expect(await held()).toEqual(before);
    });

    // Said in docs/threat-model.md: its roles cannot tell adding from overwriting.
    test.skipIf(engine === "elasticsearch")(
      "OpenSearch lets it overwrite in a backing index that it asks by name",
      async () => {
        const { _id, _index, _seq_no, _primary_term } = (await held())[0]!;
        const path = `/${_index}/_doc/${_id}?if_seq_no=${_seq_no}&if_primary_term=${_primary_term}`;
        const forged = { "@timestamp": "2026-01-01T00:00:00.000Z", message: "forged" };
        expect((await ask(writer, "PUT", path, forged)).status).toBe(200);
      },
    );
  });
}

if (process.env["TAPLINE_FULL"] === undefined) {
  console.warn("skipping the role of the writer in servers that have users: set TAPLINE_FULL=1 to run it");
  test.skip("the writer's role in servers that have users: full runs only", () => {});
} else {
  roleSuite("OpenSearch 3 with users", "opensearch", await securedOpenSearch());
  roleSuite("Elasticsearch 8 with users", "elasticsearch", await securedElasticsearch());
}
