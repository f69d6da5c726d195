// `tapline rules list`: the rules that would run, or those below the paths named.
import { basename, dirname } from "node:path";
import { plural } from "../../core/words.ts";
import type { Correlation } from "../../detect/correlation-parse.ts";
import type { Rule } from "../../detect/rule.ts";
import { readArgs } from "../usage.ts";
import { compileFiles, pathsOr, readRuleFiles } from "./shared.ts";

const rowOf = (rule: Rule | Correlation) => ({
  id: rule.id,
  level: rule.level,
  status: rule.status ?? "",
  area: basename(dirname(rule.file)),
  title: rule.title,
  file: rule.file,
});

export async function list(argv: readonly string[]): Promise<number> {
  const options = { config: { type: "string", short: "c" }, json: { type: "boolean" } } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  const { of, correlations, problems } = compileFiles(
    await readRuleFiles(await pathsOr(positionals, values.config)),
  );
  const rows = [...of.keys(), ...correlations.keys()].map(rowOf);
  if (values.json === true) for (const row of rows) console.log(JSON.stringify(row));
  else {
    const width = Math.max(0, ...rows.map((row) => row.area.length));
    for (const { id, level, status, area, title } of rows) {
      console.log(`${id}  ${level.padEnd(13)} ${status.padEnd(12)} ${area.padEnd(width)}  ${title}`);
    }
    console.log(plural(rows.length, "rule"));
  }
  const errors = problems.filter((p) => p.severity === "error" && p.code !== "placeholder");
  for (const problem of errors) console.error(String(problem));
  return errors.length === 0 ? 0 : 1;
}
