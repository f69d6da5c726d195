// A collector's run: what is recorded at start, while it lives and at its end, and the order of shutting down.
import { hash } from "node:crypto";
import { writeFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "./config.ts";
import { canonical } from "./core/digest.ts";
import { reasonOf } from "./core/errors.ts";
import type { Event } from "./core/generated/event.ts";
import { MAPPING_HASH } from "./core/generated/classes.ts";
import { SUBMISSIONS } from "./core/incident.ts";
import { LIMITS } from "./core/limits.ts";
import type { Log } from "./core/log.ts";
import type { Source } from "./core/stage.ts";
import type { Correlating } from "./correlating.ts";
import type { Anchoring } from "./anchoring.ts";
import type { Checks } from "./checks/checks.ts";
import { tellKeyChange } from "./key-change.ts";
import type { Delivery } from "./deliver.ts";
import type { Lane } from "./lane.ts";
import type { Ledger } from "./ledger/log.ts";
import type { Pipeline } from "./pipeline.ts";
import type { PolicyWatch } from "./policy-watch.ts";
import type { Retention } from "./retention.ts";
import type { Reload } from "./reload.ts";
import type { SelfRecorder } from "./self.ts";
import { statusOf } from "./status.ts";
import { type Tally, skippedSum } from "./tally.ts";
import { VERSION } from "./version.ts";

export interface Running {
  readonly config: Config;
  readonly pipeline: Pipeline;
  readonly correlating: Correlating;
  readonly policy: PolicyWatch;
  readonly self: SelfRecorder;
  readonly ledger: Ledger;
  readonly lanes: readonly Lane[];
  readonly sources: ReadonlyMap<string, Source>;
  readonly deliveries: readonly Delivery[];
  readonly anchoring: Anchoring;
  readonly checks: Checks;
  readonly retention: Retention;
  readonly tally: Tally;
  readonly reload: Reload;
  readonly origin: string;
  readonly log: Log;
}

/** Hash of the configuration in force. Secrets are never in it: they come from files and the environment. */
function configHash(config: Config): string {
  return `sha256:${hash("sha256", canonical(config))}`;
}

function fillCounts(e: Event, tally: Tally): void {
  e["tapline.count.read"] = tally.read;
  e["tapline.count.recorded"] = tally.recorded;
  e["tapline.count.merged"] = tally.merged;
  e["tapline.count.skipped"] = skippedSum(tally);
  e["tapline.count.by_reason"] = { ...tally.skipped };
}

/** The collector's own source is none that is to be heard. */
const expectedOf = (sources: ReadonlyMap<string, Source>): string[] =>
  [...sources.keys()].filter((name) => name !== SUBMISSIONS);

/** Which sources there are and which gave nothing since this was last told: what is not heard is to be seen as well. */
function fillSources(e: Event, { sources, pipeline, ledger, checks }: Running): void {
  const expected = expectedOf(sources);
  e["tapline.sources.expected"] = expected;
  e["tapline.sources.silent"] = expected.filter((name) => !pipeline.heard.has(name));
  e["tapline.integrity.checkpoint_size"] = ledger.published;
  checks.heard(pipeline.heard);
  pipeline.heard.clear();
}

/** Records that it runs, under which rules and configuration. */
async function sayStarted(parts: Running): Promise<void> {
  const { pipeline, policy, self } = parts;
  parts.anchoring.start();
  self.add("collector-start", `tapline ${VERSION} started`, (e) => {
    e["tapline.alert.ruleset_hash"] = parts.reload.ruleset;
    e["tapline.config.hash"] = configHash(parts.config);
    e["tapline.config.mapping_hash"] = MAPPING_HASH;
    e["tapline.sources.expected"] = expectedOf(parts.sources);
    e["tapline.integrity.checkpoint_size"] = parts.ledger.published;
  });
  policy.tell();
  policy.note();
  policy.journal();
  await pipeline.record();
  await tellKeyChange(parts);
  await tellSigner(parts);
}

export async function runCollector(parts: Running, signal: AbortSignal, once: boolean): Promise<void> {
  const { pipeline, deliveries } = parts;
  const stop = new AbortController();
  try {
    await sayStarted(parts);
  } catch (error) {
    // Or the process would stay, with workers that wait for nothing.
    parts.reload.close();
    await attended(parts);
    await shutDown(parts, stop, []);
    throw error;
  }
  let failed: Error | undefined;
  const delivering = deliveries.map((delivery) =>
    delivery.run(stop.signal).catch((error: unknown) => {
      if (stop.signal.aborted) return;
      failed ??= error as Error;
      pipeline.fail(failed);
    }),
  );
  const beat = setInterval(() => void heartbeat(parts), parts.config.heartbeat_s * 1000);
  // Who reads once has no time in which anything could change, or grow old.
  if (!once) {
    parts.checks.start(expectedOf(parts.sources));
    parts.retention.start();
  }
  let telling = writeStatus(parts, true); // at once: who submits something looks there whether anybody takes it
  const tell = setInterval(() => {
    telling = telling.then(() => writeStatus(parts, true));
  }, LIMITS.status_ms);
  try {
    await pipeline.run(signal, once);
    parts.reload.close();
    if (once) await caughtUp(parts, signal, (delivery) => failed !== undefined || delivery.stuck);
    // It may have come when there was nothing left to read, so that the pipeline did not see it.
    if (failed !== undefined) throw failed;
    await attended(parts);
    await sayStopped(parts);
    // A sink that is caught up gets the stop too; one that lags is left where it is.
    const last = AbortSignal.timeout(LIMITS.last_words_ms);
    await caughtUp(parts, last, (delivery) => delivery.trouble !== undefined);
  } finally {
    parts.reload.close();
    await attended(parts);
    clearInterval(beat);
    clearInterval(tell);
    await telling; // the last word is that of the end
    await shutDown(parts, stop, delivering);
  }
}

/** Ends what looks after the ledger and the controls. */
async function attended({ anchoring, checks, retention }: Running): Promise<void> {
  await Promise.all([anchoring.end(), checks.end(), retention.end()]);
}

async function heartbeat(parts: Running): Promise<void> {
  const { self, tally, pipeline, log } = parts;
  self.add("heartbeat", "the collector is alive", (e) => {
    fillCounts(e, tally);
    fillSources(e, parts);
  });
  await pipeline.record().catch((error: unknown) => log("error", `heartbeat: ${reasonOf(error)}`));
  await tellKeyChange(parts);
  await tellSigner(parts);
}

/** Ledgers that say that their signer refuses them. */
const refused = new WeakSet<Ledger>();

/** Records, once a run, that the signer refuses this ledger. */
async function tellSigner(parts: Running): Promise<void> {
  const { self, pipeline, ledger, log } = parts;
  const why = ledger.signer?.contradiction;
  if (why === undefined || refused.has(ledger)) return;
  refused.add(ledger);
  self.add("checkpoint", `nothing is signed any more: ${why}`, (e) => {
    e["event.outcome"] = "failure";
    e["tapline.integrity.tree_size"] = ledger.published;
  });
  await pipeline.record().catch((error: unknown) => log("error", reasonOf(error)));
}

/** Waits until every sink has taken what is durable, or is given up. */
async function caughtUp(
  { deliveries, ledger }: Running,
  signal: AbortSignal,
  givenUp: (delivery: Delivery) => boolean,
): Promise<void> {
  while (!signal.aborted) {
    if (deliveries.every((d) => d.cursor.acked >= ledger.durable || givenUp(d))) return;
    await sleep(LIMITS.status_ms / 20);
  }
}

async function sayStopped(parts: Running): Promise<void> {
  const { self, tally, pipeline } = parts;
  await pipeline.finalSnapshot();
  self.add("collector-stop", `tapline ${VERSION} stopped`, (e) => {
    fillCounts(e, tally);
    fillSources(e, parts);
  });
  await pipeline.record();
}

async function shutDown(parts: Running, stop: AbortController, delivering: Promise<void>[]): Promise<void> {
  for (const source of parts.sources.values()) await source.close();
  stop.abort();
  await Promise.race([Promise.all(delivering), sleep(LIMITS.stop_ms, undefined, { ref: false })]);
  for (const lane of parts.lanes) await lane.close();
  await parts.ledger.close();
  await parts.anchoring.last();
  await writeStatus(parts, false);
}

/** Replaces `status.json`, which `tapline status` reads. */
async function writeStatus(parts: Running, running: boolean): Promise<void> {
  const path = join(parts.config.state_dir, "status.json");
  try {
    await writeFile(`${path}.tmp`, JSON.stringify(statusOf(parts, running)), { mode: 0o600 });
    await rename(`${path}.tmp`, path);
  } catch (error) {
    parts.log("warn", `cannot write ${path}: ${reasonOf(error)}`);
  }
}
