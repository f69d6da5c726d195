// Policy files that are wrong: every problem at once, with its place and what was meant.
import { expect, test } from "vitest";
import { parsePolicy } from "../../src/policy/parse.ts";
import { cpuMs } from "../cpu.ts";

function problems(yaml: string): string[] {
  try {
    parsePolicy(yaml, "policy.yml");
    return [];
  } catch (error) {
    return (error as Error).message.split("\n").map((line) => line.replace("policy.yml: ", ""));
  }
}

test("says what was meant", () => {
  expect(
    problems(`
version: 1
defalts: {}
servers:
  github: { comand: [npx], url: "https://x.example/", tools: { a: { clas: private } } }
agent_tools: { Bash: { argumentz: {} } }
data: [{ classification: secret, path: [/x] }]
`),
  ).toEqual([
    'unknown key "clas" (did you mean "class"?) at servers.github.tools.a',
    'unknown key "comand" (did you mean "command"?) at servers.github',
    'unknown key "argumentz" (did you mean "arguments"?) at agent_tools.Bash',
    'unknown key "path" (did you mean "paths"?) at data.0',
    'unknown key "defalts" (did you mean "defaults"?)',
  ]);
});

test("names that lead nowhere are told", () => {
  expect(
    problems(`
version: 1
servers:
  a: { command: [x], tools: { t: { tier: wirte } } }
  b: { package: y, version: "soon" }
roles: { dev: { tiers: [write] } }
data: [{ classification: secret, servers: [c] }]
`),
  ).toEqual([
    'tier "wirte" at servers.a.tools.t.tier: did you mean "write"?',
    '"soon" is no version or bound of one at servers.b.version',
    'no server "c" (did you mean "a"?) at data.0.servers',
  ]);
});

test("a place that is none is told, since leaving it out could open what it should shut", () => {
  const of = (rule: string) => problems(`version: 1\nagent_tools: { T: { arguments: { a: ${rule} } } }`);
  expect(of('{ not_hosts: ["https://evil.example/", "a b"], not_under: [etc, "~root"] }')).toEqual([
    '"etc" is no path from / or ~ at agent_tools.T.arguments.a',
    '"~root" is no path from / or ~ at agent_tools.T.arguments.a',
    '"https://evil.example/" is no host at agent_tools.T.arguments.a',
    '"a b" is no host at agent_tools.T.arguments.a',
  ]);
  expect(of('{ hosts: ["*.a.example", "b.example:1", "10.0.0.1", "::1"], under: ["~", "~/x", /a] }')).toEqual(
    [],
  );
  expect(problems("version: 1\ndata: [{ classification: a, paths: [x], hosts: ['?'] }]")).toHaveLength(2);
});

test("names that objects do not hold are refused, not lost", () => {
  expect(problems("version: 1\nagent_tools: { __proto__: deny }")).toEqual(["__proto__ cannot be a name"]);
});

test("hostile text is refused in bounded time", () => {
  const start = cpuMs();
  expect(problems("[".repeat(5_000))[0]).toMatch(/stack size/);
  expect(problems(`a: ${"{a: ".repeat(3_000)}1${"}".repeat(3_000)}`)[0]).toBeDefined();
  const letters = "bcdefghij".split("");
  const bomb = letters.map((c, i) => `${c}: &${c} [${Array(9).fill(`*${"abcdefghi"[i]}`).join(",")}]`);
  expect(problems(`a: &a [x,x,x,x,x,x,x,x,x]\n${bomb.join("\n")}`)).toEqual([expect.stringMatching(/alias/)]);
  expect(
    problems(`version: 1\nagent_tools: {${Array.from({ length: 20_000 }, (_, i) => `t${i}: x`).join(", ")}}`),
  ).toHaveLength(100);
  expect(problems("version: 1\nservers: {}\nservers: {}")).toEqual([
    "the key servers is there twice, at line 3",
  ]);
  expect(problems("version: !!js/function x")).toHaveLength(1);
  expect(cpuMs() - start).toBeLessThan(60_000);
}, 90_000);

test("a name is no identity", () => {
  expect(problems("version: 1\nservers: { github: { owner: me } }")[0]).toMatch(
    /a server needs what starts it/,
  );
});

test("YAML that is none, is told with its place", () => {
  expect(problems("version: 1\n  mode: x")[0]).toMatch(/at line \d, column \d/);
  expect(problems("")).toEqual([expect.stringMatching(/expected 1 at version/)]);
});
