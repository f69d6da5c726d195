// Rules on what the collector records of itself: spools that were altered, sources that were cut, a policy that lets
// more through. Each alert is in the frame of its event, windows go on over a kill, nothing is told twice, what comes of
// rules meets none, and a backtest gives the same.
import { once } from "node:events";
import { readFileSync, readdirSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { SpoolWriter } from "../../src/chokepoint/spool-writer.ts";
import {
  type Document,
  actionsOf,
  checkDocument,
  configure,
  ended,
  entriesOf,
  field,
  newHome,
  start,
  tapline,
} from "./tapline.ts";

const rule = (n: number, title: string, category: string, detection: string, more = ""): string =>
  `title: ${title}
id: 3b7d2f3a-8a55-4f0e-8a57-2f3f2f4cdb0${n}
logsource: {product: tapline, category: ${category}}
detection: {s: ${detection}, condition: s}
level: low
${more}---
`;
const RULES =
  rule(1, "Start", "collector-start", "{event.action: collector-start}", "name: start\n") +
  rule(2, "Beat", "heartbeat", "{event.action: heartbeat}") +
  rule(3, "Alert", "rule-alert", "{event.action: rule-alert}") +
  rule(4, "Stream", "stream-found", "{tapline.format: mcp}") +
  rule(5, "Rules Changed", "ruleset-change", "{event.outcome: success}") +
  rule(6, "Stop", "collector-stop", "{event.action: collector-stop}") +
  `title: Three Starts
id: 3b7d2f3a-8a55-4f0e-8a57-2f3f2f4cdb07
level: medium
correlation: {type: event_count, rules: [start], group-by: [host.name], timespan: 1h, condition: {gte: 3}, generate: true}
`;

const policy = (mode: string, post: string, more = ""): string => `version: 1
mode: ${mode}
defaults: {servers: deny}
servers:
  board: { command: [npx, -y, board@1.2.3], default: deny, tools: { post: ${post} } }
${more}`;
const MAIL = '  mail: { url: "https://mail.example/mcp" }\n';

let calls = 0;
const call = (): string =>
  JSON.stringify({
    ts: new Date().toISOString(),
    dir: "c2s",
    conn: "c",
    session: "s",
    server: { name: "board", command: ["npx", "-y", "board@1.2.3"] },
    msg: { jsonrpc: "2.0", id: calls++, method: "tools/call", params: { name: "post", arguments: {} } },
  });

/** A closed stream of a proxy, in small segments; their paths in order. */
function spooled(dir: string): string[] {
  const writer = new SpoolWriter({ dir, kind: "mcp", durability: "process", segment_bytes: 300 });
  for (let i = 0; i < 4; i++) writer.append(call());
  writer.end(call());
  return readdirSync(dir)
    .filter((name) => name.startsWith(writer.stream))
    .toSorted((a, b) => Number(a.split(".").at(-2)) - Number(b.split(".").at(-2)))
    .map((name) => join(dir, name));
}

const alerts = (entries: readonly Document[]): string[] =>
  actionsOf(entries, "rule-alert").map((e) => String(field(e, "rule.name")));
const count = (entries: readonly Document[], name: string): number =>
  alerts(entries).filter((one) => one === name).length;
const reasons = (entries: readonly Document[]): unknown[] =>
  actionsOf(entries, "gap").map((e) => field(e, "tapline.gap.reason"));

test("what the collector says itself is judged like anything else, once, also over a kill", async () => {
  const home = newHome();
  const [log, spool] = [join(home, "mcp.jsonl"), join(home, "spool")];
  const [policy_file, rules] = [join(home, "policy.yml"), join(home, "rules.yml")];
  const ledger = join(home, "state", "ledger");
  const config = configure(home, {
    workers: 2,
    heartbeat_s: 1,
    policy: policy_file,
    rules: [rules],
    sources: {
      mcp: { type: "file", include: [log], format: "mcp" },
      spool: { type: "spool", dir: spool },
    },
    sinks: { none: { type: "null" } },
  });
  const until = async (what: (entries: Document[]) => boolean): Promise<void> => {
    for (let i = 0; i < 900; i++) {
      if (await entriesOf(ledger).then(what, () => false)) return;
      await sleep(100);
    }
    const entries = await entriesOf(ledger);
    throw new Error(`nothing came: ${String(what)}\n${alerts(entries).join()}\n${reasons(entries).join()}`);
  };
  writeFileSync(rules, RULES);
  writeFileSync(policy_file, policy("enforce", "deny"));
  writeFileSync(log, `${call()}\n${call()}\n`);
  const edited = spooled(spool);
  writeFileSync(edited[1]!, readFileSync(edited[1]!, "utf8").replace('"post"', '"read"'));
  unlinkSync(spooled(spool)[2]!);

  const first = start(home, "run", "-c", config);
  for (const stream of [first.stdout!, first.stderr!]) stream.resume();
  await until((entries) => count(entries, "Record of the Chokepoint Was Altered") === 2);
  expect(count(await entriesOf(ledger), "Enforcement of the Policy Was Switched Off")).toBe(0);
  writeFileSync(policy_file, policy("observe", "deny"));
  await until((entries) => count(entries, "Enforcement of the Policy Was Switched Off") === 1);
  writeFileSync(rules, RULES.replace("title: Stop\n", "title: Stopped\n"));
  await until((entries) => count(entries, "Rules Changed") === 1);
  first.kill("SIGKILL");
  await once(first, "exit");

  // While nobody looks: the log is written anew, a denied tool is allowed, a server is granted.
  writeFileSync(log, `${call()}\n`);
  writeFileSync(policy_file, policy("observe", "allow", MAIL));
  const second = start(home, "run", "-c", config);
  for (const stream of [second.stdout!, second.stderr!]) stream.resume();
  await until((entries) => reasons(entries).includes("truncated"));
  await until((entries) => count(entries, "Policy Lets Through What It Refused") === 2);
  second.kill("SIGKILL");
  await once(second, "exit");
  const third = start(home, "run", "-c", config);
  const done = ended(third);
  await until((entries) => count(entries, "Three Starts") === 1);
  third.kill("SIGTERM");
  expect((await done).code).toBe(0);

  const entries = await entriesOf(ledger);
  for (const e of entries) checkDocument(e);
  const names = alerts(entries);
  expect(names.filter((name) => !/^(Stream|Tool Outside)/.test(name)).toSorted()).toEqual([
    "Agent Record Removed Before It Was Read",
    "Enforcement of the Policy Was Switched Off",
    "Policy Lets Through What It Refused",
    "Policy Lets Through What It Refused",
    "Record of the Chokepoint Was Altered",
    "Record of the Chokepoint Was Altered",
    "Rules Changed",
    "Server Granted in the Inventory",
    "Start",
    "Start",
    "Start",
    "Stopped",
    "Three Starts",
  ]);
  expect(count(entries, "Stream")).toBe(actionsOf(entries, "stream-found").length);
  expect(reasons(entries).toSorted()).toEqual(["spool_cut", "spool_edited", "truncated"]);
  expect(actionsOf(entries, "heartbeat").length).toBeGreaterThan(0);
  const all = actionsOf(entries, "rule-alert");
  expect(new Set(all.map((e) => field(e, "event.id"))).size).toBe(all.length);
  const ids = entries.map((e) => field(e, "event.id"));
  expect(new Set(ids).size).toBe(ids.length);
  for (const [i, e] of entries.entries()) {
    const behind = field(e, "tapline.alert.index_offset") as number | undefined;
    const [about] = (field(e, "tapline.alert.event_ids") ?? []) as string[];
    if (behind !== undefined) expect(ids[i + behind]).toBe(about);
    // An alert that may be repeated names its event's place.
    const at = (field(e, "tapline.alert.indexes") as number[] | undefined)?.[0];
    if (at !== undefined) expect(ids[at]).toBe(about);
  }

  const { stdout } = await tapline(home, ["rules", "backtest", "-c", config, "--json"]);
  const report = JSON.parse(stdout) as {
    only_backtest: number;
    rules: { title: string; matches: number; recorded: number }[];
  };
  expect(report.only_backtest).toBe(0);
  // The inventory of the backtest is the last one, and a rule on it says other things than at first.
  const others = report.rules.filter(({ title }) => title !== "Tool Outside the Inventory");
  expect(others.filter(({ matches, recorded }) => matches !== recorded)).toEqual([]);
  const own = others.filter(({ matches }) => matches > 0).map(({ title }) => title);
  expect(own.toSorted()).toEqual([...new Set(names)].filter((n) => !n.startsWith("Tool Out")).toSorted());
}, 240_000);
