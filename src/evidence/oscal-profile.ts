// The profile: the controls that a report is about and that apply, each that events can be evidence for with an objective.
// The objectives are ours: what the results say is satisfied or not is these, and no text of the standard.
import type { ControlMap } from "./map.ts";
import type { ControlReport, Report } from "./model.ts";
import { documentOf, metadata, newestOf, prop, prose, tokenOf } from "./oscal-parts.ts";

/** Whether a control applies: nobody has said that it does not. */
export const applies = ({ soa }: ControlReport): boolean => soa?.applicable ?? true;

/** Controls with an objective and a finding: those that events can be evidence for, and that apply. */
export const reviewed = ({ controls }: Report): ControlReport[] =>
  controls.filter((control) => control.evidence !== "none" && applies(control));

export const objectiveOf = (control: string): string => `${tokenOf(control)}_obj`;

const method = (id: string, name: "EXAMINE" | "TEST", objects: string) => ({
  id: `${tokenOf(id)}_asm-${name.toLowerCase()}`,
  name: "assessment-method",
  props: [{ name: "method", ns: "http://csrc.nist.gov/ns/rmf", value: name }],
  parts: [{ name: "assessment-objects", prose: objects }],
});

const objective = ({ id, title, evidence, shows }: ControlReport) => ({
  "control-id": tokenOf(id),
  adds: [
    {
      position: "ending",
      parts: [
        {
          id: objectiveOf(id),
          name: "assessment-objective",
          title,
          props: [prop("evidence", evidence)],
          prose:
            evidence === "direct"
              ? `Events of the period show it, checks of it were made and none failed, and the organisation names the document that the control asks for. What events show: ${shows}`
              : `The organisation has defined and documented it. Events of the period support that and cannot take its place. What events show: ${shows}`,
        },
        method(id, "EXAMINE", `Events of the ledger that are evidence for ${id}.`),
        ...(evidence === "direct"
          ? [method(id, "TEST", "Results of checks, as recorded in the ledger.")]
          : []),
      ],
    },
  ],
});

export function profileOf(report: Report, { controls: all }: ControlMap): string {
  const { controls, map, soa } = report;
  const said =
    soa === null
      ? "There is no Statement of Applicability: whether controls apply is not known."
      : `By the Statement of Applicability, version ${prose(soa.version)} of ${prose(soa.approved_on)}. Controls without a row are in.`;
  const reasons = controls
    .filter((control) => !applies(control))
    .map(({ id, soa: row }) => `${id} does not apply: ${prose(row!.justification)}`);
  const some = reviewed(report);
  const ids = controls.filter(applies).map(({ id }) => tokenOf(id));
  // OSCAL has no empty selection, but one that leaves out what it takes.
  const selection =
    ids.length > 0
      ? { "include-controls": [{ "with-ids": ids.toSorted() }] }
      : {
          "include-all": {},
          "exclude-controls": [{ "with-ids": Object.keys(all).map(tokenOf).toSorted() }],
        };
  return documentOf("profile", {
    metadata: metadata(
      `${map.framework}, Annex A: the controls of a report that apply`,
      map.version,
      newestOf(report),
      [said, ...reasons.toSorted()].join("\n\n"),
    ),
    imports: [{ href: "catalog.json", ...selection }],
    merge: { "as-is": true },
    ...(some.length === 0 ? {} : { modify: { alters: some.map(objective) } }),
  });
}
