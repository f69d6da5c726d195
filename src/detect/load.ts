// Rules from files and directories. Reads *.yml and *.yaml, leaves proofs (*.test.yml) out, follows no links.
import { readFile, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { TaplineError, reasonOf, systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { type CorrelationSet, compileCorrelations } from "./correlate-compile.ts";
import { unusedFilters } from "./filter.ts";
import type { RuleSet } from "./match.ts";
import { type Parsed, parseRules } from "./parse.ts";
import { type Problem, Report } from "./rule.ts";
import { type Resting, restingOf } from "./resting.ts";
import { type CompileOptions, compileRules } from "./rules.ts";

export interface Loaded {
  readonly set: RuleSet;
  /** Correlations over the rules of the set. */
  readonly correlations: CorrelationSet;
  readonly problems: readonly Problem[];
  /** Rules without values for their placeholders: none of them is in the set. */
  readonly resting: readonly Resting[];
}

/** A rule file as read; `trouble` says why there is no text. */
interface RuleText {
  readonly file: string;
  readonly text: string;
  readonly trouble?: { readonly code: "file_size" | "unreadable"; readonly message: string };
}

/** Compiles all rules below the paths: `compileParsed` of `readRules`. Throws TaplineError when a path cannot be read. */
export async function loadRules(paths: readonly string[], options: CompileOptions = {}): Promise<Loaded> {
  return compileParsed(await readRules(paths), options);
}

/** Compiles rules with the filters and the correlations beside them. A rule that cannot be compiled is a problem; the
 * others run. */
export function compileParsed(parsed: Parsed, options: CompileOptions = {}): Loaded {
  const { rules, filters, correlations, problems } = parsed;
  const set = compileRules(rules, {
    ...options,
    filters: [...(options.filters ?? []), ...filters],
    correlations: correlations.map((correlation) => correlation.hash),
  });
  const resting = restingOf(parsed, options.placeholders ?? {}, set.problems);
  const joined = compileCorrelations(
    set.rules.map(({ rule }) => rule),
    // One over rules that rest has nothing to count, and rests with them.
    correlations.filter((correlation) => !resting.some(({ rule }) => rule === correlation)),
    options.fields ?? "table",
  );
  return {
    set,
    correlations: joined.set,
    problems: [...problems, ...unusedFilters(filters, rules), ...set.problems, ...joined.problems],
    resting,
  };
}

/** All rules, filters and correlations below the paths. Throws TaplineError when a path itself cannot be read. */
export async function readRules(paths: readonly string[]): Promise<Parsed> {
  return parseTexts(await readTexts(paths));
}

/** All rule files below the paths (files or directories), in their order. Throws TaplineError when a path itself cannot
 * be read. */
async function readTexts(paths: readonly string[]): Promise<RuleText[]> {
  const out: RuleText[] = [];
  for (const file of await ruleFiles(paths)) out.push(await readText(file));
  return out;
}

/** Changes whenever a rule file does. Throws TaplineError when a path itself cannot be read. */
export async function ruleStamps(paths: readonly string[]): Promise<string> {
  let stamps = "";
  for (const file of await ruleFiles(paths)) {
    const info = await stat(file, { bigint: true }).catch(() => undefined);
    stamps += `${file} ${info?.ino} ${info?.size} ${info?.mtimeNs} ${info?.ctimeNs}\n`;
  }
  return stamps;
}

async function readText(file: string): Promise<RuleText> {
  try {
    if ((await stat(file)).size <= LIMITS.rule_file_bytes)
      return { file, text: await readFile(file, "utf8") };
    const message = `larger than ${LIMITS.rule_file_bytes} bytes`;
    return { file, text: "", trouble: { code: "file_size", message } };
  } catch (error) {
    return { file, text: "", trouble: { code: "unreadable", message: reasonOf(error) } };
  }
}

const REMEDIES = { file_size: "Split it into several files", unreadable: "Check the file's permissions" };

function parseTexts(texts: readonly RuleText[]): Parsed {
  const all: Parsed = { rules: [], filters: [], correlations: [], problems: [] };
  for (const { file, text, trouble } of texts) {
    if (trouble !== undefined) {
      const report = new Report(file, 1);
      report.error(trouble.code, "file", trouble.message, REMEDIES[trouble.code]);
      all.problems.push(...report.problems);
      continue;
    }
    const parsed = parseRules(text, file);
    all.rules.push(...parsed.rules);
    all.filters.push(...parsed.filters);
    all.correlations.push(...parsed.correlations);
    all.problems.push(...parsed.problems);
  }
  return all;
}

/** Rule files below the paths, sorted within each. Throws TaplineError. */
export async function ruleFiles(paths: readonly string[]): Promise<string[]> {
  const out: string[] = [];
  for (const start of paths) {
    try {
      const info = await stat(start);
      if (info.isDirectory()) await walk(start, 0, out);
      else out.push(start);
    } catch (error) {
      if (error instanceof TaplineError) throw error;
      const code = systemCode(error) === "ENOENT" ? "rules_missing" : "rules_unreadable";
      throw new TaplineError(code, `Rules at ${start}: ${reasonOf(error)}`, {
        remedy: "Check the path and its permissions",
        cause: error,
      });
    }
  }
  return [...new Set(out)];
}

async function walk(directory: string, depth: number, out: string[]): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = path.join(directory, entry.name);
    if (entry.isDirectory()) {
      if (depth < LIMITS.rule_directory_depth) await walk(file, depth + 1, out);
    } else if (entry.isFile() && /(?<!\.test)\.ya?ml$/.test(entry.name)) {
      if (out.length >= LIMITS.rule_files) {
        throw new TaplineError("rules_many", `More than ${LIMITS.rule_files} rule files below ${directory}`, {
          remedy: "Name a smaller directory",
        });
      }
      out.push(file);
    }
  }
}
