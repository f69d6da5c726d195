// A collector whose key is held by another process, of another user where the tests may start one: what `status` says, what
// happens when an older state is put back, and how a key is changed.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { Status } from "../../src/status.ts";
import { actionsOf, configure, entriesOf, field, newHome, tapline } from "./tapline.ts";

const NOBODY = 65_534;
const OTHER = 65_533;
const root = process.getuid?.() === 0;
if (!root)
  console.warn(
    "skipping a part of the tests of the signer: only root can start it as another user; it runs as this one",
  );

const lines = readFileSync("sample/mcp-session.jsonl", "utf8").trimEnd().split("\n");

interface Told extends Status {
  readonly integrity: string;
  readonly problems: readonly string[];
}

/** A signer, as another user if possible. Its directory and its socket are beside the collector's home. */
async function startSigner(home: string): Promise<{ socket: string; dir: string; child: ChildProcess }> {
  const [dir, run] = [join(home, "signer"), join(home, "run")];
  mkdirSync(dir, { mode: 0o700, recursive: true });
  mkdirSync(run, { mode: 0o755, recursive: true });
  chmodSync(home, 0o755);
  if (root) for (const path of [dir, run]) chownSync(path, NOBODY, NOBODY);
  const socket = join(run, "socket");
  const args = ["ledger", "signer", "--dir", dir, "--socket", socket, "--origin", "tapline/test"];
  const child = spawn(process.execPath, [resolve("bin/tapline.js"), ...args], {
    env: { PATH: process.env["PATH"], HOME: run },
    stdio: ["ignore", "pipe", "pipe"],
    ...(root ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (part: Buffer) => (said += part.toString()));
  onTestFinished(() => void child.kill("SIGKILL"));
  while (!said.includes("key  ")) {
    if (child.exitCode !== null) throw new Error(`the signer does not start: ${said}`);
    await sleep(50);
  }
  return { socket, dir, child };
}

function configured(home: string, more: object): { config: string; run(count: number): Promise<void> } {
  const logs = join(home, "logs");
  mkdirSync(logs, { recursive: true });
  const config = configure(home, {
    host: "test",
    sources: { logs: { type: "file", include: [join(logs, "*.jsonl")] } },
    sinks: { none: { type: "null" } },
    ...more,
  });
  return {
    config,
    async run(count) {
      writeFileSync(join(logs, "mcp.jsonl"), `${lines.slice(0, count).join("\n")}\n`);
      const { code, stderr } = await tapline(home, ["run", "--once", "-c", config]);
      expect([code, stderr]).toEqual([0, ""]);
    },
  };
}
async function statusOf(home: string, config: string): Promise<Told & { code: number | null }> {
  const { code, stdout } = await tapline(home, ["status", "-c", config, "--json"]);
  return { ...(JSON.parse(stdout) as Told), code };
}

test("a signer of another user signs what continues, and an older state that is put back no more", async () => {
  const home = newHome();
  const { socket, dir, child } = await startSigner(home);
  const { config, run } = configured(home, { ledger: { signer: socket } });
  const [state, backup] = [join(home, "state"), join(home, "backup")];
  await run(4);
  const told = await statusOf(home, config);
  expect([told.code, told.problems]).toEqual([0, []]);
  expect(told.integrity).toContain(`the signer at ${socket} signed a checkpoint`);
  expect(told.integrity).toContain(
    root ? "gets no other history signed, nor a shorter one" : "it runs as the collector's own user",
  );
  if (root) {
    const key = join(dir, "ledger.key");
    expect([statSync(key).uid, statSync(key).mode & 0o777]).toEqual([NOBODY, 0o600]);
    const asOther = (program: string, ...args: string[]): number | null =>
      spawnSync(program, args, { uid: OTHER, gid: OTHER, stdio: "ignore" }).status;
    expect(asOther("cat", config)).toBe(0); // whoever that is can read what others may
    expect(asOther("cat", key)).not.toBe(0);
    const reach = `require("net").connect(${JSON.stringify(socket)}).on("error", () => process.exit(1)).on("connect", () => process.exit(0))`;
    expect(asOther(process.execPath, "-e", reach)).toBe(1);
  }
  cpSync(state, backup, { recursive: true });
  await run(8);
  expect((await tapline(home, ["ledger", "verify", "-c", config])).code).toBe(0);

  rmSync(state, { recursive: true });
  cpSync(backup, state, { recursive: true });
  const checkpoint = readFileSync(join(state, "ledger", "checkpoint"), "utf8");
  await run(8);
  const refused = await statusOf(home, config);
  expect(refused.code).toBe(1);
  expect(refused.problems).toEqual([
    expect.stringMatching(/^NOTHING IS SIGNED ANY MORE: the signer at .* entries were cut off\. Find out/),
  ]);
  expect(readFileSync(join(state, "ledger", "checkpoint"), "utf8")).toBe(checkpoint);
  const [said] = actionsOf(await entriesOf(join(state, "ledger")), "checkpoint");
  expect([field(said!, "event.outcome"), field(said!, "message")]).toEqual([
    "failure",
    expect.stringMatching(/^nothing is signed any more: the signer/),
  ]);
  const stopped = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  expect(await stopped).toBe(0);
});

test("a changed key is an entry, and so is that the one before it signs no more", async () => {
  const home = newHome();
  const { config, run } = configured(home, {});
  const ledger = join(home, "state", "ledger");
  await run(4);
  cpSync(join(ledger, "ledger.vkey"), join(home, "first.vkey"));
  expect((await tapline(home, ["ledger", "keygen", "-c", config])).code).toBe(2);
  const made = await tapline(home, ["ledger", "keygen", "--rotate", "-c", config, "--overlap-days", "1"]);
  expect([made.code, made.stderr]).toEqual([0, ""]);
  expect(made.stdout).toMatch(
    /^key {9}tapline\/test\+[0-9a-f]{8}\+.*\nbefore {6}[0-9a-f]{8} signs too until /,
  );
  // Verified with either key, before the collector has started again.
  for (const vkey of [join(ledger, "ledger.vkey"), join(home, "first.vkey")])
    expect((await tapline(home, ["ledger", "verify", ledger, "--vkey", vkey])).code).toBe(0);
  await run(6);
  const rotation = join(ledger, "rotation.json");
  const changes = async (): Promise<string[]> =>
    actionsOf(await entriesOf(ledger), "config-change")
      .map((entry) => String(field(entry, "message")))
      .filter((text) => text.includes("key"));
  expect(await changes()).toEqual([
    expect.stringMatching(/^the ledger's key is .*, and was .*, which signs too until/),
  ]);
  // The day passes.
  const then = JSON.parse(readFileSync(rotation, "utf8")) as object;
  writeFileSync(rotation, JSON.stringify({ ...then, until_ms: 1 }));
  await run(8);
  await run(9);
  expect(await changes()).toEqual([
    expect.any(String),
    expect.stringMatching(/signs no more and was removed$/),
  ]);
  expect((await tapline(home, ["ledger", "verify", ledger])).code).toBe(0);
  expect((await tapline(home, ["ledger", "verify", ledger, "--vkey", join(home, "first.vkey")])).code).toBe(
    1,
  );
});
