// Puts a collector together from a configuration: keys, ledger, workers, sources, sinks, and takes it apart again.
// Holds no control flow of the data path (pipeline.ts) and prints nothing (commands/run.ts).
import { join } from "node:path";
import { createSink, createSource, sinksOf, sourcesOf } from "./components.ts";
import { type Config, ledgerOrigin } from "./config.ts";
import { steadyClock } from "./core/clock.ts";
import { makeDirs } from "./core/durable.ts";
import type { Origin } from "./core/event.ts";
import { LIMITS } from "./core/limits.ts";
import type { Log } from "./core/log.ts";
import type { MatchExchange } from "./core/exchange.ts";
import { SharedBuffers } from "./core/shared-buffers.ts";
import type { Router, Source } from "./core/stage.ts";
import { SUBMISSIONS } from "./core/incident.ts";
import { fromMs } from "./core/time.ts";
import { Delivery, type Readable } from "./deliver.ts";
import { type AlertNote, Judge } from "./detect/judge.ts";
import { type EngineOptions, type EngineResult, compile, rulesBelow } from "./engine.ts";
import { Candidates } from "./incident/candidates.ts";
import { deadlinesOf, rulesOf } from "./incident/config.ts";
import { Incidents } from "./incident/grouping.ts";
import { laneOf, Lane } from "./lane.ts";
import { Ledger } from "./ledger/log.ts";
import { Anchoring, readAnchors } from "./anchoring.ts";
import { Exchange, ownOf } from "./exchange.ts";
import { Checks } from "./checks/checks.ts";
import type { Event } from "./core/generated/event.ts";
import { createRedactor } from "./normalise/redact.ts";
import { createSealer } from "./normalise/seal.ts";
import { probe, sessionIn } from "./normalise/probe.ts";
import { Pipeline } from "./pipeline.ts";
import { type Status, statusOf } from "./status.ts";
import { runCollector } from "./lifecycle.ts";
import { Correlating } from "./correlating.ts";
import { FirstSeen } from "./detect/first-seen.ts";
import { rulesAtRest } from "./detect/resting.ts";
import { Oversight } from "./detect/oversight.ts";
import { Correlations, type CorrelationsState } from "./detect/correlate-thread.ts";
import { recover } from "./recover.ts";
import { PolicyWatch } from "./policy-watch.ts";
import { Retention } from "./retention.ts";
import { Reload, rulePaths } from "./reload.ts";
import { Resolver } from "./resolver.ts";
import { loadDigestKey, subjectKeys } from "./keys.ts";
import { SelfRecorder } from "./self.ts";
import { openDeadLetters } from "./sinks/dead-letters.ts";
import type { Positions } from "./state.ts";
import type { Tally } from "./tally.ts";
import { VERSION } from "./version.ts";
import { withSealedOpen } from "./unseal.ts";

export interface CollectorEvents {
  readonly onAlert: (alert: AlertNote) => void;
  readonly onIncident?: (incident: Event) => void;
  readonly onDurable: (results: readonly EngineResult[]) => void;
  readonly onProblem: (message: string) => void;
}

export interface Collector {
  readonly ledger: Ledger;
  readonly tally: Tally;
  readonly deliveries: readonly Delivery[];
  readonly rules: number;
  /** Rules that nothing gives values to. */
  readonly resting: number;
  readonly ruleset: string;
  readonly recovered_entries: number;
  /** The collector's own events of this run and those across sessions, by action. */
  readonly own: ReadonlyMap<string, number>;
  /** How it stands now. */
  status(): Status;
  /** Collects until `signal` aborts, or with `once` until every source is drained and every sink caught up. */
  run(signal: AbortSignal, once: boolean): Promise<void>;
}

function createSources(config: Config, log: Log, clock: () => number): Map<string, Source> {
  return new Map(
    sourcesOf(config).map(([name, typed]) => [name, createSource(config, name, typed, log, clock)]),
  );
}

async function openSources(
  sources: ReadonlyMap<string, Source>,
  positions: Positions,
  router: Router,
): Promise<void> {
  for (const [name, source] of sources)
    await source.open(new Map(Object.entries(positions[name] ?? {})), router);
}

/** What is open when more is opened. */
interface Open {
  readonly lanes: readonly Lane[];
  readonly ledger: Ledger;
  readonly sources: ReadonlyMap<string, Source>;
}

/** What `opening` gives; when it fails, what runs already is ended, or the process would go on without a collector. */
async function orEnd<T>(opening: Promise<T>, { lanes, ledger, sources }: Open): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    for (const source of sources.values()) await source.close();
    for (const lane of lanes) await lane.close();
    await ledger.close().catch(() => undefined); // it may be what failed
    throw error;
  }
}

/** The group with which correlations are shared, if there is one; the configuration has no second. */
function groupOf(sources: ReadonlyMap<string, Source>): MatchExchange | undefined {
  for (const { exchange } of sources.values()) if (exchange !== undefined) return exchange;
  return undefined;
}

async function createDeliveries(config: Config, log: Log, ledger: Readable): Promise<Delivery[]> {
  const cursor_dir = join(config.state_dir, "cursors");
  await makeDirs(cursor_dir);
  return sinksOf(config).map(([name, typed]) => {
    const sink = createSink(config, name, typed, log);
    const letters = openDeadLetters(config.state_dir, name);
    return new Delivery({ name, sink, ledger, cursor_dir, keepDead: (dead) => letters.append(dead), log });
  });
}

async function openLanes(
  count: number,
  engine: EngineOptions,
  pipeline: () => Pipeline | undefined,
): Promise<Lane[]> {
  const lanes = Array.from(
    { length: count },
    () =>
      new Lane(engine, {
        result: (seq, result) => pipeline()!.onResult(seq, result),
        failed: (error) => pipeline()?.fail(error),
      }),
  );
  await Promise.all(lanes.map((lane) => lane.ready));
  return lanes;
}

function routerOf(lanes: number, clock: () => number): Router {
  const sessions = new Resolver(clock);
  const placed = (session: string): number => laneOf(sessions.placeOf(session), lanes);
  return { lanes, probe, laneOf: placed, sessionIn, sessions };
}

function ledgerAt(config: Config): { dir: string; origin: string; signer: string | undefined } {
  const { state_dir, ledger } = config;
  return { dir: join(state_dir, "ledger"), origin: ledgerOrigin(config), signer: ledger.signer };
}

function originOf(config: Config): Origin {
  return { namespace: config.namespace, host: config.host, version: VERSION };
}

function openOversight(config: Config, origin: Origin): Oversight {
  const { hooked, proxied } = config.chokepoint;
  const spool = sourcesOf(config).some(([name, { type }]) => type === "spool" && name !== SUBMISSIONS);
  return new Oversight(origin, { clients: hooked, servers: proxied, spool });
}

/** What looks after the ledger and the controls while the collector runs. */
function attend(
  own: {
    config: Config;
    self: SelfRecorder;
    log: Log;
    pipeline: Pipeline;
    ledger: Ledger;
    deliveries: readonly Delivery[];
  },
  { signing, anchor_states }: Awaited<ReturnType<typeof readAnchors>>,
  policy: PolicyWatch,
): { anchoring: Anchoring; checks: Checks; retention: Retention } {
  const anchoring = new Anchoring({ ...own, signing }, anchor_states);
  return { anchoring, checks: new Checks({ ...own, anchoring, policy }), retention: new Retention(own) };
}

/** What is kept across sessions. */
function acrossOf(config: Config, origin: Origin, rules: ReturnType<typeof rulesOf>) {
  return {
    first_seen: new FirstSeen(origin),
    oversight: openOversight(config, origin),
    incidents: new Incidents(origin, rules, deadlinesOf(config.deadlines)),
  };
}

/** Opens everything, recovers what the last run left, and returns a collector that is ready to run. */
export async function openCollector(config: Config, log: Log, events: CollectorEvents): Promise<Collector> {
  await makeDirs(config.state_dir);
  const key = await loadDigestKey(config.state_dir);
  const started_ms = Date.now();
  const origin = originOf(config);
  const free = new SharedBuffers(LIMITS.run_buffer_bytes);
  const anchors = await readAnchors(config);
  const onFree = (run: Uint8Array): void => free.give(run);
  const opening = { ...ledgerAt(config), log, signing: anchors.signing, onFree };
  const { ledger, recovered } = await Ledger.open(opening);
  const subject_keys = subjectKeys(config.state_dir);
  let pipeline: Pipeline | undefined;
  const { redactText } = createRedactor(key);
  const self = new SelfRecorder(origin, started_ms, Date.now, redactText);
  const policy = new PolicyWatch({ config, self, redactText, log });
  await policy.look();
  const rules = await rulesBelow(rulePaths(config), config.placeholders, policy.policy);
  const { set, correlations: joined, wrong, resting } = compile(rules);
  for (const problem of wrong) events.onProblem(problem);
  const incident_rules = rulesOf(config.incidents);
  const engine = { origin, key, started: fromMs(started_ms)!, rules, subject_keys, incident_rules };
  const clock = steadyClock(Date.now);
  const sources = createSources(config, log, clock);
  const group = groupOf(sources);
  const lanes = await openLanes(config.workers, engine, () => pipeline);
  const open = { lanes, ledger, sources };
  const across = acrossOf(config, origin, incident_rules);
  const known = policy.hash;
  const judged = { origin, ruleset_hash: set.hash };
  const openCorrelations = (state?: CorrelationsState): Correlations =>
    new Correlations(ownOf(joined, group !== undefined), { ...judged, started_ms, state });
  const recovering = recover({ ...across, recovered, key, lanes, policy, openCorrelations });
  const { positions, tally, correlations, unsent, entries } = await orEnd(recovering, open);
  const from_ms = correlations.correlator.time.live_from_ms;
  const exchange = group && new Exchange({ ...judged, group, correlations: joined, from_ms, unsent, log });
  await orEnd(openSources(sources, positions, routerOf(lanes.length, clock)), open);
  const correlating = new Correlating({
    ...across,
    correlations,
    exchange,
    candidates: new Candidates(incident_rules),
    judge: new Judge({ set, correlations: joined }),
    self,
    onAlert: events.onAlert,
    onIncident: events.onIncident,
  });
  const flow = { sources, lanes, ledger, self, positions, tally, free, correlating, policy, exchange };
  const parts = { ...flow, now: Date.now };
  pipeline = new Pipeline({ ...parts, onDurable: events.onDurable, onAlert: events.onAlert });
  const readable = withSealedOpen(ledger, createSealer(subject_keys));
  const deliveries = await orEnd(createDeliveries(config, log, readable), open);
  const shown = { config, rules, set, problems: wrong, origin, started_ms, log };
  const reload = new Reload({ ...shown, known, exchange, pipeline, correlating, policy, self });
  const own = { config, self, log, pipeline };
  const kept = attend({ ...own, ledger, deliveries }, anchors, policy);
  const running = { ...parts, ...own, ...kept, deliveries, reload, origin: ledgerOrigin(config) };
  return {
    ledger,
    tally,
    deliveries,
    rules: set.rules.length + joined.nodes.length,
    resting: rulesAtRest(resting).length,
    ruleset: set.hash,
    recovered_entries: entries,
    own: self.counts,
    status: () => statusOf(running, true),
    run: (signal, once) => runCollector(running, signal, once),
  };
}
