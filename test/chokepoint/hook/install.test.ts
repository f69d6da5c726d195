// The hook in a client's configuration: put there and taken out again, with everything else as it was. What is written
// is run through a shell, as the client would.
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SETTINGS } from "../../../src/chokepoint/hook/settings.ts";
import { hook } from "../../../src/commands/hook.ts";
import { configure, tapline } from "../../commands/tapline.ts";
import { CLIENTS, type Sent } from "./clients.ts";
import { type World, environment, newWorld, remove, spooled } from "./world.ts";

let world: World;
let config: string;
const home = process.env["HOME"];
beforeEach(() => {
  world = newWorld();
  // A directory whose name a shell would take apart.
  world = { ...world, state: join(world.home, "it's a state") };
  config = configure(world.home, { state_dir: world.state });
  process.env["HOME"] = world.home;
  for (const name of ["CLAUDE_CONFIG_DIR", "CODEX_HOME", "COPILOT_HOME"]) delete process.env[name];
});
afterEach(() => {
  process.env["HOME"] = home;
  remove(world);
});

const FILES: Record<string, string> = {
  "claude-code": ".claude/settings.json",
  codex: ".codex/hooks.json",
  cursor: ".cursor/hooks.json",
  gemini: ".gemini/settings.json",
  copilot: ".copilot/hooks/tapline.json",
  windsurf: ".codeium/windsurf/hooks.json",
  kiro: ".kiro/hooks/tapline.json",
};
const KEPT: Record<string, object> = {
  "claude-code": {
    model: "opus",
    hooks: { PreToolUse: [{ matcher: "Bash", hooks: [{ type: "command", command: "guard" }] }], Other: [] },
  },
  codex: { description: "mine", hooks: { Stop: [{ hooks: [{ type: "command", command: "ring" }] }] } },
  cursor: { version: 1, hooks: { stop: [{ command: "ring" }] } },
  gemini: { theme: "dark", mcpServers: { desk: { command: "npx", args: ["-y", "@desk/server"] } } },
  copilot: { version: 1, hooks: { preToolUse: [{ type: "command", bash: "guard" }] } },
  windsurf: { hooks: { pre_run_command: [{ command: "guard" }] } },
  kiro: {
    version: "v1",
    hooks: [{ name: "lint", trigger: "PostFileSave", action: { type: "command", command: "lint" } }],
  },
};

/** The command in this process; what it said. */
async function command(...words: string[]): Promise<string> {
  const said: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((line: string) => void said.push(line));
  try {
    expect(await hook.run(words)).toBe(0);
  } finally {
    log.mockRestore();
  }
  return said.join("\n");
}
const install = (client: string, ...more: string[]): Promise<string> =>
  command("install", client, "-c", config, "--policy", world.policy, ...more);
const json = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;

/** Command lines of our hooks in a configuration, whatever is around them. */
function commands(content: unknown): string[] {
  if (typeof content === "string") return content.includes("tapline-hook.cjs") ? [content] : [];
  if (typeof content !== "object" || content === null) return [];
  return Object.values(content).flatMap(commands);
}

describe.each(CLIENTS)("$client", (sent: Sent) => {
  const { client } = sent;

  test("is installed beside what is there, once, and taken out again", async () => {
    const file = join(world.home, FILES[client]!);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(KEPT[client]));
    chmodSync(file, 0o640);
    const first = await install(client);
    expect(first).toContain(`wrote       ${file}`);
    expect(first).toContain(`to undo     tapline hook uninstall ${client}`);
    const events = SETTINGS.get(client)!.events;
    expect(
      commands(json(file))
        .map((line) => line.split(" ")[3])
        .toSorted(),
    ).toEqual(events.toSorted());
    expect(statSync(file).mode & 0o777).toBe(0o640);
    const backups = readdirSync(dirname(file)).filter((name) => name.endsWith(".bak"));
    expect(backups.map((name) => json(join(dirname(file), name)))).toEqual([KEPT[client]]);

    const text = readFileSync(file, "utf8");
    expect(await install(client)).toContain(`unchanged   ${file}`);
    expect(readFileSync(file, "utf8")).toBe(text);

    // Another policy replaces the command; it is not there twice.
    await install(client, "--fail", "open");
    expect(commands(json(file)).every((line) => line.endsWith("--fail open"))).toBe(true);
    expect(commands(json(file))).toHaveLength(events.length);

    await command("uninstall", client);
    expect(json(file)).toEqual(client === "gemini" ? { ...KEPT[client], hooks: {} } : KEPT[client]);
  });

  test("what is installed is what --print shows, and it runs", async () => {
    const shown = await install(client, "--print");
    const file = join(world.home, FILES[client]!);
    expect(shown.split("\n")[0]).toBe(`# ${file}`);
    const before = client === "gemini" ? json(file) : undefined;
    expect(before ?? lstatSync(file, { throwIfNoEntry: false })).toEqual(before);
    await install(client);
    const printed = JSON.parse(shown.slice(shown.indexOf("\n"))) as Record<string, unknown>;
    expect(json(file)).toEqual({ ...before, ...printed });
    const gate = client === "kiro" ? "PreToolUse" : sent.gate;
    const run = commands(printed).find((line) => line.split(" ")[3] === gate)!;
    const input = JSON.stringify(sent.call("drop_all"));
    const cwd = join(world.home, "work");
    const ended = spawnSync("sh", ["-c", run], { input, env: environment(world), cwd, encoding: "utf8" });
    expect(ended.stdout + ended.stderr).toContain("servers.desk.tools.drop_all");
    expect(spooled(world)[0]!.decision).toMatchObject({ verdict: "deny", action: "block" });
  });
});

test("settings that make the client itself refuse are there", async () => {
  expect((await install("claude-code", "--print")).split('"onFailure": "block"')).toHaveLength(2);
  expect((await install("cursor", "--print")).split('"failClosed": true')).toHaveLength(5);
  // Who lets calls pass without a policy does not want them refused without the hook.
  expect(await install("claude-code", "--print", "--fail", "open")).not.toContain("onFailure");
  expect(await install("cursor", "--print", "--fail", "open")).not.toContain("failClosed");
});

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

test("without a policy the hook records and lets pass, and says so", async () => {
  rmSync(world.policy);
  rmSync(world.policy.replace(".yml", ".json"));
  const told = await install("codex");
  expect(told).toContain("no policy");
  expect(
    commands(json(join(world.home, ".codex/hooks.json"))).every((line) => line.endsWith("--fail open")),
  ).toBe(true);
  const closed = await install("codex", "--fail", "closed");
  expect(closed).toContain("every call is refused");
});

test.each([[[]], [["emacs"]], [["install"]], [["install", "codex", "--fail", "ajar"]]])(
  "%j is a mistake on the command line",
  async (words) => {
    await expect(hook.run(words)).rejects.toThrow(/name the client|--fail takes/);
  },
);

test("`tapline hook CLIENT` runs the same hook by hand", async () => {
  const sent = CLIENTS[1]!;
  const words = ["hook", "codex", "PreToolUse", "-c", config, "--policy", world.policy];
  const told = await tapline(world.home, words, JSON.stringify(sent.call("drop_all")));
  expect(told).toMatchObject({ code: 2, stdout: "" });
  expect(told.stderr).toContain("servers.desk.tools.drop_all");
});
