// `tapline status`: what detection keeps and had to drop, and which rung of integrity is in force at the moment of asking.
import { readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Status } from "../../src/status.ts";
import { configure, newHome, tapline } from "./tapline.ts";

const RULES = `title: Posts
name: posts
id: 0c1d2f3a-8a55-4f0e-8a57-2f3f2f4cdd01
level: low
logsource: {product: tapline, category: tool-call}
detection: {sel: {gen_ai.tool.name: post}, condition: sel}
tapline.suppress: 1d
---
title: Three Posts of One Session
id: 0c1d2f3a-8a55-4f0e-8a57-2f3f2f4cdd02
level: high
correlation:
  type: event_count
  rules: [posts]
  group-by: [gen_ai.conversation.id]
  timespan: 1h
  condition: {gte: 3}
  generate: true
`;

const call = (session: string, n: number, at_ms: number): string =>
  `${JSON.stringify({
    ts: new Date(at_ms).toISOString(),
    dir: "c2s",
    conn: session,
    session,
    user: "ann",
    server: { name: "board" },
    msg: { jsonrpc: "2.0", id: n, method: "tools/call", params: { name: "post", arguments: { n } } },
  })}\n`;

interface Told extends Status {
  readonly integrity: string;
  readonly checkpoint_age_s?: number;
}

test("windows, repeats, memory and integrity, as JSON and in words", async () => {
  const home = newHome();
  const log = join(home, "mcp.jsonl");
  writeFileSync(join(home, "rules.yml"), RULES);
  // Live: after the start of the run, so that windows stay open.
  const soon = Date.now() + 10_000;
  const lines = ["a", "a", "a", "a", "b"].map((session, i) => call(session, i, soon + i));
  writeFileSync(log, lines.join(""));
  const config = configure(home, {
    bundled_rules: false,
    rules: [join(home, "rules.yml")],
    sources: { mcp: { type: "file", include: [log], format: "mcp" } },
    sinks: { none: { type: "null" } },
  });
  expect((await tapline(home, ["run", "--once", "-c", config])).code).toBe(0);
  const ask = async (): Promise<Told> =>
    JSON.parse((await tapline(home, ["status", "-c", config, "--json"])).stdout) as Told;
  const told = await ask();
  expect(told.detection).toMatchObject({
    correlations: 1,
    keys: 2,
    rows: 5,
    fired: 1,
    evicted_keys: 0,
    evicted_rows: 0,
    late: 0,
    // Of each session one alert is told; three of the first are repeats.
    suppressing: 2,
    suppressed: 3,
    suppressing_evicted: 0,
    seen_evicted: 0,
  });
  expect(told.detection.bytes).toBeGreaterThan(0);
  // User, server, since when it is known, and tool.
  expect(told.detection.seen).toBe(4);
  expect([told.in_flight, told.evicted, told.values_replaced]).toEqual([0, 0, 0]);
  expect(told.integrity).toMatch(/^the key of this host signed a checkpoint \d+ s ago over all of them: /);
  expect(told.integrity).toContain("no witness is configured");
  const text = (await tapline(home, ["status", "-c", config])).stdout;
  expect(text).toMatch(/^windows {5}1 correlations: 2 open keys, 5 events, [\d,]+ bytes; fired 1, late 0, /m);
  expect(text).toMatch(/^rules {7}set \w+; 0 values forgotten/m);
  expect(text).toMatch(/^repeats {5}3 suppressed in 2 open windows, told when these end; evicted 0$/m);
  expect(text).toMatch(/^in flight {3}0 batches/m);

  const path = join(home, "state", "ledger", "checkpoint");
  utimesSync(path, new Date(), new Date(Date.now() - 3 * 3_600_000));
  const status = join(home, "state", "status.json");
  const stored = JSON.parse(readFileSync(status, "utf8")) as Status;
  writeFileSync(status, JSON.stringify({ ...stored, entries: stored.entries + 7 }));
  const later = await ask();
  expect(later.integrity).toContain(
    `signed a checkpoint 3 h ago over ${stored.checkpoint_size} of them, 7 await the next`,
  );
  expect(later.checkpoint_age_s).toBeGreaterThanOrEqual(3 * 3_600);
  rmSync(path);
  expect((await ask()).integrity).toMatch(/^no checkpoint yet/);
  writeFileSync(status, JSON.stringify({ ...stored, version: 1 }));
  const other = await tapline(home, ["status", "-c", config]);
  expect([other.code, other.stderr.includes("another version")]).toEqual([3, true]);
});

test("what formats do not know, by format and client version, also after a restart", async () => {
  const home = newHome();
  const log = join(home, "claude.jsonl");
  const line = (uuid: string, more: object): string =>
    `${JSON.stringify({ type: "user", sessionId: "s", version: "9.9.9", timestamp: new Date().toISOString(), uuid, message: { role: "user", content: "x" }, ...more })}\n`;
  writeFileSync(log, line("1", { quantum: 1 }) + line("2", { type: "leap" }));
  const config = configure(home, {
    bundled_rules: false,
    sources: { claude: { type: "file", include: [log], format: "claude-code" } },
    sinks: { none: { type: "null" } },
  });
  expect((await tapline(home, ["run", "--once", "-c", config])).code).toBe(0);
  writeFileSync(log, line("3", { quantum: 2 }), { flag: "a" });
  expect((await tapline(home, ["run", "--once", "-c", config])).code).toBe(0);
  const told = JSON.parse((await tapline(home, ["status", "-c", config, "--json"])).stdout) as Status;
  expect(told.drift).toEqual([
    { format: "claude-code", version: "9.9.9", kind: "field", name: "quantum", count: 2 },
    { format: "claude-code", version: "9.9.9", kind: "type", name: "leap", count: 1 },
  ]);
  const { stdout } = await tapline(home, ["status", "-c", config]);
  expect(stdout).toContain("drift       records of unknown types 1, unknown fields 2; kept as they are");
  expect(stdout).toContain("2 × claude-code 9.9.9 field quantum");
  expect(stdout).toContain("1 × claude-code 9.9.9 type leap");
});
