// Filters: what they are joined to, how, and what becomes of those that cannot be honoured.
import { expect, test } from "vitest";
import { unusedFilters } from "../../src/detect/filter.ts";
import { parseRules } from "../../src/detect/parse.ts";
import { compileRules } from "../../src/detect/rules.ts";

const RULE = `title: Rule
id: 11111111-1111-4111-8111-111111111111
name: base
logsource: {product: test, category: login}
detection:
  selection: {user|startswith: a}
  _hidden: {user: zed}
  condition: 1 of them
`;
const filter = (rules: string, body: string, logsource = "{product: test}"): string =>
  `title: Filter\nlogsource: ${logsource}\nfilter:\n  rules: ${rules}\n${body.replaceAll(/^/gm, "  ")}\n`;
const NOT_ADM = "adm: {user: adm}\ncondition: not adm";

/** Users whose login the rule matches with the filters, and the codes of all problems. */
function users(rule: string, ...filters: string[]): { found: string[]; codes: string[] } {
  const parsed = parseRules([rule, ...filters].join("---\n"), "test.yml");
  const set = compileRules(parsed.rules, { fields: "any", filters: parsed.filters });
  const all = ["adm", "ann", "abe", "bob", "zed"];
  const found = all.filter((user) => {
    const out: number[] = [];
    set.match({ user } as never, out);
    return out.length > 0;
  });
  const problems = [...parsed.problems, ...unusedFilters(parsed.filters, parsed.rules), ...set.problems];
  return { found, codes: problems.map((p) => `${p.severity} ${p.code} ${p.rule}`) };
}

test.each([
  ["any rule of the log source", filter("any", NOT_ADM), ["ann", "abe"]],
  ["an empty list of rules", filter("[]", NOT_ADM), ["ann", "abe"]],
  ["a rule by id", filter("[11111111-1111-4111-8111-111111111111]", NOT_ADM), ["ann", "abe"]],
  ["a rule by name", filter("base", NOT_ADM), ["ann", "abe"]],
  ["one of several rules", filter("[other, base]", NOT_ADM), ["ann", "abe"]],
  ["what it names alone, without `not`", filter("any", "adm: {user: adm}\ncondition: adm"), ["adm"]],
  ["several selections", filter("any", "a: {user: adm}\nb: {user: abe}\ncondition: not 1 of them"), ["ann"]],
  ["a pattern", filter("any", "x_a: {user: adm}\nx_b: {user: abe}\ncondition: not 1 of x_*"), ["ann"]],
  [
    "names of the rule itself",
    filter("any", "selection: {user: adm}\ncondition: not selection"),
    ["ann", "abe"],
  ],
])("a filter is for %s", (_what, text, expected) => {
  expect(users(RULE, text)).toEqual({ found: expected, codes: ["warning unused Rule"] });
});

test.each([
  ["another rule", filter("[other]", NOT_ADM)],
  ["another log source", filter("any", NOT_ADM, "{product: test, category: logout}")],
  ["a narrower log source", filter("any", NOT_ADM, "{product: test, category: login, service: ssh}")],
])("a filter is not for %s, and that is told", (_what, text) => {
  const codes = ["warning filter_unused Filter", "warning unused Rule"];
  expect(users(RULE, text)).toEqual({ found: ["adm", "ann", "abe"], codes });
});

test("several filters all hold, and for each condition of a list", () => {
  const rule = RULE.replace("condition: 1 of them", "condition: [selection, _hidden]");
  const abe = filter("base", "abe: {user: [abe, zed]}\ncondition: not abe");
  expect(users(rule, filter("any", NOT_ADM), abe)).toEqual({ found: ["ann"], codes: [] });
});

test("patterns of a rule do not reach what filters bring", () => {
  const rule = RULE.replace("1 of them", "all of *").replace("{user: zed}", "{user|endswith: m}");
  expect(users(rule, filter("any", "adm: {user: ann}\ncondition: not adm")).found).toEqual(["adm"]);
});

test.each([
  ["an unknown selection", "adm: {user: adm}\ncondition: not amd", "error condition_name Filter"],
  ["an unknown modifier", "adm: {user|cotains: adm}\ncondition: not adm", "error modifier Filter"],
])("a filter with %s is refused by name, and its rules run without it", (_what, body, code) => {
  const { found, codes } = users(RULE, filter("any", body));
  expect(found).toEqual(["adm", "ann", "abe"]);
  expect(codes).toEqual([code, "warning unused Rule"]);
});

test("a filter changes the hash of its rules and of no others", () => {
  const parsed = parseRules([RULE, filter("base", NOT_ADM)].join("---\n"), "test.yml");
  const other = parseRules(RULE.replace("1111-4111", "2222-4111").replace("name: base\n", ""), "other.yml");
  const rules = [...parsed.rules, ...other.rules];
  const [a, b] = compileRules(rules, { fields: "any", filters: parsed.filters }).rules;
  expect(a!.rule.hash).not.toBe(parsed.rules[0]!.hash);
  expect(a!.written).toBe(parsed.rules[0]);
  expect(b!.rule).toBe(other.rules[0]);
});
