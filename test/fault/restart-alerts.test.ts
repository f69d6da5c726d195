// Killed at random moments, with rules that change in every run and keys flooded beyond the bound, a collector alerts as
// one that reads the same files and is left alone. 5 rounds in CI, 100 with TAPLINE_FULL=1.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import type { Status } from "../../src/status.ts";
import {
  type Document,
  actionsOf,
  configure,
  entriesOf,
  field,
  newHome,
  tapline,
} from "../commands/tapline.ts";

const FULL = process.env["TAPLINE_FULL"] === "1";
const ROUNDS = FULL ? 100 : 5;
const CALLS = 200;
const FLOOD = 130_000;

const BASE = "logsource: {product: tapline, category: tool-call}\nlevel: low";
const sigma = (n: number, title: string, tool: string, more = ""): string =>
  `title: ${title}\nid: 7a1d2f3a-8a55-4f0e-8a57-2f3f2f4cdb${n}\n${BASE}\n` +
  `detection: {sel: {gen_ai.tool.name: ${tool}}, condition: sel}\n${more}---\n`;
const over = (n: number, title: string, body: string): string =>
  `title: ${title}\nid: 7a1d2f3a-8a55-4f0e-8a57-2f3f2f4cdb${n}\nlevel: high\ncorrelation: {${body}}\n---\n`;
const SESSION = "group-by: [gen_ai.conversation.id], timespan: 1h";
const RULES =
  sigma(10, "Read", "read", "name: read\n") +
  sigma(11, "Send", "send", "name: send\n") +
  sigma(12, "Any", "'*'", "name: any\n") +
  sigma(13, "Deletes, told once", "delete", "tapline.suppress: 1d\ntapline.suppress_by: [user.name]\n") +
  over(20, "Many reads", `type: event_count, rules: [read], ${SESSION}, condition: {gte: 12}`) +
  over(
    21,
    "Many users",
    `type: value_count, rules: [any], ${SESSION}, condition: {gte: 5, field: user.name}`,
  ) +
  over(22, "Read, then send", `type: temporal_ordered, rules: [read, send], ${SESSION}`) +
  over(
    23,
    "Same id",
    "type: event_count, rules: [any], group-by: [tapline.server.url], timespan: 1h, condition: {gte: 2}",
  );
const TOGGLED = "Toggled";
const toggled = (tool: string): string => sigma(99, TOGGLED, tool);

let id = 0;
/** A call; `key` is a value of its own, except where it comes again. */
function call(key = `https://host/${id}`): string {
  const n = id++;
  const tool = n % 11 === 0 ? "send" : n % 13 === 0 ? "delete" : "read";
  const msg = { jsonrpc: "2.0", id: n, method: "tools/call", params: { name: tool, arguments: { n } } };
  const who = { session: `s${(n * 7) % 31}`, user: `u${(n * 5) % 23}` };
  const server = { name: "ops", url: key };
  return `${JSON.stringify({ ts: new Date().toISOString(), dir: "c2s", conn: "c", ...who, server, msg })}\n`;
}

const started: ChildProcess[] = [];
afterAll(() => {
  for (const child of started) child.kill("SIGKILL");
});

function collector(config: string): ChildProcess {
  const args = ["bin/tapline.js", "run", "-c", config];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  started.push(child);
  return child;
}

async function until(dir: string, what: (status: Status) => boolean): Promise<void> {
  for (let waited = 0; waited < 12_000; waited++) {
    try {
      if (what(JSON.parse(readFileSync(join(dir, "state", "status.json"), "utf8")) as Status)) return;
    } catch {
      // Not written yet.
    }
    await sleep(50);
  }
  throw new Error(`${dir} never came to ${String(what)}`);
}

interface Told {
  readonly ids: readonly unknown[];
  readonly rules: ReadonlyMap<unknown, number>;
  readonly entries: readonly Document[];
}

async function toldIn(state_dir: string): Promise<Told> {
  const entries = await entriesOf(join(state_dir, "ledger"));
  const alerts = actionsOf(entries, "rule-alert").filter((e) => field(e, "rule.name") !== TOGGLED);
  const rules = new Map<unknown, number>();
  for (const e of alerts) rules.set(field(e, "rule.name"), (rules.get(field(e, "rule.name")) ?? 0) + 1);
  return { ids: alerts.map((e) => field(e, "event.id") as string).toSorted(), rules, entries };
}

test(
  `after ${ROUNDS} kills, each with changed rules, the alerts are those of a run that was left alone`,
  async () => {
    const home = newHome();
    const log = join(home, "mcp.jsonl");
    const [calm, hard] = [join(home, "calm"), join(home, "hard")];
    const configs = [calm, hard].map((dir) => {
      mkdirSync(join(dir, "rules"), { recursive: true });
      writeFileSync(join(dir, "rules", "rules.yml"), RULES);
      writeFileSync(join(dir, "rules", "toggled.yml"), toggled("read"));
      return configure(dir, {
        workers: 2,
        host: "test",
        bundled_rules: false,
        rules: [join(dir, "rules")],
        sources: { mcp: { type: "file", include: [log], format: "mcp", poll_ms: 50 } },
        sinks: { none: { type: "null" } },
      });
    });
    writeFileSync(log, call());
    // Both name events alike: they have one key.
    expect((await tapline(calm, ["run", "--once", "-c", configs[0]!])).code).toBe(0);
    cpSync(join(calm, "state"), join(hard, "state"), { recursive: true });
    const alone = collector(configs[0]!);
    const flood_at = Math.floor(ROUNDS * 0.7);
    for (let round = 0; round < ROUNDS; round++) {
      const lines = Array.from({ length: CALLS }, () => call());
      for (let i = 0; round === flood_at && i < FLOOD; i++)
        lines.push(i % 500 === 499 ? lines.at(-2)!.replace(/"id":\d+/, `"id":${id++}`) : call());
      const child = collector(configs[1]!);
      await until(hard, ({ pid }) => pid === child.pid);
      appendFileSync(log, lines.slice(0, lines.length / 2).join(""));
      writeFileSync(join(hard, "rules", "toggled.yml"), toggled(round % 2 === 0 ? "send" : "read"));
      await sleep(400 + Math.random() * 1_600);
      appendFileSync(log, lines.slice(lines.length / 2).join(""));
      await sleep(Math.random() * 500);
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    const last = collector(configs[1]!);
    for (const dir of [calm, hard]) await until(dir, ({ tally }) => tally.read >= id);
    for (const child of [alone, last]) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    const [a, b] = [await toldIn(join(calm, "state")), await toldIn(join(hard, "state"))];
    expect([...b.rules].toSorted()).toEqual([...a.rules].toSorted());
    expect(b.ids).toEqual(a.ids);
    expect(new Set(b.ids).size).toBe(b.ids.length);
    expect(a.rules.size).toBe(5);
    expect(id).toBeGreaterThan(LIMITS.correlation_keys);
    for (const { entries } of [a, b]) {
      const evicted = actionsOf(entries, "gap").filter((e) => field(e, "tapline.gap.reason") === "evicted");
      expect(evicted.map((e) => field(e, "rule.name"))).toContain("Same id");
    }
    expect(actionsOf(b.entries as Document[], "ruleset-change").length).toBeGreaterThanOrEqual(
      FULL ? ROUNDS / 3 : 1,
    );
    expect((await verifyLedger(join(hard, "state", "ledger"), {})).findings).toEqual([]);
  },
  FULL ? 7_200_000 : 1_200_000,
);
