// Correlations in a running collector: a window that spans restarts fires once, from a snapshot as from the frames, and
// `scan` and `rules backtest` find the same.
import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { actionsOf, configure, entriesOf, field, newHome, tapline } from "./tapline.ts";

const RULE = `title: Three Posts of One Session
name: three_posts
id: 0c1d2f3a-8a55-4f0e-8a57-2f3f2f4cdb01
status: experimental
description: For a test
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
id: 0c1d2f3a-8a55-4f0e-8a57-2f3f2f4cdb02
status: experimental
description: For a test
level: low
logsource:
  product: tapline
  category: tool-call
detection:
  selection:
    gen_ai.tool.name: post
  condition: selection
`;

const call = (session: string, n: number): string =>
  `${JSON.stringify({
    ts: new Date(Date.UTC(2026, 10, 1, 12, n)).toISOString(),
    dir: "c2s",
    conn: session,
    session,
    server: { name: "board" },
    msg: { jsonrpc: "2.0", id: n, method: "tools/call", params: { name: "post", arguments: { n } } },
  })}\n`;

interface Alert {
  readonly session: unknown;
  readonly events: number;
}

async function alertsOf(ledger: string): Promise<Alert[]> {
  return actionsOf(await entriesOf(ledger), "rule-alert")
    .filter((entry) => field(entry, "rule.name") === "Three Posts of One Session")
    .map((entry) => ({
      session: field(entry, "gen_ai.conversation.id"),
      events: (field(entry, "tapline.alert.event_ids") as string[]).length,
    }));
}

test.each(["snapshot", "frames"])("a window goes on after a restart from the %s", async (from) => {
  const home = newHome();
  const log = join(home, "mcp.jsonl");
  writeFileSync(join(home, "rule.yml"), RULE);
  const config = configure(home, {
    workers: 2,
    bundled_rules: false,
    rules: [join(home, "rule.yml")],
    sources: { mcp: { type: "file", include: [log], format: "mcp" } },
    sinks: { none: { type: "null" } },
  });
  const ledger = join(home, "state", "ledger");
  const run = async (): Promise<void> => {
    const { code, stderr } = await tapline(home, ["run", "--once", "-c", config]);
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    if (from === "frames") rmSync(join(ledger, "snapshots"), { recursive: true });
  };
  writeFileSync(log, call("a", 1) + call("b", 1) + call("a", 2));
  await run();
  expect(await alertsOf(ledger)).toEqual([]);
  appendFileSync(log, call("a", 3));
  await run();
  expect(await alertsOf(ledger)).toEqual([{ session: "a", events: 3 }]);
  // Nothing fires again, not for what is in the ledger and not for more of the same window.
  appendFileSync(log, call("a", 4) + call("b", 2));
  await run();
  expect(await alertsOf(ledger)).toEqual([{ session: "a", events: 3 }]);

  const scanned = await tapline(home, ["scan", log, "--rules", join(home, "rule.yml"), "--out", "alerts"]);
  expect(scanned.stdout.match(/Three Posts of One Session/g)?.length).toBeGreaterThan(0);
  const backtest = await tapline(home, ["rules", "backtest", "-c", config, "--json"]);
  expect(backtest.stdout).toContain("Three Posts of One Session");
  expect(scanned.stdout).not.toContain('"One Post"');
});
