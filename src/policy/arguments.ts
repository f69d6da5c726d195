// Arguments of a call held against what a line of the policy says of them. Arguments are the attacker's text: the walk is
// bounded, and what cannot be told for certain is a violation.
import { foldedKey } from "../core/duplicates.ts";
import { LIMITS } from "../core/limits.ts";
import type { ArgumentRule } from "./compiled.ts";
import {
  type HostPattern,
  type Surroundings,
  below,
  directory,
  hostIn,
  hostMatches,
  hostPattern,
  looksLikeName,
  looksLikePath,
  pathsOf,
  urlsIn,
} from "./places.ts";

/** An argument rule with its lists made ready. */
export interface ReadyRule {
  readonly key: string;
  readonly rule: ArgumentRule;
  readonly under: readonly string[] | undefined;
  readonly not_under: readonly string[] | undefined;
  readonly hosts: readonly HostPattern[] | undefined;
  readonly not_hosts: readonly HostPattern[] | undefined;
}

const patterns = (list: readonly string[] | undefined) => list?.flatMap((one) => hostPattern(one) ?? []);

export function ready(key: string, rule: ArgumentRule, home: string): ReadyRule {
  return {
    key,
    rule,
    under: rule.under?.map((one) => directory(one, home)),
    not_under: rule.not_under?.map((one) => directory(one, home).toLowerCase()),
    hosts: patterns(rule.hosts),
    not_hosts: patterns(rule.not_hosts),
  };
}

const DEPTH = 64;

/** All texts in a value; undefined when there are too many, or too deep. */
function textsIn(value: unknown, into: string[] = [], depth = 0): string[] | undefined {
  if (typeof value === "string") {
    if (into.length >= LIMITS.policy_texts) return undefined;
    into.push(value);
    return into;
  }
  if (typeof value !== "object" || value === null) return into;
  if (depth > DEPTH) return undefined;
  const items = Array.isArray(value) ? value : Object.values(value);
  for (const item of items) if (textsIn(item, into, depth + 1) === undefined) return undefined;
  return into;
}

/** What a rule finds wrong: the name of what the rule says, or undefined. */
export type Violation = "arguments" | "under" | "not_under" | "hosts" | "not_hosts" | "max_bytes";

export function violationOf(one: ReadyRule, args: unknown, around: Surroundings): Violation | undefined {
  if (args === undefined || args === null) return undefined;
  if (typeof args !== "object" || Array.isArray(args)) return "arguments";
  const whole = one.key === "*";
  if (!whole && sameButForCase(one.key, args)) return "arguments";
  if (!whole && !Object.hasOwn(args, one.key)) return undefined;
  const texts = textsIn(whole ? args : (args as Readonly<Record<string, unknown>>)[one.key]);
  if (texts === undefined) return "arguments";
  const { max_bytes } = one.rule;
  if (max_bytes !== undefined && texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) > max_bytes)
    return "max_bytes";
  if (one.under !== undefined || one.not_under !== undefined) {
    const wrong = whole ? anyPathViolation(one, texts, around) : pathViolation(one, texts, around);
    if (wrong !== undefined) return wrong;
  }
  if (one.hosts === undefined && one.not_hosts === undefined) return undefined;
  const urls = whole ? allUrls(texts) : texts;
  return urls === undefined ? "arguments" : hostViolation(one, urls);
}

/** Some servers read an argument whose name differs in case. */
function sameButForCase(key: string, args: object): boolean {
  const as = foldedKey(key);
  return Object.keys(args).some((other) => other !== key && foldedKey(other) === as);
}

function allUrls(texts: readonly string[]): string[] | undefined {
  const all: string[] = [];
  for (const text of texts) {
    const urls = urlsIn(text);
    if (urls === undefined || all.length + urls.length > LIMITS.policy_texts) return undefined;
    all.push(...urls);
  }
  return all;
}

/** Nobody says which of the texts are paths: those that may be, and names without a slash where they lead into what is kept
 * out. White space around a path is left out by many servers. */
function anyPathViolation(
  one: ReadyRule,
  texts: readonly string[],
  around: Surroundings,
): Violation | undefined {
  const trimmed = texts.map((text) => text.trim());
  const wrong = pathViolation(one, trimmed.filter(looksLikePath), around);
  if (wrong !== undefined || one.not_under === undefined || around.cwd === undefined) return wrong;
  return pathViolation({ ...one, under: undefined }, trimmed.filter(looksLikeName), around);
}

function pathViolation(
  one: ReadyRule,
  texts: readonly string[],
  around: Surroundings,
): Violation | undefined {
  for (const text of texts) {
    const paths = pathsOf(text, around);
    if (paths === undefined) return one.under === undefined ? "not_under" : "under";
    for (const path of paths) {
      if (one.under !== undefined && !one.under.some((dir) => below(path, dir))) return "under";
      const folded = path.toLowerCase();
      if (one.not_under?.some((dir) => below(folded, dir)) === true) return "not_under";
    }
  }
  return undefined;
}

function hostViolation(one: ReadyRule, texts: readonly string[]): Violation | undefined {
  for (const text of texts) {
    const host = hostIn(text);
    if (host === undefined) return one.hosts === undefined ? "not_hosts" : "hosts";
    if (one.hosts !== undefined && !one.hosts.some((pattern) => hostMatches(pattern, host))) return "hosts";
    if (
      one.not_hosts?.some((pattern) =>
        hostMatches(host.port === undefined ? { ...pattern, port: undefined } : pattern, host),
      ) === true
    )
      return "not_hosts";
  }
  return undefined;
}
