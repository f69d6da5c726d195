// `tapline rules lint`: everything that is wrong with rules or probably a mistake, each at its line; `--fix` puts right
// what is mechanical and leaves the rest of the file as it is.
import { writeOut } from "./output.ts";
import { plural } from "../../core/words.ts";
import type { Finding } from "../../detect/lint-finding.ts";
import { applyEdits } from "../../detect/lint-finding.ts";
import { type LintFile, lintFiles } from "../../detect/lint.ts";
import type { Placeholders } from "../../detect/modifiers.ts";
import { isRefusal, restingProblem } from "../../detect/resting.ts";
import type { Problem } from "../../detect/rule.ts";
import { readArgs, readConfig } from "../usage.ts";
import { type RuleFile, compileFiles, pathsOr, placeholdersIn, readRuleFiles } from "./shared.ts";

/** More remarks than this that a rule is for the events of others are one line. */
const FOREIGN_MAX = 10;

/** Of a rule that rests that is said once, also when its proof lets it compile. */
function withProblems(files: readonly RuleFile[], inForce: Placeholders): LintFile[] {
  const problems = new Map<string, Problem[]>();
  const compiled = compileFiles(files, inForce);
  const told = compiled.problems.filter(({ code }) => code !== "placeholder");
  for (const problem of [...told, ...compiled.resting.map(restingProblem)]) {
    const list = problems.get(problem.file);
    if (list === undefined) problems.set(problem.file, [problem]);
    else list.push(problem);
  }
  return files.map((file) => ({ ...file, problems: problems.get(file.path) ?? [] }));
}

/** Writes what can be put right; returns how many findings that were. */
async function fix(files: readonly RuleFile[], findings: readonly Finding[]): Promise<number> {
  let made = 0;
  for (const { path, text } of files) {
    const edits = findings.flatMap(({ file, edit }) => (file === path && edit !== undefined ? [edit] : []));
    const fixed = edits.length === 0 ? undefined : applyEdits(text, edits);
    if (fixed === undefined || fixed.text === text) continue;
    await writeOut(path, fixed.text);
    made += fixed.made;
  }
  return made;
}

function print(files: readonly LintFile[], findings: readonly Finding[], fixed: number): void {
  const foreign = findings.filter((f) => f.code === "foreign").length;
  for (const { file, line, severity, code, message } of findings) {
    if (code === "foreign" && foreign > FOREIGN_MAX) continue;
    console.log(`${file}:${line} ${severity} ${code}: ${message}`);
  }
  if (foreign > FOREIGN_MAX) {
    console.log(
      `${plural(foreign, "rule")} for log sources or fields of others, not listed: see them with --json`,
    );
  }
  const errors = findings.filter((f) => f.severity === "error");
  const refused = new Set(files.filter((f) => f.problems.some(isRefusal)).map((f) => f.path));
  const reasons = new Map<string, number>();
  for (const path of refused) {
    const code = files.find((f) => f.path === path)!.problems.find(isRefusal)!.code;
    reasons.set(code, (reasons.get(code) ?? 0) + 1);
  }
  const why = [...reasons].map(([code, count]) => `${count} ${code}`).join(", ");
  const left_out = refused.size === 0 ? "" : `; ${refused.size} refused: ${why}`;
  const compiled = files.length - refused.size;
  console.log(
    `${compiled.toLocaleString("en-US")} of ${plural(files.length, "rule file")} compile${left_out}`,
  );
  const mechanical = findings.filter((f) => f.edit !== undefined).length;
  const hint = mechanical > 0 ? `; \`--fix\` puts ${mechanical} of them right` : "";
  const done = fixed > 0 ? `${plural(fixed, "finding")} put right; ` : "";
  console.log(
    `${done}${plural(errors.length, "error")}, ${plural(findings.length - errors.length, "warning")}${hint}`,
  );
}

export async function lint(argv: readonly string[]): Promise<number> {
  const options = {
    config: { type: "string", short: "c" },
    fix: { type: "boolean" },
    json: { type: "boolean" },
  } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  const paths = await pathsOr(positionals, values.config);
  let files = await readRuleFiles(paths);
  const inForce = await placeholdersIn(await readConfig(values.config));
  let linted = withProblems(files, inForce);
  let findings = lintFiles(linted);
  let fixed = 0;
  // One finding may hide another: what is left after a round may be mechanical too.
  for (let round = 0; values.fix === true && round < 3; round++) {
    const made = await fix(files, findings);
    if (made === 0) break;
    fixed += made;
    files = await readRuleFiles(paths);
    linted = withProblems(files, inForce);
    findings = lintFiles(linted);
  }
  if (values.json === true) {
    for (const { file, line, severity, code, message } of findings) {
      console.log(JSON.stringify({ file, line, severity, code, message }));
    }
  } else print(linted, findings, fixed);
  return findings.some((f) => f.severity === "error") ? 1 : 0;
}
