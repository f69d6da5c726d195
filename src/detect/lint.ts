// Lint of rules: what the compiler refuses or remarks, at its line, and everything else that is probably a mistake.
// Pure: files, their proofs and the compiler's problems come in, findings go out.
import { isScalar } from "yaml";
import { lintCorrelation, lintDetection, lintFilter, unknownFields } from "./lint-detection.ts";
import { type Edit, type Finding, Lint, rewritten, withoutPair } from "./lint-finding.ts";
import { lintMetadata } from "./lint-metadata.ts";
import { PRODUCT } from "./match.ts";
import { type Places, lineOf, pairAt, placesOf } from "./places.ts";
import { proofPath, readProof } from "./prove.ts";
import { readCorrelationProof } from "./prove-correlation.ts";
import type { Problem, Rule } from "./rule.ts";
import { isMapping, readDocuments } from "./yaml.ts";

const OURS = { product: PRODUCT, category: undefined, service: undefined };

export interface LintFile {
  readonly path: string;
  readonly text: string;
  readonly rules: readonly Rule[];
  /** Of parsing and compiling the rules of this file. */
  readonly problems: readonly Problem[];
  /** Text of the proof beside it, or why it is not read; undefined when there is none. */
  readonly proof: string | Error | undefined;
}

/** All findings, in the order of files and lines. */
export function lintFiles(files: readonly LintFile[]): Finding[] {
  const titles = new Map<string, string>();
  const all: Finding[] = [];
  for (const file of files) {
    const found = lintFile(file);
    for (const { title, line } of file.rules) {
      const other = titles.get(title);
      const message = `"${title}" is the title of a rule in ${other} too`;
      if (other === undefined) titles.set(title, file.path);
      else if (other !== file.path)
        found.push({
          file: file.path,
          line,
          severity: "warning",
          code: "title_twice",
          message,
          edit: undefined,
        });
    }
    all.push(...found.toSorted((a, b) => a.line - b.line));
  }
  return all;
}

function lintFile(file: LintFile): Finding[] {
  const places = placesOf(file.text);
  const findings: Finding[] = file.problems.map((problem) => fromProblem(problem, file, places));
  for (const { map, line } of readDocuments(file.text, file.path)) {
    if (map === undefined || map["action"] === "global") continue;
    const lint = new Lint(file.path, file.text, places, line);
    const rule = file.rules.find((r) => r.line === line);
    const ours = isMapping(map["logsource"])
      ? map["logsource"]["product"] === PRODUCT
      : map["correlation"] !== undefined;
    // In a file with a correlation the other rules are its steps: the proof is of the correlation.
    const proven = map["correlation"] !== undefined || !/^correlation\s*:/m.test(file.text);
    lintMetadata(lint, ours && proven && map["name"] === undefined);
    if (map["filter"] !== undefined) lintFilter(lint);
    else if (map["correlation"] !== undefined) lintCorrelation(lint);
    if (rule !== undefined) lintDetection(lint, rule);
    if (rule !== undefined && !ours) lintForeign(lint, rule);
    if (ours && proven && map["filter"] === undefined)
      lintProof(lint, file, map["testcases"] !== undefined, rule);
    findings.push(...lint.findings);
  }
  return findings;
}

function lintForeign(lint: Lint, rule: Rule): void {
  const { product, category, service } = rule.logsource;
  const source = [product, category, service].filter((part) => part !== undefined).join("/");
  const unknown = unknownFields(rule);
  const more = unknown.length > 3 ? ` and ${unknown.length - 3} more` : "";
  const fields =
    unknown.length === 0 ? "" : `; no event has its fields ${unknown.slice(0, 3).join(", ")}${more}`;
  lint.add("warning", "foreign", "logsource", `the log source "${source}" is not ${PRODUCT}${fields}`);
}

function lintProof(lint: Lint, file: LintFile, inside: boolean, rule: Rule | undefined): void {
  const name = proofPath(file.path).split("/").at(-1)!;
  if (file.proof === undefined) {
    if (!inside) lint.add("warning", "proof_missing", "", `has no proof: write ${name} beside it`);
    return;
  }
  if (file.proof instanceof Error) lint.add("error", "proof", "", `${name}: ${file.proof.message}`);
  if (typeof file.proof !== "string") return;
  const correlation = lint.pair("correlation") !== undefined;
  if (rule === undefined && !correlation) return; // refused: what its events are of is not known
  const { match, miss, problems } =
    rule === undefined ? readCorrelationProof(file.proof, OURS) : readProof(file.proof, rule.logsource);
  for (const problem of problems) lint.add("error", "proof", "", `${name}: ${problem}`);
  if (problems.length === 0 && (match.length === 0 || miss.length === 0)) {
    lint.add("warning", "proof_thin", "", `${name} needs an event that matches and one that does not`);
  }
}

function fromProblem(problem: Problem, file: LintFile, places: Places | undefined): Finding {
  const { line, place, code, message, remedy } = problem;
  // Its values come from the inventory of whoever runs the rule.
  const severity = code === "placeholder" ? "warning" : problem.severity;
  const text = `${place === "file" ? "" : `${place}: `}${message}. ${remedy}`;
  return {
    file: file.path,
    line: lineOf(places, line, place),
    severity,
    code,
    message: text,
    edit: editOf(problem, file, places),
  };
}

function editOf(
  { code, line, place }: Problem,
  { path, text }: LintFile,
  places: Places | undefined,
): Edit | undefined {
  const { root } = new Lint(path, text, places, line);
  const pair = pairAt(root, place);
  if (code === "all_single") return rewritten(text, pair?.key, (raw) => raw.replace(/\|all(?=\||$)/, ""));
  if (code === "legacy_timeframe" && pair !== undefined) return withoutPair(text, pair);
  if (code === "condition_syntax" || code === "condition_name") {
    const value = pairAt(root, "detection.condition")?.value;
    const words = /(?<![\w*])(AND|OR|NOT|OF|THEM|ALL)(?![\w*])/g;
    return isScalar(value)
      ? rewritten(text, value, (raw) => raw.replace(words, (w) => w.toLowerCase()))
      : undefined;
  }
  return undefined;
}
