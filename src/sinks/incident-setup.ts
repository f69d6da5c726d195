// What the index of the present of incidents needs in a server: a template, and a role for a credential of its own, which
// can write this index and no other. Pure.
import type { Engine, Part } from "./setup-plan.ts";

/** The name of the index; dashboards and the local viewer know it too. */
export const STATE_INDEX = "tapline-incident-state";

export function planIncidents(engine: Engine, body: unknown): Part[] {
  return [
    {
      name: `index template ${STATE_INDEX}`,
      path: `/_index_template/${STATE_INDEX}`,
      body: { index_patterns: [STATE_INDEX], priority: 500, template: body },
    },
    engine === "elasticsearch" ? ELASTICSEARCH : OPENSEARCH,
  ];
}

const ROLE = "role tapline_incident_writer";
// A document is replaced by a newer version of itself, so `index`, and never deleted.
const ELASTICSEARCH: Part = {
  name: ROLE,
  path: "/_security/role/tapline_incident_writer",
  body: {
    cluster: [],
    indices: [{ names: [STATE_INDEX], privileges: ["index", "auto_configure", "view_index_metadata"] }],
  },
  probe: { path: "/_security/_authenticate", able: [200] },
};
const OPENSEARCH: Part = {
  name: ROLE,
  path: "/_plugins/_security/api/roles/tapline_incident_writer",
  body: {
    cluster_permissions: ["indices:data/write/bulk"],
    index_permissions: [
      {
        index_patterns: [STATE_INDEX],
        allowed_actions: [
          "indices:data/write/bulk*",
          "indices:data/write/index",
          "indices:admin/create",
          "indices:admin/mapping/auto_put",
        ],
      },
    ],
  },
  probe: { path: "/_plugins/_security/api/account", able: [200] },
};
