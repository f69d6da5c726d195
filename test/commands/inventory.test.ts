// `tapline inventory` as it is used: discover what clients are set up with, sanction it, see the drift, accept a change.
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { parsePolicy } from "../../src/policy/parse.ts";
import { FileState } from "../../src/policy/state.ts";
import { configure, newHome, tapline } from "./tapline.ts";

function put(home: string, path: string, content: unknown): void {
  const full = join(home, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, typeof content === "string" ? content : JSON.stringify(content));
}

// Built here, so that no scanner takes it for a secret of this project.
const TOKEN = ["ghp", "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"].join("_");

function clients(home: string): void {
  put(home, ".claude.json", {
    mcpServers: {
      github: {
        command: "npx",
        args: ["-y", "@modelcontextprotocol/server-github@2025.4.8"],
        env: { GITHUB_TOKEN: TOKEN },
      },
      "hostile\nname": {
        command: "node",
        args: ["x.js", "--api-key", "hunter2hunter2", `--auth=${TOKEN}`, "-e", "PASSWORD=pw"],
      },
    },
  });
  put(home, ".cursor/mcp.json", {
    mcpServers: {
      vars: { command: "${HOME}/bin/vars", args: ["${SECRET_VALUE}"] },
      odd: { url: "https://${HOST/x" },
      zap: { url: `https://user:${TOKEN}@mcp.zap.example/api/s/Zm9vYmFy1234567890abcdef/mcp?key=${TOKEN}` },
      github: { command: "npx", args: ["-y", "@modelcontextprotocol/server-github@2025.4.8"] },
    },
  });
}

test("a first inventory is a policy that is usable, and holds no secret", async () => {
  const home = newHome();
  clients(home);
  const config = configure(home, {});
  const out = join(home, "state", "policy.yml");
  mkdirSync(join(home, "state"));
  const made = await tapline(home, ["inventory", "discover", "-c", config, "--out", out]);
  expect([made.code, made.stderr]).toEqual([
    0,
    expect.stringMatching(/^not read .*cursor.*: the URL of a server cannot be read\n$/),
  ]);
  expect(made.stdout).toBe(
    `wrote       ${out}: 4 servers, none of them approved\nin force     as it is, in mode observe: review it\n`,
  );
  const elsewhere = join(home, "elsewhere.yml");
  const other = await tapline(home, ["inventory", "discover", "-c", config, "--out", elsewhere]);
  expect(other.stdout).toContain(
    `\nnot in force: review it, then put it at ${out} or name it as policy: in the configuration\n`,
  );
  const text = readFileSync(out, "utf8");
  expect(`${text}${made.stdout}`).not.toMatch(/ghp_|hunter2|PASSWORD=pw|Zm9v/);
  const policy = parsePolicy(text, "policy.yml");
  expect(policy.servers.map(({ name, command, url }) => [name, command ?? url])).toEqual([
    ["github", ["npx", "-y", "@modelcontextprotocol/server-github@2025.4.8"]],
    ["hostile_name", ["node", "x.js", "--api-key", "*", "--auth=*", "-e", "PASSWORD=*"]],
    ["vars", ["*/bin/vars", "*"]],
    ["zap", "https://mcp.zap.example/api/s/*"],
  ]);
  // Written as found, it covers what was found.
  const diff = await tapline(home, ["inventory", "diff", "-c", config]);
  expect([diff.code, diff.stdout]).toEqual([1, expect.stringMatching(/^unsanctioned odd: [^\n]*\n$/)]);
  const again = await tapline(home, ["inventory", "discover", "-c", config, "--out", out]);
  expect(again.code).toBe(3);
  expect(statSync(out).size).toBe(text.length);
  const json = await tapline(home, ["inventory", "discover", "-c", config, "--json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({
    servers: [{ name: "github" }, {}, {}, {}],
    not_read: [expect.any(String)],
  });
  expect(json.stdout).not.toMatch(/ghp_|hunter2|Zm9v/);
});

test("drift is told by kind, with exit code 1", async () => {
  const home = newHome();
  clients(home);
  const config = configure(home, { policy: join(home, "policy.yml") });
  put(
    home,
    "policy.yml",
    `version: 1
servers:
  github: { package: "@modelcontextprotocol/server-github", version: ">=2026", owner: platform }
  old: { command: [old], approved: 2024-01-01, approved_by: ada, expires: 2025-01-01 }
`,
  );
  const state = new FileState(join(home, "state"));
  state.see("server github", [{ name: "get", hash: "sha256:1" }], 1);
  state.see("server github", [{ name: "get", hash: "sha256:2" }], 2);
  const { code, stdout } = await tapline(home, ["inventory", "diff", "-c", config, "--json"]);
  expect(code).toBe(1);
  const { drift } = JSON.parse(stdout) as { drift: { kind: string; server: string; tool?: string }[] };
  expect(drift.map(({ kind, server, tool }) => [kind, server, tool])).toEqual([
    ["version", "github", undefined],
    ["unsanctioned", "hostile\nname", undefined],
    ["unsanctioned", "vars", undefined],
    ["unsanctioned", "odd", undefined],
    ["unsanctioned", "zap", undefined],
    ["version", "github", undefined],
    ["unused", "old", undefined],
    ["expired", "old", undefined],
    ["changed", "github", "get"],
  ]);
  const shown = await tapline(home, ["inventory", "show", "-c", config]);
  expect(shown.code).toBe(0);
  expect(shown.stdout).toContain(
    "server      old (observe): old; no owner, approved 2024-01-01 by ada, to 2025-01-01",
  );
  expect(shown.stdout).toContain("HELD      get sha256:2");
  const accepted = await tapline(home, ["inventory", "accept", "github", "get", "-c", config]);
  expect([accepted.code, accepted.stdout]).toEqual([0, "accepted    github/get: sha256:1 → sha256:2\n"]);
  expect((await tapline(home, ["inventory", "accept", "github", "-c", config])).code).toBe(1);
  expect((await tapline(home, ["inventory", "accept", "none", "-c", config])).code).toBe(2);
});

test("a policy that is named and missing, or wrong, is trouble", async () => {
  const home = newHome();
  const config = configure(home, { policy: join(home, "none.yml") });
  const missing = await tapline(home, ["inventory", "show", "-c", config]);
  expect([missing.code, missing.stderr]).toEqual([3, expect.stringContaining("does not exist")]);
  put(home, "none.yml", "version: 1\nmod: enforce\n");
  const wrong = await tapline(home, ["inventory", "diff", "-c", config]);
  expect(wrong.stderr).toContain('did you mean "mode"?');
  expect(wrong.code).toBe(2);
});

test("servers that the ledger has seen and nobody sanctioned are told", async () => {
  const home = newHome();
  const line = (message: object, dir: string) =>
    JSON.stringify({
      v: 1,
      ts: `2026-11-01T10:00:0${dir === "c2s" ? 0 : 1}.000Z`,
      dir,
      conn: "c",
      server: dir === "c2s" ? { name: "ghost", command: ["ghost", "--x"] } : { name: "ghost" },
      msg: message,
    });
  put(
    home,
    "logs/mcp.jsonl",
    `${[
      line({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "boo", arguments: {} } }, "c2s"),
      line({ jsonrpc: "2.0", id: 1, result: { content: [] } }, "s2c"),
    ].join("\n")}\n`,
  );
  const config = configure(home, {
    sources: { logs: { type: "file", include: [join(home, "logs/*.jsonl")] } },
    sinks: { none: { type: "null" } },
  });
  const ran = await tapline(home, ["run", "--once", "-c", config]);
  expect(ran.code).toBe(0);
  const { code, stdout } = await tapline(home, ["inventory", "diff", "-c", config]);
  expect(code).toBe(1);
  // Once, and up to its result, which does not say what started it.
  expect(stdout).toBe(
    "policy       there is none: everything is unsanctioned\n" +
      "unknown      ghost: it was seen, last at 2026-11-01T10:00:01.000Z, and is neither sanctioned nor configured\n",
  );
  const found = await tapline(home, ["inventory", "discover", "-c", config]);
  expect(parsePolicy(found.stdout, "p").servers).toMatchObject([
    { name: "ghost", command: ["ghost", "--x"], tools: { boo: { verdict: "allow" } } },
  ]);
});
