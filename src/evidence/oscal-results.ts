// The assessment results: what was counted and tried (observations), what follows for each control (findings), and the
// files of the pack by their SHA-256.
import { nameOf } from "./blocks.ts";
import type { CheckResult, ControlReport, Finding, Report } from "./model.ts";
import {
  collectorId,
  counted,
  documentOf,
  type HashedFile,
  listed,
  metadata,
  newestOf,
  prop,
  type Property,
  prose,
  reportId,
  resourceOf,
  spanOf,
  timeOr,
  tokenOf,
  uuid5,
} from "./oscal-parts.ts";
import { collectorComponent, selectionOf } from "./oscal-plan.ts";
import { objectiveOf, reviewed } from "./oscal-profile.ts";
import { bearsOn, verdictOf } from "./oscal-verdict.ts";

/** The file of the pack that has all counts. */
const REPORT = "report.json";

interface Seen {
  /** Of all observations of a report, only this one's. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly method: "EXAMINE" | "TEST";
  readonly type: "control-objective" | "finding";
  readonly props: readonly Property[];
  /** Paths in the pack, beside the report's. */
  readonly files: readonly string[];
  readonly at: string;
  readonly bearsOn: (control: string) => boolean;
}

function eventsOf(report: Report, control: ControlReport): Seen {
  const { id, direct, supporting, last, evidence, sample, population } = control;
  const drawn = new Map(report.sample.events.map(({ index, proof }) => [index, proof]));
  const some = direct + supporting > 0;
  return {
    name: `events ${id}`,
    title: `Events about ${id}`,
    description: some
      ? `Direct evidence in the period: ${counted(direct, "event")}; in support: ${supporting}. They are about its subject, no more.`
      : "In the period there is no event about it.",
    method: "EXAMINE",
    type: "control-objective",
    props: [
      prop("evidence", evidence),
      prop("events-direct", direct),
      prop("events-supporting", supporting),
      ...(last === null ? [] : [prop("newest-event", last)]),
      ...(control.query.direct === undefined ? [] : [prop("query-direct", control.query.direct)]),
      ...(control.query.supporting === undefined ? [] : [prop("query-supporting", control.query.supporting)]),
      prop("sampled", `${sample.length} of ${population}`),
    ],
    files: sample.flatMap((index) => drawn.get(index) ?? []),
    at: newestOf(report),
    bearsOn: (other) => other === id,
  };
}

const coveredText = ({ entries, covered, cosigned }: Report["integrity"]): string =>
  `The newest checkpoint covers ${covered} of ${entries} entries; ${cosigned === null ? "no witness has cosigned one" : `one of ${cosigned.size} entries is cosigned`}. The ledger was not gone through for this report: see VERIFY.md.`;

/** What was looked at of the ledger as a whole. It says numbers; that they are too few or too many is a finding. */
function ledgerOf(report: Report): Seen[] {
  const { integrity, coverage, retention } = report;
  const of = (name: string, title: string, description: string, props: readonly Property[]): Seen => ({
    name,
    title,
    description,
    method: "EXAMINE",
    type: "control-objective",
    props,
    files: [],
    at: newestOf(report),
    bearsOn: () => true,
  });
  return [
    of("integrity", "What checkpoints cover", coveredText(integrity), [
      prop("entries", integrity.entries),
      prop("covered", integrity.covered),
      prop("root", integrity.root),
      prop("events-not-covered", integrity.open),
      prop("events-not-cosigned", integrity.unwitnessed),
    ]),
    of(
      "coverage",
      "What sources and the collector said of themselves",
      "Gaps, records that could not be read, sources that were silent, and calls that went around the chokepoint.",
      [
        ...coverage.sources.map(({ name, expected, silent }) =>
          prop("source", `${name}: silent in ${silent} of ${expected}`),
        ),
        ...coverage.gaps.map((gap) => prop("gap", `${nameOf(gap)}: ${gap.events}`)),
        prop("unparsable", coverage.unparsable),
        prop("bypasses", coverage.bypasses),
        prop("holes", coverage.holes),
        ...(coverage.longest_silence === null
          ? []
          : [prop("longest-silence-s", coverage.longest_silence.seconds)]),
      ],
    ),
    of(
      "retention",
      "How far back the ledger goes",
      retention.said.map(prose).join("\n\n") || "Nothing is deleted.",
      [prop("days", retention.days), prop("first-index", retention.first_index)],
    ),
  ];
}

function checksOf(report: Report, controls: readonly ControlReport[]): Seen[] {
  const checks = new Map<string, CheckResult>(
    controls.flatMap((control) => control.checks.map((check) => [check.name, check])),
  );
  return [...checks.values()].map(({ name, outcome, detail, at, index, counts }) => ({
    name: `check ${name}`,
    title: `Check ${prose(name)}`,
    description: prose(detail),
    method: "TEST",
    type: "control-objective",
    props: [
      prop("outcome", outcome),
      prop("entry", index),
      prop("results", `${counts.pass} pass, ${counts.fail} fail, ${counts.unknown} unknown`),
    ],
    files: [],
    at: timeOr(at, newestOf(report)),
    bearsOn: (id) => controls.some((c) => c.id === id && c.checks.some((check) => check.name === name)),
  }));
}

const findingSeen = (report: Report, finding: Finding, number: number): Seen => ({
  name: `finding ${number} ${finding.kind} ${finding.text}`,
  title: finding.level === "gap" ? "Something is missing" : "Worth a look",
  description: prose(finding.text),
  method: "EXAMINE",
  type: "finding",
  props: [prop("level", finding.level), prop("kind", finding.kind)],
  files: [],
  at: newestOf(report),
  bearsOn: (id) => bearsOn(finding, id),
});

const observationId = (report: Report, { name }: Seen): string =>
  uuid5(`observation ${name}`, reportId(report));

function observationOf(report: Report, seen: Seen, resources: ReadonlyMap<string, string>) {
  const collector = collectorId(report);
  const evidence = [REPORT, ...new Set(seen.files)].flatMap((path) => {
    const id = resources.get(path);
    return id === undefined ? [] : [{ href: `#${id}`, description: prose(path) }];
  });
  return {
    uuid: observationId(report, seen),
    title: seen.title,
    description: seen.description,
    props: seen.props,
    methods: [seen.method],
    types: [seen.type],
    origins: [{ actors: [{ type: "tool", "actor-uuid": collector }] }],
    subjects: [{ "subject-uuid": collector, type: "component" }],
    ...listed("relevant-evidence", evidence),
    collected: seen.at,
  };
}

function findingOf(report: Report, control: ControlReport, all: readonly Seen[]) {
  const { id, title, soa, evidence } = control;
  const { state, reason, remarks } = verdictOf(control, report.findings);
  // OSCAL has no word for "not implemented".
  const status = soa?.status === "not-implemented" ? undefined : soa?.status;
  return {
    uuid: uuid5(`finding ${id}`, reportId(report)),
    title: `${id} ${title}`,
    description: "What the ledger shows of it in the period. An auditor decides on the control.",
    props: [prop("evidence", evidence), prop("control", tokenOf(id))],
    target: {
      type: "objective-id",
      "target-id": objectiveOf(id),
      status: { state, reason, remarks },
      ...(status === undefined
        ? {}
        : { "implementation-status": { state: status, remarks: "As the Statement of Applicability says." } }),
    },
    "related-observations": all
      .filter((seen) => seen.bearsOn(id))
      .map((seen) => ({ "observation-uuid": observationId(report, seen) })),
  };
}

export function resultsOf(report: Report, files: readonly HashedFile[]): string {
  const { integrity, map } = report;
  const id = reportId(report);
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const resources = new Map(sorted.map(({ path }) => [path, uuid5(`file ${path}`, id)]));
  const controls = reviewed(report);
  const seen = [
    ...controls.map((control) => eventsOf(report, control)),
    ...ledgerOf(report),
    ...checksOf(report, controls),
    ...report.findings.map((finding, i) => findingSeen(report, finding, i)),
  ];
  return documentOf("assessment-results", {
    metadata: metadata(
      "What was recorded of the use of AI agents",
      String(integrity.covered),
      newestOf(report),
      ["Counts and checks of a program over its own ledger.", ...report.limits.map(prose)].join("\n\n"),
    ),
    "import-ap": { href: "assessment-plan.json" },
    results: [
      {
        uuid: uuid5("result", id),
        title: "Events, checks and gaps of the period",
        description: "By control of Annex A: what was recorded, what was tried, and what is missing.",
        ...spanOf(report),
        props: [
          prop("ledger-origin", integrity.origin),
          prop("ledger-covered", integrity.covered),
          prop("ledger-root", integrity.root),
          prop("map-version", map.version),
        ],
        "local-definitions": { components: [collectorComponent(report)] },
        "reviewed-controls": selectionOf(report),
        observations: seen.map((each) => observationOf(report, each, resources)),
        ...listed(
          "findings",
          controls.map((control) => findingOf(report, control, seen)),
        ),
      },
    ],
    "back-matter": { resources: sorted.map((file) => resourceOf(resources.get(file.path)!, file)) },
  });
}
