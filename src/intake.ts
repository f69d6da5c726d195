// The reading end of the data path: asks the sources in turn for what workers can take, and knows since when there has been
// nothing left to read. Hands batches on; decides nothing about them.
import type { Lane } from "./lane.ts";
import type { RawBatch, Source } from "./core/stage.ts";

interface Parts {
  readonly sources: ReadonlyMap<string, Source>;
  readonly lanes: readonly Lane[];
  now(): number;
}

/** Why waits end when one of them has: given, since making an error each time costs more than the wait. */
const RESTED = "rested";

export class Intake {
  readonly #parts: Parts;
  #rested_ms: number | null = null;
  #resting = false;
  #round = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Whether there is nothing anywhere that is still to come. */
  get #atEnd(): boolean {
    for (const source of this.#parts.sources.values()) if (source.rested === false) return false;
    return true;
  }

  /** When the sources had last been read to their end, ms; null before the first time. */
  get rested_ms(): number | null {
    if (this.#resting && this.#atEnd) this.#rested_ms = this.#parts.now();
    return this.#rested_ms;
  }

  get #free(): boolean {
    return this.#parts.lanes.every((lane) => lane.free);
  }

  /** A batch from every source for every worker that can take one. False when there was nothing. Each round begins with
   * another source, so that one with a backlog leaves room for what is fresh in the others. */
  async round(dispatch: (source: string, batch: RawBatch) => void): Promise<boolean> {
    let any = false;
    const sources = [...this.#parts.sources];
    sources.push(...sources.splice(0, this.#round++ % sources.length));
    for (let lane = 0; lane < this.#parts.lanes.length; lane++) {
      for (const [name, source] of sources) {
        if (!this.#parts.lanes[lane]!.free) break;
        const batch = await source.read(lane);
        if (batch === undefined) continue;
        dispatch(name, batch);
        any = true;
      }
    }
    if (!any && this.#free && this.#atEnd) this.#rested_ms = this.#parts.now();
    return any;
  }

  /** Waits for a source to have more, for a worker to be free, or for `woken`. */
  async rest(woken: Promise<void>): Promise<void> {
    if (!this.#free) return woken;
    const rest = new AbortController();
    this.#resting = true;
    await Promise.race([woken, ...[...this.#parts.sources.values()].map((s) => s.wait(rest.signal))]);
    if (this.#atEnd) this.#rested_ms = this.#parts.now();
    this.#resting = false;
    rest.abort(RESTED);
  }
}
