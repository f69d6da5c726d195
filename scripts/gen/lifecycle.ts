// Makes the lifecycle policies, ILM for Elasticsearch and ISM for OpenSearch: roll over at 30 days or 50 GB, keep
// each document at least RETENTION_DAYS, counted from the rollover of its index.
const RETENTION_DAYS = 400;
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const ilm = {
  policy: {
    _meta: { managed_by: "tapline" },
    phases: {
      hot: { actions: { rollover: { max_age: "30d", max_primary_shard_size: "50gb" } } },
      warm: { min_age: "1d", actions: { readonly: {}, forcemerge: { max_num_segments: 1 } } },
      delete: { min_age: `${RETENTION_DAYS}d`, actions: { delete: {} } },
    },
  },
};

const after = (state: string, age: string) => ({ state_name: state, conditions: { min_rollover_age: age } });
const ism = {
  policy: {
    description: "Tapline: roll over at 30 days or 50 GB, then read only, then delete",
    default_state: "hot",
    states: [
      {
        name: "hot",
        actions: [{ rollover: { min_index_age: "30d", min_primary_shard_size: "50gb" } }],
        transitions: [after("warm", "1d")],
      },
      {
        name: "warm",
        actions: [{ read_only: {} }, { force_merge: { max_num_segments: 1 } }],
        transitions: [after("delete", `${RETENTION_DAYS}d`)],
      },
      { name: "delete", actions: [{ delete: {} }], transitions: [] },
    ],
    ism_template: [{ index_patterns: ["logs-tapline.*-*"], priority: 501 }],
  },
};

export function lifecycleSource(): Record<string, string> {
  return {
    "mappings/generated/elasticsearch/ilm-tapline.json": json(ilm),
    "mappings/generated/opensearch/ism-tapline.json": json(ism),
  };
}
