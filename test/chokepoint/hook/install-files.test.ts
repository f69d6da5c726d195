// The file that the hook is installed in: what cannot be read is left alone, links stay links, every change keeps what was
// there, and who may read it.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { hook } from "../../../src/commands/hook.ts";
import { configure, tapline } from "../../commands/tapline.ts";
import { KEPT, command, commands, json } from "./installing.ts";
import { type World, newWorld, remove } from "./world.ts";

let world: World;
let config: string;
const home = process.env["HOME"];
beforeEach(() => {
  world = newWorld();
  config = configure(world.home, { state_dir: world.state });
  process.env["HOME"] = world.home;
});
afterEach(() => {
  process.env["HOME"] = home;
  remove(world);
});

const install = (client: string, ...more: string[]): Promise<string> =>
  command("install", client, "-c", config, "--policy", world.policy, ...more);

test("a file that cannot be read is left alone", async () => {
  const file = join(world.home, ".cursor/hooks.json");
  for (const text of ["// mine\n{}", "[1]", '{"hooks": 7}', '{"hooks": {"stop": 7}}']) {
    writeFileSync(file, text);
    await expect(install("cursor")).rejects.toMatchObject({
      code: "HOOK_CONFIG_UNREADABLE",
      message: expect.stringContaining(file) as string,
      remedy: expect.stringContaining("--print") as string,
    });
    expect(readFileSync(file, "utf8")).toBe(text);
    expect(readdirSync(dirname(file)).toSorted()).toEqual(["hooks.json", "mcp.json"]);
  }
});

test("a link stays a link, and --file names another file", async () => {
  const real = join(world.home, "dotfiles.json");
  writeFileSync(real, "{}");
  const link = join(world.home, ".cursor/hooks.json");
  symlinkSync(real, link);
  await install("cursor");
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(commands(json(real)).length).toBeGreaterThan(0);
  const other = join(world.home, "etc/hooks.json");
  expect(await install("cursor", "--file", other)).toContain(
    `to undo     tapline hook uninstall cursor --file ${other}`,
  );
  expect(commands(json(other)).length).toBeGreaterThan(0);
});

test("a link whose file is not there yet stays a link, and the file is made behind it", async () => {
  const files = join(world.home, "dotfiles");
  mkdirSync(join(files, "cursor"), { recursive: true });
  // A directory that is a link: the link within it is relative to where it really is.
  rmSync(join(world.home, ".cursor"), { recursive: true });
  symlinkSync(join(files, "cursor"), join(world.home, ".cursor"));
  const link = join(world.home, ".cursor/hooks.json");
  symlinkSync("../later/hooks.json", link);
  await install("cursor");
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(commands(json(join(files, "later/hooks.json"))).length).toBeGreaterThan(0);
});

test("an administrator's file can be read by all, whatever the umask; a user's own is the user's", async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), "tapline-etc-"));
  const umask = process.umask(0o077);
  try {
    chmodSync(elsewhere, 0o755);
    const file = join(elsewhere, "cursor/hooks.json");
    await install("cursor", "--file", file);
    expect([dirname(file), file].map((path) => statSync(path).mode & 0o777)).toEqual([0o755, 0o644]);
    await install("cursor");
    expect(statSync(join(world.home, ".cursor/hooks.json")).mode & 0o777).toBe(0o600);
  } finally {
    process.umask(umask);
    rmSync(elsewhere, { recursive: true });
  }
});

test("every change keeps the file before it, also several in one second", async () => {
  const file = join(world.home, ".cursor/hooks.json");
  writeFileSync(file, JSON.stringify(KEPT["cursor"]));
  vi.useFakeTimers({ toFake: ["Date"] });
  try {
    await install("cursor");
    await command("uninstall", "cursor");
    await install("cursor");
  } finally {
    vi.useRealTimers();
  }
  const kept = readdirSync(dirname(file)).filter((name) => name.endsWith(".bak"));
  expect(kept).toHaveLength(3);
  const without = kept.filter((name) => commands(json(join(dirname(file), name))).length === 0);
  expect(without.map((name) => json(join(dirname(file), name)))).toEqual([KEPT["cursor"], KEPT["cursor"]]);
});

test.runIf(process.platform === "linux")(
  "places that are no file are refused at once, and nothing is made",
  async () => {
    const pipe = join(world.home, "pipe.json");
    execFileSync("mkfifo", [pipe]);
    const link = join(world.home, "link.json");
    symlinkSync("/dev/null", link);
    const directory = join(world.home, "directory.json");
    mkdirSync(directory);
    for (const [file, why] of [
      ["/proc/x/y", "no place for a configuration"],
      ["/proc/self/x.json", "no place for a configuration"],
      ["/dev/zero", "no place for a configuration"],
      ["/sys/x/y.json", "no place for a configuration"],
      [link, "no place for a configuration"],
      [pipe, "it is a pipe, not a file"],
      [directory, "it is a directory, not a file"],
    ]) {
      for (const words of [
        ["install", "cursor", "-c", config],
        ["uninstall", "cursor"],
      ])
        await expect(async () => hook.run([...words, "--file", file!])).rejects.toThrow(why);
    }
    const told = await tapline(world.home, ["hook", "install", "cursor", "--file", "/proc/x/y"]);
    expect(told.code).toBe(3);
    expect(told.stderr).toContain("/proc/x/y: no place for a configuration");
  },
);
