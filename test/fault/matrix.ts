// The faults that Tapline is tried with, row by row: what is done to it, what has to hold then, and the tests that do it.
// matrix.test.ts holds this to the tests there are; docs/reliability.md is written from it.
import { CONTENT } from "./matrix/content.ts";
import { FILES } from "./matrix/files.ts";
import { PROCESS } from "./matrix/process.ts";
import type { GROUPS, Row } from "./matrix/row.ts";
import { SECURITY } from "./matrix/security.ts";
import { SERVERS } from "./matrix/servers.ts";

export const ROWS = 78;
export const MATRIX: readonly Row[] = [...PROCESS, ...FILES, ...CONTENT, ...SERVERS, ...SECURITY];

/** The first row of each group. */
const FIRST: Record<keyof typeof GROUPS, number> = { A: 1, B: 17, C: 36, D: 50, E: 55, F: 69 };

export function groupOf({ row }: Row): keyof typeof GROUPS {
  const groups = Object.entries(FIRST) as [keyof typeof GROUPS, number][];
  return groups.findLast(([, first]) => first <= row)![0];
}
