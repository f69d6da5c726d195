// Installs what the sinks need in a server: lifecycle policy, templates, a role that can only create. Asks first
// what the server can do, installs the rest and names what it left out. Idempotent. Dashboards are the task of front-end.ts.
import { readFile } from "node:fs/promises";
import { TaplineError } from "../core/errors.ts";
import { excerpt, refused } from "./answer.ts";
import type { Answer, Server } from "./connection.ts";
import { type ElasticsearchOptions, connectElasticsearch } from "./elasticsearch.ts";
import { STATE_INDEX, planIncidents } from "./incident-setup.ts";
import { MONITORS, isThere } from "./monitors.ts";
import { type OpenSearchOptions, connectOpenSearch } from "./opensearch.ts";
import { TEMPLATE } from "./shipper.ts";

export type Engine = "elasticsearch" | "opensearch";

/** One request of the setup. */
export interface Part {
  readonly name: string;
  readonly path: string;
  readonly body: unknown;
  /** Asked first: the part is left out when the server does not answer with one of `able`. */
  readonly probe?: { readonly path: string; readonly able: readonly number[] };
  /** Left out when the part of that name was. */
  readonly after?: string;
  /** Made under an id of the server's by POST, and left alone where one of that name is there: it may have been added to. */
  readonly named?: string;
}

export interface SetupResult {
  /** "opensearch 3.6.0", as far as the server says. */
  readonly server: string;
  readonly installed: readonly string[];
  readonly missing: readonly { readonly name: string; readonly reason: string }[];
}

export const LIFECYCLE = "lifecycle policy tapline";
const ROLE = "role tapline_writer";
const PATTERN = "logs-tapline.*-*";

/** Connects with the options of a sink of that type, as its configuration schema gives them. */
export function connect(engine: Engine, options: ElasticsearchOptions & OpenSearchOptions): Promise<Server> {
  return engine === "elasticsearch" ? connectElasticsearch(options) : connectOpenSearch(options);
}

async function generated(engine: Engine, file: string): Promise<unknown> {
  const url = new URL(`../../mappings/generated/${engine}/${file}.json`, import.meta.url);
  return JSON.parse(await readFile(url, "utf8"));
}

/** What `setup` would send, in order: PUT `path` with `body`. `--print` shows it. */
export async function plan(engine: Engine, retentionDays: number): Promise<Part[]> {
  const events =
    engine === "elasticsearch" ? await planElasticsearch(retentionDays) : await planOpenSearch(retentionDays);
  const state = planIncidents(engine, await generated(engine, `index-${STATE_INDEX}`));
  return [...events, ...state, ...(engine === "opensearch" ? MONITORS : [])];
}

async function planElasticsearch(retentionDays: number): Promise<Part[]> {
  const policy = (await generated("elasticsearch", "ilm-tapline")) as {
    policy: { phases: { delete: { min_age: string } } };
  };
  policy.policy.phases.delete.min_age = `${retentionDays}d`;
  const component = async (name: string): Promise<Part> => ({
    name: `component template ${name}`,
    path: `/_component_template/${name}`,
    body: await generated("elasticsearch", `component-${name}`),
  });
  return [
    {
      name: LIFECYCLE,
      path: "/_ilm/policy/tapline",
      body: policy,
      probe: { path: "/_ilm/status", able: [200] },
    },
    await component("tapline@mappings"),
    await component("tapline@settings"),
    { ...(await component("tapline@lifecycle")), after: LIFECYCLE },
    template(await generated("elasticsearch", "index-logs-tapline")),
    {
      name: ROLE,
      path: "/_security/role/tapline_writer",
      // create_doc can neither overwrite nor delete; read and maintenance are for looking ids up before a resend.
      body: {
        cluster: ["read_ilm"], // the check of retention reads what is in force
        indices: [
          {
            names: [PATTERN],
            privileges: ["create_doc", "auto_configure", "view_index_metadata", "read", "maintenance"],
          },
        ],
      },
      probe: { path: "/_security/_authenticate", able: [200] },
    },
  ];
}

async function planOpenSearch(retentionDays: number): Promise<Part[]> {
  const policy = (await generated("opensearch", "ism-tapline")) as {
    policy: {
      states: {
        name: string;
        transitions: { state_name: string; conditions: { min_rollover_age: string } }[];
      }[];
    };
  };
  for (const state of policy.policy.states) {
    for (const transition of state.transitions) {
      if (transition.state_name === "delete") transition.conditions.min_rollover_age = `${retentionDays}d`;
    }
  }
  return [
    {
      name: LIFECYCLE,
      path: "/_plugins/_ism/policies/tapline",
      body: policy,
      probe: { path: "/_plugins/_ism/policies/tapline", able: [200, 404] },
    },
    template(await generated("opensearch", "index-logs-tapline")),
    {
      name: ROLE,
      path: "/_plugins/_security/api/roles/tapline_writer",
      body: {
        cluster_permissions: [
          "indices:data/write/bulk",
          // The check of retention reads what is in force.
          "cluster:admin/opendistro/ism/policy/get",
          "cluster:admin/opendistro/ism/managedindex/explain",
        ],
        index_permissions: [
          {
            index_patterns: [PATTERN, ".ds-logs-tapline.*"],
            allowed_actions: [
              "indices:data/write/bulk*",
              "indices:data/write/index",
              "indices:admin/create",
              "indices:admin/mapping/auto_put",
              "indices:admin/refresh*",
              "indices:data/read/search*",
            ],
          },
        ],
      },
      probe: { path: "/_plugins/_security/api/account", able: [200] },
    },
  ];
}

const template = (body: unknown): Part => ({
  name: `index template ${TEMPLATE}`,
  path: `/_index_template/${TEMPLATE}`,
  body,
});

/** Installs what the server can take. Throws TaplineError when it cannot be reached, refuses the user, or refuses
 * a template; what it lacks altogether is in `missing`. */
export async function setup(
  engine: Engine,
  server: Server,
  options: { retention_days: number; signal: AbortSignal },
): Promise<SetupResult> {
  const { signal } = options;
  const installed: string[] = [];
  const missing: { name: string; reason: string }[] = [];
  const version = await versionOf(engine, server, signal);
  for (const part of await plan(engine, options.retention_days)) {
    const reason = await install(server, part, missing, signal);
    if (reason === undefined) installed.push(part.name);
    else missing.push({ name: part.name, reason });
  }
  const mapped = await updateMappings(engine, server, signal);
  if (mapped !== undefined) missing.push({ name: "mappings of existing streams", reason: mapped });
  return { server: version, installed, missing };
}

/** Why a part was left out, or undefined when it is in place. */
async function install(
  server: Server,
  part: Part,
  missing: readonly { name: string }[],
  signal: AbortSignal,
): Promise<string | undefined> {
  if (missing.some((left) => left.name === part.after)) return `goes with the ${part.after}`;
  let query = {};
  if (part.probe !== undefined) {
    const answer = await server.request("GET", part.probe.path, {}, undefined, signal);
    if (answer.status === 401) throw refused(401, excerpt(answer));
    if (!part.probe.able.includes(answer.status))
      return `the server cannot: ${answer.status} ${excerpt(answer)}`;
    query = answer.status === 200 ? versionQuery(answer) : {};
  }
  const body = { bytes: JSON.stringify(part.body), type: "json" } as const;
  if (part.named !== undefined) {
    const there = await isThere(server, part.path, part.named, signal);
    if (typeof there === "object") return `the server cannot: ${there.status} ${excerpt(there)}`;
    if (there) return undefined;
  }
  const method = part.named === undefined ? "PUT" : "POST";
  const answer = await server.request(method, part.path, query, body, signal);
  if (answer.status < 300) return undefined;
  if ((part.probe !== undefined || part.named !== undefined) && answer.status !== 401)
    return `the server refuses it: ${answer.status} ${excerpt(answer)}`;
  if (answer.status === 401 || answer.status === 403) throw refused(answer.status, excerpt(answer));
  throw new TaplineError(
    "SETUP_REFUSED",
    `the server refuses the ${part.name}: ${answer.status} ${excerpt(answer)}`,
  );
}

/** ISM replaces a policy only when told which version it replaces. */
function versionQuery(answer: Answer): Record<string, string> {
  const { _seq_no, _primary_term } = parse(answer) as { _seq_no?: number; _primary_term?: number };
  if (_seq_no === undefined || _primary_term === undefined) return {};
  return { if_seq_no: String(_seq_no), if_primary_term: String(_primary_term) };
}

/** Streams made under an older template get its new fields too. Types cannot change: those wait for a rollover. */
async function updateMappings(
  engine: Engine,
  server: Server,
  signal: AbortSignal,
): Promise<string | undefined> {
  const names = `${PATTERN},${STATE_INDEX}*`;
  const found = await server.request("GET", `/_resolve/index/${names}`, {}, undefined, signal);
  if (found.status !== 200) return `the server does not list its streams: ${found.status} ${excerpt(found)}`;
  const { data_streams = [], indices = [] } = parse(found) as {
    data_streams?: { name: string }[];
    indices?: { name: string }[];
  };
  const state = (await generated(engine, `index-${STATE_INDEX}`)) as { mappings: unknown };
  const file = engine === "elasticsearch" ? "component-tapline@mappings" : "index-logs-tapline";
  const { template: body } = (await generated(engine, file)) as { template: { mappings: unknown } };
  const targets = data_streams.map(({ name }) => ({ name, mappings: body.mappings }));
  if (indices.some(({ name }) => name === STATE_INDEX))
    targets.push({ name: STATE_INDEX, mappings: state.mappings });
  for (const { name, mappings } of targets) {
    const path = `/${encodeURIComponent(name)}/_mapping`;
    const sent = { bytes: JSON.stringify(mappings), type: "json" } as const;
    const answer = await server.request("PUT", path, { write_index_only: "true" }, sent, signal);
    const when = name === STATE_INDEX ? "once it is deleted and built anew" : "from its next rollover";
    if (answer.status >= 300) return `${name}, in force ${when}: ${answer.status} ${excerpt(answer)}`;
  }
  return undefined;
}

async function versionOf(engine: Engine, server: Server, signal: AbortSignal): Promise<string> {
  const answer = await server.request("GET", "/", {}, undefined, signal);
  if (answer.status === 401) throw refused(401, excerpt(answer));
  // Some servers do not say who they are; the templates do not depend on it.
  const { version } = parse(answer) as { version?: { number?: string } };
  return version?.number === undefined ? `${engine}, version unknown` : `${engine} ${version.number}`;
}

function parse(answer: Answer): object {
  try {
    const value: unknown = JSON.parse(answer.text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
