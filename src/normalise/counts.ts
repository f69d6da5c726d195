// What became of the records of a batch, in numbers. Counts nothing itself.
import type { DriftCounts } from "./drift.ts";

/** What became of the records of a batch. read = recorded + merged + the sum of skipped. */
export interface Counts {
  read: number;
  recorded: number;
  merged: number;
  skipped: Record<string, number>;
  unparsable: number;
  /** Record types and fields that formats do not know, where there were any. */
  drift?: DriftCounts;
}

export function noCounts(): Counts {
  return { read: 0, recorded: 0, merged: 0, skipped: {}, unparsable: 0 };
}
