// A backtest over the ledger of a run gives exactly that run's alerts, of every kind: rules on events, on what was
// first seen, on where content came from and went, with suppression, and correlations; over a backlog and live.
import { appendFileSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { actionsOf, configure, entriesOf, field, newHome, tapline } from "./tapline.ts";

const RULES = `title: One Post
name: one_post
id: 0c1d2f3a-8a55-4f0e-8a57-2f3f2f4cdb02
level: low
logsource: {product: tapline, category: tool-call}
detection: {sel: {gen_ai.tool.name: post}, condition: sel}
---
title: Three Posts of One Session
id: 0c1d2f3a-8a55-4f0e-8a57-2f3f2f4cdb01
level: high
correlation: {type: event_count, rules: [one_post], group-by: [gen_ai.conversation.id], timespan: 1h, condition: {gte: 3}}
---
title: Posts, Told Once an Hour
id: 0c1d2f3a-8a55-4f0e-8a57-2f3f2f4cdb03
level: low
logsource: {product: tapline, category: tool-call}
detection: {sel: {gen_ai.tool.name: post}, condition: sel}
tapline.suppress: 1h
---
title: Different Posts, Told Once a Day
id: 0c1d2f3a-8a55-4f0e-8a57-2f3f2f4cdb04
level: medium
correlation:
  type: value_count
  rules: [one_post]
  group-by: [gen_ai.conversation.id]
  timespan: 10m
  condition: {gte: 2, field: event.id}
tapline.suppress: 1d
tapline.suppress_by: [tapline.server.name]
`;

let id = 0;
function call(session: string, time_ms: number): string {
  const ts = new Date(time_ms).toISOString();
  const msg = { jsonrpc: "2.0", id: ++id, method: "tools/call", params: { name: "post", arguments: { id } } };
  const [user, server] = [`user ${session}`, { name: `board ${Number.parseInt(session, 36) % 2}` }];
  return `${JSON.stringify({ ts, dir: "c2s", conn: session, session, user, server, msg })}\n`;
}

test("the same alerts, id by id, and the same number by rule", async () => {
  const home = newHome();
  const logs = join(home, "logs");
  mkdirSync(logs);
  copyFileSync("sample/claude-code-session.jsonl", join(logs, "a.jsonl"));
  copyFileSync("sample/mcp-session.jsonl", join(logs, "b.jsonl"));
  copyFileSync("test/fixtures/chat/agentdojo.jsonl", join(logs, "c.jsonl"));
  writeFileSync(join(home, "rules.yml"), RULES);
  const config = configure(home, {
    workers: 2,
    sources: { all: { type: "file", include: [join(logs, "*.jsonl")] } },
    rules: [join(home, "rules.yml")],
    sinks: { none: { type: "null" } },
  });
  const past = Date.UTC(2026, 0, 1, 10);
  const posts = Array.from({ length: 200 }, (_, i) => call((i % 7).toString(36), past + i * 71_000));
  for (let round = 0; round < 3; round++) {
    // First a backlog, then live.
    const now = Date.now();
    const live = Array.from({ length: 40 }, (_, i) => call((i % 5).toString(36), now + 1_000 + i));
    appendFileSync(join(logs, "posts.jsonl"), round === 0 ? posts.join("") : live.join(""));
    const { code } = await tapline(home, ["run", "-c", config, "--once"]);
    expect(code).toBe(0);
  }
  const all = await entriesOf(join(home, "state", "ledger"));
  const alerts = actionsOf(all, "rule-alert");
  for (const [at, e] of all.entries()) {
    if (field(e, "event.action") !== "rule-alert") continue;
    // Each says where its events are in the ledger.
    const offset = field(e, "tapline.alert.index_offset") as number | undefined;
    const indexes = offset === undefined ? (field(e, "tapline.alert.indexes") as number[]) : [at + offset];
    const ids = field(e, "tapline.alert.event_ids") as string[];
    for (const [i, index] of indexes.entries()) expect(field(all[index]!, "event.id")).toBe(ids[i]);
  }
  const kinds = new Set(alerts.map((alert) => field(alert, "rule.category")));
  expect([...kinds].toSorted()).toEqual(["sigma", "sigma-correlation"]);
  const args = ["rules", "backtest", "-c", config, "--samples", "100000", "--json"];
  const { code, stdout } = await tapline(home, args);
  expect(code).toBe(0);
  const report = JSON.parse(stdout) as {
    only_backtest: number;
    only_recorded: number;
    rules: { title: string; matches: number; recorded: number; samples: { alert: string }[] }[];
  };
  for (const { title, matches, recorded } of report.rules)
    expect([title, matches]).toEqual([title, recorded]);
  const told = report.rules.flatMap((rule) => rule.samples.map((sample) => sample.alert));
  expect(told.toSorted()).toEqual(alerts.map((alert) => field(alert, "event.id")).toSorted());
  expect([report.only_backtest, report.only_recorded]).toEqual([0, 0]);
  const fired = report.rules.filter((rule) => rule.matches > 0).map((rule) => rule.title);
  expect(fired.length).toBeGreaterThan(8);
  for (const title of RULES.match(/(?<=title: ).*/g)!.slice(1)) expect(fired).toContain(title);
});
