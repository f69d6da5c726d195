// The published MCP conformance suite against a server directly and through the proxy, observing and enforcing: the same
// list of passes and failures, check by check.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { Home, NODE, newDir, startTarget } from "./proxy.ts";

const SUITE = resolve("node_modules/@modelcontextprotocol/conformance/dist/index.js");
const FULL = process.env["TAPLINE_FULL"] === "1";

/** `scenario check status`, sorted. */
async function checks(url: string, revision: string): Promise<string[]> {
  const dir = newDir();
  const suite = FULL ? "all" : "active";
  const args = [SUITE, "server", "--url", url, "--spec-version", revision, "--suite", suite, "-o", dir];
  const child = spawn(NODE, args, { stdio: "ignore" });
  await once(child, "exit");
  return readdirSync(dir)
    .flatMap((run) => {
      const scenario = run.replace(/-\d{4}-\d\d-\d\dT.*$/, "");
      const found = JSON.parse(readFileSync(join(dir, run, "checks.json"), "utf8")) as {
        id: string;
        status: string;
      }[];
      return found.map(({ id, status }) => `${scenario} ${id} ${status}`);
    })
    .toSorted();
}

describe.each(["2025-06-18", "2025-11-25"])("revision %s", (revision) => {
  test("directly, observed and enforced: the same passes and failures", async () => {
    const target = await startTarget("test/chokepoint/target.child.ts");
    const direct = await checks(target.url, revision);
    expect(direct.length).toBeGreaterThan(25);
    expect(direct.filter((check) => check.endsWith("FAILURE"))).toEqual([]);
    const observing = new Home();
    const observed = await checks((await observing.listen(target.url)).url, revision);
    expect(observed).toEqual(direct);
    const servers = { target: { url: target.url, requests: { "*": "allow" } } };
    const enforcing = new Home().policy({ mode: "enforce", servers });
    const enforced = await checks((await enforcing.listen(target.url)).url, revision);
    expect(enforced).toEqual(direct);
    const modes = new Set(enforcing.events().map((e) => e["tapline.decision.mode"]));
    expect(modes).toEqual(new Set([undefined, "enforce"]));
    const calls = observing.events().filter((e) => e["event.action"] === "tool-call");
    expect(calls.length).toBeGreaterThanOrEqual(10);
  }, 120_000);
});
