// Groups C and D: what is in records, rules and configuration.
import type { Row } from "./row.ts";

export const CONTENT: readonly Row[] = [
  {
    row: 36,
    fault: "Depth of 5,000 to 5,000,000",
    oracles: ["O1", "O6"],
    tests: [
      ["fault/hostile.test.ts", "%i arrays", "within what a record may, deeper than an object may"],
      ["fault/hostile-files.test.ts", "depth of five million, met where a format is recognised"],
    ],
  },
  {
    row: 37,
    fault: "A key twice",
    oracles: ["O1"],
    tests: [
      ["core/duplicates.test.ts", "found exactly where they are", "in time that grows with the text alone"],
    ],
  },
  {
    row: 38,
    fault: "__proto__, constructor, empty keys, dots in keys, a key of 1 MB",
    oracles: ["O1", "O8"],
    tests: [["fault/hostile.test.ts", "__proto__, constructor, empty, with dots", "of 1 MB, and with NUL"]],
  },
  {
    row: 39,
    fault: "Numbers that a double does not hold",
    oracles: ["O1"],
    tests: [
      [
        "fault/hostile.test.ts",
        "that a double cannot hold keep their digits",
        "two ids that a double would merge stay two calls",
      ],
    ],
  },
  {
    row: 40,
    fault: "Records that are no object",
    oracles: ["O1", "O5"],
    tests: [["fault/hostile.test.ts", "a record that is %s", "records of any kind in a stream of %s"]],
  },
  {
    row: 41,
    fault: "Ten thousand keys, other ones in each record",
    oracles: ["O1", "O7"],
    tests: [
      ["fault/hostile.test.ts", "ten thousand in one object, other ones in each of many"],
      ["fault/indexable.test.ts", "no document is a dead letter"],
    ],
  },
  {
    row: 42,
    fault: "One field with several types; a mapping that does not fit",
    oracles: ["O1", "O5"],
    tests: [
      ["fault/hostile.test.ts", "text, then an object, then a number in one place"],
      [
        "integration/run.test.ts",
        "the poisoned document is a dead letter; another try fails while the mapping is wrong",
        "after the mapping is repaired the dead letter is delivered and no longer listed",
      ],
    ],
  },
  {
    row: 43,
    fault: "Keywords beyond what an index takes",
    oracles: ["O1"],
    tests: [
      ["fault/indexable.test.ts", "no document is a dead letter"],
      ["fault/hostile-bounds.test.ts", "a keyword, a name, an id", "text of %i bytes in arguments"],
    ],
  },
  {
    row: 44,
    fault: "Times of every kind, and none",
    oracles: ["O1"],
    tests: [
      ["fault/hostile-text.test.ts", "%s is read", "%.40s is suspect, and the stream's time stands in"],
      ["core/time.test.ts", "agrees with Date on every instant it can write"],
    ],
  },
  {
    row: 45,
    fault: "Ids that are missing, doubled, 600 bytes long",
    oracles: ["O1", "O2"],
    tests: [
      ["fault/hostile-text.test.ts", "answers without a call, calls without an answer, one id many times"],
      ["fault/hostile-bounds.test.ts", "a keyword, a name, an id"],
    ],
  },
  {
    row: 46,
    fault: "Events out of order; the clock set forth and back",
    oracles: ["O1", "O3", "O5"],
    tests: [
      [
        "fault/process.test.ts",
        "the clock is set forth and back, between runs and while one lasts: order and counts hold",
      ],
      ["fault/hostile-text.test.ts", "out of order, jumping by days, with the end before the beginning"],
      [
        "detect/watermark.test.ts",
        "it never goes back, never passes the clock less the lateness, and survives JSON",
      ],
    ],
  },
  {
    row: 47,
    fault: "Unknown versions and types",
    oracles: ["O1", "O5"],
    tests: [
      ["normalise/drift.test.ts", "is counted by version: types, fields, and fields of the message"],
      [
        "commands/status.test.ts",
        "what formats do not know, by format and client version, also after a restart",
      ],
    ],
  },
  {
    row: 48,
    fault: "Secrets anywhere in a record, in keys, dead letters, logs and errors",
    oracles: ["O8"],
    tests: [
      [
        "fault/hostile-text.test.ts",
        "in a line that is not UTF-8",
        "in the name of the session and of the connection, and what is made of them",
      ],
      ["normalise/redact.test.ts", "every field that can hold text of a record, also fields that come later"],
      [
        "fault/hostile-files.test.ts",
        "run prints names of strangers without what steers a terminal, and never a secret",
      ],
      ["fault/state.test.ts", "a secret in what a call is remembered by is not remembered"],
      ["sinks/clients.test.ts", "a rotated password is read again after a 401, and no message holds it"],
    ],
    notHere: "A secret that is split over two records is met in neither.",
  },
  {
    row: 49,
    fault: "Text that attacks its readers: terminals, spreadsheets, markup, links, line ends",
    oracles: ["O8"],
    tests: [
      [
        "fault/hostile-files.test.ts",
        "run prints names of strangers without what steers a terminal, and never a secret",
      ],
      [
        "viewer/web/hostile.test.ts",
        "nothing of them renders on any page, in charts, tooltips, dialogs or titles",
      ],
      [
        "viewer/server.test.ts",
        "an export is recorded before it is sent, and no spreadsheet takes a cell of it for a formula",
      ],
      ["sinks/webhook.test.ts", "is no mark, link or mention for Slack: %j"],
      ["evidence/pack.test.ts", "nothing recorded becomes markup in the page or a formula in the table"],
    ],
  },
  {
    row: 50,
    fault: "Expressions that take for ever",
    oracles: ["O6"],
    tests: [
      [
        "normalise/secrets.test.ts",
        "RE2 reads every pattern and matches the same",
        "time is linear whatever the text",
      ],
      ["detect/modifiers.test.ts", "re is case-sensitive unless told, with flags i m s"],
      ["normalise/enrich-command.test.ts", "any text is read, within bounds and in little time"],
    ],
  },
  {
    row: 51,
    fault: "YAML that explodes, tags, merge keys, files that are too long",
    oracles: ["O6", "O7", "O8"],
    tests: [
      ["commands/rules.test.ts", "rules that would hurt are refused by name, and the others are looked at"],
      ["commands/check.test.ts", "hostile text is refused, in bounded time and output"],
      ["policy/parse.test.ts", "hostile text is refused in bounded time"],
    ],
  },
  {
    row: 52,
    fault: "A rule that throws on each event",
    oracles: ["O1", "O5", "O6"],
    tests: [
      ["detect/match.test.ts", "a rule that throws is isolated, counted and named"],
      [
        "fault/hostile-bounds.test.ts",
        "a rule that throws, or cannot say what it found, misses its events; they and the other rules do not",
      ],
    ],
  },
  {
    row: 53,
    fault: "Bad rules while it runs",
    oracles: ["O6"],
    tests: [["commands/reload.test.ts", "a changed rule is live soon, a bad one is not, and windows go on"]],
  },
  {
    row: 54,
    fault: "Storm of alerts",
    oracles: ["O5", "O7"],
    tests: [
      [
        "detect/suppress.test.ts",
        "the first is told under the id of its window, repeats are counted until its end",
      ],
      [
        "detect/correlate-bounds.test.ts",
        "a flood of keys evicts itself first, is counted and told once a minute",
      ],
      [
        "sinks/webhook.test.ts",
        "of a flood of alerts, the first one by one and the others counted in the next",
      ],
      ["incident/grouping.test.ts", "a flood of alerts is named up to a bound, then told by doublings"],
    ],
  },
];
