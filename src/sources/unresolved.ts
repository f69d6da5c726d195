// Streams whose records name no session: held back while their session may be found in a moment, else read without one
// and moved to the session's lane when it turns up. Decides nothing about sessions; the router's finder does.
import type { RawBatch, ResolvedBy, Router } from "../core/stage.ts";
import { LIMITS } from "../core/limits.ts";
import type { Outbox } from "./outbox.ts";
import type { Tail } from "./tail.ts";

export class Unresolved {
  readonly #router: Router;
  readonly #outbox: Outbox;
  readonly #now: () => number;
  /** Not read yet, and when the session was first asked for. */
  readonly #held = new Map<Tail, number>();
  /** Read without a session, which may still turn up. */
  readonly #later = new Map<Tail, number>();
  readonly #found: Record<ResolvedBy, number> = { pid: 0, cwd: 0, ambiguous: 0, none: 0 };
  #late = 0;

  constructor(router: Router, outbox: Outbox, now: () => number) {
    this.#router = router;
    this.#outbox = outbox;
    this.#now = now;
  }

  /** How streams that name no session were joined, and how many of them late. */
  get counts(): Readonly<Record<string, number>> {
    const { pid, cwd, ambiguous, none } = this.#found;
    return {
      sessions_by_pid: pid,
      sessions_by_cwd: cwd,
      sessions_ambiguous: ambiguous,
      sessions_none: none,
      sessions_late: this.#late,
    };
  }

  /** Streams that wait. */
  get holding(): number {
    return this.#held.size;
  }

  get idle(): boolean {
    return this.#held.size + this.#later.size === 0;
  }

  /** Takes note of a stream: one just recognised, or (`resumed`) one that an earlier run knew. */
  meet(tail: Tail, resumed: boolean): void {
    const { sessions } = this.#router;
    const { facts } = tail;
    if (sessions === undefined || facts === undefined || this.#outbox.common.session !== undefined) return;
    if (tail.session !== undefined) {
      sessions.learn(tail.session, facts, tail.at, tail.resolved_by);
    } else if (!resumed && tail.offset === 0) {
      tail.waiting++;
      this.#held.set(tail, this.#now());
      this.#ask(tail, this.#now());
    } else if (tail.resolved_by !== "ambiguous") this.#askLater(tail, this.#now());
  }

  #askLater(tail: Tail, asked_ms: number): void {
    if (this.#later.size < LIMITS.session_later) this.#later.set(tail, asked_ms);
  }

  /** Asks again for all. Never while a batch is being made. */
  retry(): void {
    for (const [tail, asked_ms] of this.#held) this.#ask(tail, asked_ms);
    for (const [tail, asked_ms] of this.#later) this.#askAgain(tail, asked_ms);
  }

  #ask(tail: Tail, asked_ms: number): void {
    // Its file may have been cut or lost since.
    const known = !tail.done && tail.queue >= 0 && tail.facts !== undefined;
    const found = known ? this.#router.sessions!.find(tail.facts!, asked_ms) : undefined;
    if (found?.again === "soon") return;
    this.#held.delete(tail);
    tail.waiting--;
    if (found !== undefined) {
      this.#found[found.by]++;
      tail.join(found.session, found.by, this.#router, this.#outbox.common);
      if (found.again === "later") this.#askLater(tail, asked_ms);
    }
    this.#outbox.enqueue(tail);
  }

  #askAgain(tail: Tail, asked_ms: number): void {
    if (tail.done || tail.complete || tail.facts === undefined || tail.session !== undefined) {
      this.#later.delete(tail);
      return;
    }
    // What was read has to be durable first, or two lanes would tell the stream's positions.
    if (tail.queue < 0 || tail.waiting > 0 || tail.settled !== tail.offset) return;
    const found = this.#router.sessions!.find(tail.facts, asked_ms);
    if (found.again !== undefined) return;
    this.#later.delete(tail);
    if (found.by === tail.resolved_by) return;
    this.#late++;
    this.#found[found.by]++;
    this.#outbox.remove(tail);
    tail.join(found.session, found.by, this.#router, this.#outbox.common);
    this.#outbox.enqueue(tail);
  }

  /** Notes how far streams that wait for a session are durable. */
  settle(batch: RawBatch): void {
    for (const tail of this.#later.keys()) {
      const position = batch.positions[tail.id];
      if (position !== undefined && position !== null) tail.settled = position["offset"] as number;
    }
  }
}
