// One writer a thing, also among containers, whose process ids say nothing to each other: processes in namespaces of
// their own take one lock, end, are killed, and others take it over.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { takeLock } from "../../src/core/lock.ts";

const dir = mkdtempSync(join(tmpdir(), "tapline-lock-"));
const path = join(dir, "lock");
const started: ChildProcess[] = [];
afterAll(() => {
  for (const child of started) child.kill("SIGKILL");
  rmSync(dir, { recursive: true });
});

const SCRIPT = `
  const { takeLock } = await import(${JSON.stringify(resolve("src/core/lock.ts"))});
  try {
    const release = takeLock(${JSON.stringify(path)}, (pid) => new Error(pid));
    console.log("taken");
    process.stdin.once("data", () => { release(); process.exit(0); });
  } catch (error) {
    console.log(error.message);
  }`;
const IN_CONTAINER = ["--pid", "--fork", "--mount-proc", "--kill-child", process.execPath];

/** A process in a namespace of its own that tries to take the lock. Returns what it says first. */
async function taker(): Promise<{ said: string; child: ChildProcess }> {
  const child = spawn("unshare", [...IN_CONTAINER, "--input-type=module", "-e", SCRIPT], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  started.push(child);
  const [data] = (await once(child.stdout, "data")) as [Buffer];
  return { said: data.toString().trim(), child };
}

async function end(child: ChildProcess, how: "killed" | "ended"): Promise<void> {
  const closed = once(child, "close");
  if (how === "killed") child.kill("SIGKILL");
  else child.stdin!.write("end\n");
  await closed;
}

const probe = spawnSync("unshare", ["--pid", "--fork", "--mount-proc", "true"]);
if (probe.status !== 0) console.warn("skipping locks among containers: no namespaces of processes here");
describe.skipIf(probe.status !== 0)("among containers", () => {
  let first: ChildProcess;
  beforeAll(async () => {
    const { said, child } = await taker();
    expect(said).toBe("taken");
    first = child;
  });

  test("nobody else has it while its holder lives, whatever the ids", async () => {
    const other = await taker();
    expect(other.said).toBe("1 of another container");
    expect(() => takeLock(path, (pid) => new Error(pid))).toThrow("1 of another container");
  });

  test("it is taken over from one that was killed, and nothing is left behind", async () => {
    await end(first, "killed");
    expect(readFileSync(path, "latin1")).toMatch(/^1 \d+ [0-9a-f]{16} pid:\[\d+\]\n$/);
    const second = await taker();
    expect(second.said).toBe("taken");
    expect(readdirSync(dir)).toHaveLength(2);
    await end(second.child, "ended");
    expect(readdirSync(dir)).toEqual([]);
  });

  test("of a holder that shows nothing, it is not taken over, and the error says what to do", async () => {
    writeFileSync(path, "4711 12345 abcdef pid:[1]\n");
    const said = `4711 outside this container (if it has ended, remove ${path})`;
    expect((await taker()).said).toBe(said);
    expect(() => takeLock(path, (pid) => new Error(pid))).toThrow(said);
    rmSync(path);
  });

  test("of one outside of all containers, that one alone says whether it runs", async () => {
    const release = takeLock(path, (pid) => new Error(pid));
    expect((await taker()).said).toContain(`${process.pid} outside this container`);
    release();
    const { said, child } = await taker();
    expect(said).toBe("taken");
    await end(child, "killed");
    takeLock(path, (pid) => new Error(pid))();
    expect(readdirSync(dir)).toEqual([]);
  });
});
