// Results of checks that were made of controls: `control-status` events, the newest of each check and how often it came out
// how. Reads them from the entries themselves, so that a ledger without any, or of an older field table, has none.
import { flatten } from "../core/flatten.ts";
import { LIMITS } from "../core/limits.ts";
import type { Asked } from "./asked.ts";
import type { CheckResult } from "./model.ts";

const OUTCOMES = ["pass", "fail", "unknown"] as const;
type Draft = { -readonly [K in keyof CheckResult]: CheckResult[K] } & {
  counts: { pass: number; fail: number; unknown: number };
};

export async function checksOf(asked: Asked): Promise<CheckResult[]> {
  const found = new Map<string, Draft>();
  let before = Number.MAX_SAFE_INTEGER;
  for (let read = 0; read < LIMITS.report_checks;) {
    const rows = await asked.rows(
      `"event.sequence" AS seq, entry`,
      `"event.action" = 'control-status' AND "tapline.vantage" = 'self' AND "event.sequence" < ${before}`,
      `ORDER BY seq DESC LIMIT ${LIMITS.sink_batch_entries}`,
    );
    for (const row of rows) add(found, Number(row["seq"]), String(row["entry"]));
    if (rows.length < LIMITS.sink_batch_entries) break;
    before = Number(rows.at(-1)!["seq"]);
    read += rows.length;
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Newest first: what is there is newer. */
function add(found: Map<string, Draft>, index: number, entry: string): void {
  const event = flatten(JSON.parse(entry) as object);
  const text = (field: string): string => (typeof event[field] === "string" ? event[field] : "");
  const name = text("tapline.check.name");
  if (name === "") return;
  const outcome = OUTCOMES.find((one) => one === event["tapline.check.outcome"]) ?? "unknown";
  const known = found.get(name);
  if (known !== undefined) {
    known.counts[outcome]++;
    return;
  }
  const tagged = event["tapline.control.iso42001"];
  found.set(name, {
    name,
    outcome,
    detail: text("tapline.check.detail").slice(0, LIMITS.report_note_chars),
    at: text("@timestamp"),
    index,
    controls: Array.isArray(tagged) ? tagged.map(String) : [],
    counts: { pass: 0, fail: 0, unknown: 0, [outcome]: 1 },
  });
}
