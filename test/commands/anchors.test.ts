// Checkpoints leave a running collector, `status` says which rung is in force, and an older state that is put back is told:
// nothing is signed any more, and recording goes on.
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Status } from "../../src/status.ts";
import { actionsOf, configure, ended, entriesOf, field, newHome, start, tapline } from "./tapline.ts";

interface Told extends Status {
  readonly integrity: string;
  readonly problems: readonly string[];
}

const sizeIn = (checkpoint: string): number => Number(readFileSync(checkpoint, "utf8").split("\n")[1]);

test("a directory gets checkpoints while the collector runs, and the last one when it stops", async () => {
  const home = newHome();
  const kept = join(home, "kept");
  mkdirSync(kept);
  const config = configure(home, {
    sources: { sample: { type: "file", include: [join(process.cwd(), "sample/*.jsonl")] } },
    sinks: { none: { type: "null" } },
    anchors: { auditor: { type: "directory", dir: kept, every_s: 1 } },
  });
  const running = start(home, "run", "-c", config);
  for (let tries = 0; readdirSync(kept).length < 2 && tries < 600; tries++) await sleep(100);
  const stopped = ended(running);
  running.kill("SIGTERM");
  expect((await stopped).code).toBe(0);
  const dir = join(home, "state", "ledger");
  const entries = await entriesOf(dir);
  const files = readdirSync(kept).toSorted();
  expect(files.length).toBeGreaterThanOrEqual(2);
  expect(sizeIn(join(kept, files.at(-1)!))).toBe(entries.length);
  const taken = actionsOf(entries, "checkpoint");
  expect(taken.length).toBeGreaterThanOrEqual(1);
  expect(field(taken[0]!, "tapline.integrity.anchor")).toBe("auditor");
  expect(field(taken[0]!, "tapline.integrity.tree_size")).toBe(sizeIn(join(kept, files[0]!)));

  const told = JSON.parse((await tapline(home, ["status", "-c", config, "--json"])).stdout) as Told;
  expect(told.anchors).toMatchObject([{ name: "auditor", type: "directory", size: entries.length }]);
  expect(told.integrity).toContain(`auditor: the first ${entries.length} entries in the directory ${kept}`);
  expect(told.integrity).toContain("no witness is configured");
  const verified = await tapline(home, ["ledger", "verify", dir, "--checkpoint", kept]);
  expect([verified.code, verified.stdout]).toEqual([0, expect.not.stringContaining("rest on the key alone")]);
});

test("after an older state was put back nothing is signed any more, and everything is recorded", async () => {
  const home = newHome();
  const [kept, logs, state] = [join(home, "kept"), join(home, "logs"), join(home, "state")];
  for (const dir of [kept, logs]) mkdirSync(dir);
  const config = configure(home, {
    sources: { logs: { type: "file", include: [join(logs, "*.jsonl")] } },
    sinks: { none: { type: "null" } },
    anchors: { auditor: { type: "directory", dir: kept } },
  });
  const lines = readFileSync("sample/mcp-session.jsonl", "utf8").trimEnd().split("\n");
  const run = async (count: number): Promise<void> => {
    writeFileSync(join(logs, "mcp.jsonl"), `${lines.slice(0, count).join("\n")}\n`);
    expect((await tapline(home, ["run", "--once", "-c", config])).code).toBe(0);
  };
  await run(4);
  cpSync(state, join(home, "backup"), { recursive: true });
  await run(8);
  rmSync(state, { recursive: true });
  cpSync(join(home, "backup"), state, { recursive: true });
  const checkpoint = join(state, "ledger", "checkpoint");
  const before = sizeIn(checkpoint);

  await run(8);
  const problems = async (): Promise<string[]> => {
    const { code, stdout } = await tapline(home, ["status", "-c", config, "--json"]);
    expect(code).toBe(1);
    return [...(JSON.parse(stdout) as Told).problems];
  };
  expect(await problems()).toEqual([
    expect.stringMatching(/^NOTHING IS SIGNED ANY MORE: auditor: .* entries were cut off\. Find out/),
  ]);
  const entries = await entriesOf(join(state, "ledger"));
  expect(entries.length).toBeGreaterThan(before);
  // What was signed before the anchor had looked, if anything.
  const signed = sizeIn(checkpoint);
  expect(signed).toBeLessThan(entries.length);
  const [said] = actionsOf(entries, "checkpoint");
  expect([field(said!, "event.outcome"), field(said!, "message")]).toEqual([
    "failure",
    expect.stringMatching(/^nothing is signed any more: auditor/),
  ]);
  // A restart does not forget it.
  await run(lines.length);
  expect(sizeIn(checkpoint)).toBe(signed);
  expect(await problems()).toHaveLength(1);
  expect((await entriesOf(join(state, "ledger"))).length).toBeGreaterThan(entries.length);
  // A person has looked, and keeps the checkpoints of before elsewhere.
  rmSync(join(state, "anchors", "auditor.json"));
  rmSync(kept, { recursive: true });
  mkdirSync(kept);
  await run(lines.length);
  expect(sizeIn(checkpoint)).toBe((await entriesOf(join(state, "ledger"))).length);
  expect((await tapline(home, ["status", "-c", config])).code).toBe(0);
});

test("what is wrong with anchors in the configuration is said with the rest", async () => {
  const home = newHome();
  const config = configure(home, {
    anchors: {
      a: { type: "directry", dir: "x" },
      b: { type: "directory", dirr: "x" },
      c: { type: "witness", quorum: 2, witnesses: [{ url: "http://127.0.0.1:1", vkey: "none" }] },
    },
  });
  const { code, stderr, stdout } = await tapline(home, ["check", "-c", config]);
  expect(code).toBe(1);
  const said = stderr + stdout;
  expect(said).toContain('unknown type "directry" (did you mean "directory"?) at anchors.a');
  expect(said).toContain('unknown key "dirr" (did you mean "dir"?) at anchors.b');
  expect(said).toContain("the key of a witness");
});
