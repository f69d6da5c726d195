// Per control of the map: direct, supporting or not collected here, with counts and the last evidence. Rows are the map's, so
// that a control without any event is a row with 0. Never a share of all controls: counts say nothing about conformity.
import { readControls, termsOf } from "../src/evidence/map.ts";
import type { Strength } from "../src/evidence/model.ts";
import {
  type ByCondition,
  type Condition,
  type Dashboard,
  type FieldName,
  by,
  count,
  distinct,
  eventsRow,
  first,
  last,
  there,
} from "./define.ts";

const { controls, framework, map_version } = readControls();
const all = Object.entries(controls);

/** The map's question as conditions. The map asks for nothing that a panel cannot. */
function whereOf(terms: ReturnType<typeof termsOf>): Condition[] {
  return (terms ?? []).map((term) => {
    const { kind, not } = term;
    if (not || (kind !== "is" && kind !== "there"))
      throw new Error("controls.yml: a question is of values of fields, and of fields that are there");
    const field = term.field as FieldName;
    return kind === "there" ? { field } : { field, is: term.values.map(({ text }) => text) };
  });
}

function rowsOf(evidence: Strength): ByCondition {
  const groups = all
    .filter(([, control]) => control.evidence === evidence)
    .map(([id, control]) => ({
      label: `${id} ${control.title}`,
      where: whereOf(termsOf(control, evidence)),
    }));
  return { label: "Control", groups };
}

const supporting = rowsOf("supporting");
/** So that no control is on a second page of its table. */
const SUPPORTING_HEIGHT = Math.ceil(1.22 * supporting.groups.length + 5.5);

const none = all
  .filter(([, { evidence }]) => evidence === "none")
  .map(([id, { title, shows }]) => `| ${id} | ${title} | ${shows} |`);
const shownBy = all
  .filter(([, { evidence }]) => evidence !== "none")
  .map(([id, { title, evidence, shows }]) => `| ${id} | ${title} | ${evidence} | ${shows} |`);

/** So that both texts are seen whole, most of their rows being of two lines. */
const TEXTS_HEIGHT = Math.ceil(1.8 * shownBy.length + 4);

export const coverage: Dashboard = {
  id: "coverage",
  title: "Control coverage",
  short: "Control coverage",
  about:
    "Per control of ISO/IEC 42001 Annex A: direct, supporting or not collected here, counts and last evidence",
  from: "now-90d",
  filters: [
    { field: "tapline.control.iso42001", label: "Control" },
    { field: "event.action", label: "Class of event" },
    { field: "service.name", label: "Agent" },
    { field: "host.name", label: "Host" },
  ],
  shows: `${framework}, Annex A, by map ${map_version}. A row with 0 is a control for which nothing was recorded in the period. Events show that something happened and was recorded, not that a control is met; controls of the last table need documents and processes.`,
  rows: [
    {
      height: 10,
      panels: [
        {
          kind: "table",
          id: "direct",
          title: "Direct: the events are the evidence",
          width: 48,
          where: [],
          by: [rowsOf("direct")],
          metrics: [
            count("Events"),
            distinct("gen_ai.conversation.id", "≈ Sessions"),
            distinct("event.action", "≈ Classes of event"),
            first("First evidence"),
            last("Last evidence"),
          ],
        },
      ],
    },
    {
      height: SUPPORTING_HEIGHT,
      panels: [
        {
          kind: "table",
          id: "supporting",
          title: "Supporting: beside a document or process, never in its place",
          width: 48,
          where: [],
          by: [supporting],
          metrics: [
            count("Events"),
            distinct("gen_ai.conversation.id", "≈ Sessions"),
            distinct("event.action", "≈ Classes of event"),
            first("First evidence"),
            last("Last evidence"),
          ],
        },
      ],
    },
    {
      height: 13,
      panels: [
        {
          kind: "table",
          id: "classes",
          title: "Controls and classes of events; the control opens its events",
          width: 24,
          where: [there("tapline.control.iso42001")],
          by: [by("tapline.control.iso42001", "Control", 38), by("event.action", "Class of event", 50)],
          metrics: [count("Events"), last("Last evidence")],
        },
        {
          kind: "time",
          id: "trend",
          title: "Events tagged with a control, over time",
          width: 24,
          where: [there("tapline.control.iso42001")],
          metric: count("Events"),
        },
      ],
    },
    {
      height: 12,
      panels: [
        {
          kind: "table",
          id: "rmf",
          title: "NIST AI RMF 1.0, of the direct controls",
          width: 24,
          where: [there("tapline.control.nist_ai_rmf")],
          by: [by("tapline.control.nist_ai_rmf", "Subcategory", 72)],
          metrics: [count("Events"), last("Last evidence")],
        },
        {
          kind: "table",
          id: "act",
          title: "EU AI Act, of the direct controls",
          width: 24,
          where: [there("tapline.control.eu_ai_act")],
          by: [by("tapline.control.eu_ai_act", "Article", 50)],
          metrics: [count("Events"), last("Last evidence")],
        },
      ],
    },
    {
      height: TEXTS_HEIGHT,
      panels: [
        {
          kind: "text",
          id: "shown",
          title: "What events show of a control",
          width: 32,
          text: `**What events show of a control**\n\n| control | title | evidence | shows |\n|---|---|---|---|\n${shownBy.join("\n")}`,
        },
        {
          kind: "text",
          id: "none",
          title: "Not collected here",
          width: 16,
          text: `**Not collected here**: no event speaks to these\n\n| control | title | evidence is |\n|---|---|---|\n${none.join("\n")}`,
        },
      ],
    },
    eventsRow("All events", "events"),
  ],
};
