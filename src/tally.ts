// The conservation law in numbers: read = recorded + merged + skipped (by reason), since the ledger began.
// Deltas travel in frame headers, totals in snapshots, so the law survives a crash.
import { LIMITS } from "./core/limits.ts";
import type { LeftOut } from "./core/stage.ts";
import type { Counts } from "./normalise/counts.ts";
import type { DriftCounts } from "./normalise/drift.ts";

export interface Tally {
  read: number;
  recorded: number;
  merged: number;
  skipped: Record<string, number>;
  unparsable: number;
  events: number;
  alerts: number;
  gaps: number;
  /** Record types and fields that formats did not know, by name (see normalise/drift.ts). */
  drift: DriftCounts;
}

export function emptyTally(): Tally {
  return {
    read: 0,
    recorded: 0,
    merged: 0,
    skipped: {},
    unparsable: 0,
    events: 0,
    alerts: 0,
    gaps: 0,
    drift: {},
  };
}

/** As normalise/drift.ts names what came after the bound. */
const OTHERS = "\t\t\t";

/** Adds what a batch counted. */
export function addTo(total: Tally, delta: Partial<Tally> & Partial<Counts>): void {
  total.read += delta.read ?? 0;
  total.recorded += delta.recorded ?? 0;
  total.merged += delta.merged ?? 0;
  total.unparsable += delta.unparsable ?? 0;
  total.events += delta.events ?? 0;
  total.alerts += delta.alerts ?? 0;
  total.gaps += delta.gaps ?? 0;
  for (const reason in delta.skipped) {
    total.skipped[reason] = (total.skipped[reason] ?? 0) + delta.skipped[reason]!;
  }
  if (delta.drift !== undefined) addDrift(total.drift, delta.drift);
}

/** Adds counts by name; names beyond the bound are one. */
function addDrift(total: DriftCounts, delta: DriftCounts): void {
  let names = Object.keys(total).length;
  for (const name in delta) {
    const known = total[name];
    const key = known !== undefined || names < LIMITS.drift_names ? name : OTHERS;
    if (total[key] === undefined) names++;
    total[key] = (total[key] ?? 0) + delta[name]!;
  }
}

/** One thing that a format does not know. */
export interface DriftLine {
  readonly format: string;
  readonly version: string;
  readonly kind: string;
  readonly name: string;
  readonly count: number;
}

/** Drift as lines, most frequent first; what came after the bound as one without a name. */
export function driftOf(drift: DriftCounts): DriftLine[] {
  const lines = Object.entries(drift).map(([key, count]) => {
    const [format = "", version = "", kind = "", name = ""] = key.split("\t");
    return { format, version, kind, name, count };
  });
  return lines.toSorted((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}

export function skippedSum(tally: Pick<Tally, "skipped">): number {
  let sum = 0;
  for (const reason in tally.skipped) sum += tally.skipped[reason]!;
  return sum;
}

/** What a worker counted of a batch, and what its source left out of it. */
export function withLeftOut(counts: Counts, left_out: LeftOut | undefined): Counts {
  if (left_out === undefined) return counts;
  const { merged, skipped } = left_out;
  const sum: Counts = { ...counts, skipped: { ...counts.skipped } };
  sum.merged += merged;
  sum.read += merged;
  for (const reason in skipped) {
    sum.skipped[reason] = (sum.skipped[reason] ?? 0) + skipped[reason]!;
    sum.read += skipped[reason]!;
  }
  return sum;
}

/** What is wrong with the numbers, or undefined when the law holds. */
export function lawBroken(tally: Tally): string | undefined {
  const accounted = tally.recorded + tally.merged + skippedSum(tally);
  if (accounted === tally.read) return undefined;
  return `read ${tally.read} but accounted for ${accounted} records`;
}
