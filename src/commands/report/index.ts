// `tapline report`: an evidence pack of a period, and the statement of applicability that it is held against.
import type { Command } from "../usage.ts";

export const report: Command = {
  help: `usage: tapline report --out DIR [--control ID]… [--from T] [--to T] [--soa FILE] [--impact FILE] [--seed N]
                      [--key FILE] [-c FILE] [--json]
       tapline report soa init [FILE]
       tapline report soa export [--soa FILE] --out FILE.csv|FILE.xlsx [-c FILE]
       tapline report soa import FILE.csv|FILE.xlsx [--soa FILE] [-c FILE]

  --out DIR        where the pack goes: a directory that is not there, or empty
  --control ID     such as A.6.2.6; several are several pages (default: all of Annex A)
  --from, --to     the period, [from, to), by the time of the events: 2026-11-01, 2026-11-01T00:00:00+01:00, now-90d
                   (default: everything recorded)
  --soa FILE       the statement of applicability (default: \`soa\` of the configuration)
  --impact FILE    the impact assessment: harms and the rules that watch for them (default: \`impact\` of the configuration)
  --seed N         of the draw, best the auditor's (default: made from the root of the newest checkpoint)
  --key FILE       a private key (C2SP signed note) for the manifest, in place of the ledger's
  --json           prints the report to standard output as well

Exit code 1 when there are gaps: a period in which nothing was recorded, a control said to be implemented without
evidence in the period, a check that failed, a harm that nothing watches for. The export is recorded in the ledger.

  soa init         writes a first statement with every control, to be filled in (default: soa.yml)
  soa export       the statement as a table for spreadsheets
  soa import       such a table into the statement; comments in the file stay`,
  async run([name, ...rest]) {
    if (name === "soa") return (await import("./soa.ts")).soa(rest);
    return (await import("./report.ts")).makePack(name === undefined ? [] : [name, ...rest]);
  },
};
