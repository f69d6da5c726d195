// `tapline rules backtest`: rules over what was recorded: how often and on which days each would have fired, compared
// with the alerts of the time and with what is expected.
import { plural } from "../../core/words.ts";
import { TaplineError } from "../../core/errors.ts";
import { parseTime } from "../../core/time.ts";
import { Backtest, type BacktestReport } from "../../detect/backtest.ts";
import { type Expectations, type Missed, readExpectations, unmet } from "../../detect/expect.ts";
import { loadRules } from "../../detect/load.ts";
import { type Resting, isRefusal, restingLine, restingRow } from "../../detect/resting.ts";
import { firstIn } from "../../ledger/pruned.ts";
import { UsageError, ledgerDir, readArgs, readConfig, readNumber } from "../usage.ts";
import { entryTexts, eventOfEntry, openBlobs, storedTexts } from "./ledger.ts";
import { pathsOr, placeholdersIn, readBounded } from "./shared.ts";

const SAMPLES = 3;
const EVER = ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"] as const;

/** A day is its first moment, or its last for `--to`. */
function readTime(value: string | undefined, option: "--from" | "--to"): string | undefined {
  if (value === undefined) return undefined;
  const clock = option === "--from" ? "T00:00:00.000Z" : "T23:59:59.999Z";
  const time = parseTime(/^\d{4}-\d\d-\d\d$/.test(value) ? value + clock : value);
  if (time !== undefined) return time;
  throw new UsageError(`${option} takes a day (2026-11-23) or a time with its zone, not "${value}"`);
}

async function expectationsOf(path: string | undefined): Promise<Expectations | undefined> {
  if (path === undefined) return undefined;
  const text = await readBounded(path);
  if (typeof text !== "string")
    throw new TaplineError("EXPECTATIONS_UNREADABLE", `cannot read ${path}: ${text.message}`);
  const expected = readExpectations(text);
  if (expected.problems.length > 0)
    throw new UsageError(expected.problems.map((p) => `${path}: ${p}`).join("\n"));
  return expected;
}

function print(
  report: BacktestReport,
  { missed, resting }: { missed: readonly Missed[]; resting: readonly Resting[] },
): void {
  const { events, first, last, rules } = report;
  const compare = rules.some((rule) => rule.recorded > 0);
  const span = first === undefined ? "" : `, ${first} to ${last}`;
  const total = rules.reduce((sum, rule) => sum + rule.matches, 0);
  console.log(
    `${plural(rules.length, "rule")} over ${plural(events, "event")}${span}: ${plural(total, "match").replace(/hs$/, "hes")}`,
  );
  for (const rule of rules) {
    if (rule.matches === 0 && rule.recorded === 0) continue;
    const recorded = compare ? `, ${rule.recorded} recorded` : "";
    console.log(`\n${String(rule.matches).padStart(7)}  ${rule.title} (${rule.level}${recorded})`);
    for (const [day, count] of Object.entries(rule.days).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      console.log(`         ${day}  ${count}`);
    for (const { event, reason } of rule.samples) console.log(`         ${event}  ${reason}`);
  }
  const quiet = rules.filter((rule) => rule.matches === 0).length;
  console.log(`\n${plural(quiet, "rule")} without a match`);
  for (const rule of resting) console.log(`not run: ${restingLine(rule)}`);
  if (compare) {
    const same = report.only_backtest + report.only_recorded === 0;
    const differ = `${report.only_backtest} only here, ${report.only_recorded} only recorded`;
    console.log(`recorded alerts of these rules: ${same ? "the same" : differ}`);
  }
  for (const { severity, message } of missed)
    console.log(`${severity === "error" ? "FAIL" : "WARN"}  ${message}`);
}

export async function backtest(argv: readonly string[]): Promise<number> {
  const options = {
    config: { type: "string", short: "c" },
    from: { type: "string" },
    to: { type: "string" },
    expect: { type: "string" },
    samples: { type: "string" },
    store: { type: "boolean" },
    json: { type: "boolean" },
  } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  const [from, to] = [readTime(values.from, "--from"), readTime(values.to, "--to")];
  const samples = readNumber(values.samples, "--samples") ?? SAMPLES;
  const expected = await expectationsOf(values.expect);
  const config = await readConfig(values.config);
  const dir = ledgerDir(config);
  // As the collector does it: every rule against the field table, with the filters found.
  const paths = await pathsOr(positionals, values.config);
  const placeholders = await placeholdersIn(config);
  const { set, correlations, problems, resting } = await loadRules(paths, { placeholders });
  const errors = problems.filter(isRefusal);
  for (const problem of errors) console.error(String(problem));
  const test = new Backtest(set, correlations, { from, to, samples });
  const blobs = openBlobs(dir);
  const batches =
    values.store === true ? storedTexts(config, from ?? EVER[0], to ?? EVER[1]) : entryTexts(dir);
  for await (const texts of batches) {
    for (const text of texts) {
      const event = await eventOfEntry(blobs, text);
      if (event !== undefined) test.add(event);
    }
    test.flush();
  }
  const report = test.report();
  const kept = await firstIn(dir);
  if (kept > 0 && values.json !== true)
    console.log(`retention has removed the entries before ${kept}: rules were run from there on`);
  const missed = expected === undefined ? [] : unmet(expected, report.rules);
  if (values.json === true)
    console.log(JSON.stringify({ ...report, resting: resting.map(restingRow), missed }));
  else print(report, { missed, resting });
  return errors.length > 0 || missed.some((m) => m.severity === "error") ? 1 : 0;
}
