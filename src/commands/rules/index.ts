// `tapline rules`: the tools of a detection engineer. Each subcommand has a file of its own.
import { commandOf } from "../usage.ts";

export const rules = commandOf(
  {
    test: async () => (await import("./test.ts")).test,
    lint: async () => (await import("./lint.ts")).lint,
    explain: async () => (await import("./explain.ts")).explain,
    backtest: async () => (await import("./backtest.ts")).backtest,
    coverage: async () => (await import("./coverage.ts")).coverage,
    list: async () => (await import("./list.ts")).list,
    new: async () => (await import("./new.ts")).create,
  },
  `usage: tapline rules test|lint|coverage|list [PATH…] [-c FILE] [--json]
       tapline rules explain RULE EVENT [--rules PATH]… [-c FILE] [--json]
       tapline rules backtest [PATH…] [--from TIME] [--to TIME] [--expect FILE] [--samples N] [--store] [-c FILE] [--json]
       tapline rules new AREA NAME [--dir DIR]

  PATH         rule files or directories (default: the rules of the configuration, the bundled ones among them)

  test         runs proofs (<rule>.test.yml beside a rule), test cases inside a rule (testcases: match, dont-match) and
               recordings in SigmaHQ's regression layout (regression_tests_path, with JSON beside the evtx)
    --junit FILE    results as JUnit XML too
  lint         what cannot be used (error) or is probably a mistake (warning); exit code 1 when there is an error
    --fix           puts right what is mechanical; comments and layout stay
    --json          a line {file, line, severity, code, message} a finding
  explain      why a rule matches an event or not, test by test; exit code 1 when it does not
    RULE            file, id or title
    EVENT           JSON file, - for standard input, or the id of an event in the ledger of the configuration
    --rules PATH    rules to look in, in addition
  backtest     rules over the ledger of the configuration: matches by rule and day, compared with the alerts of the time
    --from, --to    a day or a time, both included
    --expect FILE   bounds by rule ({rules: {TITLE: {exactly|at_least|at_most: N}}, unexpected: fail|warn|ignore})
    --samples N     events shown of each rule (default 3)
    --store         reads the store instead, which is faster for a short range of a long history
  coverage     ATT&CK and ATLAS techniques, OWASP lists, ISO/IEC 42001 controls
    --layer FILE    layers for the ATT&CK Navigator
  list         id, state, level, status, area (directory) and title. A rule rests while nothing defines a placeholder of it:
               it matches nothing, which is no error, and every command here says so
  new          writes a rule and its proof to begin with, below --dir (default: here)`,
);
