// Summary rows of one Parquet file: its events counted by hour and by what pages and reports group and filter by, so that
// these read some thousand rows in place of all events. Two sets in one file, told apart by the column "rollup". Who asks
// what of them is no matter of this file.
import { join } from "node:path";
import { LIMITS } from "../core/limits.ts";
import type { DuckDBConnection } from "./duckdb.ts";
import { type StoreFile, rollupPath } from "./manifest.ts";
import { quoted, writeParquet } from "./parquet.ts";

/** A set of summary rows. Columns have the names and types of the events' fields, and are null or empty as these are. */
export interface Rollup {
  readonly name: string;
  /** A row is of one value of each, and of one hour: column "hour", since 1970. */
  readonly values: readonly string[];
  /** Of these only whether an event has them is kept: null, or a value that means nothing. Type as in SQL. */
  readonly there: Readonly<Record<string, "VARCHAR" | "BIGINT">>;
  /** Columns named "sum FIELD", "max FIELD", …; "count", "min @timestamp" and "max @timestamp" (ms since 1970) are in every row. */
  readonly sums: readonly string[];
  readonly largest: readonly string[];
  /** Lists of the different values. */
  readonly different: readonly string[];
  /** Lists of {key, value}: how many are in which bucket; a bucket is floor(log(value) / log(BUCKET_BASE)). */
  readonly buckets: readonly string[];
  /** Events without this field are in no row. */
  readonly only?: string;
}

/** Buckets of a distribution are this much apart. */
export const BUCKET_BASE = 1.02;

const ACTS = ["event.action", "tapline.primary", "tapline.decision.verdict", "rule.id"] as const;

export const ROLLUPS: readonly Rollup[] = [
  {
    name: "fields",
    values: [
      ...ACTS,
      "event.outcome",
      "error.type",
      "data_stream.dataset",
      "host.name",
      "service.name",
      "user.name",
      "user.effective.name",
      "user.roles",
      "gen_ai.tool.name",
      "gen_ai.provider.name",
      "gen_ai.response.model",
      "mcp.resource.uri",
      "tapline.server.name",
      "tapline.server.release",
      "tapline.server.sanctioned",
      "tapline.tool.class",
      "rule.name",
      "tapline.alert.level",
      "tapline.first_seen.kind",
      "tapline.chokepoint.missing",
      "tapline.check.name",
      "tapline.check.outcome",
      "tapline.decision.action",
      "tapline.decision.decider.type",
      "tapline.decision.decider.id",
      "tapline.permission.operation",
      "network.direction",
      "tapline.command.traits",
      "destination.domain",
      "destination.registered_domain",
      "tapline.beacon.domain",
      "tapline.beacon.kind",
      "tapline.data.classification",
      "tapline.data.redacted",
      "tapline.data.secrets",
      "tapline.file.reads",
      "tapline.flow.from_server",
      "tapline.flow.from_tool",
      "tapline.flow.to_tool",
      "tapline.flow.encoding",
      "tapline.provenance.source_server",
      "tapline.provenance.source_tool",
      "tapline.provenance.arguments",
      "tapline.incident.transition",
      "tapline.incident.verdict",
      "tapline.incident.level",
      "tapline.incident.rule",
      "tapline.incident.rules",
      "tapline.incident.deadline.name",
      "tapline.incident.notice.recipients",
      "tapline.incident.notice.channel",
      "tapline.source",
      "tapline.sources.expected",
      "tapline.sources.silent",
      "tapline.gap.reason",
      "tapline.control.direct",
      "tapline.control.supporting",
      "tapline.control.iso42001",
      "tapline.control.nist_ai_rmf",
      "tapline.control.eu_ai_act",
    ],
    there: {
      "event.duration": "BIGINT",
      "tapline.flow.from_event": "VARCHAR",
      "tapline.provenance.source_event": "VARCHAR",
    },
    sums: ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "tapline.data.bytes_out"],
    largest: [
      "event.created",
      "event.sequence",
      "event.severity",
      "event.risk_score",
      "tapline.count.read",
      "tapline.count.recorded",
      "tapline.count.merged",
      "tapline.count.skipped",
      "tapline.integrity.checkpoint_size",
      "tapline.integrity.tree_size",
      "tapline.flow.overlap",
      "tapline.provenance.instruction_score",
      "tapline.beacon.chars",
    ],
    different: ["gen_ai.conversation.id"],
    buckets: ["event.duration"],
  },
  {
    name: "sessions",
    values: [...ACTS, "gen_ai.conversation.id", "service.name", "user.name", "host.name"],
    there: {},
    sums: [],
    largest: ["event.severity", "event.risk_score"],
    different: [],
    buckets: [],
    only: "gen_ai.conversation.id",
  },
];

const name = (field: string): string => `"${field}"`;
const ms = (field: string): string =>
  field === "@timestamp" || field === "event.created" ? `epoch_ms(${name(field)})` : name(field);

function selectOf(rollup: Rollup, from: string): string {
  const { values, there, sums, largest, different, buckets, only } = rollup;
  const kept = Object.entries(there).map(
    ([field, type]) =>
      `CASE WHEN ${name(field)} IS NOT NULL THEN ${type === "VARCHAR" ? "''" : "0"}::${type} END AS ${name(field)}`,
  );
  const keys = [
    `${quoted(rollup.name)} AS rollup`,
    `floor(epoch_ms("@timestamp") / 3600000)::BIGINT AS hour`,
  ];
  const figures = [
    `count(*) AS "count"`,
    `min(${ms("@timestamp")}) AS "min @timestamp"`,
    `max(${ms("@timestamp")}) AS "max @timestamp"`,
    ...sums.map((field) => `sum(${name(field)})::DOUBLE AS "sum ${field}"`),
    ...largest.map((field) => `max(${ms(field)})::DOUBLE AS "max ${field}"`),
    ...different.map(
      (field) =>
        `list(DISTINCT ${name(field)}) FILTER (WHERE ${name(field)} IS NOT NULL) AS "distinct ${field}"`,
    ),
    ...buckets.map(
      (field) =>
        `map_entries(histogram(floor(ln(greatest(${name(field)}, 1)) / ln(${BUCKET_BASE}))::INTEGER) FILTER (WHERE ${name(field)} IS NOT NULL)) AS "buckets ${field}"`,
    ),
  ];
  const where = only === undefined ? "" : ` WHERE ${name(only)} IS NOT NULL`;
  return `SELECT ${[...keys, ...values.map(name), ...kept, ...figures].join(", ")} FROM ${from}${where} GROUP BY ${Array.from({ length: keys.length + values.length + kept.length }, (_, i) => i + 1).join(", ")}`;
}

/** Writes the summary rows of a file with the columns of today. Returns how many there are, and their bytes. */
export async function writeRollup(
  connection: DuckDBConnection,
  dir: string,
  file: StoreFile,
): Promise<{ rows: number; bytes: number }> {
  const from = `read_parquet(${quoted(join(dir, file.path))})`;
  await connection.run("DROP TABLE IF EXISTS summary");
  await connection.run(
    `CREATE TEMP TABLE summary AS ${ROLLUPS.map((rollup) => selectOf(rollup, from)).join(" UNION ALL BY NAME ")}`,
  );
  try {
    const counted = await connection.runAndReadAll("SELECT count(*)::INTEGER FROM summary");
    const rows = Number(counted.getRowsJS()[0]![0]);
    const select = "FROM summary ORDER BY rollup, hour";
    const path = join(dir, rollupPath(file.first, file.end));
    return { rows, bytes: await writeParquet(connection, select, path, rows, LIMITS.store_group_rows) };
  } finally {
    await connection.run("DROP TABLE summary");
  }
}
