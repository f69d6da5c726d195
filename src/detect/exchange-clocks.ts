// How far time has come in each stream of records that this collector reads for its group: what others rely on when they
// say that no event before some time will come. A stream may carry those of many hosts. Tells it to nobody.
import type { MatchExchange } from "../core/exchange.ts";
import { LIMITS } from "../core/limits.ts";
import type { StreamTime } from "./correlate-extract.ts";
import type { StreamClock } from "./exchange-message.ts";
import { Watermark } from "./watermark.ts";

interface Clock {
  readonly name: string;
  readonly since_ms: number;
  readonly mark: Watermark;
  backfill_ms: number | null;
}

export class Clocks {
  readonly #clocks = new Map<string, Clock>();

  /** Of a stream that was taken over, nothing is known of what came before. */
  #follow(reading: MatchExchange["reading"]): void {
    const ids = new Set(reading.map(({ id }) => id));
    for (const id of this.#clocks.keys()) if (!ids.has(id)) this.#clocks.delete(id);
    for (const { id, name, since_ms } of reading) {
      if (this.#clocks.get(id)?.since_ms === since_ms) continue;
      const mark = new Watermark(LIMITS.correlation_lateness_ms);
      this.#clocks.set(id, { name, since_ms, mark, backfill_ms: null });
    }
  }

  /** Takes in the times of a batch, whose matches are sent before the next clock is. */
  heard(reading: MatchExchange["reading"], streams: readonly StreamTime[], now_ms: number): void {
    this.#follow(reading);
    for (const { stream, part, live_ms, backfill_ms } of streams) {
      const clock = this.#clocks.get(part ?? stream);
      if (clock === undefined) continue;
      if (live_ms !== null) clock.mark.observe(stream, live_ms, now_ms);
      if (backfill_ms !== null) clock.backfill_ms = Math.max(clock.backfill_ms ?? backfill_ms, backfill_ms);
    }
  }

  /** What is to be told now. What rested before a stream was taken over says nothing about it. */
  tell(reading: MatchExchange["reading"], now_ms: number, rested_ms: number | null): StreamClock[] {
    this.#follow(reading);
    return [...this.#clocks.values()].map((clock) => {
      const rested = rested_ms !== null && rested_ms > clock.since_ms ? rested_ms : null;
      const at = clock.mark.advance(now_ms, rested);
      const backfill = clock.backfill_ms;
      clock.backfill_ms = null;
      return { name: clock.name, at: Number.isFinite(at) ? at : null, rested, backfill };
    });
  }
}
