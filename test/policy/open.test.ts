// A policy from its file: fresh, stale, wrong and gone, with and without the compiled form beside it.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openPolicy } from "../../src/policy/open.ts";
import { call, stdio } from "./make.ts";

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tapline-policy-"));
  path = join(dir, "policy.yml");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = (rest: object = {}) => openPolicy(path, { state_dir: dir, ...rest });
const asked = call(stdio("a", "a"), "t");
// A second on a machine that has nothing else to do.
const WITHIN = { timeout: 5_000, interval: 20 };
const ALLOW = "version: 1\nmode: enforce\nservers: { a: { command: [a] } }\n";
const DENY = "version: 1\nmode: enforce\nservers: { a: { command: [a], tools: { t: deny } } }\n";

test("without a file everything is allowed, and the decision says that there is no policy", async () => {
  const policy = await open();
  expect(policy.decide(asked)).toEqual({
    verdict: "allow",
    mode: "observe",
    rule: "defaults",
    reason: "There is no policy: every call is allowed and recorded.",
    policy: "none",
  });
  await expect(open({ required: true })).rejects.toMatchObject({ code: "POLICY_UNREADABLE" });
});

/** The compiled form, changed to allow what the file denies. */
function forgery(): string {
  const text = readFileSync(join(dir, "policy.json"), "utf8");
  const forged = text.replace('"t":{"verdict":"deny"}', '"t":{"verdict":"allow"}');
  expect(forged).not.toBe(text);
  return forged;
}

test("the compiled form is used while it is of the file, and only then", async () => {
  writeFileSync(path, DENY);
  const { hash } = await open();
  const compiled = join(dir, "policy.json");
  expect(JSON.parse(readFileSync(compiled, "utf8"))).toMatchObject({ version: 1 });
  // Says other than its source: used, and its hash tells.
  writeFileSync(compiled, forgery());
  const forged = await open();
  expect(forged.decide(asked).verdict).toBe("allow");
  expect(forged.hash).not.toBe(hash);
  writeFileSync(path, `${DENY}# changed\n`);
  const again = await open();
  expect(again.decide(asked).verdict).toBe("deny");
  expect(again.hash).toBe(hash);
});

test("a compiled form that others may write is not used", async () => {
  writeFileSync(path, DENY);
  await open();
  const compiled = join(dir, "policy.json");
  writeFileSync(compiled, forgery());
  chmodSync(compiled, 0o666);
  expect((await open()).decide(asked).verdict).toBe("deny");
});

test("a file that is wrong or gone leaves the last policy in force, and says why", async () => {
  const told: string[] = [];
  writeFileSync(path, DENY);
  await open();
  writeFileSync(path, "version: 1\nmod: enforce\n");
  const policy = await open({ onProblem: (problem: string) => told.push(problem) });
  expect(policy.decide(asked).verdict).toBe("deny");
  expect(told.join()).toContain('did you mean "mode"?');
  rmSync(path);
  const gone = await open({ onProblem: (problem: string) => told.push(problem) });
  expect(gone.decide(asked).verdict).toBe("deny");
  expect(told.at(-1)).toContain("does not exist");
  rmSync(join(dir, "policy.json"));
  writeFileSync(path, "version: 1\nmod: enforce\n");
  await expect(open()).rejects.toMatchObject({ code: "POLICY_INVALID" });
});

test("a process that stays sees a changed file soon, and keeps the old one when it is wrong", async () => {
  const told: string[] = [];
  writeFileSync(path, ALLOW);
  const policy = await open({ watch: true, onProblem: (problem: string) => told.push(problem) });
  expect(policy.decide(asked).verdict).toBe("allow");
  writeFileSync(path, DENY);
  await vi.waitFor(() => expect(policy.decide(asked).verdict).toBe("deny"), WITHIN);
  writeFileSync(path, "version: 2\n");
  await vi.waitFor(() => expect(told).toHaveLength(1), WITHIN);
  expect(policy.decide(asked).verdict).toBe("deny");
  writeFileSync(path, ALLOW);
  await vi.waitFor(() => expect(policy.decide(asked).verdict).toBe("allow"), {
    timeout: 1_000,
    interval: 20,
  });
  policy.close();
  expect(existsSync(join(dir, "policy.json"))).toBe(true);
});
