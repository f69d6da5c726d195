// A ledger of real sessions from the fixtures, with what a collector and people say around them, as a state directory that
// reports are made of. Everything in it but the log's key is the same every time.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { type Config, parseConfig } from "../../src/config.ts";
import { eventOf } from "../../src/core/event.ts";
import type { Action } from "../../src/core/generated/classes.ts";
import { type Event, serialise } from "../../src/core/generated/event.ts";
import { makeReport, type Made, type Wanted } from "../../src/evidence/report.ts";
import { CONTROL_IDS } from "../../src/evidence/soa.ts";
import { leafHashes } from "../../src/ledger/recover.ts";
import { Ledger } from "../../src/ledger/log.ts";
import { runOf } from "../ledger/helpers.ts";
import { newWitness } from "../ledger/witness.ts";

const SESSIONS = [
  "claude-code/real",
  "claude-code/subagent",
  "codex/v053_rate_limit",
  "mcp/decisions",
  "mcp/server-everything",
];
const ORIGIN = { namespace: "default", host: "build-07", version: "0.1.0" };
/** Documents that are appended at once. */
const FRAME = 4_096;
const LOG = "build-07.example/tapline";
export const TO = "2026-11-28T00:00:00Z";

const dirs: string[] = [];
afterAll(() => dirs.forEach((dir) => rmSync(dir, { recursive: true, force: true })));
export function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "tapline-evidence-"));
  dirs.push(dir);
  return dir;
}

type Fields = Partial<Event>;

export function event(action: Action, time: string, fields: Fields = {}): Event {
  const e = eventOf(action, ORIGIN);
  return Object.assign(e, { "@timestamp": time, "tapline.vantage": "self" }, fields);
}

/** What the mappers make of real sessions, as it stands in the golden files. */
export function sessions(): Event[] {
  return SESSIONS.flatMap((name) => {
    const all = JSON.parse(readFileSync(`test/fixtures/${name}.out.json`, "utf8")) as Fields[];
    return all.map((fields, i) => {
      const e = eventOf(fields["event.action"] as Action, ORIGIN);
      return Object.assign(e, fields, { "event.id": `${name.replace("/", "-")}-${i}` });
    });
  });
}

/** Starts, heartbeats, a gap, alerts and what was said of them, an incident. */
export function around(): Event[] {
  const sources = { "tapline.sources.expected": ["claude", "codex"] };
  const alert = (id: string, rule: string, name: string, level: string): Event =>
    event("rule-alert", "2026-11-23T18:30:00.000Z", {
      "event.id": id,
      "rule.id": rule,
      "rule.name": name,
      "tapline.alert.level": level,
      message: `${name}: an alert`,
    });
  return [
    event("collector-start", "2026-11-23T10:00:00.000Z", { "event.id": "start", ...sources }),
    event("heartbeat", "2026-11-23T12:00:00.000Z", {
      "event.id": "beat",
      ...sources,
      "tapline.sources.silent": ["codex"],
      "tapline.count.read": 100,
      "tapline.count.recorded": 90,
      "tapline.count.merged": 6,
      "tapline.count.skipped": 4,
      "tapline.count.by_reason": { progress: 4 },
    }),
    event("gap", "2026-11-23T12:01:00.000Z", { "event.id": "gap", "tapline.gap.reason": "truncated" }),
    alert("alert-1", "84e69bd9-6490-4828-a223-0f148d378566", "Tool Outside the Inventory", "high"),
    alert("alert-2", "84e69bd9-6490-4828-a223-0f148d378566", "Tool Outside the Inventory", "high"),
    alert("alert-3", "a-rule-that-is-gone", "Old Rule", "low"),
    event("alert-triage", "2026-11-23T19:00:00.000Z", {
      "event.id": "said",
      "user.name": "ann",
      "tapline.triage.transition": "closed",
      "tapline.triage.alert_ids": ["alert-1"],
      "tapline.triage.verdict": "false_positive",
    }),
    event("incident", "2026-11-23T18:31:00.000Z", {
      "event.id": "incident",
      "tapline.incident.id": "5e0f0000",
      "tapline.incident.transition": "opened",
      "tapline.incident.level": "high",
      "tapline.incident.rules": ["Tool Outside the Inventory"],
      "tapline.incident.group.by": "user.name",
      "tapline.incident.group.value": "ada",
      "tapline.incident.alert_count": 2,
      "tapline.incident.alert_ids": ["alert-1", "alert-2"],
      "tapline.incident.deadlines": { report: { due: "2026-11-24T18:31:00.000Z", until: "reported" } },
    }),
  ];
}

/** A result of a check, with fields that the table may not have. */
export function check(
  name: string,
  outcome: string,
  time: string,
  controls: readonly string[],
  upstream?: string,
): string {
  const e = event("control-status", time, {
    "event.id": `check-${name}-${time}`,
    "tapline.control.iso42001": [...controls],
    "tapline.upstream.origin": upstream,
  });
  const entry = JSON.parse(serialise(e)) as { tapline: Record<string, unknown> };
  entry.tapline["check"] = { name, outcome, detail: `${name} came out as ${outcome}` };
  return JSON.stringify(entry);
}

export interface World {
  readonly dir: string;
  readonly config: Config;
  /** Verifier keys of the log and of the witness. */
  readonly vkey: string;
  readonly witness: string;
  readonly documents: readonly string[];
}

export interface WorldOptions {
  /** How many entries the witness has seen; none: there is no witness. */
  readonly cosigned?: number;
  readonly anchors?: Record<string, unknown>;
  readonly options?: Record<string, unknown>;
}

/** More entries in the ledger of a state directory, and a checkpoint over them. */
export async function append({ dir }: Pick<World, "dir">, documents: readonly string[]): Promise<void> {
  const { ledger } = await Ledger.open({
    dir: join(dir, "ledger"),
    origin: LOG,
    log: () => undefined,
    checkpoint_ms: 1_000_000,
  });
  for (let at = 0; at < documents.length; at += FRAME) {
    const run = runOf(documents.slice(at, at + FRAME).map((text) => Buffer.from(text)));
    const count = Math.min(FRAME, documents.length - at);
    ledger.append({ run, count, hashes: leafHashes(run), header: "{}" });
  }
  await ledger.close();
}

/** A state directory with these entries in its ledger. */
export async function world(
  documents: readonly string[],
  { cosigned, anchors: more, options }: WorldOptions = {},
): Promise<World> {
  const dir = newDir();
  const ledger_dir = join(dir, "ledger");
  mkdirSync(ledger_dir);
  const witness = newWitness("witness.example/w1");
  const parts =
    cosigned === undefined ? [documents] : [documents.slice(0, cosigned), documents.slice(cosigned)];
  for (const part of parts) {
    await append({ dir }, part);
    if (part === parts[0] && cosigned !== undefined) {
      const note = readFileSync(join(ledger_dir, "checkpoint"), "utf8");
      writeFileSync(join(ledger_dir, "checkpoint.cosigned"), witness.cosigned(note));
    }
  }
  const anchors =
    cosigned === undefined
      ? {}
      : { w: { type: "witness", witnesses: [{ url: "http://127.0.0.1:1/", vkey: witness.vkey }] } };
  const config = parseConfig(
    JSON.stringify({ state_dir: dir, host: "build-07", anchors: { ...anchors, ...more }, ...options }),
    "test",
  );
  const vkey = readFileSync(join(ledger_dir, "ledger.vkey"), "utf8").trim();
  return { dir, config, vkey, witness: witness.vkey, documents };
}

export const everything = (): string[] => [...sessions(), ...around()].map((e) => serialise(e));

const closing: Made[] = [];
afterAll(async () => {
  for (const made of closing) await made.close();
});

export async function report(config: Config, wanted: Partial<Wanted> = {}): Promise<Made> {
  const made = await makeReport(config, {
    ids: CONTROL_IDS,
    span: { from: 0, to: Date.parse(TO) },
    asked: { from: null, to: TO },
    soa: undefined,
    impact: undefined,
    seed: 7,
    made_by: "tester",
    now_ms: Date.parse("2026-11-28T12:00:00Z"),
    ...wanted,
  });
  closing.push(made);
  return made;
}
