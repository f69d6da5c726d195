// `tapline rules list`: the rules of the configuration, or those below the paths named, and which of them rest.
import { basename, dirname } from "node:path";
import { plural } from "../../core/words.ts";
import type { Correlation } from "../../detect/correlation-parse.ts";
import { PRODUCT } from "../../detect/match.ts";
import { isRefusal, restingLine } from "../../detect/resting.ts";
import type { Rule } from "../../detect/rule.ts";
import { readArgs, readConfig } from "../usage.ts";
import { type Compiled, compileFiles, pathsOr, placeholdersIn, readRuleFiles } from "./shared.ts";

/** A rule for the events of others compiles, but no event here is of its log source. */
type State = "runs" | "rests" | "foreign";

/** What there is to say of a rule; undefined for one that was refused. */
function rowOf(rule: Rule | Correlation, { of, correlations, resting }: Compiled) {
  const missing = resting.find((one) => one.rule === rule)?.missing;
  const source = "logsource" in rule ? of.get(rule)?.set && rule.logsource : correlations.get(rule)?.first;
  if (missing === undefined && source === undefined) return undefined;
  const state: State = missing !== undefined ? "rests" : source!.product === PRODUCT ? "runs" : "foreign";
  return {
    id: rule.id,
    state,
    level: rule.level,
    status: rule.status ?? "",
    area: basename(dirname(rule.file)),
    title: rule.title,
    file: rule.file,
    missing: missing ?? [],
  };
}

export async function list(argv: readonly string[]): Promise<number> {
  const options = { config: { type: "string", short: "c" }, json: { type: "boolean" } } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  const files = await readRuleFiles(await pathsOr(positionals, values.config));
  const compiled = compileFiles(files, await placeholdersIn(await readConfig(values.config)));
  const rows = files.flatMap(({ rules, correlations }) =>
    [...rules, ...correlations].flatMap((rule) => rowOf(rule, compiled) ?? []),
  );
  if (values.json === true) for (const row of rows) console.log(JSON.stringify(row));
  else {
    const width = Math.max(0, ...rows.map((row) => row.area.length));
    for (const { id, state, level, status, area, title } of rows) {
      console.log(
        `${id}  ${state.padEnd(7)}  ${level.padEnd(13)} ${status.padEnd(12)} ${area.padEnd(width)}  ${title}`,
      );
    }
    const rest = rows.filter(({ state }) => state === "rests").length;
    console.log(`${plural(rows.length, "rule")}${rest === 0 ? "" : `, ${rest} at rest`}`);
    for (const resting of compiled.resting) console.log(restingLine(resting));
  }
  const errors = compiled.problems.filter(isRefusal);
  for (const problem of errors) console.error(String(problem));
  return errors.length === 0 ? 0 : 1;
}
