// setup against a stub: lifecycle and roles, which the test servers lack. The templates are tested on real servers.
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import elasticsearch from "../../src/sinks/elasticsearch.ts";
import { type SetupResult, connect, setup } from "../../src/sinks/setup.ts";
import { type Engine, plan } from "../../src/sinks/setup-plan.ts";

interface Seen {
  readonly request: string;
  readonly query: string;
  readonly body: unknown;
}
interface Monitor {
  readonly name: string;
  readonly inputs: readonly { readonly search: { readonly indices: readonly string[] } }[];
}
type Answer = readonly [status: number, body: unknown];

let stub: HttpServer;
let url: string;
let seen: Seen[];
/** "METHOD /path" → answer; what is not named answers 200 {}. */
let answers: Record<string, Answer>;
let product: Engine;

beforeEach(async () => {
  seen = [];
  answers = {};
  stub = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    request.on("end", () => {
      const [path, query = ""] = request.url!.split("?");
      const key = `${request.method} ${path}`;
      seen.push({ request: key, query, body: text === "" ? undefined : (JSON.parse(text) as unknown) });
      const [status, body] = answers[key] ?? [200, {}];
      if (product === "elasticsearch") response.setHeader("x-elastic-product", "Elasticsearch");
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => stub.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(stub.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((resolve) => void stub.close(resolve)));

async function run(engine: Engine, days = 400): Promise<SetupResult> {
  product = engine;
  const options = elasticsearch.config.parse({ type: "elasticsearch", url });
  const server = await connect(engine, options);
  try {
    return await setup(engine, server, { retention_days: days, signal: new AbortController().signal });
  } finally {
    await server.close();
  }
}
const puts = (): string[] => seen.filter((s) => s.request.startsWith("PUT")).map((s) => s.request);
const body = (request: string): never => seen.find((s) => s.request === request)!.body as never;

describe("elasticsearch", () => {
  test("installs everything, in the order in which it is needed", async () => {
    answers = { "GET /": [200, { version: { number: "9.1.0" } }] };
    const result = await run("elasticsearch", 200);
    expect(result.server).toBe("elasticsearch 9.1.0");
    expect(result.missing).toEqual([]);
    expect(puts()).toEqual([
      "PUT /_ilm/policy/tapline",
      "PUT /_component_template/tapline@mappings",
      "PUT /_component_template/tapline@settings",
      "PUT /_component_template/tapline@lifecycle",
      "PUT /_index_template/logs-tapline",
      "PUT /_security/role/tapline_writer",
      "PUT /_index_template/tapline-incident-state",
      "PUT /_security/role/tapline_incident_writer",
    ]);
    const { policy }: { policy: { phases: { delete: unknown; hot: unknown } } } =
      body("PUT /_ilm/policy/tapline");
    expect(policy.phases.delete).toEqual({ min_age: "200d", actions: { delete: {} } });
    expect(policy.phases.hot).toEqual({
      actions: { rollover: { max_age: "30d", max_primary_shard_size: "50gb" } },
    });
    const role: { indices: { privileges: string[] }[] } = body("PUT /_security/role/tapline_writer");
    expect(role.indices[0]!.privileges).toContain("create_doc");
    for (const more of ["write", "index", "delete", "all", "manage"])
      expect(role.indices[0]!.privileges).not.toContain(more);
  });

  test("--print shows exactly what is sent", async () => {
    await run("elasticsearch", 400);
    const planned = await plan("elasticsearch", 400);
    expect(seen.filter((s) => s.request.startsWith("PUT")).map((s) => s.body)).toEqual(
      planned.map((p) => p.body),
    );
  });

  test("names what the server lacks, and what hangs on it, and installs the rest", async () => {
    answers = {
      "GET /_ilm/status": [400, { error: "no handler" }],
      "GET /_security/_authenticate": [405, {}],
    };
    const result = await run("elasticsearch");
    expect(result.installed).toEqual([
      "component template tapline@mappings",
      "component template tapline@settings",
      "index template logs-tapline",
      "index template tapline-incident-state",
    ]);
    expect(result.missing.map((part) => part.name)).toEqual([
      "lifecycle policy tapline",
      "component template tapline@lifecycle",
      "role tapline_writer",
      "role tapline_incident_writer",
    ]);
    expect(result.missing[0]!.reason).toBe("the server cannot: 400 no handler");
  });

  test("existing streams get new fields; a type that changed waits for the rollover and is named", async () => {
    answers = {
      "GET /_resolve/index/logs-tapline.*-*,tapline-incident-state*": [
        200,
        { data_streams: [{ name: "logs-tapline.audit-default" }] },
      ],
      "PUT /logs-tapline.audit-default/_mapping": [400, { error: { reason: "cannot change type" } }],
    };
    const result = await run("elasticsearch");
    expect(seen.find((s) => s.request.endsWith("/_mapping"))!.query).toBe("write_index_only=true");
    expect(result.missing).toEqual([
      {
        name: "mappings of existing streams",
        reason: "logs-tapline.audit-default, in force from its next rollover: 400 cannot change type",
      },
    ]);
  });

  test.each([401, 403])("%i is an error with what to do, not a missing part", async (status) => {
    answers = { "PUT /_index_template/logs-tapline": [status, { error: { reason: "no" } }] };
    await expect(run("elasticsearch")).rejects.toMatchObject({
      code: status === 401 ? "SINK_UNAUTHORIZED" : "SINK_FORBIDDEN",
    });
  });

  test("a policy or role that the server refuses is named, and the rest is installed", async () => {
    answers = {
      "PUT /_ilm/policy/tapline": [403, { error: { reason: "no manage_ilm" } }],
      "PUT /_security/role/tapline_writer": [400, { error: { reason: "no security index" } }],
    };
    const result = await run("elasticsearch");
    expect(result.installed).toContain("index template logs-tapline");
    expect(result.missing).toEqual([
      { name: "lifecycle policy tapline", reason: "the server refuses it: 403 no manage_ilm" },
      { name: "component template tapline@lifecycle", reason: "goes with the lifecycle policy tapline" },
      { name: "role tapline_writer", reason: "the server refuses it: 400 no security index" },
    ]);
  });

  test("a template that the server refuses is an error", async () => {
    answers = {
      "PUT /_component_template/tapline@settings": [400, { error: { reason: "unknown setting" } }],
    };
    await expect(run("elasticsearch")).rejects.toMatchObject({ code: "SETUP_REFUSED" });
  });
});

describe("opensearch", () => {
  test("a policy that is there is replaced by version, a new one is made", async () => {
    const path = "/_plugins/_ism/policies/tapline";
    answers = { [`GET ${path}`]: [404, { error: { reason: "Policy not found" } }] };
    expect((await run("opensearch", 730)).missing).toEqual([]);
    expect(seen.find((s) => s.request === `PUT ${path}`)!.query).toBe("");
    const { policy }: { policy: { states: { name: string; transitions: { conditions: unknown }[] }[] } } =
      body(`PUT ${path}`);
    const warm = policy.states.find((state) => state.name === "warm")!;
    expect(warm.transitions[0]!.conditions).toEqual({ min_rollover_age: "730d" });
    seen = [];
    answers = { [`GET ${path}`]: [200, { _seq_no: 7, _primary_term: 2 }] };
    await run("opensearch");
    expect(seen.find((s) => s.request === `PUT ${path}`)!.query).toBe("if_seq_no=7&if_primary_term=2");
  });

  test("monitors are made once, and left alone where one of the name is there; they look where the events are", async () => {
    const path = "/_plugins/_alerting/monitors";
    const other = { _id: "x1", _source: { name: "tapline alerts of mine" } };
    answers = {
      [`POST ${path}/_search`]: [
        200,
        { hits: { hits: [other, { _id: "m7", _source: { name: "tapline alerts" } }] } },
      ],
    };
    const result = await run("opensearch");
    expect(result.missing).toEqual([]);
    expect(result.installed).toEqual(
      expect.arrayContaining(["monitor tapline alerts", "monitor tapline open incidents"]),
    );
    const sent = seen.filter(({ request }) => request.includes(path) && !request.endsWith("_search"));
    expect(sent.map(({ request }) => request)).toEqual([`POST ${path}`]);
    seen = [];
    answers = { [`POST ${path}/_search`]: [404, {}] };
    await run("opensearch");
    const made = seen.filter(({ request }) => request === `POST ${path}`).map((one) => one.body as Monitor);
    expect(made.map(({ name }) => name)).toEqual(["tapline alerts", "tapline open incidents"]);
    expect(made.map(({ inputs }) => inputs[0]!.search.indices)).toEqual([
      ["logs-tapline.alert-*"],
      ["tapline-incident-state"],
    ]);
  });

  test("installs one self-contained template and a role that cannot delete", async () => {
    await run("opensearch");
    expect(puts()).toEqual([
      "PUT /_plugins/_ism/policies/tapline",
      "PUT /_index_template/logs-tapline",
      "PUT /_plugins/_security/api/roles/tapline_writer",
      "PUT /_index_template/tapline-incident-state",
      "PUT /_plugins/_security/api/roles/tapline_incident_writer",
    ]);
    expect(body("PUT /_index_template/logs-tapline")).not.toHaveProperty("composed_of");
    expect(JSON.stringify(body("PUT /_plugins/_security/api/roles/tapline_writer"))).not.toContain("delete");
  });

  test("without ISM and security, both are named", async () => {
    const none: Answer = [400, { error: "no handler found" }];
    answers = {
      "GET /_plugins/_ism/policies/tapline": none,
      "GET /_plugins/_security/api/account": none,
      "POST /_plugins/_alerting/monitors/_search": none,
    };
    const result = await run("opensearch");
    expect(result.installed).toEqual([
      "index template logs-tapline",
      "index template tapline-incident-state",
    ]);
    expect(result.missing.map((part) => part.name)).toEqual([
      "lifecycle policy tapline",
      "role tapline_writer",
      "role tapline_incident_writer",
      "monitor tapline alerts",
      "monitor tapline open incidents",
    ]);
  });
});
