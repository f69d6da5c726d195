// What `tapline setup` sends to a server for the sinks: the requests, in order. Sends nothing.
import { readFile } from "node:fs/promises";
import { STATE_INDEX, planIncidents } from "./incident-setup.ts";
import { MONITORS } from "./monitors.ts";
import { TEMPLATE } from "./shipper.ts";

export const ENGINES = ["elasticsearch", "opensearch"] as const;
export type Engine = (typeof ENGINES)[number];
export const isEngine = (type: string): type is Engine => ENGINES.some((one) => one === type);

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
  /** Left alone where a GET of its path answers 200. */
  readonly once?: true;
}

export const LIFECYCLE = "lifecycle policy tapline";
const ROLE = "role tapline_writer";
export const PATTERN = "logs-tapline.*-*";

export async function generated(engine: Engine, file: string): Promise<unknown> {
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
