// docs/reliability.md from the fault matrix and the results of the last runs: promise, workload, faults, figures, limits.
import { MATRIX, groupOf } from "../test/fault/matrix.ts";
import { GROUPS, ORACLES, type Row } from "../test/fault/matrix/row.ts";

type State = "passed" | "failed" | "skipped";

/** What became of one file of tests. */
export interface FileResult {
  /** Long seeds and all rounds, or the short ones of every run. */
  readonly full: boolean;
  readonly seed: number;
  readonly commit: string;
  /** Day of the run, UTC. */
  readonly date: string;
  readonly cpu_s: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** By title as the matrix has it. */
  readonly titles: Readonly<Record<string, State>>;
  /** What the tests said of themselves. */
  readonly figures: readonly string[];
}
export type Results = Readonly<Record<string, FileResult>>;

const HEAD = `# Reliability

Written by \`npm run reliability\` from the fault matrix (\`test/fault/matrix.ts\`) and from what the last runs gave (\`docs/reliability.json\`). Every
figure is of a run that took place.

## Promise

- From a source that has positions (file, spool, Kafka partition) to the ledger: each record once, in the order of its source. From OTLP: at least once, repeats
  recognised within a window.
- From the ledger to a sink: at least once, seen once. What is refused is a dead letter with its reason.
- What cannot be had back is told by a gap entry, with file and bytes where they are known. The counters add up, always.
- The ledger verifies, and continues every checkpoint that was published.
- Trouble ends the collector with a reason, or it goes on. It neither crashes in a loop nor lives without collecting.

## Workload

Numbered calls in files that grow and rotate, read by the real collector (\`bin/tapline.js\`) into ledger, file, store and a cluster: a real OpenSearch, or an
endpoint that keeps the truth and misbehaves as a script or a seed says. Afterwards every number is looked for everywhere, once. Power cuts are made on a disk
that keeps what was synced, and of the rest what chance leaves; system calls are ended and refused by strace.

## How to run it

\`\`\`sh
npm run test:fault                    # short seeds, as every run of the tests has them
npm run reliability -- run            # every file of the matrix, short; results into docs/reliability.json, and this page
npm run reliability -- run --full fault/syscalls.test.ts    # one file, long
\`\`\`

A failure names its seed; \`TAPLINE_SEED=N\` gives it again.
`;

const LIMITS = `
## Known limits

- A power cut is simulated on the files of ledger, keys, cursors and dead letters; the store can be made again, and files of sinks are completed from the ledger.
- One machine: partitions between brokers, and clusters of several nodes, are for those who make them.
- Entries that no checkpoint elsewhere covers can be rewritten by whoever holds the key: see the [threat model](threat-model.md).
`;

const cell = (text: string): string => text.replaceAll("|", "\\|");

function stateOf(row: Row, results: Results): string {
  const states = row.tests.flatMap(([file, ...titles]) =>
    titles.map((title) => results[file]?.titles[title] ?? "not run"),
  );
  if (states.length === 0) return "not tried";
  if (states.includes("failed")) return "**failed**";
  if (states.every((state) => state === "passed")) return "passed";
  const passed = states.filter((state) => state === "passed").length;
  return passed === 0 ? "not run" : `${passed} of ${states.length} passed, the others not run`;
}

function rowsOf(group: keyof typeof GROUPS, results: Results): string {
  const rows = MATRIX.filter((row) => groupOf(row) === group).map((row) => {
    const files = row.tests.map(([file]) => file.replace(/\.test\.ts$|\.ts$/, "")).join(", ");
    return `| ${row.row} | ${cell(row.fault)} | ${row.oracles.join(" ")} | ${stateOf(row, results)} | ${files} |`;
  });
  return `\n### ${group}. ${GROUPS[group]}\n\n| | fault | has to hold | result | tests |\n|---|---|---|---|---|\n${rows.join("\n")}\n`;
}

function notesOf(title: string, about: string, pick: (row: Row) => string | undefined): string {
  const lines = MATRIX.flatMap((row) => {
    const note = pick(row);
    return note === undefined ? [] : [`- ${row.row}, ${row.fault.replace(/[.:]$/, "")}: ${note}`];
  });
  return `\n### ${title}\n\n${about}\n\n${lines.join("\n")}\n`;
}

/** Counts of the rows by what became of them. */
function summary(results: Results): string {
  const states = MATRIX.map((row) => stateOf(row, results));
  const count = (what: (state: string) => boolean): number => states.filter(what).length;
  const parts = [
    `${count((s) => s === "passed")} passed`,
    `${count((s) => s === "**failed**")} failed`,
    `${count((s) => s.includes(" of "))} passed in part`,
    `${count((s) => s === "not run" || s === "not tried")} not run`,
  ];
  return `Of ${MATRIX.length} rows ${parts.join(", ")}.\n`;
}

export function reliabilityPage(results: Results): string {
  const oracles = Object.entries(ORACLES).map(([name, what]) => `${name} ${what}`);
  const files = Object.entries(results).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const runs = files.map(
    ([file, r]) =>
      `| ${file} | ${r.full ? "full" : "short"} | ${r.passed} | ${r.failed} | ${r.skipped} | ${r.seed} | ${r.cpu_s} | ${r.commit} | ${r.date} |`,
  );
  const figures = files.flatMap(([file, { figures: said }]) =>
    said.map((figure) => `- ${file}: ${cell(figure)}`),
  );
  return [
    HEAD,
    `\n## Faults\n\nWhat has to hold: ${oracles.join("; ")}.\n\n${summary(results)}`,
    ...(Object.keys(GROUPS) as (keyof typeof GROUPS)[]).map((group) => rowsOf(group, results)),
    "\n## Figures\n\n",
    figures.length === 0 ? "None yet.\n" : `${figures.join("\n")}\n`,
    "\n| file | run | passed | failed | skipped | seed | CPU s | commit | date |\n|---|---|---|---|---|---|---|---|---|\n",
    `${runs.join("\n")}\n`,
    LIMITS,
    notesOf(
      "What nobody can have back",
      "The only losses, and what is recorded of them:",
      (row) => row.unrecoverable,
    ),
    notesOf("What is not tried", "Of these rows, this:", (row) => row.notHere),
  ].join("");
}
