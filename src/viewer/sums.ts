// Adds up the answers of parts: counts and sums are added, the least and the most kept, sets and buckets joined. Pure.
import type { Key } from "./api.ts";
import { type Ask, type Measure, atBucket } from "./asks.ts";

/** A count, sum, least or most; hashes of different values; texts; buckets and how many are in them. */
export type Cell =
  | number
  | null
  | readonly number[]
  | readonly string[]
  | readonly (readonly [number, number])[];

export interface Group {
  readonly keys: readonly Key[];
  readonly cells: readonly Cell[];
}

/** What a part answers. */
export interface Partial {
  readonly groups: readonly Group[];
  /** There were more groups than are kept. */
  readonly cut: boolean;
}

type Sum = number | null | Set<number | string> | Map<number, number>;

interface Adding {
  readonly keys: readonly Key[];
  readonly sums: Sum[];
}

function begin({ op }: Measure): Sum {
  if (op === "distinct" || op === "values") return new Set();
  return op === "percentile" ? new Map() : null;
}

function add(sum: Sum, { op }: Measure, cell: Cell): Sum {
  if (cell === null) return sum;
  if (sum instanceof Set) {
    for (const value of cell as readonly (number | string)[]) sum.add(value);
    return sum;
  }
  if (sum instanceof Map) {
    for (const [bucket, count] of cell as readonly (readonly [number, number])[])
      sum.set(bucket, (sum.get(bucket) ?? 0) + count);
    return sum;
  }
  const value = cell as number;
  if (sum === null) return value;
  if (op === "min") return Math.min(sum, value);
  return op === "max" ? Math.max(sum, value) : sum + value;
}

/** Groups of one ask, as they come together. */
export class Sums {
  readonly #measures: readonly Measure[];
  readonly #groups = new Map<string, Adding>();

  constructor({ measures }: Pick<Ask, "measures">) {
    this.#measures = measures;
  }

  add({ keys, cells }: Group): void {
    const name = JSON.stringify(keys);
    let adding = this.#groups.get(name);
    if (adding === undefined) {
      adding = { keys, sums: this.#measures.map(begin) };
      this.#groups.set(name, adding);
    }
    for (let i = 0; i < cells.length; i++)
      adding.sums[i] = add(adding.sums[i]!, this.#measures[i]!, cells[i]!);
  }

  /** As they can be added to others. */
  groups(): Group[] {
    return [...this.#groups.values()].map(({ keys, sums }) => ({
      keys,
      cells: sums.map((sum) => (sum instanceof Set || sum instanceof Map ? ([...sum] as Cell) : sum)),
    }));
  }

  /** Each group with its figures; `percentiles` of the measures that are one, in per cent. */
  figures(
    percentiles: readonly (number | undefined)[] = [],
  ): { keys: readonly Key[]; values: (number | null)[] }[] {
    return [...this.#groups.values()].map(({ keys, sums }) => ({
      keys,
      values: sums.map((sum, i) => finish(sum, this.#measures[i]!, percentiles[i])),
    }));
  }

  /** Texts of a measure `values`, of each group. */
  texts(group: readonly Key[], measure: number): string[] {
    const sum = this.#groups.get(JSON.stringify(group))?.sums[measure];
    return sum instanceof Set ? [...sum].map(String).toSorted() : [];
  }
}

function finish(sum: Sum, { op }: Measure, percentile: number | undefined): number | null {
  if (sum instanceof Set) return sum.size;
  if (sum instanceof Map) return percentileOf(sum, percentile ?? 50);
  return op === "count" ? (sum ?? 0) : sum;
}

function percentileOf(buckets: ReadonlyMap<number, number>, percent: number): number | null {
  const sorted = [...buckets].toSorted(([a], [b]) => a - b);
  const all = sorted.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  for (const [bucket, count] of sorted) {
    seen += count;
    if (seen >= (percent / 100) * all) return atBucket(bucket);
  }
  return null;
}
