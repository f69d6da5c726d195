// Searching events: the newest hits as they are found, how many there are and when, and values to narrow by.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { EventRow, SearchLine } from "../../api.ts";
import { useLines } from "../asking.ts";
import { address } from "../client.ts";
import { count, plural } from "../figures.ts";
import { useHear } from "../live.ts";
import { useKeys } from "../keys.ts";
import { choose, go } from "../route.ts";
import { Keep } from "../ui/acting.tsx";
import { TimeChart } from "../ui/timechart.tsx";
import { EventTable, eventHref } from "../ui/events.tsx";
import { Exhibit } from "../ui/exhibit.tsx";
import { Nothing, Page, Panel, Trouble, Waiting, useSession } from "../ui/parts.tsx";
import { Period, momentOf, periodOf } from "../ui/period.tsx";
import { SearchBox } from "../ui/searchbox.tsx";
import { Facets } from "./facets.tsx";

const USUAL = "now-7d";

const LIMIT = 50;

const COLUMNS = [
  "user.name",
  "service.name",
  "gen_ai.tool.name",
  "event.outcome",
  "gen_ai.conversation.id",
] as const;

const EXPORTED = [
  "@timestamp",
  "event.sequence",
  "event.action",
  "message",
  "user.name",
  "service.name",
  "tapline.server.name",
  "gen_ai.tool.name",
  "event.outcome",
  "tapline.decision.verdict",
  "gen_ai.conversation.id",
] as const;

interface Found {
  readonly events: readonly EventRow[];
  readonly next: string | null | undefined;
  readonly total: { readonly total: number; readonly searched: number; readonly entries: number } | undefined;
  readonly end: Extract<SearchLine, { type: "end" }> | undefined;
}

const NONE: Found = { events: [], next: undefined, total: undefined, end: undefined };

function fold(found: Found, line: SearchLine): Found {
  if (line.type === "hits") return { ...found, events: [...found.events, ...line.events] };
  if (line.type === "page") return { ...found, next: line.next };
  return line.type === "total" ? { ...found, total: line } : { ...found, end: line };
}

function Total({ found, waiting }: { found: Found; waiting: boolean }): JSX.Element {
  const { total, events } = found;
  if (total === undefined) return <>{waiting ? "Searching …" : `${plural(events.length, "event")} shown`}</>;
  if (total.searched < total.entries && waiting) {
    return (
      <>
        {count(total.total)} so far, {count(total.searched)} of {count(total.entries)} entries searched
      </>
    );
  }
  return <>{plural(total.total, "event")}</>;
}

/** j, k and Enter on the hits; gives the row that they act on. */
function useRowKeys(events: readonly EventRow[]): number {
  const [at, move] = useState(0);
  useKeys("Events", [
    { key: "j", says: "Next event", does: () => move(Math.min(events.length - 1, at + 1)) },
    { key: "k", says: "The event before", does: () => move(Math.max(0, at - 1)) },
    {
      key: "Enter",
      says: "Open the event",
      does: () => {
        const event = events[at];
        if (event !== undefined) go(eventHref(event));
      },
    },
  ]);
  useEffect(() => {
    document.querySelector("tr.chosen")?.scrollIntoView({ block: "nearest" });
  }, [at]);
  return at;
}

export function EventsPage({ query }: { query: URLSearchParams }): JSX.Element {
  const q = query.get("q") ?? "";
  const after = query.get("after") ?? "";
  const { from, to, ask } = periodOf(query, USUAL);
  const url = address(["events"], { ...ask, q, after, limit: LIMIT, total: after === "" ? undefined : "no" });
  const { state: found, problem, waiting, again } = useLines<Found>(url, NONE, fold);
  const at = useRowKeys(found.events);
  return (
    <Page
      title="Events"
      tools={
        <>
          <Keep
            label="CSV"
            path={["exports"]}
            body={{ what: "events", ...ask, q, fields: EXPORTED }}
            name="events.csv"
          />
          <Period from={from} to={to} usual={USUAL} />
        </>
      }
    >
      <div class="bar screen">
        <SearchBox q={q} within={ask} />
      </div>
      <OnPaper q={q} {...ask} />
      {problem !== undefined && <Trouble problem={problem} again={again} />}
      <div class="bar">
        <p role="status" class="strong">
          <Total found={found} waiting={waiting} />
        </p>
        {after === "" && <Fresh url={url} again={again} />}
      </div>
      {found.end?.histogram != null && (
        <Panel class="histogram screen">
          <TimeChart
            label="Events over time"
            {...found.end.histogram}
            series={[{ name: "Events", values: found.end.histogram.values }]}
            unit="number"
            height={90}
            pick={(begin, end) => choose({ from: begin, to: end, after: "" }, true)}
          />
        </Panel>
      )}
      <div class={found.end !== undefined && found.end.facets.length > 0 ? "narrowed" : ""}>
        {found.end !== undefined && found.end.facets.length > 0 && <Facets facets={found.end.facets} q={q} />}
        <Panel flush>
          <Hits found={found} waiting={waiting} failed={problem !== undefined} at={at} />
        </Panel>
      </div>
    </Page>
  );
}

function OnPaper({
  q,
  from,
  to,
}: {
  q: string;
  from: string | undefined;
  to: string | undefined;
}): JSX.Element {
  const { head } = useSession();
  const asked_at = new Date().toISOString();
  return (
    <div class="paper">
      <Exhibit
        header={{
          from: momentOf(from, "1970-01-01T00:00:00Z"),
          to: momentOf(to, asked_at),
          q,
          asked_at,
          head,
        }}
      />
    </div>
  );
}

/** Says that there is more since the question; the list stands still until somebody asks. */
function Fresh({ url, again }: { url: string; again: () => void }): JSX.Element | null {
  const [fresh, more] = useState(false);
  useEffect(() => more(false), [url]);
  useHear((message) => {
    if (message.type === "head") more(true);
  });
  if (!fresh) return null;
  return (
    <button
      type="button"
      class="button screen"
      onClick={() => {
        more(false);
        again();
      }}
    >
      More was recorded: search again
    </button>
  );
}

function Hits({
  found,
  waiting,
  failed,
  at,
}: {
  found: Found;
  waiting: boolean;
  failed: boolean;
  at: number;
}): JSX.Element {
  if (found.events.length === 0) {
    if (waiting) return <Waiting what="events" />;
    return (
      <Nothing title={failed ? "Not searched" : "No event like that"}>
        {failed
          ? "See above what to do."
          : "Choose a longer period, or take a condition away. Values are compared as they are written: capital letters count."}
      </Nothing>
    );
  }
  return (
    <>
      <EventTable events={found.events} columns={COLUMNS} label="Events, newest first" at={at} />
      {found.next != null && (
        <div class="body screen">
          <button
            type="button"
            class="button"
            onClick={() => {
              choose({ after: found.next! }, true);
              scrollTo(0, 0);
            }}
          >
            Older events
          </button>
        </div>
      )}
    </>
  );
}
