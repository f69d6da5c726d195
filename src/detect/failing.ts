// Rules that throw, over all threads: told by name at once, then with their number at most once a minute.
import { LIMITS } from "../core/limits.ts";
import type { RuleFailure } from "./match.ts";

export class Failing {
  /** By rule: what was not told yet, and when it was told last. */
  readonly #rules = new Map<string, { failure: RuleFailure; told_ms: number }>();

  add(failure: RuleFailure): void {
    const known = this.#rules.get(failure.id);
    if (known === undefined) {
      this.#rules.set(failure.id, { failure: { ...failure }, told_ms: Number.NEGATIVE_INFINITY });
    } else known.failure.count += failure.count;
  }

  /** What is to be told now. */
  due(now_ms: number): readonly RuleFailure[] {
    const out: RuleFailure[] = [];
    for (const known of this.#rules.values()) {
      if (known.failure.count === 0 || now_ms - known.told_ms < LIMITS.eviction_report_ms) continue;
      out.push({ ...known.failure });
      known.failure.count = 0;
      known.told_ms = now_ms;
    }
    return out;
  }
}
