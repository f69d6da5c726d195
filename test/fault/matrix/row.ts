// What a row of the fault matrix says.

/** What has to hold. */
export const ORACLES = {
  O1: "nothing is lost",
  O2: "nothing is there twice",
  O3: "order within a source is kept",
  O4: "the ledger verifies, and continues every checkpoint that was published",
  O5: "the counters add up",
  O6: "it goes on, or ends with a reason and a code other than 0",
  O7: "memory is bounded",
  O8: "what must not pass is refused",
} as const;
export type Oracle = keyof typeof ORACLES;

export const GROUPS = {
  A: "Process and disk",
  B: "Files",
  C: "Content",
  D: "Rules and configuration",
  E: "Servers",
  F: "Receivers, viewer, security",
} as const;

/** A file below test/, and titles of tests in it as they are written there. */
export type Tested = readonly [file: string, ...titles: string[]];

export interface Row {
  readonly row: number;
  readonly fault: string;
  readonly oracles: readonly Oracle[];
  readonly tests: readonly Tested[];
  /** What nobody can have back, and what is recorded instead. */
  readonly unrecoverable?: string;
  /** What of the fault is not tried, and why. */
  readonly notHere?: string;
}
