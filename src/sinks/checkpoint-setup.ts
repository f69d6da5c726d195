// What the anchors `elasticsearch` and `opensearch` need in a server: an index of checkpoints and a role that can add to it,
// and neither change nor remove what is there. Pure.
import type { Engine, Part } from "./setup-plan.ts";

export const CHECKPOINTS = "tapline-checkpoints";

const integrity = {
  origin: { type: "keyword" },
  tree_size: { type: "long" },
  root_hash: { type: "keyword" },
  checkpoint: { type: "keyword", index: false, doc_values: false },
};
const mappings = {
  dynamic: false,
  properties: {
    "@timestamp": { type: "date" },
    tapline: { properties: { integrity: { properties: integrity } } },
  },
};
const settings = { "index.number_of_shards": 1, "index.auto_expand_replicas": "0-1" };
const ROLE = "role tapline_checkpoint_writer";

export function planCheckpoints(engine: Engine): Part[] {
  return engine === "elasticsearch" ? ELASTICSEARCH : OPENSEARCH;
}

const ELASTICSEARCH: Part[] = [
  {
    name: `index ${CHECKPOINTS}`,
    path: `/${CHECKPOINTS}`,
    body: { settings, mappings },
    once: true,
  },
  {
    name: ROLE,
    path: "/_security/role/tapline_checkpoint_writer",
    // create_doc can neither overwrite nor delete. What is there is read before more is added.
    body: {
      cluster: [],
      indices: [{ names: [CHECKPOINTS], privileges: ["create_doc", "read"] }],
    },
    probe: { path: "/_security/_authenticate", able: [200] },
  },
];
const OPENSEARCH: Part[] = [
  {
    name: `index ${CHECKPOINTS}`,
    path: `/${CHECKPOINTS}`,
    // Roles cannot tell adding from overwriting here. An index that takes nothing else, for whomever and for ever, can.
    body: { settings: { ...settings, "index.append_only.enabled": true }, mappings },
    once: true,
  },
  {
    name: ROLE,
    path: "/_plugins/_security/api/roles/tapline_checkpoint_writer",
    body: {
      cluster_permissions: ["indices:data/write/bulk"],
      index_permissions: [
        {
          index_patterns: [CHECKPOINTS],
          allowed_actions: [
            "indices:data/write/index",
            "indices:data/write/bulk*",
            "indices:data/read/search*",
          ],
        },
      ],
    },
    probe: { path: "/_plugins/_security/api/account", able: [200] },
  },
];
