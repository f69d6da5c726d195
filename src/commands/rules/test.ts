// `tapline rules test`: runs what proves a rule: the proof beside it, test cases inside it, and SigmaHQ's recordings.
import { existsSync } from "node:fs";
import { writeOut } from "./output.ts";
import { dirname, join, resolve } from "node:path";
import { plural } from "../../core/words.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Event } from "../../core/generated/event.ts";
import { type Proof, readCases, readProof } from "../../detect/prove.ts";
import { firings, readCorrelationProof } from "../../detect/prove-correlation.ts";
import { type Recording, readEvents, readInfo } from "../../detect/regression.ts";
import { type CaseResult, type RuleResult, junit } from "../../detect/report-junit.ts";
import type { Rule } from "../../detect/rule.ts";
import { isMapping, readDocuments } from "../../detect/yaml.ts";
import { readArgs } from "../usage.ts";
import {
  type Compiled,
  type RuleFile,
  type Usable,
  type UsableCorrelation,
  compileFiles,
  pathsOr,
  readBounded,
  readRuleFiles,
} from "./shared.ts";

type Matches = (event: object) => boolean;

/** Tells whether the set, as it runs, names this rule for an event. */
function matcher({ set, compiled }: Usable): Matches {
  const place = set.rules.indexOf(compiled);
  const out: number[] = [];
  return (event) => {
    out.length = 0;
    set.match(event as Event, out);
    return out.includes(place);
  };
}

function checkProof(kind: string, proof: Proof, matches: Matches): CaseResult[] {
  const check = (event: Event, name: string, wanted: boolean): CaseResult => {
    if (matches(event) === wanted) return { name };
    return { name, failure: wanted ? "does not match: see `tapline rules explain`" : "matches" };
  };
  return [
    ...proof.problems.map((failure) => ({ name: `${kind}: readable`, failure })),
    ...proof.match.map((event, i) => check(event, `${kind}: match ${i + 1}`, true)),
    ...proof.miss.map((event, i) => check(event, `${kind}: miss ${i + 1}`, false)),
  ];
}

function checkSidecar(rule: Rule, proof: RuleFile["proof"], matches: Matches): CaseResult[] {
  if (proof === undefined) return [];
  if (typeof proof !== "string") return [{ name: "proof: readable", failure: proof.message }];
  return checkProof("proof", readProof(proof, rule.logsource), matches);
}

/** The directory above the rule in which the path that it names exists. */
function rootOf(file: string, path: string): string | undefined {
  for (let dir = dirname(resolve(file)); ; dir = dirname(dir)) {
    if (existsSync(join(dir, path))) return dir;
    if (dirname(dir) === dir) return undefined;
  }
}

async function checkRecording(root: string, recording: Recording, matches: Matches): Promise<CaseResult> {
  const name = `recording: ${recording.name}`;
  const path = join(root, recording.path).replace(/\.\w+$/, ".json");
  if (recording.path.split("/").includes(".."))
    return { name, failure: `${recording.path} leaves the repository` };
  if (!existsSync(path)) return { name, skipped: `no JSON beside ${recording.path}` };
  const text = await readBounded(path, LIMITS.rule_recording_bytes);
  if (typeof text !== "string") return { name, failure: text.message };
  let events: object[];
  try {
    events = readEvents(text);
  } catch (error) {
    return { name, failure: `${path} is not JSON: ${(error as Error).message}` };
  }
  const count = events.filter(matches).length;
  const wanted = recording.matches ?? 1;
  // More is no failure, as in SigmaHQ's own runner: a recording may repeat an action.
  return count >= wanted
    ? { name }
    : { name, failure: `${count} of ${events.length} events match, not ${wanted}` };
}

async function checkRecordings(rule: Rule, path: unknown, matches: Matches): Promise<CaseResult[]> {
  if (typeof path !== "string") return [];
  const root = path.split("/").includes("..") ? undefined : rootOf(rule.file, path);
  if (root === undefined) return [{ name: "recordings", skipped: `${path} is not here` }];
  const text = await readBounded(join(root, path));
  if (typeof text !== "string") return [{ name: "recordings", failure: text.message }];
  const { recordings, problems } = readInfo(text);
  const results: CaseResult[] = problems.map((failure) => ({ name: "recordings: readable", failure }));
  for (const recording of recordings) results.push(await checkRecording(root, recording, matches));
  return results;
}

/** The proof of a file is of its outermost correlations: inner ones are steps, as rules are. */
function checkCorrelations(file: RuleFile, usable: Compiled["correlations"]): RuleResult[] {
  const inner = new Set(file.correlations.flatMap((correlation) => correlation.rules));
  return file.correlations.flatMap((correlation) => {
    const found = usable.get(correlation);
    const step = [correlation.id, correlation.name].some((name) => name !== undefined && inner.has(name));
    if (found === undefined || step) return [];
    const cases: CaseResult[] = [];
    if (file.proof instanceof Error) cases.push({ name: "proof: readable", failure: file.proof.message });
    if (typeof file.proof === "string") cases.push(...correlationCases(file.proof, found));
    return [{ file: file.path, rule: correlation.title, id: correlation.id, cases }];
  });
}

function correlationCases(text: string, { rules, set, node, first }: UsableCorrelation): CaseResult[] {
  const proof = readCorrelationProof(text, first);
  const check = (events: readonly Event[], name: string, wanted: boolean): CaseResult => {
    const fired = firings(rules, set, node, events) > 0;
    return fired === wanted ? { name } : { name, failure: wanted ? "does not fire" : "fires" };
  };
  return [
    ...proof.problems.map((failure) => ({ name: "proof: readable", failure })),
    ...proof.match.map((events, i) => check(events, `proof: match ${i + 1}`, true)),
    ...proof.miss.map((events, i) => check(events, `proof: miss ${i + 1}`, false)),
  ];
}

/** All cases of the rules of one file. */
async function checkFile(file: RuleFile, { of, correlations, problems }: Compiled): Promise<RuleResult[]> {
  const documents = readDocuments(file.text, file.path);
  const results: RuleResult[] = [];
  for (const rule of file.rules) {
    const usable = of.get(rule);
    if (usable === undefined) continue;
    const matches = matcher(usable);
    const map = documents.find((document) => document.line === rule.line)?.map ?? {};
    const inside = map["testcases"];
    const cases = file.correlations.length > 0 ? [] : checkSidecar(rule, file.proof, matches);
    if (isMapping(inside)) {
      cases.push(...checkProof("testcases", readCases(inside, rule.logsource, "dont-match"), matches));
    }
    cases.push(...(await checkRecordings(rule, map["regression_tests_path"], matches)));
    // A step of a correlation is proven with it.
    if (cases.length === 0 && file.correlations.length > 0) continue;
    results.push({ file: file.path, rule: rule.title, id: rule.id, cases });
  }
  results.push(...checkCorrelations(file, correlations));
  const refused = problems.filter((p) => p.file === file.path && p.severity === "error");
  for (const problem of refused) {
    const cases = [{ name: "compiles", failure: `${problem.place}: ${problem.message}. ${problem.remedy}` }];
    results.push({ file: file.path, rule: problem.rule ?? file.path, id: "", cases });
  }
  return results;
}

function print(results: readonly RuleResult[]): void {
  let bare = 0;
  let skipped = 0;
  let failed = 0;
  for (const { file, rule, cases } of results) {
    const failures = cases.filter((one) => one.failure !== undefined);
    skipped += cases.filter((one) => one.skipped !== undefined).length;
    failed += failures.length;
    if (cases.length === 0) bare++;
    if (failures.length === 0) continue;
    console.log(`FAIL  ${file} "${rule}"`);
    for (const one of failures) console.log(`      ${one.name}: ${one.failure}`);
  }
  const all = results.flatMap((result) => result.cases);
  console.log(
    `${plural(results.length, "rule")}, ${plural(all.length, "case")}: ${all.length - failed - skipped} passed, ` +
      `${failed} failed, ${skipped} skipped; ${plural(bare, "rule")} without a case`,
  );
}

export async function test(argv: readonly string[]): Promise<number> {
  const options = {
    config: { type: "string", short: "c" },
    junit: { type: "string" },
    json: { type: "boolean" },
  } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  const files = await readRuleFiles(await pathsOr(positionals, values.config));
  const compiled = compileFiles(files);
  const results: RuleResult[] = [];
  for (const file of files) results.push(...(await checkFile(file, compiled)));
  if (values.junit !== undefined) await writeOut(values.junit, junit(results));
  if (values.json === true) console.log(JSON.stringify(results));
  else print(results);
  return results.some(({ cases }) => cases.some((one) => one.failure !== undefined)) ? 1 : 0;
}
