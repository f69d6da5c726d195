// A bounded map that knows what changed since it was last asked, so that state can be kept as a row of changes.
// Long keys are held as their digest: records choose keys, and may choose them of any length.
import { hash } from "node:crypto";
import { LIMITS } from "../core/limits.ts";

function bounded(key: string): string {
  return key.length <= LIMITS.state_key_chars ? key : hash("sha256", key);
}

// What became of a cell since the last delta. NEW and DROPPED are not known to whoever takes the deltas.
const SAME = 0;
const NEW = 1;
const CHANGED = 2;
const GONE = 3;
const DROPPED = 4;

interface Cell<V> {
  readonly key: string;
  value: V;
  mark: number;
}

export class Tracked<V> {
  readonly #cells = new Map<string, Cell<V>>();
  /** All cells whose mark is not SAME, in the order of their first change; a key that went and came again has two. */
  readonly #changed: Cell<V>[] = [];
  /** Goes over the cells from the oldest; made once, since a new one would walk over the holes of all that went. */
  #oldest: IterableIterator<Cell<V>> | undefined;
  readonly #max: number;
  /** Oldest keys dropped because the bound bit. */
  evicted = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get(key: string): V | undefined {
    return this.#cells.get(bounded(key))?.value;
  }

  has(key: string): boolean {
    return this.#cells.has(bounded(key));
  }

  /** All that it holds, oldest first. */
  cells(): IterableIterator<Readonly<Cell<V>>> {
    return this.#cells.values();
  }

  entries(): [string, V][] {
    return Array.from(this.#cells.values(), ({ key, value }) => [key, value]);
  }

  set(named: string, value: V): void {
    const key = bounded(named);
    const cell = this.#cells.get(key);
    if (cell === undefined) {
      this.#add({ key, value, mark: NEW });
      return;
    }
    cell.value = value;
    if (cell.mark !== SAME) return;
    cell.mark = CHANGED;
    this.#changed.push(cell);
  }

  #add(cell: Cell<V>): void {
    this.#cells.set(cell.key, cell);
    this.#changed.push(cell);
    if (this.#cells.size <= this.#max) return;
    this.#oldest ??= this.#cells.values();
    this.#remove(this.#oldest.next().value);
    this.evicted++;
  }

  delete(key: string): void {
    const cell = this.#cells.get(bounded(key));
    if (cell !== undefined) this.#remove(cell);
  }

  #remove(cell: Cell<V>): void {
    this.#cells.delete(cell.key);
    if (cell.mark === SAME) this.#changed.push(cell);
    // What came and went between two deltas leaves no trace.
    cell.mark = cell.mark === NEW ? DROPPED : GONE;
  }

  /** What changed since the last call, in order: the new value, or null for a key that is gone. */
  delta(): [string, V | null][] | undefined {
    const changed = this.#changed;
    if (changed.length === 0) return undefined;
    const changes: [string, V | null][] = [];
    for (let i = 0; i < changed.length; i++) {
      const cell = changed[i]!;
      if (cell.mark === GONE) changes.push([cell.key, null]);
      else if (cell.mark !== DROPPED) changes.push([cell.key, cell.value]);
      cell.mark = SAME;
    }
    changed.length = 0;
    return changes.length === 0 ? undefined : changes;
  }

  /** Takes changes over, as from `delta` or `entries`; they are not changes of this map. */
  apply(changes: readonly (readonly [string, V | null])[]): void {
    for (const [key, value] of changes) {
      const cell = this.#cells.get(key);
      if (value === null) this.#cells.delete(key);
      else if (cell === undefined) this.#cells.set(key, { key, value, mark: SAME });
      else cell.value = value;
    }
  }
}
