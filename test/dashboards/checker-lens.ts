// What Kibana 8.12 does not say at an import, and showed only when the dashboards were looked at: rows left out of tables,
// panels of the page before, links that open without columns. Returns what is wrong, in sentences.
import { type DashboardPanel, type SavedObject, lensOf, ofType, panelsOf, parse } from "./objects.ts";

/** Lens counts what lacks the field of a column only where it also shows what is beyond the values shown. */
export function checkLens(panel: DashboardPanel): string | undefined {
  for (const { columns } of Object.values(lensOf(panel).datasourceStates.formBased.layers))
    for (const [id, { params }] of Object.entries(columns))
      if (params?.missingBucket === true && params.otherBucket !== true)
        return `column ${id}: missingBucket without otherBucket leaves out what lacks the field`;
  return undefined;
}

/** Ids of a dashboard's panels and controls. */
function idsOf(dashboard: SavedObject): string[] {
  const group = dashboard.attributes["controlGroupInput"] as { panelsJSON: string } | undefined;
  const controls = group === undefined ? [] : Object.keys(parse(group.panelsJSON));
  return [...panelsOf(dashboard).map(({ panelIndex }) => panelIndex), ...controls];
}

/** A link from one dashboard to another keeps a panel of the same id and kind, with the text or search of the one before. */
export function checkShared(objects: readonly SavedObject[]): string[] {
  const seen = new Map<string, string>();
  return ofType(objects, "dashboard").flatMap((dashboard) =>
    idsOf(dashboard).flatMap((id) => {
      const before = seen.get(id) ?? dashboard.id;
      seen.set(id, dashboard.id);
      return before === dashboard.id ? [] : [`${before} and ${dashboard.id} both have ${id}`];
    }),
  );
}

/** A link to a saved search that brings a state of its own has to name the columns: those of the search are forgotten. */
export function checkLinks(view: SavedObject): string[] {
  const formats: Record<string, { params?: { urlTemplate?: string } }> = parse(
    view.attributes["fieldFormatMap"] ?? "{}",
  );
  return Object.entries(formats).flatMap(([field, { params }]) =>
    /discover#\/view\/.*_a=\((?!columns:)/.test(params?.urlTemplate ?? "")
      ? [`the link of ${field} names no columns`]
      : [],
  );
}
