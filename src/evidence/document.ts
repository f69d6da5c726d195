// What a report says in words, as sheets of plain blocks that the page and the PDF are both made of. Everything recorded passes
// through `foreign`, which bounds it; that nothing in a text becomes markup is for whoever writes it out.
import { n } from "../core/words.ts";
import { LIMITS } from "../core/limits.ts";
import { type Sheet, RESULT, foreign, moment, orDash, statedOf } from "./blocks.ts";
import { controlSheet } from "./document-control.ts";
import { coverageSheet, eventsSheet, exceptionsSheet, integritySheet } from "./document-events.ts";
import { crosswalkSheet, harmsSheet, limitsSheet } from "./document-frame.ts";
import type { Report } from "./model.ts";

export function sheetsOf(report: Report): Sheet[] {
  return [
    summarySheet(report),
    ...report.controls.map((control) => controlSheet(control, report)),
    eventsSheet(report),
    coverageSheet(report),
    integritySheet(report),
    exceptionsSheet(report),
    ...(report.harms === null ? [] : [harmsSheet(report.harms)]),
    crosswalkSheet(report),
    limitsSheet(report),
  ];
}

function summarySheet(report: Report): Sheet {
  const { soa, period, findings, controls, integrity, map } = report;
  const gaps = findings.filter(({ level }) => level === "gap");
  const asked = period.asked.from === null && period.asked.to === null ? "everything recorded" : undefined;
  return {
    id: "summary",
    title: "Evidence from the records of AI agents and MCP servers",
    blocks: [
      {
        kind: "facts",
        rows: [
          ["Organisation", orDash(soa?.organisation)],
          ["Scope", orDash(soa?.scope)],
          [
            "Period",
            `${period.from} to ${period.to}, by the time of the events${asked === undefined ? "" : ` (${asked})`}`,
          ],
          ["Time zone", "All times are UTC"],
          ["Recorded by", `Tapline ${report.version} on ${foreign(report.host)}, ledger ${integrity.origin}`],
          ["Framework", `${map.framework} Annex A, ids and titles; control map ${map.version}`],
          [
            "Statement of applicability",
            soa === null
              ? "none was given"
              : `version ${orDash(soa.version)}, approved by ${orDash(soa.approved_by)} on ${orDash(soa.approved_on)}; ${soa.digest}`,
          ],
          ["Made", `${report.made_at} by ${foreign(report.made_by)}`],
        ],
      },
      {
        kind: "heading",
        text:
          gaps.length === 0
            ? "Findings: no gap"
            : `Findings: ${n(gaps.length)} ${gaps.length === 1 ? "gap" : "gaps"}`,
      },
      {
        kind: "table",
        head: ["", "About", "Finding"],
        widths: [8, 12, 80],
        rows: findings.map(({ level, kind, text }) => [
          level === "gap" ? { text: "GAP", tone: "gap" } : { text: "note", tone: "dim" },
          kind,
          foreign(text, 4 * LIMITS.report_text_chars),
        ]),
      },
      { kind: "heading", text: "Controls in this report" },
      {
        kind: "text",
        text: "A row counts events that were recorded in the period and are about the control's subject. That a control is met, no event shows.",
      },
      {
        kind: "table",
        head: ["Control", "Evidence", "Stated", "Found", "Direct", "Supporting", "Last evidence"],
        widths: [33, 12, 13, 13, 7, 9, 13],
        numbers: [4, 5],
        rows: controls.map((control) => [
          { text: `${control.id} ${control.title}`, to: `#${control.id}` },
          control.evidence === "none" ? "not collected here" : control.evidence,
          statedOf(control),
          RESULT[control.result],
          control.query.direct === undefined ? "–" : n(control.direct),
          control.query.supporting === undefined ? "–" : n(control.supporting),
          moment(control.last),
        ]),
      },
    ],
  };
}
