// Makes the index templates for Elasticsearch 8 and 9 and for OpenSearch 2 and 3 from the field table. Only types
// that every target has: no nested, no analyzers, no wildcard, constant_keyword or match_only_text.
import { createHash } from "node:crypto";
import { type Field, type FieldType, readFields } from "./tables.ts";

type Engine = "elasticsearch" | "opensearch";
type Mapping = Record<string, unknown>;
interface Properties {
  [key: string]: Mapping | { properties: Properties };
}

const PATTERN = "logs-tapline.*-*";
const PRIORITY = 501; // above the built-in template for logs-*-* and above what vendors reserve
const IGNORE_ABOVE = 8_191; // characters; four bytes each stay below the 32,766 bytes of a term
const DEPTH = 20;
const KEYWORD = { type: "keyword", ignore_above: IGNORE_ABOVE };
const number = (type: string): Mapping => ({ type, ignore_malformed: true });

const types: Record<Exclude<FieldType, "object">, Mapping> = {
  keyword: KEYWORD,
  "keyword[]": KEYWORD,
  wildcard: KEYWORD,
  constant: KEYWORD,
  long: number("long"),
  "long[]": number("long"),
  double: number("double"),
  boolean: { type: "boolean" },
  date: { type: "date", format: "strict_date_optional_time", ignore_malformed: true },
  ip: number("ip"),
  text: { type: "text", norms: false },
  stored: { type: "keyword", index: false, doc_values: false },
};
// flat_object takes no parameters.
const objects: Record<Engine, Mapping> = {
  elasticsearch: { type: "flattened", ignore_above: IGNORE_ABOVE, depth_limit: DEPTH },
  opensearch: { type: "flat_object" },
};

function mappingOf(field: Field, engine: Engine): Mapping {
  // Data streams take no ignore_malformed on their time.
  if (field.name === "@timestamp") return { type: "date", format: "strict_date_optional_time" };
  return field.type === "object" ? objects[engine] : types[field.type];
}

function mappings(fields: readonly Field[], engine: Engine): Mapping {
  const properties: Properties = {};
  for (const field of fields) {
    let at = properties;
    const path = field.name.split(".");
    for (const key of path.slice(0, -1)) {
      at[key] ??= { properties: {} };
      const group = at[key] as { properties?: Properties };
      if (group.properties === undefined) throw new Error(`fields.yml: ${field.name} lies within a field`);
      at = group.properties;
    }
    at[path.at(-1)!] = mappingOf(field, engine);
  }
  return { dynamic: false, date_detection: false, numeric_detection: false, properties };
}

/** Fields of events that the index of the present of incidents has too. */
export const PRESENT =
  /^(?:@timestamp|host\.name|user\.name|gen_ai\.conversation\.id|tapline\.(?:backfill|server\.name|incident\..*)|event\.(?:id|severity|sequence))$/;

const settings = {
  "index.codec": "best_compression",
  "index.refresh_interval": "5s", // set, so that shards without searches refresh too
  "index.number_of_shards": 1,
  "index.auto_expand_replicas": "0-1",
  "index.mapping.total_fields.limit": 1_000,
};

export function templatesSource(): Record<string, string> {
  const { ecs, fields, sinkFields, presentFields } = readFields();
  const all = [...fields, ...sinkFields];
  const files: Record<string, string> = {};
  const write = (path: string, value: unknown): void => {
    files[`mappings/generated/${path}.json`] = `${JSON.stringify(value, null, 2)}\n`;
  };
  const meta = (body: Mapping): Mapping => ({
    managed_by: "tapline",
    ecs_version: ecs,
    mapping_hash: `sha256:${createHash("sha256").update(JSON.stringify(body)).digest("hex")}`,
  });
  const template = { index_patterns: [PATTERN], priority: PRIORITY, data_stream: {} };

  const elastic = mappings(all, "elasticsearch");
  write("elasticsearch/component-tapline@mappings", {
    template: { mappings: elastic },
    _meta: meta(elastic),
  });
  write("elasticsearch/component-tapline@settings", {
    // Stored, not rebuilt: the document must come back byte for byte to be checked against the ledger.
    template: { settings: { ...settings, "index.mode": "standard" } },
    _meta: { managed_by: "tapline" },
  });
  write("elasticsearch/component-tapline@lifecycle", {
    template: { settings: { "index.lifecycle.name": "tapline" } },
    _meta: { managed_by: "tapline" },
  });
  write("elasticsearch/index-logs-tapline", {
    ...template,
    composed_of: ["tapline@mappings", "tapline@settings", "tapline@lifecycle", "tapline@custom"],
    ignore_missing_component_templates: ["tapline@lifecycle", "tapline@custom"],
    _meta: meta(elastic),
  });

  const open = mappings(all, "opensearch");
  write("opensearch/index-logs-tapline", {
    ...template,
    template: { settings, mappings: open },
    _meta: meta(open),
  });

  const present = [...all.filter(({ name }) => PRESENT.test(name)), ...presentFields];
  for (const engine of ["elasticsearch", "opensearch"] as const) {
    const body = mappings(present, engine);
    write(`${engine}/index-tapline-incident-state`, {
      settings: { index: { number_of_shards: 1, auto_expand_replicas: "0-1", refresh_interval: "1s" } },
      mappings: { ...body, _meta: meta(body) },
    });
  }
  return files;
}
