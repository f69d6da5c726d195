// Watches the rule files while a collector runs, and puts a changed set in force: at one batch for all threads, with an
// entry that names it. A set with a new problem is not taken; the old one runs on, and an entry says why.
import type { Config } from "./config.ts";
import type { Correlating } from "./correlating.ts";
import { type Exchange, ownOf } from "./exchange.ts";
import type { Origin } from "./core/event.ts";
import { reasonOf } from "./core/errors.ts";
import { LIMITS } from "./core/limits.ts";
import type { Log } from "./core/log.ts";
import { Correlations } from "./detect/correlate-thread.ts";
import { ruleStamps } from "./detect/load.ts";
import type { RuleSet } from "./detect/match.ts";
import { rulesAtRest } from "./detect/resting.ts";
import { type Rules, compile, rulesBelow } from "./engine.ts";
import { BUNDLED_RULES } from "./paths.ts";
import type { Pipeline } from "./pipeline.ts";
import type { PolicyWatch } from "./policy-watch.ts";
import type { SelfRecorder } from "./self.ts";

export interface ReloadParts {
  readonly config: Config;
  /** The set in force, as read and as compiled, and what was wrong with it. */
  readonly rules: Rules;
  readonly set: RuleSet;
  readonly problems: readonly string[];
  readonly pipeline: Pipeline;
  readonly correlating: Correlating;
  /** Where correlations are shared with other collectors. */
  readonly exchange: Exchange | undefined;
  readonly self: SelfRecorder;
  readonly policy: PolicyWatch;
  /** Hash of the policy that the rules were compiled with. */
  readonly known: string;
  readonly origin: Origin;
  readonly started_ms: number;
  readonly log: Log;
}

export function rulePaths(config: Config): string[] {
  return [...(config.bundled_rules ? [BUNDLED_RULES] : []), ...config.rules];
}

export class Reload {
  readonly #parts: ReloadParts;
  #hash: string;
  /** Hash of the policy that the workers have. */
  #policy: string;
  #problems: ReadonlySet<string>;
  #stamps: string | undefined;
  /** What the refused set was, so that it is refused once. */
  #refused = "";
  #looking = false;
  readonly #timer: NodeJS.Timeout;

  constructor(parts: ReloadParts) {
    this.#parts = parts;
    this.#hash = parts.set.hash;
    this.#policy = parts.known;
    this.#problems = new Set(parts.problems);
    this.#timer = setInterval(() => void this.#look(), LIMITS.rules_look_ms);
  }

  /** Hash of the set in force. */
  get ruleset(): string {
    return this.#hash;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#looking || !this.#parts.pipeline.canSwitch) return;
    this.#looking = true;
    try {
      const stamps = await ruleStamps(rulePaths(this.#parts.config));
      await this.#parts.policy.look();
      // The first look reads again: a file may have changed since it was read.
      const other = stamps !== this.#stamps || this.#parts.policy.hash !== this.#policy;
      if (other && (await this.#read())) this.#stamps = stamps;
      this.#parts.policy.tell();
      this.#parts.policy.journal();
      await this.#parts.pipeline.record();
    } catch (error) {
      await this.#refuse([reasonOf(error)]);
    }
    this.#looking = false;
  }

  /** False when it has to be tried again. */
  async #read(): Promise<boolean> {
    const { config, policy, pipeline, correlating, exchange, self, origin, started_ms } = this.#parts;
    const policy_hash = policy.hash;
    const rules = await rulesBelow(rulePaths(config), config.placeholders, policy.policy);
    const { set, correlations, wrong, resting } = compile(rules);
    const fresh = wrong.filter((problem) => !this.#problems.has(problem));
    if (fresh.length > 0) {
      await this.#refuse(fresh);
      return true;
    }
    this.#refused = "";
    this.#problems = new Set(wrong);
    if (set.hash === this.#hash && policy_hash === this.#policy) return true;
    if (!pipeline.canSwitch) return false;
    const before = this.#hash;
    this.#hash = set.hash;
    this.#policy = policy_hash;
    await pipeline.switchRules(rules, () => {
      correlating.use(
        { set, correlations },
        (state) =>
          new Correlations(ownOf(correlations, exchange !== undefined), {
            origin,
            ruleset_hash: set.hash,
            started_ms,
            state,
          }),
      );
      exchange?.use(correlations, set.hash);
      policy.note();
      if (set.hash === before) return;
      const count = set.rules.length + correlations.nodes.length;
      const rest = rulesAtRest(resting).length;
      self.add(
        "ruleset-change",
        `rules changed: ${count} in force${rest === 0 ? "" : `, ${rest} at rest`}`,
        (e) => {
          e["tapline.alert.ruleset_hash"] = set.hash;
          e["tapline.change.before"] = before;
          e["tapline.change.after"] = set.hash;
          e["event.outcome"] = "success";
        },
      );
    });
    this.#parts.log("info", `changed: rules ${set.hash} and policy ${policy_hash} are in force`);
    return true;
  }

  async #refuse(reasons: readonly string[]): Promise<void> {
    const why = reasons.slice(0, LIMITS.config_problems).join("\n");
    if (why === this.#refused) return;
    this.#refused = why;
    this.#parts.log("warn", `changed rules are not taken, the old set runs on: ${why}`);
    this.#parts.self.add("ruleset-change", "changed rules are not taken, the old set runs on", (e) => {
      e["tapline.alert.ruleset_hash"] = this.#hash;
      e["error.message"] = why;
      e["event.outcome"] = "failure";
    });
    await this.#parts.pipeline.record();
  }
}
