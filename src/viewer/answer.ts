// One ask of one table, events or summary rows: the statement, and its rows as groups that can be added up.
import { LIMITS } from "../core/limits.ts";
import type { Rollup } from "../store/rollup.ts";
import type { Key } from "./api.ts";
import { type Ask, type Measure, isMany, sqlOf } from "./asks.ts";
import type { Run } from "./database.ts";
import { type Cell, type Partial, Sums } from "./sums.ts";

export async function answer(run: Run, ask: Ask, table: string, rollup?: Rollup): Promise<Partial> {
  const { sql, values } = sqlOf(ask, table, rollup);
  const rows = await run(sql, [...values], LIMITS.viewer_groups + 1);
  const kept = rows.slice(0, LIMITS.viewer_groups);
  const cells = kept.map((row) => ask.measures.map((measure, i) => cellOf(measure, row[`m${i}`])));
  const cut = rows.length > LIMITS.viewer_groups;
  if (!ask.by.some(isMany)) {
    return {
      groups: kept.map((row, n) => ({ keys: ask.by.map((_, i) => row[`k${i}`] as Key), cells: cells[n]! })),
      cut,
    };
  }
  const sums = new Sums(ask);
  kept.forEach((row, n) => {
    for (const keys of combinations(ask.by.map((_, i) => row[`k${i}`] as Key | readonly Key[])))
      sums.add({ keys, cells: cells[n]! });
  });
  return { groups: sums.groups(), cut };
}

/** One of each. */
function combinations(keys: readonly (Key | readonly Key[])[]): Key[][] {
  let all: Key[][] = [[]];
  for (const key of keys) {
    const each = Array.isArray(key) ? [...new Set(key as readonly Key[])] : [key as Key];
    all = all.flatMap((head) => each.map((one) => [...head, one]));
  }
  return all;
}

function cellOf({ op }: Measure, value: unknown): Cell {
  if (op === "percentile") {
    const entries = (value ?? []) as readonly { key: number; value: number | bigint }[];
    return entries.map((entry) => [entry.key, Number(entry.value)] as const);
  }
  if (op === "distinct" || op === "values") return (value ?? []) as readonly number[];
  return value === null || value === undefined ? null : Number(value);
}
