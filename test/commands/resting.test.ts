// A rule whose placeholder nothing defines matches nothing. Every command that counts or names rules says so, and none calls
// it an error; with a value it runs.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { actionsOf, configure, documents, entriesOf, field, newHome, tapline } from "./tapline.ts";

const home = newHome();
const rules = join(home, "rules");
const own = join(rules, "own", "own.yml");
const WHY = "rests: nothing defines %mine%";
const ID = "3c1f6c2e-6f0b-4a57-9a3e-0d2f7c1f5f11";
const RULE = `title: Post by a Tool of Mine
id: ${ID}
status: experimental
description: A tool of mine posts.
tags: [attack.exfiltration, atlas.t0086]
logsource: {product: tapline, category: tool-call}
detection:
    post: {gen_ai.tool.name|expand: '%mine%'}
    condition: post
falsepositives: [none]
level: medium
`;
const PROOF = `placeholders: {mine: [http_post]}
match: [{gen_ai.tool.name: http_post}]
miss: [{gen_ai.tool.name: get}]
`;
const EVENT = { event: { action: "tool-call" }, gen_ai: { tool: { name: "http_post" } } };

const configOf = (name: string, more: object): string =>
  configure(
    home,
    {
      state_dir: join(home, name),
      bundled_rules: false,
      rules: [rules],
      sources: { mcp: { type: "file", include: [join(home, "mcp.jsonl")], format: "mcp" } },
      sinks: { none: { type: "null" } },
      ...more,
    },
    `${name}.yml`,
  );

let bare = "";
let given = "";
beforeAll(() => {
  mkdirSync(join(rules, "own"), { recursive: true });
  writeFileSync(own, RULE);
  copyFileSync("sample/mcp-session.jsonl", join(home, "mcp.jsonl"));
  writeFileSync(join(home, "event.json"), JSON.stringify(EVENT));
  bare = configOf("bare", {});
  given = configOf("given", { placeholders: { mine: ["http_post"] } });
});

test("list, check and lint name it, with the exit code of what is fine", async () => {
  const listed = await tapline(home, ["rules", "list", "-c", bare]);
  expect([listed.code, listed.stderr]).toEqual([0, ""]);
  expect(listed.stdout).toMatch(new RegExp(`^${ID} {2}rests .* Post by a Tool of Mine$`, "m"));
  expect(listed.stdout).toContain("1 rule, 1 at rest\n");
  expect(listed.stdout).toContain(WHY);
  const json = await tapline(home, ["rules", "list", "-c", bare, "--json"]);
  expect(documents(json.stdout)).toEqual([expect.objectContaining({ state: "rests", missing: ["mine"] })]);

  const checked = await tapline(home, ["check", "-c", bare]);
  expect([checked.code, checked.stdout]).toEqual([0, expect.stringMatching(/^fine: [^]*rests: nothing/)]);
  const told = await tapline(home, ["check", "-c", bare, "--json"]);
  expect(JSON.parse(told.stdout)).toMatchObject({ problems: [], resting: [{ id: ID, missing: ["mine"] }] });

  const lint = await tapline(home, ["rules", "lint", "-c", bare]);
  expect([lint.code, lint.stdout]).toEqual([0, expect.stringContaining(`own.yml:8 warning placeholder: `)]);
  expect(lint.stdout).toContain(`${WHY}. Give it values in \`placeholders:\` of the configuration`);
});

test("run counts it apart; a backtest and explain say that it was not asked", async () => {
  const ran = await tapline(home, ["run", "--once", "-c", bare]);
  expect([ran.code, ran.stdout]).toEqual([0, expect.stringMatching(/^rules +0, 1 at rest/m)]);
  const back = await tapline(home, ["rules", "backtest", own, "-c", bare]);
  expect([back.code, back.stdout]).toEqual([0, expect.stringContaining("not run: ")]);
  expect(back.stdout).toContain(WHY);
  const json = await tapline(home, ["rules", "backtest", own, "-c", bare, "--json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({ rules: [], resting: [{ id: ID, missing: ["mine"] }] });

  const explain = ["rules", "explain", own, join(home, "event.json"), "-c"];
  const miss = await tapline(home, [...explain, bare]);
  expect([miss.code, miss.stdout]).toEqual([1, expect.stringContaining(WHY)]);
  expect(miss.stdout).toContain("no values: nothing defines its placeholder");
});

test("with a value it runs, and the same commands say nothing of rest", async () => {
  const ran = await tapline(home, ["run", "--once", "-c", given]);
  expect(ran.stdout).toMatch(/^rules +1, set /m);
  const alerts = actionsOf(await entriesOf(join(home, "given", "ledger")), "rule-alert");
  expect(alerts.map((alert) => field(alert, "rule.id"))).toEqual([ID]);
  const explained = ["rules", "explain", own, join(home, "event.json"), "-c", given];
  for (const args of [
    ["rules", "list", "-c", given],
    ["check", "-c", given],
    ["rules", "lint", "-c", given],
    explained,
  ]) {
    const { code, stdout } = await tapline(home, args);
    expect([code, stdout]).toEqual([0, expect.not.stringContaining("rest")]);
  }
  const back = await tapline(home, ["rules", "backtest", own, "-c", given]);
  expect(back.stdout).toMatch(/^1 rule over \d+ events.*: 1 match$/m);
  expect(back.stdout).not.toContain("rests");
});

test("a proof's values let a rule be tested, and wake it nowhere else", async () => {
  const proven = join(home, "proven", "own.yml");
  mkdirSync(join(home, "proven"));
  writeFileSync(proven, RULE);
  writeFileSync(join(home, "proven", "own.test.yml"), PROOF);
  expect((await tapline(home, ["rules", "test", proven])).code).toBe(0);
  for (const args of [["list"], ["lint"], ["coverage"]]) {
    const { code, stdout } = await tapline(home, ["rules", ...args, proven, "-c", bare]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/rests: nothing|1 of them at rest/)]);
  }
  // Its tests would match, and it does not.
  const { code, stdout } = await tapline(home, [
    "rules",
    "explain",
    proven,
    join(home, "event.json"),
    "-c",
    bare,
  ]);
  expect([code, stdout]).toEqual([
    1,
    expect.stringMatching(/^DOES NOT MATCH[^]*rests: nothing[^]*yes {2}gen_ai/),
  ]);
});

test("scan says it of the rules that were named, and not of the bundled ones", async () => {
  const one = await tapline(home, ["scan", join(home, "mcp.jsonl"), "--rules", rules, "--out", "alerts"]);
  expect([one.code, one.stderr.trim().split("\n")]).toEqual([0, [expect.stringContaining(WHY)]]);
});

test("the bundled rules on the inventory rest until a policy names servers", async () => {
  const restingOf = async (config: string): Promise<unknown[]> => {
    const { stdout } = await tapline(home, ["rules", "list", "-c", config, "--json"]);
    return documents(stdout).flatMap((row) => (row["state"] === "rests" ? [row["title"]] : []));
  };
  const bundled = { bundled_rules: true, rules: [] };
  expect(await restingOf(configOf("bundled", bundled))).toEqual([
    "Tool Outside the Inventory",
    "Sanctioned Server Started by Another Command",
    "MCP Server Outside the Inventory",
    "Version of a Server Outside the Inventory",
  ]);
  const policy = join(home, "policy.yml");
  writeFileSync(policy, "version: 1\nservers:\n  web: {command: [npx, web]}\n");
  // No policy says releases: what a server calls itself is another name than its package's.
  expect(await restingOf(configOf("policed", { ...bundled, policy }))).toEqual([
    "Version of a Server Outside the Inventory",
  ]);
});
