// What stands at the top of every dashboard: what is shown, scope, period and time zone, filters, how to read the ledger's
// checkpoint, terms and the row of links to the others; and below it whose events are counted.
import {
  type Dashboard,
  type TablePanel,
  type TextPanel,
  count,
  by,
  first,
  highest,
  last,
} from "./define.ts";

export const TERMS = "terms";
const WIDTH = 48;
export const HEADER_HEIGHT = 9;
export const SCOPE_HEIGHT = 8;

/** `tapline setup` puts what it installed in the place of this sentence. */
export const RETENTION_UNKNOWN =
  "Not known here: this page was imported by hand, and not by `tapline setup`.";
export const RETENTION = `**Retention in force**\n\n${RETENTION_UNKNOWN}\n\n[Definition of terms](#/view/tapline-terms)`;

/** Links are relative: they hold behind any base path, space or tenant. */
export const linkTo = (id: string): string => `#/view/tapline-${id}`;
/** A search would open on the last minutes otherwise. */
export const searchLink = (id: string): string =>
  `../app/discover#/view/tapline-${id}?_g=(time:(from:now-30d,to:now))`;

/** One link a dashboard; the one that is open is bold and no link. */
export function navigation(all: readonly Dashboard[], open: string): string {
  const links = all.map(({ id, short }) => (id === open ? `**${short}**` : `[${short}](${linkTo(id)})`));
  const terms = open === TERMS ? "**Terms**" : `[Terms](${linkTo(TERMS)})`;
  return [...links, terms, `[All events](${searchLink("events")})`].join(" · ");
}

export function header(dashboard: Dashboard, all: readonly Dashboard[]): TextPanel {
  const text = `${navigation(all, dashboard.id)}

**${dashboard.title}.** ${dashboard.shows}

**Scope**: the data streams \`logs-tapline.*-*\` of this cluster; the table below names the hosts whose events are counted. What no source saw is not here.
**Period**: the time picker, and in the table the first and last event shown. **Time zone**: the setting \`dateFormat:tz\`, the browser's unless set; its offset from UTC stands in *last read*.
**Filters**: the controls, the search bar and whatever was clicked; empty means everything.
**Ledger checkpoint**: *highest index* is the last ledger entry shown, by host. Entries with an index below the size in a checkpoint that somebody else holds are covered by it: \`tapline ledger verify --checkpoint FILE\` shows whether they are unchanged. What came later is not covered yet.
[Definition of terms](${linkTo(TERMS)})`;
  return { kind: "text", id: "header", title: "About this page", width: WIDTH, text };
}

export const SCOPE: TablePanel = {
  kind: "table",
  id: "scope",
  title: "Events shown, by host that recorded them",
  width: WIDTH,
  where: [],
  by: [by("host.name", "Host")],
  metrics: [
    count("Events"),
    first("First event"),
    last("Last event"),
    highest("event.created", "Last read"),
    highest("event.sequence", "Highest index"),
  ],
};
