// Repeats of a rule's alert within its window are counted, not told: in one pass, and over restarts.
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  actionsOf,
  checkDocument,
  configure,
  documents,
  entriesOf,
  field,
  newHome,
  tapline,
} from "./tapline.ts";

const RULE = `title: Deploy called
id: 3b2f8a54-6f0e-4c0b-9d6e-0a4c5f0d7a11
logsource: {product: tapline, category: tool-call}
detection:
  tool: {gen_ai.tool.name: deploy}
  condition: tool
level: medium
tapline.suppress: 1h
tapline.suppress_by: user.name
`;

let id = 0;
function call(user: string, minute: number): string {
  const ts = new Date(Date.UTC(2026, 0, 1, 10, minute)).toISOString();
  const msg = { jsonrpc: "2.0", id: ++id, method: "tools/call", params: { name: "deploy", arguments: {} } };
  return `${JSON.stringify({ ts, dir: "c2s", conn: "c", session: "s1", user, server: { name: "ops" }, msg })}\n`;
}

test("a scan tells the first of each window and user, and how many there were more", async () => {
  const home = newHome();
  const [log, rules] = [join(home, "mcp.jsonl"), join(home, "rules")];
  mkdirSync(rules);
  writeFileSync(join(rules, "deploy.yml"), RULE);
  const calls = [call("ann", 1), call("bob", 2), call("Ann", 3), call("ann", 59), call("ann", 61)];
  writeFileSync(log, calls.join(""));
  const { code, stdout } = await tapline(home, ["scan", log, "--rules", rules, "--out", "all"]);
  expect(code).toBe(0);
  const all = documents(stdout);
  for (const document of all) checkDocument(document);
  const alerts = actionsOf(all, "rule-alert").filter((e) => field(e, "rule.name") === "Deploy called");
  expect(alerts.map((e) => [field(e, "user.name"), String(field(e, "@timestamp")).slice(11, 16)])).toEqual([
    ["ann", "10:01"],
    ["bob", "10:02"],
    ["ann", "11:01"],
  ]);
  expect(new Set(alerts.map((e) => field(e, "event.id"))).size).toBe(3);
  const [summary, ...more] = actionsOf(all, "alert-suppressed");
  expect(more).toEqual([]);
  expect(field(summary!, "tapline.alert.count")).toBe(2);
  expect(field(summary!, "tapline.alert.suppressed_by")).toBe(field(alerts[0]!, "event.id"));
});

test.each(["snapshot", "frames"])("a restart from the %s knows what was told", async (from) => {
  const home = newHome();
  const log = join(home, "mcp.jsonl");
  writeFileSync(join(home, "deploy.yml"), RULE);
  const config = configure(home, {
    workers: 2,
    bundled_rules: false,
    rules: [join(home, "deploy.yml")],
    sources: { mcp: { type: "file", include: [log], format: "mcp" } },
    sinks: { none: { type: "null" } },
  });
  const ledger = join(home, "state", "ledger");
  const alertsAfter = async (lines: string): Promise<number> => {
    appendFileSync(log, lines);
    const { code } = await tapline(home, ["run", "--once", "-c", config]);
    expect(code).toBe(0);
    if (from === "frames") rmSync(join(ledger, "snapshots"), { recursive: true });
    return actionsOf(await entriesOf(ledger), "rule-alert").length;
  };
  expect(await alertsAfter(call("ann", 1) + call("ann", 2))).toBe(1);
  expect(await alertsAfter(call("ann", 3))).toBe(1);
  expect(await alertsAfter(call("bob", 4) + call("ann", 5))).toBe(2);
  expect(await alertsAfter(call("ann", 61))).toBe(3);
});
