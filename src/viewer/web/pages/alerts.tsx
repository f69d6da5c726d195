// The analyst's queue: alerts on the left, the one in hand on the right, and keys for what is said of it.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { AlertList, AlertRow } from "../../api.ts";
import { useAgain } from "../live.ts";
import { useAnswer } from "../asking.ts";
import { address } from "../client.ts";
import { type Key, useKeys } from "../keys.ts";
import { choose, go, href } from "../route.ts";
import { Keep } from "../ui/acting.tsx";
import { fieldOf } from "../ui/events.tsx";
import { type Choice, Nothing, Page, Panel, Segments, Trouble, Waiting, useOwner } from "../ui/parts.tsx";
import { Period, periodOf } from "../ui/period.tsx";
import { SearchBox } from "../ui/searchbox.tsx";
import { AlertPane } from "./alert.tsx";
import { type Act, Ask, type Asked, useActs } from "./alert-acts.tsx";
import { Rows } from "./alert-rows.tsx";

const USUAL = "now-30d";

const STEP = 100;

const MOST = 500;

const LEVELS: readonly Choice<string>[] = [
  { value: "", label: "All levels" },
  { value: "critical", label: "Critical" },
  { value: "high", label: "High" },
  { value: "medium", label: "Medium" },
  { value: "low", label: "Low" },
  { value: "informational", label: "Informational" },
];

function statuses(list: AlertList | undefined): readonly Choice<string>[] {
  return [
    { value: "open", label: "Open", count: list?.counts.open },
    { value: "acknowledged", label: "Acknowledged", count: list?.counts.acknowledged },
    { value: "closed", label: "Closed", count: list?.counts.closed },
    { value: "suppressed", label: "Suppressed", count: list?.counts.suppressed },
    { value: "all", label: "All" },
  ];
}

export function AlertsPage({ query }: { query: URLSearchParams }): JSX.Element {
  const status = query.get("status") ?? "open";
  const level = query.get("level") ?? "";
  const q = query.get("q") ?? "";
  const { from, to, ask } = periodOf(query, USUAL);
  const [limit, more] = useState(STEP);
  const url = address(["alerts"], { ...ask, q, level, limit, status: status === "all" ? undefined : status });
  const list = useAnswer<AlertList>(url);
  useAgain(["alerts", "changed"], list.again);
  const alerts = list.value?.alerts ?? [];
  const named = query.get("alert") ?? undefined;
  const chosen = named ?? alerts[0]?.event.id;
  return (
    <Page
      title="Alerts"
      tools={
        <>
          <Keep label="CSV" path={["exports"]} body={{ what: "alerts", ...ask, q }} name="alerts.csv" />
          <Period from={from} to={to} usual={USUAL} />
        </>
      }
    >
      <div class="bar screen">
        <Segments
          label="Status"
          choices={statuses(list.value)}
          chosen={status}
          choose={(value) => choose({ status: value === "open" ? "" : value, alert: "" }, true)}
        />
        <label>
          <span class="hidden">Level</span>
          <select
            value={level}
            onChange={(event) => choose({ level: event.currentTarget.value, alert: "" }, true)}
          >
            {LEVELS.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <SearchBox q={q} within={ask} />
      </div>
      <Cut of={list.value?.of_newest ?? null} />
      {list.problem !== undefined && <Trouble problem={list.problem} again={list.again} />}
      {list.value === undefined && list.problem === undefined && <Waiting what="alerts" />}
      {list.value !== undefined && alerts.length === 0 && named === undefined && (
        <Panel>
          <Nothing title={status === "open" ? "No open alerts" : "No alerts like that"}>
            {q === "" && level === "" && status === "open"
              ? "Nothing waits for a decision in this period. A longer period or another status shows more; the health page says whether sources are heard."
              : "Take a filter away, or choose a longer period."}
          </Nothing>
        </Panel>
      )}
      {(alerts.length > 0 || named !== undefined) && (
        <Queue
          alerts={alerts}
          chosen={chosen}
          more={
            list.value?.next != null && limit < MOST ? () => more(Math.min(MOST, limit + STEP)) : undefined
          }
        />
      )}
    </Page>
  );
}

/** Says when older alerts of the period are not in the queue. */
function Cut({ of }: { of: number | null }): JSX.Element | null {
  if (of === null) return null;
  return (
    <p class="dim">
      Of the newest {of.toLocaleString("en")} alerts: older ones of this period are not counted or listed
      here. Search finds them, as events of class rule-alert.
    </p>
  );
}

/** Keys and buttons of the queue: moving, choosing, and what may be said. */
function keysOf(
  acts: readonly Act[],
  move: (by: number) => void,
  toggle: () => void,
  open: () => void,
): Key[] {
  return [
    { key: "j", says: "Next", does: () => move(1) },
    { key: "k", says: "The one before", does: () => move(-1) },
    { key: "ArrowDown", says: "Next", does: () => move(1) },
    { key: "ArrowUp", says: "The one before", does: () => move(-1) },
    { key: "x", says: "Mark, to act on several", does: toggle },
    { key: "Enter", says: "Open the session", does: open },
    ...acts.map(({ key, label, does }) => ({ key, says: label, does })),
  ];
}

const pick = (id: string | undefined): void => choose({ alert: id });

function Queue({
  alerts,
  chosen,
  more,
}: {
  alerts: readonly AlertRow[];
  chosen: string | undefined;
  more: (() => void) | undefined;
}): JSX.Element {
  const owner = useOwner();
  const [marked, mark] = useState<ReadonlySet<string>>(new Set());
  const [asked, askFor] = useState<Asked | undefined>(undefined);
  const at = alerts.findIndex(({ event }) => event.id === chosen);
  const move = (by: number): void => {
    const next = alerts[Math.min(alerts.length - 1, Math.max(0, at + by))];
    if (next !== undefined) pick(next.event.id);
  };
  const toggle = (id: string | undefined): void => {
    if (id === undefined) return;
    const next = new Set(marked);
    if (!next.delete(id)) next.add(id);
    mark(next);
  };
  const present = [...marked].filter((id) => alerts.some(({ event }) => event.id === id));
  const targets = present.length > 0 ? present : chosen === undefined ? [] : [chosen];
  const done = (): void => {
    const rest = alerts.slice(at + 1).find(({ event }) => !targets.includes(event.id));
    const before = alerts.slice(0, Math.max(0, at)).findLast(({ event }) => !targets.includes(event.id));
    mark(new Set());
    pick((rest ?? before)?.event.id ?? chosen);
  };
  const acts = useActs(targets, done, askFor);
  const current = alerts[at];
  const session = current === undefined ? undefined : fieldOf(current.event, "gen_ai.conversation.id");
  const open = (): void => {
    if (session !== undefined) go(href(["sessions", session], { at: String(current!.event.index) }));
    else if (current !== undefined) go(href(["events", String(current.event.index)]));
  };
  useKeys(
    "Alerts",
    keysOf(owner ? acts : [], move, () => toggle(chosen), open),
  );
  return (
    <div class="split">
      <Panel flush class="queue">
        <Rows alerts={alerts} chosen={chosen} marked={marked} select={pick} toggle={toggle} open={open} />
        {more !== undefined && (
          <div class="body screen">
            <button type="button" class="button" onClick={more}>
              Show more
            </button>
          </div>
        )}
      </Panel>
      <div class="hand">
        {chosen !== undefined && <AlertPane key={chosen} id={chosen} acts={acts} marked={present.length} />}
      </div>
      {asked !== undefined && (
        <Ask asked={asked} targets={targets} done={done} close={() => askFor(undefined)} />
      )}
    </div>
  );
}
