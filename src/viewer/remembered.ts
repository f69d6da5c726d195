// Answers of parts, remembered by what they were asked, within a bound. Knows nothing of questions.
import { LIMITS } from "../core/limits.ts";
import type { Partial } from "./sums.ts";

/** What parts answered, by what they were asked; the least used goes first. */
export class Remembered {
  readonly #answers = new Map<string, { partial: Partial; cells: number }>();
  #cells = 0;

  get(key: string): Partial | undefined {
    const found = this.#answers.get(key);
    if (found === undefined) return undefined;
    this.#answers.delete(key);
    this.#answers.set(key, found);
    return found.partial;
  }

  has(key: string): boolean {
    return this.#answers.has(key);
  }

  put(key: string, partial: Partial): void {
    const cells = sizeOf(partial);
    if (cells > LIMITS.viewer_cache_cells / 16) return;
    this.#cells += cells - (this.#answers.get(key)?.cells ?? 0);
    this.#answers.set(key, { partial, cells });
    for (const [old, { cells: freed }] of this.#answers) {
      if (this.#cells <= LIMITS.viewer_cache_cells) break;
      this.#answers.delete(old);
      this.#cells -= freed;
    }
  }

  get cells(): number {
    return this.#cells;
  }
}

/** About: a group is an object, two lists and its values. */
function sizeOf({ groups }: Partial): number {
  let cells = 8;
  for (const group of groups) {
    cells += 6 + group.keys.length + group.cells.length;
    for (const cell of group.cells) if (Array.isArray(cell)) cells += cell.length;
  }
  return cells;
}
