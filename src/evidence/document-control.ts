// The sheet of one control.
import { n } from "../core/words.ts";
import {
  type Block,
  type Sheet,
  type Table,
  EVIDENCE,
  RESULT,
  foreign,
  nameOf,
  moment,
  orDash,
  statedOf,
} from "./blocks.ts";
import type { ControlReport, Count, Report, SameSubject, SampledEvent } from "./model.ts";

export function controlSheet(control: ControlReport, report: Report): Sheet {
  const { id, title, evidence, shows, soa } = control;
  return {
    id,
    title: `${id} ${title}`,
    blocks: [
      {
        kind: "facts",
        rows: [
          ["Found", { ...RESULT[control.result], text: control.gap ?? RESULT[control.result].text }],
          ["Evidence", EVIDENCE[evidence]],
          [evidence === "none" ? "It is" : "It can show", shows],
          ["Stated", statedOf(control)],
          ["Justification", orDash(foreign(soa?.justification ?? ""))],
          ["Owner", orDash(foreign(soa?.owner ?? ""))],
          ["Reference", orDash(foreign(soa?.reference ?? ""))],
          ["Last review", orDash(soa?.last_review)],
          ["Period", `${report.period.from} to ${report.period.to} (UTC)`],
        ],
      },
      ...(evidence === "none" ? [] : recorded(control)),
      ...checks(control),
      ...elsewhere(control),
      ...(evidence === "none" ? [] : drawn(control, report)),
    ],
  };
}

function recorded({
  direct,
  supporting,
  first,
  last,
  query,
  classes,
  agents,
  servers,
}: ControlReport): Block[] {
  const asked = (["direct", "supporting"] as const).flatMap((strength) =>
    query[strength] === undefined ? [] : [`${strength}: ${query[strength]}`],
  );
  const counted: Block[] = [
    { kind: "heading", text: "What was recorded" },
    {
      kind: "facts",
      rows: [
        ...(query.direct === undefined ? [] : [["Direct", n(direct)] as const]),
        ["Supporting", n(supporting)],
        ["First and last", first === null ? "nothing in this period" : `${first} to ${orDash(last)}`],
        ["Asked for", { text: asked.join("   "), mono: true }],
      ],
    },
  ];
  if (classes.length === 0) return counted;
  const both = direct > 0 && supporting > 0 ? "Events, direct and supporting" : "Events";
  return [
    ...counted,
    {
      kind: "table",
      head: ["Class of event", "Evidence", "Events", "Last"],
      widths: [40, 20, 15, 25],
      numbers: [2],
      rows: classes.map(({ action, strength, events, last: at }) => [
        foreign(action),
        strength,
        n(events),
        at,
      ]),
    },
    ...named("Agent", agents, both),
    ...named("Server", servers, both),
  ];
}

export function named(what: string, counts: readonly Count[], counted = "Events"): Table[] {
  if (counts.length === 0) return [];
  return [
    {
      kind: "table",
      head: [what, counted],
      widths: [70, 30],
      numbers: [1],
      rows: counts.map((one) => [nameOf(one), n(one.events)]),
    },
  ];
}

function checks({ checks: made }: ControlReport): Block[] {
  if (made.length === 0) return [];
  return [
    { kind: "heading", text: "Checks" },
    {
      kind: "table",
      head: ["Check", "Last result", "When", "Passed, failed, unknown", "Detail"],
      widths: [20, 12, 18, 15, 35],
      rows: made.map(({ name, outcome, at, counts, detail }) => [
        foreign(name),
        { text: outcome, ...(outcome === "fail" ? { tone: "gap" as const } : {}) },
        moment(at),
        `${n(counts.pass)}, ${n(counts.fail)}, ${n(counts.unknown)}`,
        foreign(detail),
      ]),
    },
  ];
}

const said = (all: readonly SameSubject[]): string =>
  orDash(all.map(({ id, confidence }) => `${id} (${confidence})`).join(", "));

function elsewhere({ crosswalk }: ControlReport): Block[] {
  return [
    { kind: "heading", text: "The same subject elsewhere" },
    {
      kind: "facts",
      rows: [
        ["NIST AI RMF 1.0", said(crosswalk.nist_ai_rmf)],
        ["EU AI Act", said(crosswalk.eu_ai_act)],
      ],
    },
  ];
}

function drawn(control: ControlReport, report: Report): Block[] {
  const { sample, population, evidence } = control;
  const byIndex = new Map(report.sample.events.map((event) => [event.index, event]));
  const events = sample.flatMap((index) => byIndex.get(index) ?? []);
  if (events.length === 0) return [];
  return [
    { kind: "heading", text: "Events drawn" },
    {
      kind: "text",
      text: `${n(events.length)} of ${n(population)} events that are ${evidence} evidence and that a checkpoint covers, with the seed ${report.sample.seed}; each has its proof.${notDrawnFrom(control)}`,
    },
    sampleTable(events),
  ];
}

/** What is counted on the page and was not drawn from. */
function notDrawnFrom({ evidence, direct, supporting, population }: ControlReport): string {
  const own = evidence === "direct" ? direct : supporting;
  const other = direct + supporting - own;
  const left = [
    ...(own > population ? [`${n(own - population)} that no checkpoint covers yet`] : []),
    ...(other > 0
      ? [`${n(other)} that are ${evidence === "direct" ? "supporting" : "direct"} evidence`]
      : []),
  ];
  return left.length === 0 ? "" : ` Counted above and not drawn from: ${left.join(", ")}.`;
}

function sampleTable(events: readonly SampledEvent[]): Table {
  return {
    kind: "table",
    head: ["Entry", "Time", "Class", "Agent, server, tool", "What", "Rests on"],
    widths: [8, 12, 14, 20, 33, 13],
    rows: events.map(({ index, time, action, agent, server, tool, message, outcome, proof, witnesses }) => [
      { text: n(index), to: proof },
      moment(time),
      foreign(action),
      foreign([agent, server, tool].filter((one) => one !== "").join(" · "), 120),
      foreign(message === "" && outcome !== "" ? `outcome: ${outcome}` : message),
      witnesses.length === 0
        ? "the log's key"
        : `${witnesses.length} ${witnesses.length === 1 ? "witness" : "witnesses"}`,
    ]),
  };
}
