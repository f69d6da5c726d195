// How far event time has come: the least of the streams that are at work, less the allowed lateness. A stream that
// rests leaves the least; when all rest, the clock takes over. What the collector has not come to read yet is no rest.
// Knows nothing of rules; never goes back.
import { LIMITS } from "../core/limits.ts";

/** Times of streams in the order in which they were last heard of: `[stream, latest event ms, heard ms]`. */
export interface WatermarkState {
  readonly at_ms: number | null;
  readonly streams: readonly (readonly [string, number, number])[];
}

interface Heard {
  latest_ms: number;
  heard_ms: number;
}

export class Watermark {
  readonly #lateness_ms: number;
  readonly #streams = new Map<string, Heard>();
  #at = Number.NEGATIVE_INFINITY;

  constructor(lateness_ms: number, state?: WatermarkState) {
    this.#lateness_ms = lateness_ms;
    this.#at = state?.at_ms ?? this.#at;
    for (const [stream, latest_ms, heard_ms] of state?.streams ?? [])
      this.#streams.set(stream, { latest_ms, heard_ms });
  }

  /** Events before this time are late. -Infinity until a stream was heard of. */
  get at_ms(): number {
    return this.#at;
  }

  /** An event of a stream. A time ahead of the clock counts as now, so that no record can make others late. */
  observe(stream: string, time_ms: number, now_ms: number): void {
    const known = this.#streams.get(stream);
    const latest_ms = Math.max(known?.latest_ms ?? Number.NEGATIVE_INFINITY, Math.min(time_ms, now_ms));
    this.#streams.delete(stream);
    this.#streams.set(stream, { latest_ms, heard_ms: now_ms });
    if (this.#streams.size <= LIMITS.correlation_streams) return;
    this.#streams.delete(this.#streams.keys().next().value!);
  }

  /** The watermark now. `rested_ms` is when the sources had last been read to their end: a stream is silent when
   * nothing of it was there then, since a backlog is not silence. Null, and it stands still. */
  advance(now_ms: number, rested_ms: number | null): number {
    if (rested_ms === null) return this.#at;
    for (const [stream, { heard_ms }] of this.#streams) {
      if (rested_ms - heard_ms < LIMITS.correlation_idle_ms) break;
      this.#streams.delete(stream);
    }
    let least = this.#streams.size === 0 ? rested_ms - LIMITS.correlation_idle_ms : now_ms;
    for (const { latest_ms } of this.#streams.values()) if (latest_ms < least) least = latest_ms;
    const at = Math.max(least, now_ms - LIMITS.correlation_hold_ms) - this.#lateness_ms;
    if (at > this.#at) this.#at = at;
    return this.#at;
  }

  state(): WatermarkState {
    const streams = [...this.#streams].map(([s, h]) => [s, h.latest_ms, h.heard_ms] as const);
    return { at_ms: Number.isFinite(this.#at) ? this.#at : null, streams };
  }
}
