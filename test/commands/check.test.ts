// `tapline check`: every problem at once, each with its place, and a hint where a word is nearly right. Hostile
// configurations are refused in bounded time.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { configure, newHome, tapline } from "./tapline.ts";

const home = newHome();

interface Problem {
  readonly where: string;
  readonly what: string;
  readonly remedy?: string;
}

async function check(text: string): Promise<{ code: number | null; problems: Problem[] }> {
  const path = join(home, "checked.yml");
  writeFileSync(path, text);
  const { code, stdout } = await tapline(home, ["check", "-c", path, "--json"]);
  return { code, problems: (JSON.parse(stdout) as { problems: Problem[] }).problems };
}

test("a configuration that is fine says so, and the bundled rules are fine too", async () => {
  const config = configure(home, {
    sources: { a: { type: "file", include: ["x"] } },
    sinks: { n: { type: "null" } },
  });
  const { code, stdout } = await tapline(home, ["check", "-c", config]);
  const [fine, ...more] = stdout.trimEnd().split("\n");
  expect([code, fine]).toEqual([0, "fine: 1 sources, 1 sinks, rules and connections"]);
  // Without an inventory the rules on it rest, which is no problem.
  for (const line of more)
    expect(line).toMatch(/^rules: .*_unsanctioned_.* rests: nothing defines %sanctioned_/);
  const bare = await tapline(home, ["check"]);
  expect(bare.code).toBe(0);
});

test("every problem at once, with its place, and the word that was meant", async () => {
  const { code, problems } = await check(`
workrs: 3
namespace: Bad-NS
heartbeat_s: 0
sources:
  a: {type: fil, include: [x]}
  b: {type: file, includ: [x], capture: {argments: full}}
  Cc: {type: file, include: [x]}
  d: {include: [x]}
  e: {type: file, include: [x], capture: {arguments: ful}}
  f: hello
sinks:
  o: {type: opensearch, url: not a url, timeout_s: 0}
  p: {type: elasticserch, url: "http://x"}
  q: {type: constructor}
  r: {type: opensearch, url: "http://sam:secret@127.0.0.1"}
`);
  expect(code).toBe(1);
  const told = problems.map((problem) => problem.what);
  const wanted = [
    /unknown key "workrs" \(did you mean "workers"\?\)/,
    /a namespace: .* at namespace/,
    />=1 at heartbeat_s/,
    /unknown type "fil" \(did you mean "file"\?\) at sources\.a\.type: one of file, kafka, otlp, spool/,
    /unknown key "includ" \(did you mean "include"\?\) at sources\.b$/,
    /sources\.b\.include is missing$/,
    /unknown key "argments" \(did you mean "arguments"\?\) at sources\.b\.capture/,
    /a name: .* at sources\.Cc/,
    /type is missing at sources\.d\.type: one of file, kafka, otlp, spool/,
    /"redacted".* at sources\.e\.capture\.arguments/,
    /expected object, received string at sources\.f/,
    /an http or https URL at sinks\.o\.url/,
    />=1 at sinks\.o\.timeout_s/,
    /unknown type "elasticserch" \(did you mean "elasticsearch"\?\) at sinks\.p\.type: one of/,
    /unknown type "constructor" at sinks\.q\.type/,
    /a URL without user and password.* at sinks\.r\.url/,
  ];
  for (const want of wanted) expect(told.filter((what) => want.test(what)).length, String(want)).toBe(1);
  expect(told.length).toBe(wanted.length);
  expect(told.join()).not.toContain("secret");
});

test("formats and the mapping of json lines are checked too", async () => {
  const { code, problems } = await check(`
sources:
  a: {type: file, include: [x], format: jsn}
  b: {type: file, include: [x], options: {session: s}}
  c: {type: file, include: [x], format: json, options: {sesion: s, fields: {user.nam: u, event.duration: {value: x}}}}
  d: {type: file, include: [x], format: json, options: {session: s, fields: {user.name: u}}}
`);
  expect([code, problems.map(({ what }) => what.replace(/^.*?yml: /, ""))]).toEqual([
    1,
    [
      expect.stringMatching(/^no format "jsn" \(did you mean "json"\?\) at sources\.a\.format: one of mcp, /),
      "options are for `format: json` at sources.b.options",
      "not a field that a mapping may set at sources.c.options.fields.user.nam",
      'unknown key "sesion" (did you mean "session"?) at sources.c.options',
    ],
  ]);
});

const bomb = ["a: &a [x,x,x,x,x,x,x,x,x]"];
for (let i = 1; i < 9; i++) {
  const [name, of] = ["abcdefghi"[i]!, "abcdefghi"[i - 1]!];
  bomb.push(`${name}: &${name} [${Array(9).fill(`*${of}`).join()}]`);
}

describe("hostile text is refused, in bounded time and output", () => {
  test.each([
    ["a YAML bomb", bomb.join("\n"), /alias count/],
    ["deep nesting", `a: ${"[".repeat(20_000)}${"]".repeat(20_000)}`, /call stack|deep|depth/i],
    ["brackets that never close", "[".repeat(200_000), /./],
    ["a key twice", "workers: 2\nworkers: 3\n", /Map keys must be unique at line 2/],
    ["a list", "- a\n", /expected object, received array/],
    ["two documents", "workers: 2\n---\nworkers: 3\n", /multiple documents/],
    ["a tag", 'workers: !!js/function "x"\n', /Unresolved tag/],
    ["a prototype", "__proto__: {a: 1}\n", /unknown key "__proto__"/],
    ["a scalar", "\u0000", /expected object, received string/],
    ["too many bytes", `# ${"x".repeat(LIMITS.config_bytes)}`, /larger than/],
    ["too many problems", Array.from({ length: 5000 }, (_, i) => `sources${i}: 1`).join("\n"), /unknown key/],
  ])("%s", async (_, text, want) => {
    const { code, problems } = await check(text);
    expect(code).toBe(1);
    expect(problems.map((problem) => problem.what).join("\n")).toMatch(want);
    expect(problems.length).toBeLessThanOrEqual(LIMITS.config_problems);
  });
});

test("rules that cannot be used and servers that do not answer are named together, each with a place", async () => {
  const rules = join(home, "rules");
  mkdirSync(rules, { recursive: true });
  writeFileSync(
    join(rules, "condition.yml"),
    "title: a\nlogsource: {product: x}\ndetection: {s: {a: b}, condition: nothing}\n",
  );
  writeFileSync(join(rules, "broken.yml"), "title: [\n");
  const config = configure(home, {
    rules: [rules, join(home, "no-rules")],
    sinks: {
      one: { type: "opensearch", url: "http://127.0.0.1:1" },
      two: {
        type: "elasticsearch",
        url: "http://127.0.0.1:1",
        username: "u",
        password_file: join(home, "none"),
      },
    },
  });
  const { code, stdout } = await tapline(home, ["check", "-c", config, "--json"]);
  expect(code).toBe(1);
  const { problems } = JSON.parse(stdout) as { problems: Problem[] };
  const at = (where: string) =>
    problems.filter((problem) => problem.where === where).map((problem) => problem.what);
  expect(at("rules").some((what) => what.includes("condition.yml"))).toBe(true);
  expect(at("rules").some((what) => what.includes("broken.yml"))).toBe(true);
  expect(at("rules").some((what) => what.endsWith("no-rules does not exist"))).toBe(true);
  expect(at("sinks.one").join()).toContain("cannot be reached");
  expect(at("sinks.two").join()).toContain("none");
  for (const problem of problems) expect(problem.remedy, problem.what).toBeTruthy();
  expect(problems.find((problem) => problem.where === "sinks.one")!.remedy).toMatch(/check url/);
  const text = await tapline(home, ["check", "-c", config]);
  expect([text.code, text.stdout.includes("sinks.one: ")]).toEqual([1, true]);
});

test("a file that is not there is a problem like any other", async () => {
  const { code, stdout } = await tapline(home, ["check", "-c", join(home, "none.yml")]);
  expect([code, stdout.includes("cannot read")]).toEqual([1, true]);
});
