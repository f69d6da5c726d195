// `tapline rules coverage`: which techniques, OWASP entries and controls the rules speak to, and which none does.
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { plural } from "../../core/words.ts";
import {
  type Coverage,
  type Covering,
  OWASP_LISTS,
  type Row,
  coverageOf,
  layersOf,
} from "../../detect/coverage.ts";
import { isRefusal, rulesAtRest } from "../../detect/resting.ts";
import type { Logsource, Meta } from "../../detect/rule.ts";
import { CONTROLS } from "../../paths.ts";
import { readArgs, readConfig } from "../usage.ts";
import { writeOut } from "./output.ts";
import { compileFiles, pathsOr, placeholdersIn, readRuleFiles } from "./shared.ts";

/** A correlation has no log source of its own. */
type Covered = Meta & { readonly logsource?: Logsource };

async function controlTitles(): Promise<Map<string, string>> {
  const table = parse(await readFile(CONTROLS, "utf8")) as { controls: Record<string, { title: string }> };
  return new Map(Object.entries(table.controls).map(([id, { title }]) => [id, title]));
}

function printRows(title: string, rows: readonly Row[], all: boolean): void {
  const covered = rows.filter((row) => row.rules.length > 0);
  console.log(`\n${title}: ${all ? `${covered.length} of ${rows.length}` : covered.length}`);
  for (const { id, name, rules } of rows) {
    const count = rules.length === 0 ? "-" : String(rules.length);
    console.log(`  ${id.padEnd(13)} ${count.padStart(3)}  ${name === "" ? rules.join("; ") : name}`);
  }
}

function print(found: Coverage, resting: number): void {
  const told = `, ${resting} of them at rest (see \`tapline rules list\`)`;
  console.log(plural(found.rules, "rule") + (resting === 0 ? "" : told));
  printRows("MITRE ATT&CK techniques", found.attack, false);
  printRows("MITRE ATLAS techniques", found.atlas, false);
  for (const { prefix, name } of OWASP_LISTS) {
    const rows = found.owasp.filter((row) => row.id.startsWith(prefix));
    printRows(`OWASP ${name}`, rows, true);
  }
  const shown = found.controls.filter((row) => row.rules.length > 0);
  console.log(
    "\nISO/IEC 42001 Annex A, what the rules' events are direct evidence for or rules are tagged with:",
  );
  for (const { id, name, rules } of shown)
    console.log(`  ${id.padEnd(13)} ${String(rules.length).padStart(3)}  ${name}`);
}

export async function coverage(argv: readonly string[]): Promise<number> {
  const options = {
    config: { type: "string", short: "c" },
    layer: { type: "string" },
    json: { type: "boolean" },
  } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  const files = await readRuleFiles(await pathsOr(positionals, values.config));
  const inForce = await placeholdersIn(await readConfig(values.config));
  const { of, correlations, problems, resting } = compileFiles(files, inForce);
  const atRest = rulesAtRest(resting).map(({ rule }) => rule);
  const usable = new Set<Covered>([...correlations.keys(), ...of.keys(), ...atRest]);
  const rules = [...usable].map((rule): Covering => ({ ...rule, category: rule.logsource?.category }));
  const found = coverageOf(rules, await controlTitles());
  if (values.layer !== undefined)
    await writeOut(values.layer, `${JSON.stringify(layersOf(found, rules), undefined, 2)}\n`);
  if (values.json === true) console.log(JSON.stringify({ ...found, resting: atRest.length }));
  else print(found, atRest.length);
  const errors = problems.filter(isRefusal);
  const refused = new Set(errors.map((p) => p.file)).size;
  if (refused > 0)
    console.error(`${plural(refused, "rule file")} refused and not counted: see \`tapline rules lint\``);
  return 0;
}
