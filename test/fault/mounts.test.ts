// File systems on which files change their numbers: an overlay, where writing moves a file into the upper layer, and a
// network file system, whose server goes away. The real collector reads there, over mounts that come and go. Needs root.
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { actionsOf, entriesOf } from "../commands/tapline.ts";
import { Bench } from "./inject.ts";

const SFTP = "/usr/lib/openssh/sftp-server";

/** Undefined when file systems can be mounted here, else why not. */
function whyNotMount(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  const tried = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
  return tried.status === 0 ? undefined : "needs the right to mount";
}
function whyNotSftp(): string | undefined {
  if (!existsSync("/dev/fuse") || !existsSync(SFTP)) return "needs /dev/fuse and openssh-sftp-server";
  const missing = ["sshfs", "socat"].filter((name) => spawnSync(name, ["-V"]).error !== undefined);
  return missing.length === 0 ? undefined : `needs ${missing.join(" and ")} (apt-get install)`;
}
const no_mount = whyNotMount();
const no_sftp = no_mount ?? whyNotSftp();
if (no_mount !== undefined) console.warn(`skipping the overlay: ${no_mount}`);
if (no_sftp !== undefined) console.warn(`skipping the network file system: ${no_sftp}`);

let bench: Bench;
let logs: string;
let beside: string;
let server: ChildProcess | undefined;
beforeEach(async () => {
  bench = await Bench.open();
  logs = join(bench.home, "logs");
  beside = join(bench.home, "beside");
  mkdirSync(beside);
});
afterEach(async () => {
  await bench.close();
  server?.kill();
  for (const place of [logs, ...["upper", "remote", "other"].map((name) => join(beside, name))])
    unmount(place);
});

const mount = (...args: string[]): void => void execFileSync("mount", args);
const unmount = (place: string): void => void spawnSync("umount", ["-l", place]);

async function stop(child: ChildProcess): Promise<void> {
  const ended = bench.ended(child);
  child.kill("SIGTERM");
  expect((await ended).code).toBe(0);
}

/** Everything once and in order, and nothing is said to be missing. */
async function whole(): Promise<void> {
  const next = await bench.run();
  expect([next.code, next.stderr]).toEqual([0, ""]);
  await bench.check();
  expect(actionsOf(await entriesOf(join(bench.state, "ledger")), "gap")).toEqual([]);
}

test.skipIf(no_mount !== undefined)("overlay: a file that is written moves to another layer", async () => {
  bench.append(100);
  const lower = join(beside, "lower");
  const upper = join(beside, "upper");
  cpSync(logs, lower, { recursive: true });
  mkdirSync(upper);
  mount("-t", "tmpfs", "tmpfs", upper);
  for (const name of ["files", "work"]) mkdirSync(join(upper, name));
  const layers = `lowerdir=${lower},upperdir=${join(upper, "files")},workdir=${join(upper, "work")}`;
  const over = (): void => mount("-t", "overlay", "-o", layers, "overlay", logs);
  over();
  const child = bench.start([]);
  await bench.settled(child.pid!, 100);
  bench.append(50);
  expect(readdirSync(join(upper, "files")), "it was copied").not.toEqual([]);
  await bench.settled(child.pid!, 150);
  bench.append(10);
  await bench.settled(child.pid!, 160);
  await stop(child);
  unmount(logs);
  over();
  bench.append(20);
  await whole();
});

test.skipIf(no_mount !== undefined)(
  "a mount that is away for long leaves an empty directory: nothing in it was deleted",
  async () => {
    bench.append(100);
    const remote = join(beside, "remote");
    mkdirSync(remote);
    mount("-t", "tmpfs", "tmpfs", remote);
    const [name] = readdirSync(logs);
    renameSync(logs, join(beside, "below"));
    cpSync(join(beside, "below"), remote, { recursive: true });
    mkdirSync(logs);
    mount("--bind", remote, logs);
    const child = bench.start([]);
    await bench.settled(child.pid!, 100);
    unmount(logs);
    bench.append(50, join(remote, name!));
    await sleep(LIMITS.grace_ms + 4_000);
    mount("--bind", remote, logs);
    await bench.settled(child.pid!, 150);
    // As after another mount, whose files have other numbers.
    unmount(logs);
    await sleep(LIMITS.grace_ms + 4_000);
    const other = join(beside, "other");
    mkdirSync(other);
    mount("-t", "tmpfs", "tmpfs", other);
    cpSync(remote, other, { recursive: true });
    mount("--bind", other, logs);
    bench.append(10, join(other, name!));
    await bench.settled(child.pid!, 160);
    await stop(child);
    await whole();
  },
);

/** A server of files over SFTP, on a pair of pipes. */
async function serve(): Promise<void> {
  const client = `sshfs -f -o passive -o dcache_timeout=1 \\:${join(beside, "remote")} ${logs}`;
  server = spawn("socat", [`EXEC:${SFTP}`, `EXEC:${client}`], { stdio: "ignore" });
  await vi.waitFor(() => expect(spawnSync("mountpoint", ["-q", logs]).status).toBe(0), { timeout: 20_000 });
}
async function goAway(): Promise<void> {
  server!.kill();
  await vi.waitFor(() => expect(server!.exitCode ?? server!.signalCode).not.toBeNull(), { timeout: 20_000 });
  unmount(logs);
}

test.skipIf(no_sftp !== undefined)(
  "network: the server goes away and comes back, files are new to it",
  async () => {
    bench.append(100);
    const remote = join(beside, "remote");
    renameSync(logs, remote);
    mkdirSync(logs);
    const path = join(remote, readdirSync(remote)[0]!);
    await serve();
    const child = bench.start([]);
    await bench.settled(child.pid!, 100);
    bench.append(50, path);
    await bench.settled(child.pid!, 150);
    server!.kill("SIGKILL"); // nobody answers, and the mount stays
    bench.append(10, path);
    await sleep(2_000);
    await goAway();
    writeFileSync(join(remote, "other.txt"), "none of ours\n");
    await serve();
    await bench.settled(child.pid!, 160);
    await stop(child);
    await goAway();
    bench.append(20, path);
    await serve();
    await whole();
  },
);
