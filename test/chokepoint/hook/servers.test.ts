// From the name that a client tells to what starts the server: scopes, names that are there twice, variables, our proxy
// in front of it, and Codex's TOML.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  byName,
  byStart,
  claudePlaces,
  codexPlaces,
  copilotPlaces,
  cursorPlaces,
  geminiPlaces,
  kiroPlaces,
  windsurfPlaces,
} from "../../../src/chokepoint/hook/servers.ts";
import { tomlServers } from "../../../src/chokepoint/hook/toml.ts";

const OWN = "/opt/tapline/bin/tapline.js";
let home: string;
const before = process.env["HOME"];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "tapline-servers-"));
  process.env["HOME"] = home;
  delete process.env["CLAUDE_CONFIG_DIR"];
  delete process.env["CODEX_HOME"];
});
afterEach(() => {
  process.env["HOME"] = before;
  rmSync(home, { recursive: true, force: true });
});

function put(path: string, content: object | string): void {
  const full = join(home, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, typeof content === "string" ? content : JSON.stringify(content));
}
const stdio = (name: string, ...command: string[]): object => ({ name, transport: "stdio", command });
const unknown = (name: string): object => ({ name, transport: "stdio" });
const npx = (...args: string[]): object => ({ command: "npx", args });

describe("Claude Code", () => {
  test("the scope that the hook tells is the one that counts; without one, two meanings are none", () => {
    const cwd = join(home, "work", "sub");
    put(".claude.json", {
      mcpServers: { desk: npx("user") },
      projects: { [join(home, "work")]: { mcpServers: { desk: npx("local") } } },
    });
    put("work/.mcp.json", { mcpServers: { desk: npx("project"), other: npx("other") } });
    const of = (source?: string): unknown => byName("desk", claudePlaces(cwd, source), OWN);
    expect(of("user")).toEqual(stdio("desk", "npx", "user"));
    expect(of("local")).toEqual(stdio("desk", "npx", "local"));
    expect(of("project")).toEqual(stdio("desk", "npx", "project"));
    expect(of("plugin")).toEqual(unknown("desk"));
    expect(of()).toEqual(unknown("desk"));
    expect(byName("other", claudePlaces(cwd, undefined), OWN)).toEqual(stdio("other", "npx", "other"));
    expect(byName("toString", claudePlaces(cwd, undefined), OWN)).toEqual(unknown("toString"));
  });

  test("variables are filled in, as the client does", () => {
    process.env["DESK_HOST"] = "desk.example";
    put(".claude.json", {
      mcpServers: { desk: { type: "http", url: "https://${DESK_HOST}/${DESK_PATH:-mcp}/${NOT_THERE}" } },
    });
    expect(byName("desk", claudePlaces(home, "user"), OWN)).toEqual({
      name: "desk",
      transport: "http",
      url: "https://desk.example/mcp/${NOT_THERE}",
    });
  });

  test("behind our own proxy it is the server itself; behind what merely looks like it, it is not", () => {
    const wrapped = ["mcp", "--server", "desk", "--", "npx", "-y", "@desk/server"];
    put(".claude.json", {
      mcpServers: {
        named: { command: "tapline", args: wrapped },
        own: { command: "/usr/bin/node", args: [OWN, ...wrapped] },
        script: { command: OWN, args: wrapped },
        runner: { command: "npx", args: ["tapline", ...wrapped] },
        posing: { command: "npx", args: ["tap1ine", ...wrapped] },
        evil: { command: "/tmp/evil/tapline", args: wrapped },
        other: { command: "tapline", args: ["run", "--", "npx"] },
      },
    });
    const command = (name: string): unknown => byName(name, claudePlaces(home, "user"), OWN).command;
    for (const name of ["named", "own", "script", "runner"])
      expect(command(name)).toEqual(["npx", "-y", "@desk/server"]);
    expect(command("evil")).toEqual(["/tmp/evil/tapline", ...wrapped]);
    expect(command("posing")).toEqual(["npx", "tap1ine", ...wrapped]);
    expect(command("other")).toEqual(["tapline", "run", "--", "npx"]);
  });

  test.each([
    "",
    "{",
    "[]",
    '{"mcpServers": []}',
    '{"mcpServers": {"desk": 7}}',
    '{"mcpServers": {"desk": {}}}',
  ])("a configuration of %j has no server", (text) => {
    put(".claude.json", text);
    expect(byName("desk", claudePlaces(home, "user"), OWN)).toEqual(unknown("desk"));
  });
});

test("each client's own files, those of the project and of the directories above it", () => {
  const server = (of: string): object => ({ mcpServers: { [of]: npx(of) } });
  put(".gemini/settings.json", server("gemini"));
  put("work/.gemini/settings.json", server("gemini-work"));
  put(".copilot/mcp-config.json", server("copilot"));
  put("work/.mcp.json", server("copilot-work"));
  put("work/.github/mcp.json", server("copilot-github"));
  put(".kiro/settings/mcp.json", server("kiro"));
  put("work/.kiro/settings/mcp.json", server("kiro-work"));
  put(".codeium/windsurf/mcp_config.json", server("windsurf"));
  put("work/.cursor/mcp.json", server("cursor-work"));
  const cwd = join(home, "work", "sub", "deep");
  for (const [places, names] of [
    [geminiPlaces(cwd), ["gemini", "gemini-work"]],
    [copilotPlaces(cwd), ["copilot", "copilot-work", "copilot-github"]],
    [kiroPlaces(cwd), ["kiro", "kiro-work"]],
    [windsurfPlaces(), ["windsurf"]],
    [cursorPlaces([join(home, "work")]), ["cursor-work"]],
  ] as const) {
    for (const name of names) expect(byName(name, places, OWN)).toEqual(stdio(name, "npx", name));
    expect(byName("other", places, OWN)).toEqual(unknown("other"));
  }
  expect(byName("cursor-work", cursorPlaces([]), OWN)).toEqual(unknown("cursor-work"));
});

test("a server that is switched off in one place still makes its name mean two things", () => {
  put(".gemini/settings.json", { mcpServers: { desk: npx("good") } });
  put("work/.gemini/settings.json", { mcpServers: { desk: { ...npx("evil"), disabled: true } } });
  expect(byName("desk", geminiPlaces(join(home, "work")), OWN)).toEqual(unknown("desk"));
});

test("a configuration that is a pipe holds nobody up", () => {
  mkdirSync(join(home, ".codeium/windsurf"), { recursive: true });
  execFileSync("mkfifo", [join(home, ".codeium/windsurf/mcp_config.json")]);
  expect(byName("desk", windsurfPlaces(), OWN)).toEqual(unknown("desk"));
});

test("Cursor tells what starts the server: its name is that of the configuration", () => {
  put(".cursor/mcp.json", {
    mcpServers: { desk: npx("-y", "a b"), far: { url: "https://desk.example/mcp" } },
  });
  const places = cursorPlaces([]);
  expect(byStart(undefined, "npx -y a b", places, OWN)).toEqual(stdio("desk", "npx", "-y", "a b"));
  expect(byStart("https://desk.example/mcp", undefined, places, OWN)).toMatchObject({ name: "far" });
  expect(byStart(undefined, "npx -y other", places, OWN)).toEqual(
    stdio("npx -y other", "npx", "-y", "other"),
  );
  expect(byStart("https://other.example", undefined, places, OWN)).toMatchObject({
    name: "https://other.example",
  });
  expect(byStart(undefined, undefined, places, OWN).name).toBe("");
});

const TOML = `
model = "gpt-5.5" # command = "no"
[mcp_servers.desk]
command = "npx" # a remark
args = ["-y", '@desk/server', "a \\"quoted\\" word",]
env = { TOKEN = "x" }
[mcp_servers."far away"]
url = "https://desk.example/mcp"
[mcp_servers.long]
command = 'node'
args = [
  "a",
  "b # not a remark",
]
[mcp_servers.desk.tools]
command = "rm"
[profiles.x]
command = "also not"
[mcp_servers.odd]
command = """
npx"""
[mcp_servers.twice]
command = "a"
[mcp_servers.twice]
command = "b"
[mcp_servers.strange]
command = "x"
args = [1, 2]
`;

test("the servers of a config.toml, as Python's reader has them; what is not plain is left out", () => {
  const ours = tomlServers(TOML);
  expect(ours).toEqual({
    desk: { command: "npx", args: ["-y", "@desk/server", 'a "quoted" word'] },
    "far away": { url: "https://desk.example/mcp" },
    long: { command: "node", args: ["a", "b # not a remark"] },
  });
  // Without the table that is there twice it is TOML.
  const plain = TOML.replace('[mcp_servers.twice]\ncommand = "b"\n', "");
  const code = "import json,sys,tomllib; print(json.dumps(tomllib.loads(sys.stdin.read())['mcp_servers']))";
  const { status, stdout } = spawnSync("python3", ["-c", code], { input: plain, encoding: "utf8" });
  if (status !== 0) return;
  const theirs = JSON.parse(stdout) as Record<string, object>;
  for (const [name, server] of Object.entries(ours)) expect(theirs[name]).toMatchObject(server);
});

test("Codex: the user's file and the project's", () => {
  put(".codex/config.toml", '[mcp_servers.desk]\ncommand = "npx"\n');
  put(
    "work/.codex/config.toml",
    '[mcp_servers.mine]\ncommand = "node"\n[mcp_servers.desk]\ncommand = "evil"\n',
  );
  expect(byName("mine", codexPlaces(join(home, "work")), OWN)).toEqual(stdio("mine", "node"));
  expect(byName("desk", codexPlaces(join(home, "work")), OWN)).toEqual(unknown("desk"));
  expect(byName("desk", codexPlaces(join(home, "elsewhere")), OWN)).toEqual(stdio("desk", "npx"));
});
