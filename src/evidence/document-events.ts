// Sheets of what was recorded, what was not heard, what it rests on, and what became of alerts and incidents.
import { n } from "../core/words.ts";
import { type Block, type Cell, type Sheet, type Tone, countsOf, foreign, moment, orDash } from "./blocks.ts";
import { unreadSaid } from "./findings.ts";
import { named } from "./document-control.ts";
import type { Count, ExceptionRow, Report } from "./model.ts";

export function eventsSheet({ events, period }: Report): Sheet {
  return {
    id: "events",
    title: "Events of the period",
    blocks: [
      {
        kind: "facts",
        rows: [
          ["Period", `${period.from} to ${period.to} (UTC)`],
          ["Events", n(events.all)],
          ["Sessions", n(events.sessions)],
        ],
      },
      ...named("Class of event", events.classes),
      ...named("Agent", events.agents),
      ...named("Server", events.servers),
    ],
  };
}

const SILENCE: Readonly<Record<NonNullable<Report["coverage"]["longest_silence"]>["where"], string>> = {
  between: "between two signs of life of the collector",
  begin: "from the beginning of the period to the collector's first sign of life in it",
  end: "after the collector's last sign of life in the period, to its end or to when this was made",
  all: "all of the period: no sign of life of the collector is in it",
};

const counts = (all: readonly Count[]): string => orDash(countsOf(all));

export function coverageSheet({ coverage, retention }: Report): Sheet {
  const { records, longest_silence: silence } = coverage;
  return {
    id: "coverage",
    title: "Coverage, gaps and retention",
    blocks: [
      {
        kind: "facts",
        rows: [
          ["Starts and stops", `${n(coverage.starts)} and ${n(coverage.stops)}`],
          [
            "Longest silence",
            silence === null
              ? "none of ten minutes or more between signs of life of the collector, nor after the last one"
              : `${n(silence.seconds)} s from ${silence.from} on, ${SILENCE[silence.where]}`,
          ],
          ["Gaps, by reason", counts(coverage.gaps)],
          ["Records that could not be read", n(coverage.unparsable)],
          ["Calls past a chokepoint that decides on such calls", n(coverage.bypasses)],
          ["Decisions that no transcript shows", n(coverage.holes)],
          [
            "Records since the ledger began",
            records === null
              ? "not told in this period"
              : `read ${n(records.read)} = recorded ${n(records.recorded)} + logged twice ${n(records.merged)} + skipped ${n(records.skipped)}${reasons(records.by_reason)}`,
          ],
          ["Dead letters, by sink", counts(coverage.dead_letters)],
        ],
      },
      { kind: "heading", text: "Sources" },
      coverage.sources.length === 0
        ? { kind: "text", text: "No heartbeat or stop in this period says which sources were expected." }
        : {
            kind: "table",
            head: ["Source", "Times it was expected", "Of these, silent"],
            widths: [50, 25, 25],
            numbers: [1, 2],
            rows: coverage.sources.map(({ name, expected, silent }): Cell[] => [
              foreign(name),
              n(expected),
              { text: n(silent), ...(silent === expected ? { tone: "gap" as const } : {}) },
            ]),
          },
      { kind: "heading", text: "Retention" },
      {
        kind: "facts",
        rows: [
          ["Oldest event kept, by its own time", orDash(retention.oldest)],
          ["Newest, by its own time", orDash(retention.newest)],
          ["Days between these times", n(retention.days)],
          ["First entry kept", n(retention.first_index)],
        ],
      },
      { kind: "list", items: retention.said },
    ],
  };
}

function reasons(by: Readonly<Record<string, number>>): string {
  const said = Object.entries(by).map(([name, count]) => `${foreign(name)} ${n(count)}`);
  return said.length === 0 ? "" : ` (${said.join(", ")})`;
}

export function integritySheet({ integrity, sample }: Report): Sheet {
  const { cosigned } = integrity;
  return {
    id: "integrity",
    title: "Integrity, and how the sample was drawn",
    blocks: [
      {
        kind: "facts",
        rows: [
          ["Ledger", integrity.origin],
          ["Its key", { text: integrity.vkey, mono: true }],
          ...integrity.earlier.map((key): [string, Cell] => [
            `Before, from ${orDash(key.from)} until ${orDash(key.until)}`,
            { text: key.vkey, mono: true },
          ]),
          ["Entries", n(integrity.entries)],
          ["Newest checkpoint", `covers ${n(integrity.covered)} of them`],
          ["Its root", { text: integrity.root, mono: true }],
          [
            "Newest cosigned checkpoint",
            cosigned === null
              ? "none"
              : `covers ${n(cosigned.size)} entries; ${cosigned.by.map(({ witness, at }) => `${witness} at ${at}`).join(", ")}`,
          ],
          ["Checkpoints that anchors kept, in this pack", n(integrity.kept)],
          [
            "Window",
            `${n(integrity.open)} events of the period are covered by no checkpoint, ${n(integrity.unwitnessed)} by no cosigned one`,
          ],
        ],
      },
      { kind: "heading", text: "In force when this was made" },
      { kind: "list", items: integrity.rungs.map((rung) => foreign(rung, 600)) },
      { kind: "heading", text: "How the sample was drawn" },
      { kind: "text", text: sample.algorithm },
      {
        kind: "facts",
        rows: [
          ["Seed", String(sample.seed)],
          ["Drawn for each control", `${n(sample.size)} at most`],
          [
            "Drawn from",
            `events of the period, before entry ${n(sample.covered)}, that answer the question of the control's page`,
          ],
          ["Events in all", n(sample.events.length)],
        ],
      },
      {
        kind: "text",
        text: "VERIFY.md says how anybody checks a drawn event, up to the checkpoint and its cosignatures, with programs that are not Tapline's.",
      },
    ],
  };
}

const toneOf = ({ status, late }: ExceptionRow): { tone?: Tone } =>
  status === "open" || late.length > 0 ? { tone: "gap" } : {};

export function exceptionsSheet({ exceptions }: Report): Sheet {
  const { alerts, incidents, rows, unlisted, unread } = exceptions;
  const blocks: Block[] = [
    {
      kind: "facts",
      rows: [
        ["Alerts", n(alerts.all)],
        ["By level", counts(alerts.by_level)],
        ["By what became of them", counts(alerts.by_status)],
        ["By rule", counts(alerts.by_rule)],
        [
          "Incidents",
          `${n(incidents.all)}: open ${n(incidents.open)}, closed ${n(incidents.closed)}; past a deadline ${n(incidents.late)}`,
        ],
      ],
    },
    { kind: "text", text: "As they stand when this was made. Open ones first, by level." },
  ];
  if (unread > 0) blocks.push({ kind: "text", text: unreadSaid(unread) });
  if (rows.length > 0)
    blocks.push({
      kind: "table",
      head: ["", "Level", "When", "About", "Now", "Closed", "Deadlines missed"],
      widths: [9, 9, 14, 32, 12, 14, 10],
      rows: rows.map((row): Cell[] => [
        row.kind,
        foreign(row.level),
        moment(row.at),
        foreign(row.about),
        { text: row.verdict === "" ? row.status : `${row.status}, ${row.verdict}`, ...toneOf(row) },
        row.closed_at === "" ? "–" : foreign(`${moment(row.closed_at)} ${row.closed_by}`, 80),
        orDash(foreign(row.late.join(", "))),
      ]),
    });
  if (unlisted > 0) blocks.push({ kind: "text", text: `And ${n(unlisted)} more, which are counted above.` });
  return { id: "exceptions", title: "Exceptions: alerts and incidents, and their closure", blocks };
}
