// Makes dashboards/generated/*.ndjson from the definitions in dashboards/: one file for OpenSearch Dashboards, one for
// Kibana. The page of terms comes from docs/dashboards.md, so that there is one text of it.
import type { Dashboard } from "../../dashboards/define.ts";
import { TERMS, navigation } from "../../dashboards/header.ts";
import { DASHBOARDS } from "../../dashboards/index.ts";
import { SEARCHES } from "../../dashboards/searches.ts";
import { classicDashboard, indexPattern, savedSearch, type SavedObject } from "./dashboards-classic.ts";
import { SOURCES } from "./dashboards-common.ts";
import { readTerms } from "./tables.ts";
import { dataView, lensDashboard, lensSearch } from "./dashboards-lens.ts";

const TERMS_HEIGHT = 60;

/** The section "Terms" of docs/dashboards.md as a page that every header leads to. */
function terms(): Dashboard {
  const body = `${navigation(DASHBOARDS, TERMS)}\n\n${readTerms()}`;
  return {
    id: TERMS,
    title: "Definition of terms",
    short: "Terms",
    about: "What the words, figures and colours of Tapline's dashboards mean",
    from: "now-30d",
    filters: [],
    shows: "",
    rows: [
      {
        height: TERMS_HEIGHT,
        panels: [{ kind: "text", id: "terms", title: "Definition of terms", width: 48, text: body }],
      },
    ],
  };
}

const ndjson = (objects: readonly SavedObject[]): string =>
  objects.map((object) => `${JSON.stringify(object)}\n`).join("");

export function dashboardsSource(): Record<string, string> {
  const pages = [...DASHBOARDS, terms()];
  return {
    "dashboards/generated/opensearch-dashboards.ndjson": ndjson([
      ...SOURCES.map(indexPattern),
      ...SEARCHES.map(savedSearch),
      ...pages.flatMap((page) => classicDashboard(page, DASHBOARDS)),
    ]),
    "dashboards/generated/kibana.ndjson": ndjson([
      ...SOURCES.map((of) => dataView(of, SEARCHES)),
      ...SEARCHES.map(lensSearch),
      ...pages.map((page) => lensDashboard(page, DASHBOARDS)),
    ]),
  };
}
