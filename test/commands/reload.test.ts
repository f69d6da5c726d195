// Rules that change while a collector runs: the new set is in force for all threads at one batch, windows of unchanged
// rules go on, a bad file changes nothing, and the ledger says all of it.
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Document, actionsOf, configure, ended, entriesOf, field, newHome, start } from "./tapline.ts";

const THREE = `title: Three Posts of One Session
id: 5a1d2f3a-8a55-4f0e-8a57-2f3f2f4cdb01
status: experimental
level: high
correlation:
  type: event_count
  rules: [one_post]
  group-by: [gen_ai.conversation.id]
  timespan: 1h
  condition:
    gte: 3
---
title: One Post
name: one_post
id: 5a1d2f3a-8a55-4f0e-8a57-2f3f2f4cdb02
status: experimental
logsource:
  product: tapline
  category: tool-call
detection:
  selection:
    gen_ai.tool.name: post
  condition: selection
level: low
`;

const single = (tool: string): string => `title: A Tool of the Test
id: 5a1d2f3a-8a55-4f0e-8a57-2f3f2f4cdb03
status: experimental
logsource:
  product: tapline
  category: tool-call
detection:
  selection:
    gen_ai.tool.name: ${tool}
  condition: selection
level: medium
`;

let calls = 0;
const call = (session: string, tool: string): string =>
  `${JSON.stringify({
    ts: new Date(Date.UTC(2026, 10, 1, 12, calls)).toISOString(),
    dir: "c2s",
    conn: session,
    session,
    server: { name: "board" },
    msg: { jsonrpc: "2.0", id: calls++, method: "tools/call", params: { name: tool, arguments: {} } },
  })}\n`;

test("a changed rule is live soon, a bad one is not, and windows go on", async () => {
  const home = newHome();
  const log = join(home, "mcp.jsonl");
  const rule = join(home, "rules.yml");
  const ledger = join(home, "state", "ledger");
  const config = configure(home, {
    workers: 2,
    bundled_rules: false,
    rules: [rule],
    sources: { mcp: { type: "file", include: [log], format: "mcp" } },
    sinks: { none: { type: "null" } },
  });
  const until = async (what: (entries: Document[]) => boolean): Promise<void> => {
    for (let i = 0; i < 200; i++) {
      if (await entriesOf(ledger).then(what, () => false)) return;
      await sleep(100);
    }
    throw new Error(`nothing came: ${String(what)}`);
  };
  const calledBy = (entries: Document[]): number => actionsOf(entries, "tool-call").length;
  const changes = (entries: Document[], outcome: string): Document[] =>
    actionsOf(entries, "ruleset-change").filter((e) => field(e, "event.outcome") === outcome);

  writeFileSync(rule, `${THREE}---\n${single("old")}`);
  writeFileSync(log, call("a", "post") + call("b", "post") + call("a", "post") + call("a", "old"));
  const child = start(home, "run", "-c", config);
  const end = ended(child);
  await until((entries) => calledBy(entries) === 4);

  writeFileSync(rule, `${THREE}---\n${single("new")}`);
  await until((entries) => changes(entries, "success").length === 1);
  appendFileSync(log, call("b", "new") + call("b", "old"));
  await until((entries) => calledBy(entries) === 6);

  writeFileSync(rule, `${THREE}---\n${single("new")}---\ntitle: [`);
  await until((entries) => changes(entries, "failure").length === 1);
  appendFileSync(log, call("a", "post") + call("a", "new"));
  await until((entries) => calledBy(entries) === 8);
  child.kill("SIGINT");
  expect(await end).toMatchObject({ code: 0 });

  const entries = await entriesOf(ledger);
  const alerts = actionsOf(entries, "rule-alert").map((e) => [
    field(e, "gen_ai.conversation.id"),
    field(e, "rule.name"),
    field(e, "gen_ai.tool.name"),
  ]);
  expect(alerts.toSorted()).toEqual([
    ["a", "A Tool of the Test", "new"],
    ["a", "A Tool of the Test", "old"],
    ["a", "Three Posts of One Session", "post"],
    ["b", "A Tool of the Test", "new"],
  ]);
  const [change] = changes(entries, "success");
  const [start_of] = actionsOf(entries, "collector-start");
  expect(field(change!, "tapline.change.before")).toBe(field(start_of!, "tapline.alert.ruleset_hash"));
  const after = field(change!, "tapline.change.after");
  const last = actionsOf(entries, "rule-alert").filter((e) => field(e, "gen_ai.tool.name") !== "old");
  expect(last.map((e) => field(e, "rule.ruleset"))).toEqual([after, after, after]);
  expect(field(changes(entries, "failure")[0]!, "error.message")).toContain("rules.yml");
});
