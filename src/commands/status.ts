// `tapline status`: the conservation law, lag and heads, as the running collector last wrote them.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { TaplineError, reasonOf, systemCode } from "../core/errors.ts";
import { openDeadLetters } from "../sinks/dead-letters.ts";
import { type Status, withReplayed } from "../status.ts";
import { skippedSum } from "../tally.ts";
import { type Command, readArgs, readConfig } from "./usage.ts";

const STALE_MS = 10_000;

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === "EPERM";
  }
}

async function load(state_dir: string): Promise<Status> {
  const path = join(state_dir, "status.json");
  try {
    return JSON.parse(await readFile(path, "utf8")) as Status;
  } catch (cause) {
    throw new TaplineError("NO_STATUS", `cannot read ${path}: ${reasonOf(cause)}`, {
      remedy: "start the collector with `tapline run`, or name its configuration with -c",
      cause,
    });
  }
}

const n = (value: number): string => value.toLocaleString("en-US");

function print(status: Status, problems: readonly string[]): void {
  const { tally } = status;
  const skipped = Object.entries(tally.skipped).map(([reason, count]) => `${reason} ${n(count)}`);
  console.log(`collector   ${status.running ? `running, pid ${status.pid}` : "stopped"}`);
  console.log(
    `ledger      ${status.origin}: ${n(status.entries)} entries, checkpoint at ${n(status.checkpoint_size)}`,
  );
  console.log(`integrity   ${status.integrity}`);
  console.log(
    `records     read ${n(tally.read)} = recorded ${n(tally.recorded)} + merged ${n(tally.merged)} + ` +
      `skipped ${n(skippedSum(tally))}${skipped.length === 0 ? "" : ` (${skipped.join(", ")})`}`,
  );
  console.log(
    `kept as     unparsable ${n(tally.unparsable)}, gaps ${n(tally.gaps)}; alerts ${n(tally.alerts)}`,
  );
  for (const sink of status.sinks) {
    console.log(
      `sink        ${sink.name}: ledger ${n(status.entries)} = new ${n(sink.created)} + there ${n(sink.existing)} + ` +
        `dead letters ${n(sink.dead)} + replayed ${n(sink.replayed)} + filtered ${n(sink.filtered)} + pending ${n(sink.pending)}` +
        (sink.trouble === undefined ? "" : `  ! ${sink.trouble}`),
    );
  }
  for (const problem of problems) console.log(`PROBLEM     ${problem}`);
}

export const status: Command = {
  about: "conservation law, lag, heads, what integrity is in force",
  help: `usage: tapline status [-c FILE] [--json]

Exit code 1 when the numbers do not add up, a sink is in trouble or the collector died.`,
  async run(argv) {
    const options = { config: { type: "string", short: "c" }, json: { type: "boolean" } } as const;
    const { values } = readArgs(argv, { options });
    const config = await readConfig(values.config);
    const found = await withReplayed(
      await load(config.state_dir),
      async (sink) => (await openDeadLetters(config.state_dir, sink).list()).length,
    );
    const problems = [...found.broken];
    if (found.running && !alive(found.pid))
      problems.push(`the collector (pid ${found.pid}) died without stopping`);
    else if (found.running && Date.now() - found.at_ms > STALE_MS)
      problems.push("the collector no longer reports");
    for (const sink of found.sinks)
      if (sink.trouble !== undefined) problems.push(`${sink.name}: ${sink.trouble}`);
    if (values.json === true) console.log(JSON.stringify({ ...found, problems }));
    else print(found, problems);
    return problems.length === 0 ? 0 : 1;
  },
};
