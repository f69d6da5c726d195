// `tapline rules explain RULE EVENT`: why a rule matches an event or not, test by test.
import { existsSync } from "node:fs";
import { TaplineError } from "../../core/errors.ts";
import type { Event } from "../../core/generated/event.ts";
import { LIMITS } from "../../core/limits.ts";
import { eventOfDocument } from "../../detect/document.ts";
import { Explainer, type Explanation, type Leaf, type Verdict } from "../../detect/explain.ts";
import type { Placeholders } from "../../detect/modifiers.ts";
import { readEvents } from "../../detect/regression.ts";
import { type Resting, whyResting } from "../../detect/resting.ts";
import type { Rule } from "../../detect/rule.ts";
import { UsageError, ledgerDir, readArgs, readConfig } from "../usage.ts";
import { findEvent } from "./ledger.ts";
import { compileFiles, isOurs, pathsOr, placeholdersIn, readBounded, readRuleFiles } from "./shared.ts";

interface Found {
  readonly rule: Rule;
  readonly placeholders: Placeholders;
  /** Why it matches nothing in a collector, whatever the event holds. */
  readonly resting: Resting | undefined;
}

/** The rules of a file, or the rule of that id or title among the paths; of a correlation the rules that it counts. */
async function findRules(named: string, paths: readonly string[], inForce: Placeholders): Promise<Found[]> {
  const isFile = existsSync(named);
  const files = await readRuleFiles(isFile ? [named] : paths);
  const wanted = named.toLowerCase();
  const isNamed = ({ id, title }: { id: string; title: string }): boolean =>
    isFile || id.toLowerCase() === wanted || title.toLowerCase() === wanted;
  const counted = new Set<string>();
  const correlations = files.flatMap((file) => file.correlations);
  for (const correlation of correlations.toReversed()) {
    const name = correlation.name ?? correlation.id;
    if (isNamed(correlation) || counted.has(name)) for (const rule of correlation.rules) counted.add(rule);
  }
  const { of, problems, resting } = compileFiles(files, inForce);
  const found: Found[] = [];
  for (const file of files) {
    for (const rule of file.rules) {
      const wants =
        isNamed(rule) || counted.has(rule.id) || counted.has(file.names.get(rule.line) ?? rule.id);
      const usable = of.get(rule);
      const rests = resting.find((one) => one.rule === rule);
      if (wants && (usable ?? rests) !== undefined)
        found.push({ rule, placeholders: usable?.placeholders ?? inForce, resting: rests });
    }
  }
  if (found.length > 0) return found;
  const why = problems.filter((p) => p.severity === "error" && (isFile || p.rule?.toLowerCase() === wanted));
  throw new TaplineError(
    "RULE_UNUSABLE",
    why.map(String).join("\n") || `no rule has the id or title "${named}"`,
    { remedy: "name a rule file, or an id or title that `tapline rules list` shows" },
  );
}

async function standardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LIMITS.rule_recording_bytes)
      throw new UsageError(`standard input is larger than ${LIMITS.rule_recording_bytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function readEvent(named: string, config: string | undefined): Promise<object> {
  if (named !== "-" && !existsSync(named)) {
    const found = await findEvent(ledgerDir(await readConfig(config)), named);
    if (found !== undefined) return found;
    throw new TaplineError("NO_SUCH_EVENT", `no file and no event in the ledger is called ${named}`);
  }
  const text = named === "-" ? await standardInput() : await readBounded(named, LIMITS.rule_recording_bytes);
  if (typeof text !== "string")
    throw new TaplineError("EVENT_UNREADABLE", `cannot read ${named}: ${text.message}`);
  let events: object[];
  try {
    events = readEvents(text);
  } catch (error) {
    throw new TaplineError("EVENT_UNREADABLE", `${named} is not JSON: ${(error as Error).message}`);
  }
  if (events.length === 1) return events[0]!;
  throw new UsageError(`${named} holds ${events.length} events: give one`);
}

const OUTCOMES: Readonly<Record<Leaf["outcome"], string>> = {
  matches: "matches",
  no_values: "no values: nothing defines its placeholder",
  absent: "absent: the event has no value there",
  case: "case: only the case of letters differs",
  type: "type: not a value that this test can take",
  differs: "differs",
  excluded: "excluded: the value is there, and the test is negated",
};

const yes = (holds: boolean): string => (holds ? "yes" : "no ");
const said = (values: readonly unknown[]): string => {
  const more = values.length > 3 ? ` and ${values.length - 3} more` : "";
  return (
    values
      .slice(0, 3)
      .map((value) => JSON.stringify(value))
      .join(", ") + more
  );
};

function printVerdict(v: Verdict, depth: number, decided: readonly string[]): void {
  const mark = v.children.length === 0 && decided.includes(v.text) ? "   <- decided" : "";
  console.log(`  ${yes(v.holds)}  ${"  ".repeat(depth)}${v.text}${mark}`);
  for (const child of v.children) printVerdict(child, depth + 1, decided);
}

function printLeaf(leaf: Leaf): void {
  console.log(`  ${yes(leaf.outcome === "matches")}  ${leaf.test}: ${said(leaf.wanted)}`);
  if (leaf.outcome !== "matches") console.log(`         ${OUTCOMES[leaf.outcome]}`);
  if (leaf.found.length > 0) console.log(`         the event has ${said(leaf.found)}`);
  if (leaf.missing.length > 0) console.log(`         missing of all: ${said(leaf.missing)}`);
  if (leaf.elsewhere.length > 0) console.log(`         it would match in ${leaf.elsewhere.join(", ")}`);
}

function print(rule: Rule, explanation: Explanation, resting: Resting | undefined): void {
  const { matches, logsource, conditions, decided, leaves } = explanation;
  console.log(`${matches ? "MATCHES" : "DOES NOT MATCH"}  ${rule.title} (${rule.file}:${rule.line})`);
  if (resting !== undefined)
    console.log(
      `\nrests: ${whyResting(resting)}\ntests below are tried with the values of its proof, where that has any`,
    );
  if (logsource !== undefined) console.log(`\nlog source: no: ${logsource}`);
  for (const [i, condition] of conditions.entries()) {
    console.log(`\ncondition: ${rule.conditions[i]}`);
    printVerdict(condition, 0, decided);
  }
  let selection = "";
  for (const leaf of leaves) {
    if (leaf.selection !== selection) console.log(`\n${leaf.selection}`);
    selection = leaf.selection;
    printLeaf(leaf);
  }
}

export async function explain(argv: readonly string[]): Promise<number> {
  const options = {
    config: { type: "string", short: "c" },
    rules: { type: "string", multiple: true },
    json: { type: "boolean" },
  } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  const [named, event] = positionals;
  if (named === undefined || event === undefined || positionals.length > 2)
    throw new UsageError("name a rule and an event");
  const paths = existsSync(named) ? [] : [...(await pathsOr([], values.config)), ...(values.rules ?? [])];
  const inForce = await placeholdersIn(await readConfig(values.config));
  const rules = await findRules(named, paths, inForce);
  const document = await readEvent(event, values.config);
  const results = rules.map(({ rule, placeholders, resting }) => {
    const seen = isOurs(rule) ? eventOfDocument(document) : (document as Event);
    const tested = new Explainer(rule, seen, placeholders).explain();
    return { rule, resting, explanation: { ...tested, matches: tested.matches && resting === undefined } };
  });
  for (const { rule, resting, explanation } of results) {
    if (values.json === true) {
      const missing = resting?.missing ?? [];
      console.log(JSON.stringify({ rule: rule.id, title: rule.title, missing, ...explanation }));
    } else print(rule, explanation, resting);
  }
  return results.some((r) => r.explanation.matches) ? 0 : 1;
}
