// Results of checks that were made of controls: `control-status` events, the newest of each check and how often it came out
// how. Reads them from the entries themselves, so that a ledger without any, or of an older field table, has none.
import { flatten } from "../core/flatten.ts";
import { LIMITS } from "../core/limits.ts";
import { type Asked, OURS } from "./asked.ts";
import type { CheckResult } from "./model.ts";

const OUTCOMES = ["pass", "fail", "unknown"] as const;
const RESULT = `"event.action" = 'control-status' AND ${OURS}`;
/** Null where an entry is no such result: what is not JSON cannot be asked. */
const inEntry = (field: string): string =>
  `CASE WHEN ${RESULT} AND json_valid(entry) THEN json_extract_string(entry, '$.tapline.check.${field}') END`;

export async function checksOf(asked: Asked): Promise<CheckResult[]> {
  // All of the period are counted: that a check never failed is said of it.
  const rows = await asked.rows(
    `${inEntry("name")} AS name, ${inEntry("outcome")} AS outcome, count(*) AS n, max("event.sequence") AS seq,
     arg_max(entry, "event.sequence") AS entry`,
    `${RESULT} AND coalesce(${inEntry("name")}, '') <> ''`,
    "GROUP BY 1, 2 ORDER BY seq DESC",
  );
  const found = new Map<string, CheckResult>();
  for (const row of rows) {
    const name = String(row["name"]);
    const outcome = OUTCOMES.find((one) => one === row["outcome"]) ?? "unknown";
    const result = found.get(name) ?? newest(name, outcome, Number(row["seq"]), String(row["entry"]));
    const counts = { ...result.counts, [outcome]: result.counts[outcome] + Number(row["n"]) };
    found.set(name, { ...result, counts });
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function newest(name: string, outcome: CheckResult["outcome"], index: number, entry: string): CheckResult {
  const event = flatten(JSON.parse(entry) as object);
  const text = (field: string): string => (typeof event[field] === "string" ? event[field] : "");
  const tagged = event["tapline.control.iso42001"];
  return {
    name,
    outcome,
    detail: text("tapline.check.detail").slice(0, LIMITS.report_note_chars),
    at: text("@timestamp"),
    index,
    controls: Array.isArray(tagged) ? tagged.map(String) : [],
    counts: { pass: 0, fail: 0, unknown: 0 },
  };
}
