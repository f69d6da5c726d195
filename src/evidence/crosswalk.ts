// The evidence of a report seen from other frameworks: places that are about the same subject as its controls. Pure.
import { readCrosswalk } from "./map.ts";
import type { ControlReport, CrosswalkRow, Report } from "./model.ts";

const { sources } = readCrosswalk();
const FUNCTIONS = ["GOVERN", "MAP", "MEASURE", "MANAGE"];

export function crosswalkOf(controls: readonly ControlReport[]): Report["crosswalk"] {
  const named = new Set<string>();
  const rowsOf = (of: "nist_ai_rmf" | "eu_ai_act"): CrosswalkRow[] => {
    const rows = new Map<string, CrosswalkRow["controls"][number][]>();
    for (const { id, direct, supporting, crosswalk } of controls) {
      for (const { id: to, confidence, sources: by } of crosswalk[of]) {
        for (const source of by) named.add(source);
        const row = rows.get(to) ?? [];
        rows.set(to, row);
        row.push({ id, confidence, sources: by, events: direct + supporting });
      }
    }
    return [...rows].map(([id, list]) => ({ id, controls: list })).toSorted(byPlace);
  };
  const [nist_ai_rmf, eu_ai_act] = [rowsOf("nist_ai_rmf"), rowsOf("eu_ai_act")];
  const used = Object.entries(sources).filter(([name]) => named.has(name));
  return { sources: Object.fromEntries(used), nist_ai_rmf, eu_ai_act };
}

/** Functions in the order of the framework, numbers as numbers. */
function byPlace(a: CrosswalkRow, b: CrosswalkRow): number {
  const [x, y] = [a, b].map(({ id }) => FUNCTIONS.indexOf(id.split(" ")[0]!));
  return x! - y! || a.id.localeCompare(b.id, "en", { numeric: true });
}
