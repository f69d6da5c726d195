// What clients are set up with: every file and shape, what is left where it is, and files that are hostile.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { discoverClients, plainJson, unwrap } from "../../src/policy/clients.ts";
import type { Places } from "../../src/policy/client-files.ts";
import { cpuMs } from "../cpu.ts";

let home: string;
let places: Places;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "tapline-clients-"));
  places = { home, cwd: join(home, "project"), env: {}, platform: "linux" };
  mkdirSync(places.cwd);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function put(path: string, content: unknown): void {
  const full = join(home, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, typeof content === "string" ? content : JSON.stringify(content));
}

async function found(): Promise<string[]> {
  const { configured } = await discoverClients(places);
  return configured.map(
    ({ client, scope, server, proxied, disabled }) =>
      `${client} ${scope} ${server.name} ${server.transport} ${server.url ?? server.command!.join(" ")}` +
      `${proxied ? " proxied" : ""}${disabled ? " disabled" : ""}`,
  );
}

const SECRET = "sk-must-never-leave";

test("reads the files of every client, and nothing but name, command and URL", async () => {
  const env = { TOKEN: SECRET };
  const headers = { Authorization: SECRET };
  put(".claude.json", {
    oauthAccount: SECRET,
    mcpServers: { a: { type: "stdio", command: "npx", args: ["-y", "a@1"], env } },
    projects: {
      [join(home, "other")]: { mcpServers: { b: { type: "http", url: "https://b.example/mcp", headers } } },
    },
  });
  put("other/.mcp.json", { mcpServers: { c: { command: "c" } } });
  put("project/.mcp.json", {
    mcpServers: { d: { type: "sse", url: "https://d.example/sse", transport: "sse" } },
  });
  put(".claude/settings.json", {
    allowedMcpServers: [{ serverCommand: ["npx", "e"] }, { serverName: "by-name-only" }],
    deniedMcpServers: [{ serverUrl: "https://*.evil.example/*" }],
  });
  put(
    ".codex/config.toml",
    `model = "x"
[mcp_servers.f]
command = "uvx"
args = ["f==1.0"]
env = { TOKEN = "${SECRET}" }
[mcp_servers.g]
url = "https://g.example/mcp"
bearer_token_env_var = "G"
enabled = false
`,
  );
  put(".cursor/mcp.json", { mcpServers: { h: { command: "/opt/h", args: [] } } });
  put(".gemini/settings.json", { mcpServers: { i: { httpUrl: "https://i.example/", headers } } });
  put(".copilot/mcp-config.json", { mcpServers: { j: { type: "local", command: "j", tools: ["*"], env } } });
  put(
    "project/.vscode/mcp.json",
    `{ // what editors allow\n "servers": { "k": { "command": "k", "args": ["--url=http://x//y"], }, }, }`,
  );
  put(".codeium/windsurf/mcp_config.json", {
    mcpServers: { l: { serverUrl: "https://l.example/", disabled: true } },
  });
  put(".kiro/settings/mcp.json", {
    mcpServers: {
      m: { command: "node", args: ["/x/bin/tapline.js", "mcp", "--server", "m", "--", "npx", "m@2"] },
    },
  });
  put(".config/Claude/claude_desktop_config.json", { mcpServers: { n: { command: "n" } } });
  expect(await found()).toEqual([
    "claude-code user a stdio npx -y a@1",
    "claude-code local b http https://b.example/mcp",
    "claude-code allowed e stdio npx e",
    "claude-code denied any.evil.example http https://*.evil.example/*",
    "claude-code project d sse https://d.example/sse",
    "claude-desktop user n stdio n",
    "codex user f stdio uvx f==1.0",
    "codex user g http https://g.example/mcp disabled",
    "cursor user h stdio /opt/h",
    "gemini-cli user i http https://i.example/",
    "copilot project k stdio k --url=http://x//y",
    "copilot user j stdio j",
    "windsurf user l http https://l.example/ disabled",
    "kiro user m stdio npx m@2 proxied",
    "claude-code project c stdio c",
  ]);
  expect(JSON.stringify(await discoverClients(places))).not.toContain(SECRET);
});

test("files that cannot be used are told by their path alone", async () => {
  put(".claude.json", `{"token": "${SECRET}", oops`);
  put(".codex/config.toml", `token = "${SECRET}"\n[[[`);
  put(".cursor/mcp.json", { mcpServers: [1, null, "x"] });
  put(".gemini/settings.json", {
    mcpServers: { a: null, b: { command: 7 }, c: { command: [] }, __proto__: { command: "x" } },
  });
  mkdirSync(join(home, ".copilot/mcp-config.json"), { recursive: true });
  mkdirSync(join(home, ".kiro/settings"), { recursive: true });
  execFileSync("mkfifo", [join(home, ".kiro/settings/mcp.json")]);
  const { configured, problems } = await discoverClients(places);
  expect(configured).toEqual([]);
  expect(problems.map((one) => one.replace(home, "~"))).toEqual([
    "~/.claude.json: no JSON",
    "~/.codex/config.toml: no TOML",
    "~/.copilot/mcp-config.json: it is a directory, not a file",
    "~/.kiro/settings/mcp.json: it is a pipe, not a file",
  ]);
});

test("comments that never end take no time", () => {
  const start = cpuMs();
  plainJson("/*/".repeat(80_000));
  plainJson(`{"a": "${"\\\\".repeat(80_000)}`);
  expect(cpuMs() - start).toBeLessThan(10_000);
  expect(JSON.parse(plainJson('{"a": "// no, /* no */ ,}", /* yes */ "b": [1, 2, ], }'))).toEqual({
    a: "// no, /* no */ ,}",
    b: [1, 2],
  });
});

test("variables are put in to compare, and left as they are to show", async () => {
  put("project/.mcp.json", {
    mcpServers: {
      a: { command: "${TOOLS:-/opt}/a", args: ["--key", "${env:KEY}", "${NONE}"] },
      b: { url: "https://${HOST}/mcp" },
    },
  });
  const { configured } = await discoverClients({ ...places, env: { KEY: SECRET, HOST: "b.example" } });
  expect(configured.map(({ identity }) => identity.url ?? identity.command)).toEqual([
    ["/opt/a", "--key", SECRET, "${NONE}"],
    "https://b.example/mcp",
  ]);
  expect(JSON.stringify(configured.map(({ server }) => server))).not.toContain(SECRET);
});

test("only what is started behind Tapline's own proxy is unwrapped", () => {
  expect(unwrap(["tapline", "mcp", "--", "x", "--", "y"])).toEqual(["x", "--", "y"]);
  expect(unwrap(["npx", "tapline", "mcp", "--server", "a", "--", "x"])).toEqual(["x"]);
  expect(unwrap(["x", "--", "tapline", "mcp"])).toBeUndefined();
  expect(unwrap(["tapline", "run", "--", "x"])).toBeUndefined();
  expect(unwrap(["tapline-evil", "mcp", "--", "x"])).toBeUndefined();
});
