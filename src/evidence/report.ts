// Makes a report: opens ledger and store as they stand, asks them, and joins what they say with the statement of applicability,
// checks and the impact assessment. Writes nothing.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { storeDirOf } from "../components.ts";
import type { Config } from "../config.ts";
import { MAPPING_HASH } from "../core/generated/classes.ts";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { compile, rulesBelow } from "../engine.ts";
import { incidentEvents } from "../incident/read.ts";
import { replayed } from "../incident/replay.ts";
import { firstIn } from "../ledger/pruned.ts";
import { Prover, type Standing } from "../ledger/prove.ts";
import { type LedgerReader, openReader } from "../ledger/reader.ts";
import { readPolicy } from "../policy/open.ts";
import { rulePaths } from "../reload.ts";
import type { Status } from "../status.ts";
import { type Store, openStore } from "../store/reader.ts";
import { VERSION } from "../version.ts";
import { type Span, isoOf } from "../viewer/times.ts";
import { Asked, HERE } from "./asked.ts";
import { checksOf } from "./checks.ts";
import { controlsOf, drawFor } from "./controls.ts";
import { coverageOf, retentionOf } from "./coverage.ts";
import { crosswalkOf } from "./crosswalk.ts";
import { ALGORITHM, drawSql, seedOf } from "./draw.ts";
import { type RuleAlerts, exceptionsOf } from "./exceptions.ts";
import { type FindingsInput, findingsOf } from "./findings.ts";
import { type ImpactFile, harmsAbout, harmsOf } from "./impact.ts";
import { integrity } from "./integrity.ts";
import { type KeptCheckpoint, keptCheckpoints, witnessesOf } from "./kept.ts";
import { LIMITS_SAID } from "./limits-said.ts";
import { readControls } from "./map.ts";
import type { Harm, Report } from "./model.ts";
import { sampled } from "./sampled.ts";
import type { Soa } from "./soa.ts";

export interface Wanted {
  /** Ids of the controls, in the order of the map. */
  readonly ids: readonly string[];
  readonly span: Span;
  /** What the command line said of it. */
  readonly asked: { readonly from: string | null; readonly to: string | null };
  readonly soa: Soa | undefined;
  readonly impact: ImpactFile | undefined;
  readonly seed: number | undefined;
  readonly made_by: string;
  readonly now_ms: number;
}

/** A report, and what its pack is written from. To be closed. */
export interface Made {
  readonly report: Report;
  readonly reader: LedgerReader;
  readonly prover: Prover;
  readonly kept: readonly KeptCheckpoint[];
  readonly witnesses: readonly string[];
  close(): Promise<void>;
}

/** Throws NO_LEDGER, NOT_COVERED, STORE_BEHIND and what the ledger and the store throw. */
export async function makeReport(config: Config, wanted: Wanted): Promise<Made> {
  const ledger_dir = join(config.state_dir, "ledger");
  if (!existsSync(join(ledger_dir, "ledger.vkey")))
    throw new TaplineError("NO_LEDGER", `there is no ledger in ${ledger_dir}`, {
      remedy: "name the configuration of a collector that has run: -c FILE",
    });
  const reader = openReader(ledger_dir);
  const store = await openStore(storeDirOf(config) ?? join(config.state_dir, "local"), { ledger: reader });
  const close = async (): Promise<void> => {
    await store.close();
    await reader.close();
  };
  try {
    return { ...(await gather(config, wanted, store, reader, ledger_dir)), reader, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function gather(
  config: Config,
  wanted: Wanted,
  store: Store,
  reader: LedgerReader,
  ledger_dir: string,
): Promise<Omit<Made, "reader" | "close">> {
  const prover = await Prover.open(ledger_dir, reader);
  const standing = newestOf(prover);
  const end = Math.max(standing.size, await reader.size());
  await refuseLag(store, end);
  const range = { first: await firstIn(ledger_dir), end };
  const retention = await retentionOf(new Asked(store, wanted.span, range), config.retention.days);
  const { oldest } = retention;
  // Where no beginning was asked for, the period begins with the first event that there is.
  const begins = wanted.asked.from === null && oldest !== null && Date.parse(oldest) < wanted.span.to;
  const span = begins ? { ...wanted.span, from: Date.parse(oldest) } : wanted.span;
  const asked = new Asked(store, span, range);
  const seed = wanted.seed ?? seedOf(standing.root);
  const kept = await keptCheckpoints(config, prover.verifier);
  const checks = await checksOf(asked);
  const drawn = await drawFor(asked, wanted.ids, drawSql(seed), standing.size);
  const controls = await controlsOf({ asked, ids: wanted.ids, soa: wanted.soa, checks, drawn });
  const incidents = replayed(await incidentEvents(config)).values();
  const { exceptions, rules } = await exceptionsOf(asked, incidents, wanted.now_ms);
  const { harms, rule_sets } = await harmsIn(config, asked, wanted, rules);
  const coverage = await coverageOf(asked, statusOf(config), wanted.now_ms);
  const held = await integrity(config, asked, prover, kept.length, wanted.now_ms);
  const today = isoOf(Math.min(span.to, wanted.now_ms)).slice(0, 10);
  const events = await eventsOf(asked);
  const open_ended = wanted.asked.to !== null && span.to > wanted.now_ms;
  const claimed = { controls, soa: wanted.soa, checks, harms, rule_sets, today, open_ended };
  const found = { ...claimed, events: events.all, coverage, integrity: held, exceptions };
  const indexes = [...drawn.values()].flatMap((one) => one.indexes);
  const report: Report = {
    ...headOf(config, wanted, span),
    controls,
    findings: findingsOf(found),
    events,
    coverage,
    retention,
    integrity: held,
    sample: {
      seed,
      size: LIMITS.report_sample,
      algorithm: ALGORITHM,
      covered: standing.size,
      events: await sampled(asked, prover, config, indexes),
    },
    exceptions,
    harms,
    crosswalk: crosswalkOf(controls),
    limits: LIMITS_SAID,
  };
  return { report, prover, kept, witnesses: witnessesOf(config).map(({ vkey }) => vkey) };
}

function headOf(config: Config, { made_by, now_ms, asked, soa }: Wanted, span: Span) {
  const { framework, map_version } = readControls();
  return {
    format: "tapline-report-1",
    made_at: isoOf(now_ms),
    made_by,
    version: VERSION,
    host: config.host,
    period: { from: isoOf(span.from), to: isoOf(span.to), time_zone: "UTC", asked },
    map: { framework, version: map_version, digest: MAPPING_HASH },
    soa: soa?.head ?? null,
  } as const;
}

async function harmsIn(
  config: Config,
  asked: Asked,
  { impact, ids }: Wanted,
  alerts: RuleAlerts,
): Promise<{ harms: Harm[] | null; rule_sets: FindingsInput["rule_sets"] }> {
  if (impact === undefined) return { harms: null, rule_sets: undefined };
  const { loaded: policy } = await readPolicy(config);
  const rules = await rulesBelow(rulePaths(config), config.placeholders, policy?.policy);
  const loaded = compile(rules);
  const harms = await harmsOf(asked, harmsAbout(impact, ids), { parsed: rules.parsed, loaded }, alerts);
  const named = await asked.countBy("tapline.alert.ruleset_hash", HERE);
  return { harms, rule_sets: { now: loaded.set.hash, period: named.map(({ name }) => name) } };
}

function newestOf({ own, cosigned }: Prover): Standing {
  const [newest] = [own, cosigned].filter((one) => one !== undefined).toSorted((a, b) => b.size - a.size);
  if (newest !== undefined && newest.size > 0) return newest;
  throw new TaplineError("NOT_COVERED", "the ledger has no checkpoint yet, so nothing can be proven", {
    retry: true,
    remedy: "wait for the first one: a running collector publishes it within seconds",
  });
}

/** A report on a part would count too little. */
async function refuseLag(store: Store, end: number): Promise<void> {
  const [row] = await store.query(`SELECT max("event.sequence") + 1 AS n FROM events`);
  const known = Number(row?.["n"] ?? 0);
  if (known >= end) return;
  throw new TaplineError("STORE_BEHIND", `the store knows ${known} of ${end} entries of the ledger`, {
    retry: true,
    remedy:
      "give the configuration a sink of type store, run the collector, and wait until `tapline status` shows it caught up",
  });
}

function statusOf({ state_dir }: Config): Status | undefined {
  try {
    return JSON.parse(readFileSync(join(state_dir, "status.json"), "utf8")) as Status;
  } catch {
    return undefined;
  }
}

async function eventsOf(asked: Asked): Promise<Report["events"]> {
  return {
    all: await asked.number("count(*)"),
    // 8 bytes a session, whatever its id is.
    sessions: await asked.number(
      `count(DISTINCT hash("gen_ai.conversation.id"))`,
      `"gen_ai.conversation.id" IS NOT NULL`,
    ),
    classes: await asked.countAll("event.action"),
    agents: await asked.countBy("service.name"),
    servers: await asked.countBy("tapline.server.name"),
  };
}
