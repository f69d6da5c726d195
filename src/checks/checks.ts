// Checks of controls while the collector runs: each is made again and again, and recorded when its outcome changes and at
// least daily. A check that cannot be made is unknown, and holds nobody up.
import { setTimeout as sleep } from "node:timers/promises";
import type { AnchorStatus } from "../anchoring.ts";
import { sinksOf } from "../components.ts";
import type { Config } from "../config.ts";
import { reasonOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import { addControls } from "../detect/controls.ts";
import type { Incident } from "../incident/present.ts";
import type { CompiledPolicy } from "../policy/compiled.ts";
import type { SelfRecorder } from "../self.ts";
import { CHECKS, CHECK_TAGS, type CheckName, type CheckState, type Finding } from "./contract.ts";
import {
  judgeAlerts,
  judgeIncidents,
  judgeInventory,
  judgePolicy,
  judgeSources,
  judgeWitness,
} from "./judge.ts";
import { judgeLedger } from "./judge-ledger.ts";
import { judgeRetention } from "./retention.ts";
import { slowly } from "./slow.ts";
import { type ChecksState, readChecks, writeChecks } from "./state.ts";

interface Parts {
  readonly config: Config;
  readonly self: SelfRecorder;
  readonly log: Log;
  readonly anchoring: { readonly status: readonly AnchorStatus[] };
  readonly policy: { readonly policy: CompiledPolicy | undefined };
  /** Makes the collector's own events durable. */
  readonly pipeline: { record(): Promise<void>; readonly heard: ReadonlySet<string> };
}

const OUTCOMES = { pass: "success", fail: "failure", unknown: "unknown" } as const;

export class Checks {
  readonly #parts: Parts;
  readonly #names: readonly CheckName[];
  readonly #heard = new Map<string, number>();
  readonly #stop = new AbortController();
  #known: Partial<Record<CheckName, CheckState>> = {};
  #verified: ChecksState["verified"];
  #incidents: Promise<readonly Incident[]> | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#names = CHECKS.filter((name) => !parts.config.checks.without.includes(name));
  }

  get status(): Readonly<Partial<Record<CheckName, CheckState>>> {
    return this.#known;
  }

  /** Makes checks until `end`; `sources` are those that are to be heard. */
  start(sources: readonly string[]): void {
    this.#running = this.#run(sources).catch((error: unknown) =>
      this.#parts.log("error", `checks have ended: ${reasonOf(error)}`),
    );
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** These sources gave records. */
  heard(names: Iterable<string>): void {
    const now_ms = Date.now();
    for (const name of names) if (this.#heard.has(name)) this.#heard.set(name, now_ms);
  }

  async #run(sources: readonly string[]): Promise<void> {
    const { config } = this.#parts;
    const { signal } = this.#stop;
    const before = await readChecks(config.state_dir);
    for (const name of this.#names) {
      const state = before.checks[name];
      if (state !== undefined) this.#known[name] = state;
    }
    for (const name of sources)
      this.#heard.set(name, Math.max(this.#heard.get(name) ?? 0, before.heard[name] ?? Date.now()));
    this.#verified = before.verified;
    await sleep(LIMITS.check_first_ms, undefined, { signal, ref: false }).catch(() => {});
    while (!signal.aborted) {
      this.#incidents = undefined;
      for (const name of this.#names) {
        const finding = await this.#make(name);
        if (signal.aborted) return;
        await this.#take(name, finding);
      }
      await this.#save();
      await sleep(config.checks.every_s * 1_000, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #make(name: CheckName): Promise<Finding> {
    try {
      return await this.#judge(name);
    } catch (error) {
      return { outcome: "unknown", detail: `the check could not be made: ${reasonOf(error)}` };
    }
  }

  async #judge(name: CheckName): Promise<Finding> {
    const { config, anchoring, policy, pipeline } = this.#parts;
    const { silent_h, witness_h, retention_days } = config.checks;
    const now_ms = Date.now();
    const now = new Date(now_ms).toISOString();
    const made: Readonly<Record<CheckName, () => Finding | Promise<Finding>>> = {
      retention: () => judgeRetention(sinksOf(config), retention_days, this.#stop.signal),
      sources: () => {
        this.heard(pipeline.heard);
        return judgeSources(this.#heard, silent_h, now_ms);
      },
      ledger: () => this.#ledger(now_ms),
      witness: () => judgeWitness(anchoring.status, witness_h, now_ms),
      policy: () => judgePolicy(policy.policy),
      alerts: async () => judgeAlerts(await this.#present(), now),
      incidents: async () => judgeIncidents(await this.#present(), now),
      inventory: () => judgeInventory(policy.policy, now.slice(0, 10)),
    };
    return made[name]();
  }

  async #ledger(now_ms: number): Promise<Finding> {
    const { state_dir, checks } = this.#parts.config;
    const { signal } = this.#stop;
    const made = await judgeLedger(state_dir, this.#verified, checks.full_h, now_ms, signal);
    this.#verified = made.verified;
    return made.finding;
  }

  /** What incidents are at present: read once a round. */
  #present(): Promise<readonly Incident[]> {
    const { config } = this.#parts;
    return (this.#incidents ??= slowly({ what: "incidents", config }, this.#stop.signal).then(
      ({ incidents }) => incidents!,
    ));
  }

  async #take(name: CheckName, finding: Finding): Promise<void> {
    const before = this.#known[name];
    const now_ms = Date.now();
    const same = before?.outcome === finding.outcome;
    const due =
      !same || before.about !== finding.about || now_ms - before.recorded_ms >= LIMITS.check_record_ms;
    if (due) {
      this.#tell(name, finding, before);
      await this.#parts.pipeline.record();
    }
    this.#known[name] = {
      ...finding,
      at_ms: now_ms,
      since_ms: same ? before.since_ms : now_ms,
      recorded_ms: due ? now_ms : before.recorded_ms,
    };
  }

  #tell(name: CheckName, { outcome, detail }: Finding, before: CheckState | undefined): void {
    this.#parts.self.add("control-status", `check ${name}: ${outcome}: ${detail}`, (e) => {
      e["event.outcome"] = OUTCOMES[outcome];
      e["tapline.check.name"] = name;
      e["tapline.check.outcome"] = outcome;
      e["tapline.check.detail"] = detail;
      if (before !== undefined && before.outcome !== outcome) e["tapline.check.previous"] = before.outcome;
      addControls(e, CHECK_TAGS[name]);
    });
  }

  async #save(): Promise<void> {
    const { config, log } = this.#parts;
    const heard = Object.fromEntries(this.#heard);
    try {
      await writeChecks(config.state_dir, { checks: this.#known, heard, verified: this.#verified });
    } catch (error) {
      log("warn", `what is known of checks is not kept: ${reasonOf(error)}`);
    }
  }
}
