// The documents of OSCAL that are the same for every ledger: the catalog (ids and titles of Annex A, never its text), and
// the collector as a component.
import { confirmed, type ControlMap, type Crosswalk } from "./map.ts";
import type { Report } from "./model.ts";
import { collectorId, documentOf, line, metadata, prop, tokenOf, uuid5 } from "./oscal-parts.ts";

/** When a map was made: its version is year and month. */
const madeOf = ({ map_version }: ControlMap): string => `${map_version.replace(".", "-")}-01T00:00:00Z`;

const labelled = (id: string, title: string) => ({
  id: tokenOf(id),
  title,
  props: [{ name: "label", value: id }],
});

export function catalogOf(map: ControlMap): string {
  const controls = Object.entries(map.controls);
  return documentOf("catalog", {
    metadata: metadata(
      `${map.framework}, Annex A: ids and titles`,
      map.map_version,
      madeOf(map),
      "Ids and titles only: the text is that of ISO and IEC, and is to be had from them.",
    ),
    groups: Object.entries(map.groups).map(([group, title]) => ({
      ...labelled(group, title),
      controls: controls
        .filter(([id]) => id.slice(0, id.lastIndexOf(".")) === group)
        .map(([id, control]) => labelled(id, control.title)),
    })),
  });
}

export function componentsOf(report: Report, map: ControlMap, { mappings }: Crosswalk): string {
  const collector = collectorId(report);
  const requirements = Object.entries(map.controls)
    .filter(([, { evidence }]) => evidence === "direct")
    .map(([id, { shows }]) => {
      const same = mappings[id];
      return {
        uuid: uuid5(`requirement ${id}`, collector),
        "control-id": tokenOf(id),
        description: `Events as evidence: ${shows}`,
        props: [
          prop("evidence", "direct"),
          ...confirmed(same?.nist_ai_rmf ?? []).map((other) => prop("nist-ai-rmf", other)),
          ...confirmed(same?.eu_ai_act ?? []).map((other) => prop("eu-ai-act", other)),
        ],
        remarks: "Beside what the organisation has to define and document, never in its place.",
      };
    });
  return documentOf("component-definition", {
    metadata: metadata(
      "Tapline, a collector of what AI agents do",
      report.version,
      madeOf(map),
      "The controls that its events are direct evidence for. It makes nobody conform to a standard.",
    ),
    components: [
      {
        uuid: collector,
        type: "software",
        title: "Tapline",
        description:
          "Reads the streams in which AI agents and MCP servers say what they do, and keeps a ledger that others can verify.",
        props: [{ name: "version", value: line(report.version) }],
        "control-implementations": [
          {
            uuid: uuid5("implementation", collector),
            source: "catalog.json",
            description: "What is recorded of the use of AI agents.",
            "implemented-requirements": requirements,
          },
        ],
      },
    ],
  });
}
