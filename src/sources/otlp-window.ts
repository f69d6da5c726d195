// The requests of the last while, by the digest of what they held, so that one that is sent again is recognised, also
// after a restart: each digest is a position of its own in the ledger, written in the frame of the request's records.
import { z } from "zod";
import type { Position } from "../core/stage.ts";
import { LIMITS } from "../core/limits.ts";

const PREFIX = "request:";

const markSchema = z.object({
  at_ms: z.number(),
  records: z.int().min(0),
  /** Records that were not kept. */
  rejected: z.int().min(0).optional(),
  /** Of a request that is durable in part: a LineSet of the lines that are. Earlier versions wrote how many of each lane,
   * from which nobody can tell the lines: none counts as durable then, so that all are taken again and none is lost. */
  done: z.string().optional().catch(""),
});
export type RequestMark = z.output<typeof markSchema>;

export class Window {
  /** In the order in which they came. */
  readonly #marks = new Map<string, RequestMark>();

  get size(): number {
    return this.#marks.size;
  }

  /** Takes a position of an earlier run; false when it is not one of a request. */
  restore(key: string, position: Position): boolean {
    const mark = markSchema.safeParse(position);
    if (!key.startsWith(PREFIX) || !mark.success) return false;
    this.#marks.set(key.slice(PREFIX.length), mark.data);
    return true;
  }

  /** Puts what was restored in order: positions come in none. */
  sort(): void {
    const marks = [...this.#marks].toSorted(([, a], [, b]) => a.at_ms - b.at_ms);
    this.#marks.clear();
    for (const [digest, mark] of marks) this.#marks.set(digest, mark);
  }

  find(digest: string, now_ms: number): RequestMark | undefined {
    const mark = this.#marks.get(digest);
    return mark !== undefined && now_ms - mark.at_ms <= LIMITS.otlp_repeat_ms ? mark : undefined;
  }

  /** Remembers how far a request is handed over, into `positions`. */
  note(digest: string, mark: RequestMark, positions: Record<string, Position | null>): void {
    if (this.#marks.get(digest)?.at_ms !== mark.at_ms) this.#marks.delete(digest);
    this.#marks.set(digest, mark);
    positions[PREFIX + digest] = mark;
  }

  /** Forgets what has left the window. `busy` are requests that are not durable yet. */
  expire(
    now_ms: number,
    positions: Record<string, Position | null>,
    busy: (digest: string) => boolean,
  ): void {
    let most = LIMITS.batch_segments;
    for (const [digest, mark] of this.#marks) {
      const old = now_ms - mark.at_ms > LIMITS.otlp_repeat_ms;
      if ((!old && this.#marks.size <= LIMITS.otlp_repeat_requests) || most-- === 0 || busy(digest)) return;
      this.#marks.delete(digest);
      positions[PREFIX + digest] = null;
    }
  }
}
