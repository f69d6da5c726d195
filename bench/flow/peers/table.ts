// The table of the bench beside the peers. Ratios are of CPU time, which other work on the machine disturbs less than it
// does the clock.
import type { Taken } from "./measure.ts";
import { CASES, type Case } from "./work.ts";

const WHAT: Readonly<Record<Case, string>> = {
  a: "parse",
  b: "map and tag",
  c: "map, tag, rules",
  d: "map, tag, send",
  check: "",
};

/** One run. */
export interface Row extends Taken {
  readonly name: string;
  readonly of: Case;
  /** Load average before it. */
  readonly load: number;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

const spread = (values: readonly number[], digits: number): string =>
  `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`;

/** Ours stand before the others. */
const isOurs = (name: string): boolean => name.startsWith("Tapline");

export function print(rows: readonly Row[], events: number): void {
  console.log("| case | collector | CPU µs an event | spread | events/s | peak MB | to best peer | load |");
  console.log("| ---- | --------- | --------------- | ------ | -------- | ------- | ------------ | ---- |");
  for (const of_case of CASES) {
    const here = rows.filter((row) => row.of === of_case);
    const cpuOf = (name: string): number[] =>
      here.filter((row) => row.name === name).map((row) => (row.cpu_s * 1e6) / events);
    const names = [...new Set(here.map(({ name }) => name))];
    const others = names.filter((name) => !isOurs(name)).map((name) => median(cpuOf(name)));
    const best = Math.min(...others);
    for (const name of names) {
      const mine = here.filter((row) => row.name === name);
      const cpu = cpuOf(name);
      const ratio = others.length === 0 ? "" : (median(cpu) / best).toFixed(2);
      const events_s = Math.round(median(mine.map(({ wall_s }) => events / wall_s)));
      const peak_mb = Math.max(...mine.map((row) => row.peak_mb)).toFixed(0);
      const load = spread(
        mine.map((row) => row.load),
        1,
      );
      console.log(
        `| ${of_case}: ${WHAT[of_case]} | ${name} | ${median(cpu).toFixed(1)} | ${spread(cpu, 1)} | ${events_s.toLocaleString("en")} | ${peak_mb} | ${ratio} | ${load} |`,
      );
    }
  }
}
