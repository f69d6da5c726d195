// Sheets of what stands around the evidence: harms of the impact assessment, other frameworks, and what is not covered.
import { n } from "../core/words.ts";
import { type Block, type Cell, type Sheet, type Table, foreign, orDash } from "./blocks.ts";
import type { CrosswalkRow, Harm, Report } from "./model.ts";

export function harmsSheet(harms: readonly Harm[]): Sheet {
  return {
    id: "harms",
    title: "Harms of the impact assessment",
    blocks: [
      {
        kind: "text",
        text: "Harms as the organisation names them, with the rules that watch for each. A harm without a rule that runs, or whose rules saw no log in the period, is untreated. Which rules run is said of the configuration with which this report was made. Whether the rules are the right ones, no record shows.",
      },
      {
        kind: "table",
        head: ["Harm", "Watched by", "Alerts", "Closed", "Events looked at", "Controls"],
        widths: [30, 30, 8, 8, 12, 12],
        numbers: [2, 3, 4],
        rows: harms.flatMap(rowsOf),
      },
    ],
  };
}

function rowsOf({ id, description, rules, controls, untreated, missing }: Harm): Cell[][] {
  const name = `${id} ${foreign(description)}`;
  const about = orDash(controls.join(", "));
  const lost = missing.map((rule): Cell[] => ["", `${foreign(rule)} (not loaded)`, "–", "–", "–", ""]);
  if (untreated !== undefined)
    return [[name, { text: `UNTREATED: ${foreign(untreated)}`, tone: "gap" }, "–", "–", "–", about], ...lost];
  return [
    ...rules.map((rule, i): Cell[] => [
      i === 0 ? name : "",
      rule.idle === undefined ? rule.title : `${rule.title} (${rule.idle})`,
      n(rule.alerts),
      n(rule.closed),
      n(rule.events),
      i === 0 ? about : "",
    ]),
    ...lost,
  ];
}

const table = (rows: readonly CrosswalkRow[], place: string, none: ReadonlySet<string>): Table => ({
  kind: "table",
  head: [place, "Same subject as (confidence; source): events, direct and supporting"],
  widths: [18, 82],
  rows: rows.map((row) => [
    row.id,
    row.controls
      .map(
        ({ id, confidence, sources, events }) =>
          `${id} (${confidence}; ${sources.join(", ")}): ${none.has(id) ? "not collected here" : n(events)}`,
      )
      .join("   "),
  ]),
});

export function crosswalkSheet({ crosswalk, controls }: Report): Sheet {
  const none = new Set(controls.filter(({ evidence }) => evidence === "none").map(({ id }) => id));
  const blocks: Block[] = [
    {
      kind: "text",
      text: `The evidence of ${controls.length === 1 ? "this control" : `these ${controls.length} controls`}, seen from places of other frameworks that are about the same subject. A mapping says "same subject" and nothing of whether that place is met. Articles 9 to 15, 17 to 21, 26, 72 and 73 bind providers or deployers of high-risk systems only.`,
    },
    { kind: "heading", text: "NIST AI RMF 1.0" },
    table(crosswalk.nist_ai_rmf, "Subcategory", none),
    { kind: "heading", text: "Regulation (EU) 2024/1689 (AI Act)" },
    table(crosswalk.eu_ai_act, "Article", none),
    { kind: "heading", text: "Sources of the mappings" },
    { kind: "facts", rows: Object.entries(crosswalk.sources) },
  ];
  return { id: "crosswalk", title: "The same evidence in other frameworks", blocks };
}

export function limitsSheet({ limits, map }: Report): Sheet {
  return {
    id: "limits",
    title: "What is not covered",
    blocks: [
      { kind: "list", items: limits },
      { kind: "facts", rows: [["Control map", `${map.framework}, version ${map.version}, ${map.digest}`]] },
    ],
  };
}
