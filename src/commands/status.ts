// `tapline status`: the conservation law, lag and heads, as the running collector last wrote them.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { TaplineError, reasonOf } from "../core/errors.ts";
import { alive } from "../core/lock.ts";
import { n } from "../core/words.ts";
import { anchorProblems, checkpointAge, integrityOf, ownSigner, signerProblems } from "../integrity.ts";
import { openDeadLetters } from "../sinks/dead-letters.ts";
import { type Status, withReplayed } from "../status.ts";
import { skippedSum } from "../tally.ts";
import { type Command, readArgs, readConfig } from "./usage.ts";

const STALE_MS = 10_000;

async function load(state_dir: string): Promise<Status> {
  const path = join(state_dir, "status.json");
  try {
    const status = JSON.parse(await readFile(path, "utf8")) as Status;
    if (status.version === 2) return status;
    throw new Error("another version of the collector wrote it");
  } catch (cause) {
    throw new TaplineError("NO_STATUS", `cannot read ${path}: ${reasonOf(cause)}`, {
      remedy: "start the collector with `tapline run`, or name its configuration with -c",
      cause,
    });
  }
}

function printDetection({ detection: d, ruleset, evicted, values_replaced = 0 }: Status): void {
  console.log(
    `rules       set ${ruleset.slice(0, 19)}; ${n(values_replaced)} values forgotten and looked at anew when they come again`,
  );
  console.log(
    `windows     ${n(d.correlations)} correlations: ${n(d.keys)} open keys, ${n(d.rows)} events, ${n(d.bytes)} bytes; ` +
      `fired ${n(d.fired)}, late ${n(d.late)}, evicted ${n(d.evicted_keys)} keys and ${n(d.evicted_rows)} events`,
  );
  if (d.matches_sent !== undefined)
    console.log(
      `matches     ${n(d.matches_sent)} sent to the collectors of the group; ${n(d.matches_unread ?? 0)} messages of theirs not understood`,
    );
  console.log(
    `repeats     ${n(d.suppressed)} suppressed in ${n(d.suppressing)} open windows, told when these end; evicted ${n(d.suppressing_evicted ?? 0)}`,
  );
  console.log(
    `memory      ${n(d.seen)} things known as seen, evicted ${n(d.seen_evicted)}; of sessions and flow evicted ${n(evicted)}`,
  );
  console.log(
    `chokepoint  ${n(d.overseen)} calls held against decisions, ${n(d.overseen_evicted)} of which nothing can be said`,
  );
  console.log(
    `incidents   ${n(d.incidents_open)} open; ${n(d.incidents)} that more may happen to, evicted ${n(d.incidents_evicted)}`,
  );
}

/** What receivers were asked, and how it ended, and how far members of a group are; the counts of other sources are in the JSON. */
function printSources({ sources }: Status): void {
  for (const [name, counts] of Object.entries(sources ?? {})) {
    if (counts["requests"] === undefined && counts["partitions"] === undefined) continue;
    const told = Object.entries(counts).filter(([, count]) => count > 0);
    console.log(
      `source      ${name}: ${told.map(([what, count]) => `${what.replaceAll("_", " ")} ${n(count)}`).join(", ")}`,
    );
  }
}

/** What a sink met besides, where it met anything. */
function met(counts: Readonly<Record<string, number>> = {}): string {
  const told = Object.entries(counts).filter(([, count]) => count > 0);
  return told.length === 0 ? "" : `; ${told.map(([what, count]) => `${what} ${n(count)}`).join(", ")}`;
}

const DRIFT_SHOWN = 10;

/** What formats did not know: kept all the same, but somebody should look. */
function printDrift(drift: Status["drift"] = []): void {
  if (drift.length === 0) return;
  const sum = (kind: string): number =>
    drift.reduce((all, line) => all + (line.kind === kind ? line.count : 0), 0);
  console.log(
    `drift       records of unknown types ${n(sum("type"))}, unknown fields ${n(sum("field"))}; kept as they are`,
  );
  for (const { format, version, kind, name, count } of drift.slice(0, DRIFT_SHOWN)) {
    const what = kind === "" ? "others, not told apart" : `${kind} ${name === "" ? "(no name)" : name}`;
    console.log(
      `            ${n(count)} × ${[format, version].filter((text) => text !== "").join(" ")} ${what}`,
    );
  }
  if (drift.length > DRIFT_SHOWN)
    console.log(`            and ${n(drift.length - DRIFT_SHOWN)} more: tapline status --json`);
}

function printChecks({ checks = {} }: Status): void {
  for (const [name, { outcome, detail }] of Object.entries(checks))
    console.log(`check       ${outcome.padEnd(7)}  ${name}: ${detail}`);
}

function print(status: Status, integrity: readonly string[], problems: readonly string[]): void {
  const { tally } = status;
  const skipped = Object.entries(tally.skipped).map(([reason, count]) => `${reason} ${n(count)}`);
  console.log(`collector   ${status.running ? `running, pid ${status.pid}` : "stopped"}`);
  console.log(
    `ledger      ${status.origin}: ${n(status.entries)} entries, checkpoint at ${n(status.checkpoint_size)}`,
  );
  if ((status.first ?? 0) > 0)
    console.log(
      `            entries before ${n(status.first!)} were removed by retention; their hashes are kept`,
    );
  integrity.forEach((line, i) => console.log(`${i === 0 ? "integrity " : "          "}  ${line}`));
  console.log(
    `records     read ${n(tally.read)} = recorded ${n(tally.recorded)} + merged ${n(tally.merged)} + ` +
      `skipped ${n(skippedSum(tally))}${skipped.length === 0 ? "" : ` (${skipped.join(", ")})`}`,
  );
  console.log(
    `kept as     unparsable ${n(tally.unparsable)}, gaps ${n(tally.gaps)}; alerts ${n(tally.alerts)}`,
  );
  printDrift(status.drift);
  console.log(`in flight   ${n(status.in_flight)} batches read and not yet durable`);
  printDetection(status);
  printSources(status);
  printChecks(status);
  for (const sink of status.sinks) {
    const pruned = sink.pruned === undefined || sink.pruned === 0 ? "" : `pruned ${n(sink.pruned)} + `;
    console.log(
      `sink        ${sink.name}: ledger ${n(status.entries)} = new ${n(sink.created)} + there ${n(sink.existing)} + ` +
        `dead letters ${n(sink.dead)} + replayed ${n(sink.replayed)} + filtered ${n(sink.filtered)} + ${pruned}pending ${n(sink.pending)}` +
        met(sink.counts) +
        (sink.trouble === undefined ? "" : `  ! ${sink.trouble}`),
    );
  }
  for (const problem of problems) console.log(`PROBLEM     ${problem}`);
}

export const status: Command = {
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
    const age_s = await checkpointAge(config.state_dir, Date.now());
    const { entries, checkpoint_size: size, anchors = [], retention } = found;
    if (retention?.held !== undefined) problems.push(`retention: ${retention.held}`);
    problems.push(...signerProblems(found.signer), ...anchorProblems(anchors));
    const signing = { signer: found.signer, own_signer: await ownSigner(found.signer?.place) };
    const integrity = integrityOf({ entries, size, age_s, anchors, ...signing }, Date.now());
    if (values.json === true)
      console.log(
        JSON.stringify({ ...found, checkpoint_age_s: age_s, integrity: integrity.join("\n"), problems }),
      );
    else print(found, integrity, problems);
    return problems.length === 0 ? 0 : 1;
  },
};
