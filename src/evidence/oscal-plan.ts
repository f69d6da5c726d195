// The assessment plan: which controls are looked at by machine, how, and of what period. The objectives are the profile's.
import type { ControlReport, Report } from "./model.ts";
import { applies, objectiveOf, reviewed } from "./oscal-profile.ts";
import {
  collectorId,
  documentOf,
  line,
  listed,
  metadata,
  newestOf,
  prop,
  reportId,
  spanOf,
  tokenOf,
  uuid5,
} from "./oscal-parts.ts";

const idsOf = (controls: readonly ControlReport[]) =>
  controls.map(({ id }) => ({ "control-id": tokenOf(id) }));

const names = (list: readonly ControlReport[]): string => list.map(({ id }) => id).join(", ") || "none";

export function selectionOf(report: Report) {
  const some = reviewed(report);
  const none = report.controls.filter((control) => control.evidence === "none" && applies(control));
  const excluded = report.controls.filter((control) => !applies(control));
  return {
    description: `${some.length} of ${report.controls.length} controls: those that events can be evidence for.`,
    "control-selections": [
      {
        // OSCAL has no empty selection, but one that leaves out what it takes.
        ...(some.length === 0 ? { "include-all": {} } : { "include-controls": idsOf(some) }),
        ...listed("exclude-controls", idsOf([...none, ...excluded])),
        remarks: `Not collected here, nothing recorded speaks to them: ${names(none)}.\n\nDo not apply, by the Statement of Applicability: ${names(excluded)}.`,
      },
    ],
    ...listed(
      "control-objective-selections",
      some.length === 0
        ? []
        : [{ "include-objectives": some.map(({ id }) => ({ "objective-id": objectiveOf(id) })) }],
    ),
  };
}

export function collectorComponent(report: Report) {
  return {
    uuid: collectorId(report),
    type: "software",
    title: "Tapline",
    description: "The collector that recorded the events, and the program that looked at them.",
    props: [{ name: "version", value: line(report.version) }],
    status: { state: "operational" },
  };
}

export function planOf(report: Report): string {
  const id = reportId(report);
  const collector = collectorId(report);
  const none = uuid5("no system security plan", id);
  const subjects = [
    { type: "component", "include-subjects": [{ "subject-uuid": collector, type: "component" }] },
  ];
  const activities = [
    { name: "examine", title: "Examine events", description: "Counts the events of the period by control." },
    {
      name: "test",
      title: "Test the ledger",
      description: "Recomputes the ledger, looks for gaps and silence.",
    },
  ].map(({ name, title, description }) => ({
    uuid: uuid5(`activity ${name}`, id),
    title,
    description,
    props: [{ name: "method", value: name.toUpperCase() }],
  }));
  return documentOf("assessment-plan", {
    metadata: metadata(
      "What Tapline looks at by machine",
      String(report.integrity.covered),
      newestOf(report),
      "Covers what a program can look at. What an auditor looks at besides is the auditor's plan.",
    ),
    "import-ssp": {
      href: `#${none}`,
      remarks:
        "There is no system security plan in this pack: put yours here, with profile.json as its profile.",
    },
    "local-definitions": { activities },
    "reviewed-controls": selectionOf(report),
    "assessment-subjects": subjects,
    "assessment-assets": {
      components: [collectorComponent(report)],
      "assessment-platforms": [
        {
          uuid: uuid5("platform", id),
          title: "The host of the ledger",
          props: [prop("ledger-origin", report.integrity.origin)],
          "uses-components": [{ "component-uuid": collector }],
        },
      ],
    },
    tasks: [
      {
        uuid: uuid5("task", id),
        type: "action",
        title: "Look at the ledger",
        timing: { "within-date-range": spanOf(report) },
        "associated-activities": activities.map(({ uuid }) => ({ "activity-uuid": uuid, subjects })),
      },
    ],
    "back-matter": {
      resources: [
        {
          uuid: none,
          title: "No system security plan",
          description:
            "Tapline knows the records of AI agents, and no description of the system that they are part of.",
        },
      ],
    },
  });
}
