// Shared by the detection tests: a rule from its detection section, and whether it matches a foreign event.
import { parseRules } from "../../src/detect/parse.ts";
import type { Problem } from "../../src/detect/rule.ts";
import { type CompileOptions, compileRules } from "../../src/detect/rules.ts";
import type { RuleSet } from "../../src/detect/match.ts";

/** A rule whose detection section is given as YAML (indented by nothing). */
export function ruleText(detection: string, head = ""): string {
  const body = detection
    .trim()
    .split("\n")
    .map((line) => `  ${line}`);
  return `title: Test\nlogsource: {product: test}\n${head}detection:\n${body.join("\n")}\n`;
}

export function compile(
  text: string,
  options: CompileOptions = { fields: "any" },
): { set: RuleSet; problems: Problem[] } {
  const parsed = parseRules(text, "test.yml");
  const set = compileRules(parsed.rules, options);
  return { set, problems: [...parsed.problems, ...set.problems] };
}

/** Codes of the errors of a rule. */
export function errorsOf(detection: string, options?: CompileOptions): string[] {
  const { problems } = compile(ruleText(detection), options);
  return problems.filter((p) => p.severity === "error").map((p) => p.code);
}

/** Whether the rule matches the event; throws when it does not compile. */
export function matches(
  detection: string,
  event: object,
  placeholders: Record<string, string[]> = {},
): boolean {
  const { set, problems } = compile(ruleText(detection), { fields: "any", placeholders });
  const errors = problems.filter((p) => p.severity === "error");
  if (errors.length > 0) throw new Error(errors.map(String).join("\n"));
  const out: number[] = [];
  set.match(event as never, out);
  return out.length > 0;
}

/** Whether `field|modifiers: value` (YAML) matches the event. */
export function holds(item: string, event: object, placeholders?: Record<string, string[]>): boolean {
  return matches(`selection:\n  ${item.replaceAll("\n", "\n  ")}\ncondition: selection`, event, placeholders);
}
