// A bounded map that knows what changed since it was last asked, so that state can be kept as a row of changes.

export class Tracked<V> {
  readonly #values = new Map<string, V>();
  /** Changed keys, and whether they were there before. */
  readonly #changed = new Map<string, boolean>();
  readonly #max: number;
  /** Oldest keys dropped because the bound bit. */
  evicted = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  entries(): IterableIterator<[string, V]> {
    return this.#values.entries();
  }

  set(key: string, value: V): void {
    if (!this.#changed.has(key)) this.#changed.set(key, this.#values.has(key));
    this.#values.set(key, value);
    if (this.#values.size > this.#max) {
      this.delete(this.#values.keys().next().value!);
      this.evicted++;
    }
  }

  delete(key: string): void {
    if (!this.#values.delete(key)) return;
    // What came and went between two deltas leaves no trace.
    if (this.#changed.get(key) === false) this.#changed.delete(key);
    else this.#changed.set(key, true);
  }

  /** What changed since the last call: the new value, or null for a key that is gone. */
  delta(): [string, V | null][] | undefined {
    if (this.#changed.size === 0) return undefined;
    const changes: [string, V | null][] = [];
    for (const key of this.#changed.keys()) changes.push([key, this.#values.get(key) ?? null]);
    this.#changed.clear();
    return changes;
  }

  /** Takes changes over, as from `delta` or `entries`; they are not changes of this map. */
  apply(changes: readonly (readonly [string, V | null])[]): void {
    for (const [key, value] of changes) {
      if (value === null) this.#values.delete(key);
      else this.#values.set(key, value);
    }
  }
}
