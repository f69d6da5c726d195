// The events of a sample as a report shows them: what was done, by whom, where its proof is and whose signatures that bears.
import type { Config } from "../config.ts";
import { cosignaturesOf } from "../ledger/cosignature.ts";
import type { Prover } from "../ledger/prove.ts";
import { type Asked, textAt, textColumn, timeAt, timeColumn } from "./asked.ts";
import { witnessesOf } from "./kept.ts";
import type { SampledEvent } from "./model.ts";

const FIELDS = [
  "event.id",
  "event.action",
  "event.hash",
  "event.outcome",
  "service.name",
  "tapline.server.name",
  "gen_ai.tool.name",
  "user.name",
] as const;
/** What was done, by the first of these that says something. */
const WHAT = ["message", "process.command_line", "file.path", "url.full", "error.message"] as const;

/** The events at the indexes that were drawn, each once, in the order of the ledger. */
export async function sampled(
  asked: Asked,
  prover: Prover,
  config: Config,
  drawn: readonly number[],
): Promise<SampledEvent[]> {
  const indexes = [...new Set(drawn)].toSorted((a, b) => a - b);
  if (indexes.length === 0) return [];
  const keys = witnessesOf(config).map(({ witness }) => witness);
  const { cosigned } = prover;
  const by = cosigned === undefined ? [] : cosignaturesOf(cosigned.text, cosigned, keys);
  const rows = await asked.rows(
    [`"event.sequence"`, timeColumn("@timestamp"), ...FIELDS.map(textColumn), ...WHAT.map(textColumn)].join(
      ", ",
    ),
    `"event.sequence" IN (${indexes.join(", ")})`,
    `ORDER BY "event.sequence"`,
  );
  return rows.map((row): SampledEvent => {
    const index = Number(row["event.sequence"]);
    const text = (field: (typeof FIELDS)[number]): string => textAt(row, field);
    return {
      index,
      hash: text("event.hash"),
      id: text("event.id"),
      time: timeAt(row, "@timestamp"),
      action: text("event.action"),
      agent: text("service.name"),
      server: text("tapline.server.name"),
      tool: text("gen_ai.tool.name"),
      user: text("user.name"),
      outcome: text("event.outcome"),
      message: WHAT.map((field) => textAt(row, field)).find((one) => one !== "") ?? "",
      proof: `proofs/${String(index).padStart(12, "0")}.tlog-proof`,
      witnesses: cosigned !== undefined && index < cosigned.size ? by.map(({ witness }) => witness) : [],
    };
  });
}
