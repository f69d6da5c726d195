// The chains of all spool streams of one source: where each stands, and whether its writer may still go on. What a
// chain is and when it is broken is in chain.ts.
import { LIMITS } from "../core/limits.ts";
import { type Break, type Chain, follow, writerGone } from "./chain.ts";
import type { Tail } from "./tail.ts";

/** A segment's place in its stream. */
export interface Place {
  readonly stream: string;
  readonly number: number;
}

interface Open {
  readonly chain: Chain;
  /** When its writer was last asked after. */
  asked_ms: number;
  gone: boolean;
}

export class Chains {
  readonly #now: () => number;
  readonly #open = new Map<string, Open>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Goes on from where an earlier run stood. */
  resume({ chain }: Tail, { stream }: Place): void {
    if (chain === undefined) return;
    const known = this.#open.get(stream)?.chain;
    if (known === undefined || known.segment < chain.segment)
      this.#open.set(stream, { chain, asked_ms: -Infinity, gone: false });
  }

  /** Follows the chain of a stream through the next lines of it. */
  follow(tail: Tail, { stream, number }: Place, lines: Buffer, offset: number): readonly Break[] {
    const found = follow(this.#open.get(stream)?.chain, stream, number, lines, offset, tail.torn);
    tail.torn = 0;
    tail.chain = found.chain;
    if (found.chain !== undefined)
      this.#open.set(stream, { chain: found.chain, asked_ms: this.#now(), gone: false });
    return found.breaks;
  }

  /** Whether nothing more will be written to a stream: it was closed, or its writer is gone. */
  over(stream: string): boolean {
    const known = this.#open.get(stream);
    if (known === undefined) return false;
    if (known.chain.closed || known.gone) return true;
    const now = this.#now();
    if (now - known.asked_ms < LIMITS.spool_writer_ms) return false;
    known.asked_ms = now;
    known.gone = writerGone(known.chain);
    return known.gone;
  }

  /** Everything of a stream was read. */
  forget(stream: string): void {
    this.#open.delete(stream);
  }
}
