// The hook in a client's configuration: put there and taken out again, with everything else as it was. What is written
// is run through a shell, as the client would.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SETTINGS } from "../../../src/chokepoint/hook/settings.ts";
import { hook } from "../../../src/commands/hook.ts";
import { configure, tapline } from "../../commands/tapline.ts";
import { CLIENTS, type Sent } from "./clients.ts";
import { KEPT, command, commands, json } from "./installing.ts";
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
const install = (client: string, ...more: string[]): Promise<string> =>
  command("install", client, "-c", config, "--policy", world.policy, ...more);

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
