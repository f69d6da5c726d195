// What the commands for rules share: which files, read within bounds, and compiled as they are meant: ours against the
// field table, those of other people against whatever their events hold.
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { reasonOf } from "../../core/errors.ts";
import type { Config } from "../../config.ts";
import { LIMITS } from "../../core/limits.ts";
import { rulePaths } from "../../reload.ts";
import { unusedFilters } from "../../detect/filter.ts";
import { ruleFiles } from "../../detect/load.ts";
import { type BaseRule, type CorrelationSet, compileCorrelations } from "../../detect/correlate-compile.ts";
import type { Correlation } from "../../detect/correlation-parse.ts";
import { readNames } from "../../detect/correlations.ts";
import type { FieldSet } from "../../detect/fields.ts";
import { PRODUCT, type CompiledRule, type RuleSet } from "../../detect/match.ts";
import type { Placeholders } from "../../detect/modifiers.ts";
import { parseRules } from "../../detect/parse.ts";
import { type Proof, proofPath, readProof } from "../../detect/prove.ts";
import { type Filter, type Logsource, type Problem, Report, type Rule } from "../../detect/rule.ts";
import { type Resting, restingOf } from "../../detect/resting.ts";
import { compileRules } from "../../detect/rules.ts";
import { withInventory } from "../../engine.ts";
import { readPolicy } from "../../policy/open.ts";
import { readConfig } from "../usage.ts";

const NO_PROOF: Pick<Proof, "placeholders"> = { placeholders: {} };

export interface RuleFile {
  readonly path: string;
  /** Empty when it could not be read: `problems` says why. */
  readonly text: string;
  readonly rules: readonly Rule[];
  readonly filters: readonly Filter[];
  readonly correlations: readonly Correlation[];
  /** Names of rules, by the line where each begins. */
  readonly names: ReadonlyMap<number, string>;
  readonly problems: readonly Problem[];
  /** Text of the proof beside it, or why it is not read; undefined when there is none. */
  readonly proof: string | Error | undefined;
}

/** Text of a file, or why it is not read. Never throws for what is there. */
export async function readBounded(
  path: string,
  max_bytes: number = LIMITS.rule_file_bytes,
): Promise<string | Error> {
  try {
    const info = await stat(path);
    // A pipe or a device never ends.
    if (!info.isFile()) return new Error("is not a file");
    if (info.size > max_bytes) return new Error(`larger than ${max_bytes} bytes`);
    return await readFile(path, "utf8");
  } catch (error) {
    return error as Error;
  }
}

/** All rule files below the paths. A file that cannot be read or parsed is a problem; only a path that is not there
 * throws. */
export async function readRuleFiles(paths: readonly string[]): Promise<RuleFile[]> {
  const rulesOf = paths.map((path) => path.replace(/\.test\.yml$/, ".yml"));
  const out: RuleFile[] = [];
  for (const path of await ruleFiles(rulesOf)) {
    const text = await readBounded(path);
    const beside = proofPath(path);
    const proof = beside !== path && existsSync(beside) ? await readBounded(beside) : undefined;
    if (typeof text === "string") out.push({ path, text, proof, ...parsed(text, path) });
    else {
      const report = new Report(path, 1);
      report.error("unreadable", "file", reasonOf(text), "Split it, or check its permissions");
      out.push({
        path,
        text: "",
        proof,
        rules: [],
        filters: [],
        correlations: [],
        names: new Map(),
        problems: report.problems,
      });
    }
  }
  return out;
}

function parsed(text: string, path: string): Omit<RuleFile, "path" | "text" | "proof"> {
  return { ...parseRules(text, path), names: readNames(text, path) };
}

export const isOurs = (rule: Rule): boolean => rule.logsource.product === PRODUCT;

/** A rule ready to run, and the set in which it runs. */
export interface Usable {
  readonly compiled: CompiledRule;
  readonly set: RuleSet;
  readonly placeholders: Placeholders;
}

/** A correlation ready to run, its place in the set of correlations, and the rules that it refers to. */
export interface UsableCorrelation {
  readonly node: number;
  readonly set: CorrelationSet;
  readonly rules: RuleSet;
  /** Log source of the first rule that feeds it: what an event of its proof is of, unless it says otherwise. */
  readonly first: Logsource;
}

export interface Compiled {
  /** Of parsing and compiling. */
  readonly problems: readonly Problem[];
  /** By rule; those that were refused are not here. */
  readonly of: ReadonlyMap<Rule, Usable>;
  readonly correlations: ReadonlyMap<Correlation, UsableCorrelation>;
  /** Rules that would match nothing in a collector; they are in `of` all the same when their proofs give them values. */
  readonly resting: readonly Resting[];
}

/** Compiles the rules of all files. A rule whose proof gives values to placeholders is compiled with those. Without
 * `inForce`, the placeholders of a collector, nothing is said to rest. */
export function compileFiles(files: readonly RuleFile[], inForce?: Placeholders): Compiled {
  const filters = files.flatMap((file) => file.filters);
  const everyRule = files.flatMap((file) => file.rules);
  const problems = [...files.flatMap((file) => file.problems), ...unusedFilters(filters, everyRule)];
  const given = inForce ?? {};
  const of = new Map<Rule, Usable>();
  const compile = (rules: readonly Rule[], fields: FieldSet, placeholders: Placeholders): RuleSet => {
    const set = compileRules(rules, { fields, placeholders, filters });
    // Each set tells what is wrong with a filter.
    for (const problem of set.problems) {
      if (!problems.some((told) => String(told) === String(problem))) problems.push(problem);
    }
    for (const compiled of set.rules) of.set(compiled.written, { compiled, set, placeholders });
    return set;
  };
  const ours: Rule[] = [];
  const foreign: Rule[] = [];
  for (const { rules, proof } of files) {
    for (const rule of rules) {
      const { placeholders } = typeof proof === "string" ? readProof(proof, rule.logsource) : NO_PROOF;
      if (Object.keys(placeholders).some((name) => !Object.hasOwn(given, name)))
        compile([rule], isOurs(rule) ? "table" : "any", { ...placeholders, ...given });
      else (isOurs(rule) ? ours : foreign).push(rule);
    }
  }
  const sets = { table: compile(ours, "table", given), any: compile(foreign, "any", given) };
  const all = files.flatMap((file) => file.correlations);
  const read = { rules: everyRule, filters, correlations: all };
  const resting = inForce === undefined ? [] : restingOf(read, inForce, problems);
  const awake = all.filter((correlation) => !resting.some(({ rule }) => rule === correlation));
  const correlations = joinCorrelations(files, awake, sets, problems);
  return { problems, of, correlations, resting };
}

/** The rules of a set as correlations refer to them. */
export function basesOf(files: readonly RuleFile[], set: RuleSet): BaseRule[] {
  const names = new Map(files.flatMap((file) => file.rules.map((rule) => [rule, file.names.get(rule.line)])));
  return set.rules.map(({ rule }) => ({ id: rule.id, hash: rule.hash, name: names.get(rule) }));
}

function joinCorrelations(
  files: readonly RuleFile[],
  all: readonly Correlation[],
  sets: Readonly<Record<FieldSet, RuleSet>>,
  problems: Problem[],
): Map<Correlation, UsableCorrelation> {
  const others = new Set(basesOf(files, sets.any).flatMap(({ id, name }) => [id, name]));
  const out = new Map<Correlation, UsableCorrelation>();
  for (const fields of ["table", "any"] as const) {
    const mine = all.filter((c) => c.rules.some((name) => others.has(name)) === (fields === "any"));
    const { set, problems: found } = compileCorrelations(basesOf(files, sets[fields]), mine, fields);
    problems.push(...found);
    for (const [node, { rule }] of set.nodes.entries()) {
      out.set(rule, { node, set, rules: sets[fields], first: firstOf(set, node, sets[fields]) });
    }
  }
  return out;
}

function firstOf(set: CorrelationSet, node: number, rules: RuleSet): Logsource {
  const { source } = set.nodes[node]!.slots[0]!;
  if (typeof source === "number") return firstOf(set, source, rules);
  return rules.rules.find(({ rule }) => rule.hash === source)!.rule.logsource;
}

/** Values of placeholders in a collector with this configuration. */
export async function placeholdersIn(config: Config): Promise<Placeholders> {
  const { loaded } = await readPolicy(config);
  return withInventory(config.placeholders, loaded?.policy);
}

/** The paths named, or the rules of the configuration. */
export async function pathsOr(
  named: readonly string[],
  config: string | undefined,
): Promise<readonly string[]> {
  return named.length > 0 ? named : rulePaths(await readConfig(config));
}
