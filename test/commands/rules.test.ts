// `tapline rules`: each subcommand as a user runs it. A backtest over the ledger of a run gives that run's alerts; rule
// files that are hostile are told and end nothing.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { actionsOf, configure, documents, entriesOf, field, newHome, tapline } from "./tapline.ts";

const home = newHome();
const SIGMA = "test/fixtures/sigma-regression";

function write(name: string, text: string): string {
  const path = join(home, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const RULE = `title: Post Elsewhere # said in one line
id: 3c1f6c2e-6f0b-4a57-9a3e-0d2f7c1f5f11
status: experimental
description: A tool posts to example.net.
tags: [attack.exfiltration, atlas.t0086]
logsource: {product: tapline, category: tool-call}
detection:
    post: {gen_ai.tool.name|contains: post}
    filter_ours: {url.domain|endswith: .example.com}
    condition: post and not filter_ours
falsepositives: [none]
level: medium
`;
const PROOF = `match:
    - {gen_ai.tool.name: http_post, url.domain: a.example.net}
miss:
    - {gen_ai.tool.name: http_post, url.domain: a.example.com}
    - {gen_ai.tool.name: get}
`;

test("test: proofs pass, a wrong one fails with exit code 1, and JUnit says the same", async () => {
  const dir = join(home, "proofs");
  write("proofs/area/good.yml", RULE);
  write("proofs/area/good.test.yml", PROOF);
  const good = await tapline(home, ["rules", "test", dir]);
  expect([good.code, good.stderr]).toEqual([0, ""]);
  expect(good.stdout).toContain("1 rule, 3 cases: 3 passed, 0 failed, 0 skipped");
  const other = RULE.replace("3c1f6c2e", "4c1f6c2e").replace("Post Elsewhere", "Another");
  write("proofs/area/bad.yml", other);
  write("proofs/area/bad.test.yml", PROOF.replace("http_post, url.domain: a.example.net", "get"));
  const junit = join(home, "junit.xml");
  const bad = await tapline(home, ["rules", "test", dir, "--junit", junit]);
  expect(bad.code).toBe(1);
  expect(bad.stdout).toMatch(/FAIL {2}\S+bad\.yml "Another"\n {6}proof: match 1: does not match/);
  expect(readFileSync(junit, "utf8")).toContain('<testsuites name="tapline rules" tests="6" failures="1"');
  const json = await tapline(home, ["rules", "test", dir, "--json"]);
  const results = JSON.parse(json.stdout) as { file: string; cases: { failure?: string }[] }[];
  expect(results.map((r) => r.cases.filter((c) => c.failure !== undefined).length)).toEqual([1, 0]);
  const named = await tapline(home, ["rules", "test", join(dir, "area/good.test.yml")]);
  expect([named.code, named.stdout.startsWith("1 rule, 3 cases")]).toEqual([0, true]);
});

test("test: cases inside a rule, recordings of SigmaHQ, correlations with offsets", async () => {
  const inside = `title: X\nlogsource: {product: any}\ndetection:\n  s: {dst_port: 22}\n  condition: s\n`;
  const cases = "testcases:\n  match: [{dst_port: 22}]\n  dont-match: [{dst_port: 443}, {dst_port: '22'}]\n";
  const path = write("inside.yml", inside + cases);
  const own = await tapline(home, ["rules", "test", path]);
  expect(own.stdout).toMatch(/testcases: miss 2: matches[^]*1 rule, 3 cases: 2 passed, 1 failed/);
  const sigma = await tapline(home, ["rules", "test", join(SIGMA, "rules")]);
  expect([sigma.code, sigma.stdout]).toEqual([
    0,
    "1 rule, 1 case: 1 passed, 0 failed, 0 skipped; 0 rules without a case\n",
  ]);
  const correlation = `${RULE.replace("level: medium", "level: low\nname: post")}---
title: Again and Again
id: 5c1f6c2e-6f0b-4a57-9a3e-0d2f7c1f5f11
correlation: {type: event_count, rules: [post], group-by: [user.name], timespan: 1m, condition: {gte: 2}}
level: medium
`;
  const file = write("correlation/again.yml", correlation);
  const event = (offset: number): string => `{offset: ${offset}, gen_ai.tool.name: post, user.name: ann}`;
  write(
    "correlation/again.test.yml",
    `match: [[${event(0)}, ${event(60)}]]\nmiss: [[${event(0)}, ${event(61)}]]\n`,
  );
  const again = await tapline(home, ["rules", "test", file]);
  expect([again.code, again.stdout]).toEqual([
    0,
    "1 rule, 2 cases: 2 passed, 0 failed, 0 skipped; 0 rules without a case\n",
  ]);
  write(
    "correlation/again.test.yml",
    `match: [[${event(0)}, ${event(61)}]]\nmiss: [[${event(0)}, ${event(60)}]]\n`,
  );
  expect((await tapline(home, ["rules", "test", file])).stdout).toMatch(/does not fire\n.*miss 1: fires/);
});

test("lint: a line of JSON a finding; --fix puts right what is mechanical and keeps the rest", async () => {
  const path = write(
    "lint/rule.yml",
    RULE.replace("post}", "'*post*'}").replace("level: medium", "level: Medium"),
  );
  write("lint/rule.test.yml", PROOF);
  const json = await tapline(home, ["rules", "lint", path, "--json"]);
  const findings = documents(json.stdout);
  expect(json.code).toBe(1);
  for (const finding of findings) {
    expect(Object.keys(finding).toSorted()).toEqual(["code", "file", "line", "message", "severity"]);
  }
  expect(findings.map((f) => [f["line"], f["severity"], f["code"]])).toContainEqual([12, "error", "level"]);
  const fixed = await tapline(home, ["rules", "lint", path, "--fix"]);
  expect([fixed.code, fixed.stdout]).toEqual([
    0,
    "1 of 1 rule file compile\n2 findings put right; 0 errors, 0 warnings\n",
  ]);
  expect(readFileSync(path, "utf8")).toBe(RULE.replace("post}", "'post'}"));
});

test("rules that would hurt are refused by name, and the others are looked at", async () => {
  const dir = join(home, "hostile");
  write("hostile/good.yml", RULE);
  write("hostile/good.test.yml", PROOF);
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 12; i++)
    bomb.push(
      `k${i}: &k${i} [${Array(9)
        .fill(i === 1 ? "*a" : `*k${i - 1}`)
        .join(", ")}]`,
    );
  write("hostile/bomb.yml", `${bomb.join("\n")}\n${RULE}`);
  write(
    "hostile/anchor.yml",
    RULE.replace("falsepositives: [none]", "falsepositives: &f [none]\nfields: *f"),
  );
  write("hostile/twice.yml", `${RULE}title: Again\n`);
  write("hostile/deep.yml", `${"[".repeat(50_000)}\n`);
  write("hostile/binary.yml", "\u0000\u0001title: \uffff");
  truncateSync(write("hostile/huge.yml", ""), 50 * 1024 * 1024);
  for (const command of ["lint", "test", "list"]) {
    const { code, stdout, stderr } = await tapline(home, ["rules", command, dir]);
    expect(code, command).toBe(1);
    const told = stdout + stderr;
    for (const name of ["bomb", "anchor", "twice", "deep", "binary", "huge"]) {
      expect(told, `${command} ${name}`).toContain(`${name}.yml`);
    }
    expect(told, command).not.toMatch(/^ +at /m);
  }
  const { stdout } = await tapline(home, ["rules", "lint", dir]);
  expect(stdout).toMatch(/twice\.yml:13 error yaml: .*"title" is there twice/);
  expect(stdout).toMatch(/huge\.yml:1 error unreadable: larger than 1048576 bytes/);
  expect(stdout).toMatch(/^1 of 7 rule files compile; 6 refused/m);
  execFileSync("mkfifo", [join(home, "pipe.yml")]);
  const pipe = await tapline(home, ["rules", "lint", join(home, "pipe.yml")]);
  expect([pipe.code, pipe.stdout.includes("is not a file")]).toEqual([1, true]);
});

test("explain: a file, standard input, and what did not match", async () => {
  const rule = write("explain.yml", RULE);
  const event = {
    event: { action: "tool-call" },
    gen_ai: { tool: { name: "http_post" } },
    url: { domain: "a.example.com" },
  };
  const path = write("event.json", JSON.stringify(event));
  const miss = await tapline(home, ["rules", "explain", rule, path]);
  expect([miss.code, miss.stderr]).toEqual([1, ""]);
  expect(miss.stdout).toMatch(/^DOES NOT MATCH {2}Post Elsewhere/);
  expect(miss.stdout).toMatch(/yes {6}filter_ours {3}<- decided/);
  const elsewhere = JSON.stringify({ ...event, url: { domain: "a.example.net" } });
  const hit = await tapline(
    home,
    ["rules", "explain", "Post Elsewhere", "-", "--rules", rule, "--json"],
    elsewhere,
  );
  expect(hit.code).toBe(0);
  expect(JSON.parse(hit.stdout)).toMatchObject({ matches: true, decided: ["post", "filter_ours"] });
  const none = await tapline(home, ["rules", "explain", "no such rule", path]);
  expect([none.code, none.stderr.includes("no rule has the id or title")]).toEqual([3, true]);
});

const BUSY = `title: Any Call
id: 6c1f6c2e-6f0b-4a57-9a3e-0d2f7c1f5f11
logsource: {product: tapline}
detection:
    sel: {event.action|startswith: tool-, gen_ai.tool.name|exists: true}
    long: {gen_ai.tool.call.result|endswith: the very end}
    condition: sel or long
level: low
`;

const CALLS = 30;
let config = "";
let alerts: Record<string, unknown>[] = [];

/** A run over the samples and a session with texts that move to blobs, with the bundled rules and one that fires often. */
beforeAll(async () => {
  const logs = join(home, "logs");
  mkdirSync(logs);
  for (const name of ["claude-code-session.jsonl", "mcp-session.jsonl"])
    copyFileSync(join("sample", name), join(logs, name));
  const lines: string[] = [];
  for (let id = 1; id <= CALLS; id++) {
    const ts = new Date(Date.UTC(2026, 10, 20 + (id % 3), 10, id)).toISOString();
    const call = { jsonrpc: "2.0", id, method: "tools/call", params: { name: "read", arguments: { n: id } } };
    const text = `${"z ".repeat(id % 2 === 0 ? 50_000 : 10)}the very end`;
    const result = { jsonrpc: "2.0", id, result: { content: [{ type: "text", text }] } };
    lines.push(JSON.stringify({ ts, dir: "c2s", session: "blobs", msg: call }));
    lines.push(JSON.stringify({ ts, dir: "s2c", session: "blobs", msg: result }));
  }
  write("logs/blobs.jsonl", `${lines.join("\n")}\n`);
  config = configure(home, {
    sources: { all: { type: "file", include: [join(logs, "*.jsonl")] } },
    rules: [write("busy/busy.yml", BUSY)],
    sinks: { local: { type: "store" } },
  });
  const { code, stderr } = await tapline(home, ["run", "-c", config, "--once"]);
  expect([code, stderr.includes("rror")]).toEqual([0, false]);
  alerts = actionsOf(await entriesOf(join(home, "state", "ledger")), "rule-alert");
});

interface Report {
  readonly events: number;
  readonly only_backtest: number;
  readonly only_recorded: number;
  readonly rules: {
    id: string;
    correlation: boolean;
    matches: number;
    days: Record<string, number>;
    samples: { event: string }[];
  }[];
  readonly missed: unknown[];
}
const pairs = (report: Report): string[] =>
  report.rules.flatMap((rule) => rule.samples.map((sample) => `${rule.id} ${sample.event}`)).toSorted();

async function backtest(...args: string[]): Promise<Report> {
  const { stdout } = await tapline(home, [
    "rules",
    "backtest",
    "-c",
    config,
    "--samples",
    "100000",
    "--json",
    ...args,
  ]);
  return JSON.parse(stdout) as Report;
}

test("backtest over the ledger of a run gives exactly that run's alerts, and over the store the same", async () => {
  const all = await backtest();
  const correlations = new Set(all.rules.filter((rule) => rule.correlation).map((rule) => rule.id));
  const alone = (report: Report): string[] =>
    pairs({ ...report, rules: report.rules.filter((rule) => !rule.correlation) });
  const wanted = alerts
    .filter((alert) => !correlations.has(field(alert, "rule.id") as string))
    .map(
      (alert) =>
        `${field(alert, "rule.id") as string} ${(field(alert, "tapline.alert.event_ids") as string[])[0]}`,
    );
  expect(wanted.length).toBeGreaterThan(2 * CALLS);
  expect(new Set(wanted.map((pair) => pair.split(" ")[0])).size).toBeGreaterThan(3);
  expect(alone(all)).toEqual(wanted.toSorted());
  expect([all.only_backtest, all.only_recorded]).toEqual([0, 0]);
  expect(pairs(await backtest("--store"))).toEqual(pairs(all));
});

test("backtest: a range of days, rules named, expectations", async () => {
  const busy = join(home, "busy");
  const all = await backtest(busy);
  expect(all.rules.map((rule) => rule.id)).toEqual(["6c1f6c2e-6f0b-4a57-9a3e-0d2f7c1f5f11"]);
  const { days, matches } = all.rules[0]!;
  const inRange = (days["2026-11-21"] ?? 0) + (days["2026-11-22"] ?? 0);
  expect(inRange).toBeGreaterThan(CALLS);
  for (const source of [[], ["--store"]]) {
    const some = await backtest(busy, "--from", "2026-11-21", "--to", "2026-11-22", ...source);
    expect(some.rules[0]!.matches).toBe(inRange);
  }
  const expected = write("expect.yml", `rules: {Any Call: {exactly: ${matches}}}\nunexpected: fail\n`);
  const fine = await tapline(home, ["rules", "backtest", busy, "-c", config, "--expect", expected]);
  expect([fine.code, fine.stdout.includes("FAIL")]).toEqual([0, false]);
  expect(fine.stdout).toContain("recorded alerts of these rules: the same");
  const wrong = write("expect.yml", "rules: {Any Call: {at_most: 1}}\n");
  const missed = await tapline(home, ["rules", "backtest", busy, "-c", config, "--expect", wrong]);
  expect([
    missed.code,
    missed.stdout.includes(`FAIL  "Any Call" matches ${matches} times, expected at most 1`),
  ]).toEqual([1, true]);
});

test("explain finds an event in the ledger by its id", async () => {
  const alert = alerts.find((a) => field(a, "rule.name") === "Any Call")!;
  const id = (field(alert, "tapline.alert.event_ids") as string[])[0]!;
  const found = await tapline(home, ["rules", "explain", "any call", id, "-c", config]);
  expect([found.code, found.stdout.startsWith("MATCHES  Any Call")]).toEqual([0, true]);
  const none = await tapline(home, ["rules", "explain", "any call", "nothing", "-c", config]);
  expect([none.code, none.stderr.includes("called nothing")]).toEqual([3, true]);
});

test("coverage of the bundled rules: text, JSON and layers", async () => {
  const layer = join(home, "layer.json");
  const { code, stdout } = await tapline(home, ["rules", "coverage", "--layer", layer]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/MITRE ATLAS techniques: \d+[^]*AML\.T0086[^]*OWASP MCP Top 10[^]*A\.9\.4/);
  const layers = JSON.parse(readFileSync(layer, "utf8")) as { techniques: { techniqueID: string }[] }[];
  expect(layers.map((l) => l.techniques.length > 5)).toEqual([true, true]);
  const json = JSON.parse((await tapline(home, ["rules", "coverage", "--json"])).stdout) as {
    controls: object[];
  };
  expect(json.controls).toHaveLength(38);
});

test("list, and a new rule that passes lint and test and is never written over", async () => {
  const list = await tapline(home, ["rules", "list", join(home, "busy"), "--json"]);
  expect(documents(list.stdout)).toMatchObject([
    { level: "low", title: "Any Call", area: "busy", status: "" },
  ]);
  const dir = join(home, "mine");
  const args = ["rules", "new", "exfiltration", "exfiltration_by_post", "--dir", dir];
  const made = await tapline(home, args);
  expect([made.code, made.stdout.trim().split("\n").length]).toEqual([0, 2]);
  const lint = await tapline(home, ["rules", "lint", dir]);
  expect([lint.code, lint.stdout]).toEqual([0, "1 of 1 rule file compile\n0 errors, 0 warnings\n"]);
  expect((await tapline(home, ["rules", "test", dir])).stdout).toContain("3 passed, 0 failed");
  const again = await tapline(home, args);
  expect([again.code, again.stderr.includes("is there already")]).toEqual([3, true]);
});

test.each([
  [["rules"], "say what"],
  [["rules", "nonsense"], "no subcommand"],
  [["rules", "test", "--bogus"], "--bogus"],
  [["rules", "explain", "one"], "name a rule and an event"],
  [["rules", "new", "area"], "name an area and a rule"],
  [["rules", "new", "../up", "name"], "is not a name"],
  [["rules", "backtest", "--from", "yesterday"], "--from takes a day"],
])("%j is a usage error", async (args, message) => {
  const { code, stdout, stderr } = await tapline(home, args);
  expect([code, stdout, stderr.includes(message)], stderr).toEqual([2, "", true]);
});

test("a path or a ledger that is not there is exit code 3", async () => {
  for (const args of [
    ["lint", "/no/such"],
    ["test", "/no/such"],
    ["backtest", "-c", configure(newHome(), {})],
  ]) {
    const { code, stdout } = await tapline(home, ["rules", ...args]);
    expect([code, stdout]).toEqual([3, ""]);
  }
});

const archive = [
  process.env["TAPLINE_SIGMA_RULES"],
  join(import.meta.dirname, "../../../shared/data/sigma-rules.tar.xz"),
].find((path) => path !== undefined && existsSync(path));
if (archive === undefined) {
  console.warn(
    "SKIPPED: lint of the Sigma corpus; set TAPLINE_SIGMA_RULES to a tar of SigmaHQ's rule directories",
  );
}

test.skipIf(archive === undefined)(
  "lint of the public Sigma rules: how many compile, and why the others do not",
  async () => {
    const dir = join(home, "sigma");
    mkdirSync(dir);
    execFileSync("tar", ["xf", archive!, "-C", dir]);
    const live = [
      "rules",
      "rules-compliance",
      "rules-emerging-threats",
      "rules-threat-hunting",
      "rules-placeholder",
    ];
    const good = await tapline(home, ["rules", "lint", ...live.map((name) => join(dir, name))]);
    expect([good.code, good.stdout]).toEqual([
      0,
      expect.stringMatching(/^3,780 of 3,780 rule files compile$/m),
    ]);
    const old = await tapline(home, ["rules", "lint", join(dir, "unsupported"), join(dir, "deprecated")]);
    expect(old.code).toBe(1);
    expect(old.stdout).toMatch(
      /^200 of 259 rule files compile; 59 refused: \d+ legacy_aggregation, \d condition_name$/m,
    );
  },
);
