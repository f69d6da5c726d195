// Checks that a running collector makes: recorded as events with their controls, judged by rules, shown by `status`, and
// told again only when something changed.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Status } from "../../src/status.ts";
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

const STATE = "state/ledger";

/** Waits for a condition, however long it takes. */
async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await what()); tries++) {
    if (tries === 900) throw new Error("waited in vain");
    await sleep(100);
  }
}

interface Known {
  readonly checks: Status["checks"];
  readonly verified?: { readonly size: number; readonly full_ms: number };
}
function known(home: string): Known {
  try {
    return JSON.parse(readFileSync(join(home, "state/checks.json"), "utf8")) as Known;
  } catch {
    return { checks: {} };
  }
}

const said = (all: readonly Document[], name: string): [unknown, unknown][] =>
  actionsOf(all, "control-status")
    .filter((one) => field(one, "tapline.check.name") === name)
    .map((one) => [field(one, "tapline.check.outcome"), field(one, "tapline.check.previous")]);

test("checks are recorded with what they found, alert when they fail, and are told again when they change", async () => {
  const home = newHome();
  const [logs, ledger] = [join(home, "logs"), join(home, STATE)];
  mkdirSync(logs);
  writeFileSync(join(logs, "mcp.jsonl"), readFileSync("sample/mcp-session.jsonl"));
  const policy = join(home, "policy.yml");
  const server = { command: ["jira-mcp"], expires: "2026-01-31" };
  writeFileSync(policy, JSON.stringify({ version: 1, mode: "enforce", servers: { jira: server } }));
  const config = configure(home, {
    sources: { logs: { type: "file", include: [join(logs, "*.jsonl")] } },
    sinks: { none: { type: "null" } },
    viewer: { enabled: false },
    policy,
    checks: { every_s: 1 },
  });
  const running = start(home, "run", "-c", config);
  await until(() => known(home).checks?.inventory !== undefined);
  // Approved anew while it runs: the check of the inventory turns.
  writeFileSync(
    policy,
    JSON.stringify({ version: 1, mode: "enforce", servers: { jira: { ...server, expires: "2099-01-31" } } }),
  );
  await until(() => known(home).checks?.inventory?.outcome === "pass");
  // The ledger grew, and what is new was verified.
  const { verified } = known(home);
  await until(() => known(home).verified!.size > verified!.size);
  expect(known(home).verified!.full_ms).toBe(verified!.full_ms);
  const stopped = ended(running);
  running.kill("SIGTERM");
  expect((await stopped).code).toBe(0);

  const entries = await entriesOf(ledger);
  for (const one of actionsOf(entries, "control-status")) checkDocument(one);
  expect(said(entries, "inventory")).toEqual([
    ["fail", undefined],
    ["pass", "fail"],
  ]);
  for (const name of ["sources", "ledger", "policy", "alerts", "incidents"])
    expect([name, said(entries, name)]).toEqual([name, [["pass", undefined]]]);
  for (const name of ["retention", "witness"])
    expect([name, said(entries, name)]).toEqual([name, [["unknown", undefined]]]);
  const [first] = actionsOf(entries, "control-status").filter(
    (one) => field(one, "tapline.check.name") === "inventory",
  );
  expect(field(first!, "event.outcome")).toBe("failure");
  expect(field(first!, "tapline.check.detail")).toBe(
    "the approval of 1 of 1 server has expired: jira on 2026-01-31",
  );
  expect(field(first!, "tapline.control.iso42001")).toEqual(["A.10.3", "A.4.4", "A.6.2.6", "A.6.2.8"]);
  const alerts = actionsOf(entries, "rule-alert").filter(
    (one) => field(one, "rule.name") === "Policy Not Enforced or Approval Expired",
  );
  expect(alerts.length).toBe(1);

  const shown = await tapline(home, ["status", "-c", config]);
  expect(shown.stdout).toMatch(/^check {7}pass {5}inventory: no approval of the inventory has expired/m);
  expect(shown.stdout).toMatch(/^check {7}unknown {2}witness: no witness is configured/m);
});

test("a ledger that was changed on disk while the collector runs is told, with an alert", async () => {
  const home = newHome();
  const log = join(home, "mcp.jsonl");
  const [call] = readFileSync("sample/mcp-session.jsonl", "utf8")
    .split("\n")
    .filter((line) => line.includes("tools/call"));
  writeFileSync(
    log,
    Array.from({ length: 600 }, (_, i) => `${call!.replace(/"id":\s*\d+/, `"id":${i}`)}\n`).join(""),
  );
  const config = configure(home, {
    sources: { mcp: { type: "file", include: [log], format: "mcp" } },
    sinks: { none: { type: "null" } },
    viewer: { enabled: false },
    checks: { every_s: 1, without: ["policy", "sources", "witness", "retention", "inventory"] },
  });
  expect((await tapline(home, ["run", "--once", "-c", config])).code).toBe(0);
  const bundle = join(home, STATE, "tile/entries/001");
  const run = async (outcome: string): Promise<void> => {
    const running = start(home, "run", "-c", config);
    await until(() => known(home).checks?.ledger?.outcome === outcome);
    const stopped = ended(running);
    running.kill("SIGTERM");
    expect((await stopped).code).toBe(0);
  };
  await run("pass");
  const bytes = readFileSync(bundle);
  bytes[bytes.indexOf('"message"') + 12]! ^= 1;
  writeFileSync(bundle, bytes);
  // What was verified before is not gone through again until the whole is due, as it is here at once.
  rmSync(join(home, "state/checks.json"));
  await run("fail");
  const entries = await entriesOf(join(home, STATE));
  const found = actionsOf(entries, "control-status").filter(
    (one) => field(one, "tapline.check.outcome") === "fail",
  );
  expect(found.map((one) => field(one, "tapline.check.detail"))).toEqual([
    expect.stringMatching(
      /^the ledger does not verify, not to be relied on from entry (\d+) on: entry \1 is not the one whose hash/,
    ),
  ]);
  expect(
    actionsOf(entries, "rule-alert").some((one) => field(one, "rule.name") === "Ledger Does Not Verify"),
  ).toBe(true);
});
