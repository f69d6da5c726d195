// What a policy says of calls: which server it is, lines and defaults, roles, expiry, what arguments may be.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FileState } from "../../src/policy/state.ts";
import { call, decider, http, said, stdio } from "./make.ts";

const POLICY = `
version: 1
mode: enforce
servers:
  github:
    package: "@modelcontextprotocol/server-github"
    version: ">=2025.4 <2026"
    owner: platform
    expires: 2026-12-01
    default: deny
    tools:
      get_*: allow
      get_secret: deny
      create_issue: ask
      watch: { verdict: deny, mode: observe }
    resources:
      "repo://*": allow
    requests:
      sampling/createMessage: ask
  files:
    command: [/usr/bin/files, --root, "*", "**"]
    mode: observe
    tools:
      write: deny
  search:
    url: https://mcp.example.com/v1/*
    tools: { "*": { tier: web } }
agent_tools:
  Bash: ask
roles:
  researcher: { users: [ada, "b*"], tiers: [web] }
`;

const github = stdio("github", "npx", "-y", "@modelcontextprotocol/server-github@2025.4.8");
const files = stdio("files", "/usr/bin/files", "--root", "/srv", "--verbose");
const policy = decider(POLICY);

test("an explicit deny beats everything, a line beats the default", () => {
  expect(said(policy, call(github, "get_issue"))).toEqual(["allow", "enforce", "servers.github.tools.get_*"]);
  expect(said(policy, call(github, "get_secret"))).toEqual([
    "deny",
    "enforce",
    "servers.github.tools.get_secret",
  ]);
  expect(said(policy, call(github, "create_issue"))).toEqual([
    "ask",
    "enforce",
    "servers.github.tools.create_issue",
  ]);
  expect(said(policy, call(github, "delete_repo"))).toEqual(["deny", "enforce", "servers.github.default"]);
  // An observed deny is no grant: the default still stands.
  expect(said(policy, call(github, "watch"))).toEqual(["deny", "enforce", "servers.github.default"]);
  expect(said(policy, call(files, "write"))).toEqual(["deny", "observe", "servers.files.tools.write"]);
  expect(said(policy, call(files, "read"))).toEqual(["allow", "observe", "defaults.tools"]);
  expect(said(policy, call(undefined, "Bash"))).toEqual(["ask", "enforce", "agent_tools.Bash"]);
  expect(said(policy, call(undefined, "Read"))).toEqual(["allow", "enforce", "defaults.agent_tools"]);
});

test("resources, prompts and what servers ask have lines of their own; other methods ask about the server", () => {
  const of = (method: string, tool = "") => said(policy, call(github, tool, { method }));
  expect(of("resources/read", "repo://a/b")).toEqual([
    "allow",
    "enforce",
    "servers.github.resources.repo://*",
  ]);
  expect(of("resources/read", "file:///etc/passwd")).toEqual(["deny", "enforce", "servers.github.default"]);
  expect(of("prompts/get", "review")).toEqual(["deny", "enforce", "servers.github.default"]);
  expect(of("sampling/createMessage")).toEqual([
    "ask",
    "enforce",
    "servers.github.requests.sampling/createMessage",
  ]);
  expect(of("initialize")).toEqual(["allow", "enforce", "servers.github"]);
});

test("what started a server is its identity, never its name", () => {
  const refused = (server: ReturnType<typeof stdio>) => said(policy, call(server, "get_issue"));
  const unknown = ["deny", "enforce", "defaults.servers"];
  expect(refused(stdio("github", "node", "evil.js"))).toEqual(unknown);
  expect(refused({ name: "github", transport: "stdio", version: "2025.4.8" })).toEqual(unknown);
  expect(refused(http("search", "https://mcp.example.com.evil.net/v1/x"))).toEqual(unknown);
  expect(refused(http("search", "https://mcp.example.com/v1/../v2"))).toEqual(unknown);
  expect(refused(http("search", "https://mcp.example.com@evil.net/v1/x"))).toEqual(unknown);
  expect(refused(http("other", "https://mcp.example.com/v1/x?key=1"))[0]).toBe("allow");
  expect(refused(stdio("files", "/usr/bin/files", "--root"))).toEqual(unknown);
  expect(
    refused(stdio("x", "npx", "--package=evil", "@modelcontextprotocol/server-github@2025.4.8")),
  ).toEqual(unknown);
  expect(refused(stdio("x", "/tmp/npx", "@modelcontextprotocol/server-github@2025.4.8"))).toEqual(unknown);
  expect(
    policy.decide(call(stdio("github", "node", "evil.js"), "get_issue"), {
      changed: () => false,
      take: () => true,
    }).reason,
  ).toContain("started by another command");
});

test("a version that is not approved, or not named, is denied", () => {
  const of = (spec: string) => said(policy, call(stdio("github", "npx", "-y", spec), "get_issue"));
  const wrong = ["deny", "enforce", "servers.github.version"];
  expect(of("@modelcontextprotocol/server-github")).toEqual(wrong);
  expect(of("@modelcontextprotocol/server-github@latest")).toEqual(wrong);
  expect(of("@modelcontextprotocol/server-github@^2025.4.8")).toEqual(wrong);
  expect(of("@modelcontextprotocol/server-github@2026.1.1")).toEqual(wrong);
  expect(of("@modelcontextprotocol/server-github@2025.9.1")[0]).toBe("allow");
  expect(of("@modelcontextprotocol/server-github@npm:evil@2025.4.8")).toEqual([
    "deny",
    "enforce",
    "defaults.servers",
  ]);
});

test("an approval holds to the end of its last day", () => {
  const at = (time: string) => said(policy, call(github, "get_issue", { now_ms: Date.parse(time) }))[2];
  expect(at("2026-12-01T23:59:59.999Z")).toBe("servers.github.tools.get_*");
  expect(at("2026-12-02T00:00:00Z")).toBe("servers.github.expires");
});

test("a tier is for the roles that have it", () => {
  const search = http("search", "https://mcp.example.com/v1/mcp/");
  const by = (user: string | undefined) => said(policy, call(search, "find", { user }))[2];
  expect(by("ada")).toBe("servers.search.tools.*");
  expect(by("bob")).toBe("servers.search.tools.*");
  expect(by("eve")).toBe("servers.search.tools.*.tier");
  expect(by(undefined)).toBe("servers.search.tools.*.tier");
});

test("no reason holds a word of the call", () => {
  const marker = "zz-attacker-zz";
  const reasons = [
    call(stdio(marker, marker), marker),
    call(github, `get_${marker}`, { arguments: { [marker]: marker } }),
    call(files, marker),
    call(undefined, marker),
  ].map((asked) => JSON.stringify(policy.decide(asked, { changed: () => true, take: () => false })));
  expect(reasons.filter((reason) => reason.includes(marker))).toEqual([]);
});

test("a call that is asked about counts when it is allowed, once", () => {
  const state = new FileState(mkdtempSync(join(tmpdir(), "tapline-rate-")));
  const own = decider(`
version: 1
mode: enforce
servers:
  s: { command: [s], tools: { t: { verdict: ask, rate: { calls: 1, per_s: 3600 } } } }
`);
  const asked = (may_ask: boolean) => said(own, call(stdio("s", "s"), "t", { may_ask }), state)[2];
  expect([asked(true), asked(true)]).toEqual(["servers.s.tools.t", "servers.s.tools.t"]);
  expect(asked(false)).toBe("servers.s.tools.t");
  // Nobody is asked in vain.
  expect([asked(true), asked(false)]).toEqual(["servers.s.tools.t.rate", "servers.s.tools.t.rate"]);
});

test("whether anything said of a server is enforced", () => {
  const own = decider(`
version: 1
defaults: { servers: { verdict: deny, mode: enforce } }
servers:
  a: { command: [a] }
  b: { command: [b], tools: { t: { verdict: deny, mode: enforce } } }
  c: { command: [c], mode: enforce }
`);
  const asked = ["a", "b", "c", "unknown"].map((name) => own.enforces(stdio(name, name)));
  expect(asked).toEqual([false, true, true, true]);
  const changed = decider("version: 1\ndefaults: { changed: { verdict: deny, mode: enforce } }");
  expect(changed.enforces(stdio("unknown", "unknown"))).toBe(true);
});
