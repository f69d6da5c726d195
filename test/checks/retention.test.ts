// Retention in force by what servers say of it, in the shapes in which both engines document their answers.
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { judgeRetention } from "../../src/checks/retention.ts";
import type { Finding } from "../../src/checks/contract.ts";
import elasticsearch from "../../src/sinks/elasticsearch.ts";
import opensearch from "../../src/sinks/opensearch.ts";

let server: Server | undefined;
afterEach(() => server?.close());

/** What is found of a server that answers so, by path; any other path is 404. */
async function judged(
  engine: "elasticsearch" | "opensearch",
  answers: Readonly<Record<string, object | number>>,
  days = 400,
): Promise<Finding> {
  server?.close();
  server = createServer((request, response) => {
    const answer = answers[decodeURIComponent(request.url!.split("?")[0]!)] ?? 404;
    const product = engine === "elasticsearch" ? { "x-elastic-product": "Elasticsearch" } : {};
    const [status, body] = typeof answer === "number" ? [answer, {}] : [200, answer];
    response.writeHead(status, { "content-type": "application/json", ...product }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { config } = engine === "elasticsearch" ? elasticsearch : opensearch;
  return judgeRetention([["main", config.parse({ type: engine, url })]], days, new AbortController().signal);
}

const STREAM = "logs-tapline.activity-default";
const ilm = (min_age: string): object => ({
  tapline: { policy: { phases: { hot: {}, delete: { min_age, actions: { delete: {} } } } } },
});
const streams = (...indices: object[]): object => ({
  data_streams: [{ name: STREAM, ilm_policy: "tapline", indices }],
});
const held = { index_name: ".ds-a-000001", ilm_policy: "tapline", managed_by: "Index Lifecycle Management" };
const PATHS = {
  streams: "/_data_stream/logs-tapline.*-*",
  status: "/_ilm/status",
  policy: "/_ilm/policy/tapline",
};
const RUNNING = { operation_mode: "RUNNING" };

test("Elasticsearch: as stated, shorter, longer, stopped, not managed, by the stream's own lifecycle", async () => {
  const base = { [PATHS.streams]: streams(held), [PATHS.status]: RUNNING, [PATHS.policy]: ilm("400d") };
  const ask = (over: Record<string, object | number>): Promise<Finding> =>
    judged("elasticsearch", { ...base, ...over });
  expect(await ask({})).toEqual({
    outcome: "pass",
    detail: "documents are deleted after 400 days as stated, by the policy in force: main",
  });
  expect((await ask({ [PATHS.policy]: ilm("9600h") })).outcome).toBe("pass");
  expect((await ask({ [PATHS.policy]: ilm("30d") })).detail).toBe(
    "retention is not the 400 days that are stated: main: tapline deletes after 30 days",
  );
  expect((await ask({ [PATHS.policy]: ilm("3650d") })).outcome).toBe("fail");
  expect((await ask({ [PATHS.policy]: { tapline: { policy: { phases: { hot: {} } } } } })).detail).toContain(
    "main: tapline deletes nothing",
  );
  expect((await ask({ [PATHS.status]: { operation_mode: "STOPPED" } })).detail).toContain(
    "main: nothing deletes .ds-a-000001",
  );
  const bare = {
    data_streams: [{ name: STREAM, indices: [{ index_name: ".ds-b-000001", managed_by: "Unmanaged" }] }],
  };
  expect((await ask({ [PATHS.streams]: bare })).detail).toContain("main: nothing deletes .ds-b-000001");
  const own = {
    data_streams: [
      {
        name: STREAM,
        lifecycle: { enabled: true, data_retention: "30d" },
        indices: [{ index_name: ".ds-c-000001", managed_by: "Data stream lifecycle" }],
      },
    ],
  };
  expect((await ask({ [PATHS.streams]: own })).detail).toContain(
    "data stream lifecycle deletes after 30 days",
  );
  expect(await ask({ [PATHS.policy]: 403 })).toEqual({
    outcome: "unknown",
    detail:
      "retention could not be read: main: the sink's user may not read it (403): `tapline setup` gives its role the right",
  });
  expect((await ask({ [PATHS.streams]: { data_streams: [] } })).detail).toContain(
    "there are no documents yet",
  );
});

test("OpenSearch: as stated, shorter, an index under no policy or one that is off, a server without the plugin", async () => {
  const explain = "/_plugins/_ism/explain/.ds-logs-tapline.*";
  const policy = (age: string): object => ({
    policy: {
      states: [
        {
          name: "hot",
          actions: [],
          transitions: [{ state_name: "delete", conditions: { min_rollover_age: age } }],
        },
        { name: "delete", actions: [{ delete: {} }], transitions: [] },
      ],
    },
  });
  const managed = { ".ds-a-000001": { policy_id: "tapline", enabled: true }, total_managed_indices: 1 };
  const ask = (indexes: object | number, age = "400d"): Promise<Finding> =>
    judged("opensearch", { [explain]: indexes, "/_plugins/_ism/policies/tapline": policy(age) });
  expect((await ask(managed)).outcome).toBe("pass");
  expect((await ask(managed, "7d")).detail).toContain("main: tapline deletes after 7 days");
  expect((await ask({ ...managed, ".ds-b-000001": { policy_id: null, enabled: null } })).detail).toContain(
    "main: nothing deletes .ds-b-000001",
  );
  expect((await ask({ ".ds-a-000001": { policy_id: "tapline", enabled: false } })).outcome).toBe("fail");
  expect((await ask(405)).detail).toContain("the server has no lifecycle management");
});

test("no server, and one that cannot be reached, are unknown", async () => {
  expect(
    (await judgeRetention([["local", { type: "store" }]], 400, new AbortController().signal)).outcome,
  ).toBe("unknown");
  const dead = opensearch.config.parse({ type: "opensearch", url: "http://127.0.0.1:1" });
  expect((await judgeRetention([["main", dead]], 400, new AbortController().signal)).outcome).toBe("unknown");
});
