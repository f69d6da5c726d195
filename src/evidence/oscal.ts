// A report as OSCAL (NIST, 1.2): catalog and profile of Annex A, the collector as a component, the plan of what is looked
// at by machine, and its results. Pure: the same report and files give the same bytes. Ids and titles of the standard
// only, and no control is said to be satisfied on the word of a log.
import { hash } from "node:crypto";
import type { ControlMap, Crosswalk } from "./map.ts";
import type { Pack } from "./model.ts";
import { catalogOf, componentsOf } from "./oscal-catalog.ts";
import type { HashedFile } from "./oscal-parts.ts";
import { planOf } from "./oscal-plan.ts";
import { profileOf } from "./oscal-profile.ts";
import { resultsOf } from "./oscal-results.ts";

interface PackText {
  /** Relative to the pack. */
  readonly path: string;
  readonly text: string;
}

/** Five documents below `oscal/`. The results name the other four, and all files of the pack, by their SHA-256. */
export function oscalOf({ report, files }: Pack, map: ControlMap, crosswalk: Crosswalk): PackText[] {
  const out: PackText[] = [];
  const known: HashedFile[] = [...files];
  const add = (name: string, text: string): void => {
    const path = `oscal/${name}.json`;
    out.push({ path, text });
    known.push({ path, sha256: hash("sha256", text) });
  };
  add("catalog", catalogOf(map));
  add("profile", profileOf(report, map));
  add("component-definition", componentsOf(report, map, crosswalk));
  add("assessment-plan", planOf(report));
  add("assessment-results", resultsOf(report, known));
  return out;
}
