// `tapline check`: configuration, rules and connections; every problem at once, with its place and a remedy.
import { existsSync } from "node:fs";
import { openLog } from "../core/log.ts";
import { TaplineError, reasonOf } from "../core/errors.ts";
import { type Config } from "../config.ts";
import { rulePaths } from "../reload.ts";
import { createSink, sinksOf } from "../components.ts";
import { loadRules } from "../detect/load.ts";
import { type Resting, restingLine, restingRow } from "../detect/resting.ts";
import { withInventory } from "../engine.ts";
import type { CompiledPolicy } from "../policy/compiled.ts";
import { readPolicy } from "../policy/open.ts";
import { type Command, readArgs, readConfig } from "./usage.ts";

const CONNECT_MS = 10_000;

interface Problem {
  readonly where: string;
  readonly what: string;
  readonly remedy: string | undefined;
}

async function checkSinks(config: Config): Promise<Problem[]> {
  const log = openLog();
  const found: Problem[] = [];
  for (const [name, typed] of sinksOf(config)) {
    // A store or file is made by `run`; only what lies beyond this machine's disk is tried.
    if (["store", "file", "null"].includes(typed.type)) continue;
    const sink = createSink(config, name, typed, log);
    const signal = AbortSignal.timeout(CONNECT_MS);
    try {
      if ("check" in sink) await sink.check(signal);
      else await sink.open(signal);
    } catch (error) {
      const remedy = error instanceof TaplineError ? error.remedy : undefined;
      found.push({ where: `sinks.${name}`, what: reasonOf(error), remedy });
    }
    await sink.close();
  }
  return found;
}

async function checkRules(
  config: Config,
  policy: CompiledPolicy | undefined,
): Promise<{ found: Problem[]; resting: readonly Resting[] }> {
  const found: Problem[] = [];
  for (const path of config.rules) {
    if (existsSync(path)) continue;
    found.push({
      where: "rules",
      what: `${path} does not exist`,
      remedy: "name a file or a directory of rules",
    });
  }
  const paths = rulePaths(config).filter(existsSync);
  const rules = await loadRules(paths, { placeholders: withInventory(config.placeholders, policy) });
  // A rule that rests is no problem: it is told beside them.
  for (const problem of rules.problems.filter((p) => p.code !== "placeholder"))
    found.push({ where: "rules", what: String(problem), remedy: "`tapline rules lint` shows it in full" });
  return { found, resting: rules.resting };
}

/** The policy, where there is one that can be used. */
async function checkPolicy(config: Config, problems: Problem[]): Promise<CompiledPolicy | undefined> {
  try {
    const { loaded, problem } = await readPolicy(config);
    for (const what of problem?.split("\n") ?? [])
      problems.push({ where: "policy", what, remedy: undefined });
    return loaded?.policy;
  } catch (error) {
    if (!(error instanceof TaplineError)) throw error;
    for (const what of error.message.split("\n"))
      problems.push({ where: "policy", what, remedy: error.remedy });
    return undefined;
  }
}

const count = (record: object): number => Object.keys(record).length;

async function findProblems(
  path: string | undefined,
): Promise<{ problems: Problem[]; config: Config | undefined; resting: readonly Resting[] }> {
  const problems: Problem[] = [];
  let config: Config | undefined;
  try {
    config = await readConfig(path);
  } catch (error) {
    if (!(error instanceof TaplineError)) throw error;
    for (const what of error.message.split("\n"))
      problems.push({ where: "configuration", what, remedy: error.remedy });
    return { problems, config, resting: [] };
  }
  const policy = await checkPolicy(config, problems);
  const { found, resting } = await checkRules(config, policy);
  problems.push(...found, ...(await checkSinks(config)));
  return { problems, config, resting };
}

export const check: Command = {
  help: `usage: tapline check [-c FILE] [--json]

Exit code 1 when there is a problem. A rule that rests, since nothing defines a placeholder of it, is told and is none.`,
  async run(argv) {
    const options = { config: { type: "string", short: "c" }, json: { type: "boolean" } } as const;
    const { values } = readArgs(argv, { options });
    const { problems, config, resting } = await findProblems(values.config);
    if (values.json === true) console.log(JSON.stringify({ problems, resting: resting.map(restingRow) }));
    else {
      for (const { where, what, remedy } of problems) {
        console.log(`${where}: ${what}${remedy === undefined ? "" : `\n  remedy: ${remedy}`}`);
      }
      if (problems.length === 0 && config !== undefined) {
        console.log(
          `fine: ${count(config.sources)} sources, ${count(config.sinks)} sinks, rules and connections`,
        );
      }
      for (const one of resting) console.log(`rules: ${restingLine(one)}`);
    }
    return problems.length === 0 ? 0 : 1;
  },
};
