// One session from beginning to end: what was asked, called, answered, decided, alerted, in the order of time.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { EventDetail, SessionRow, TimelineLine, TimelineRow } from "../../api.ts";
import { useAnswer, useLines } from "../asking.ts";
import { address } from "../client.ts";
import { count, plural } from "../figures.ts";
import { choose, href } from "../route.ts";
import { term } from "../search.ts";
import { span } from "../time.ts";
import { Keep } from "../ui/acting.tsx";
import { Badge } from "../ui/badges.tsx";
import { Exhibit } from "../ui/exhibit.tsx";
import { type Choice, Nothing, Page, Panel, Segments, Trouble, Waiting, useSession } from "../ui/parts.tsx";
import { Block, Text } from "../ui/text.tsx";
import { Time } from "../ui/time.tsx";
import { ProofPanel } from "./event.tsx";
import { Step } from "./step.tsx";

interface Told {
  readonly session: SessionRow | undefined;
  readonly events: readonly TimelineRow[];
  readonly next: string | null | undefined;
}

const NONE: Told = { session: undefined, events: [], next: undefined };

function fold(told: Told, line: TimelineLine): Told {
  if (line.type === "session") return { ...told, session: line.session };
  if (line.type === "events") return { ...told, events: [...told.events, ...line.events] };
  return { ...told, next: line.next };
}

const KINDS: readonly Choice<string>[] = [
  { value: "", label: "What counts" },
  { value: "all", label: "Every sight" },
  { value: "marked", label: "Alerts and refusals" },
];

/** Of one call seen from several places, the one that counts; a page can show all. */
function wanted(event: TimelineRow, show: string): boolean {
  if (show === "all") return true;
  if (show === "marked") {
    return (
      ["rule-alert", "bypass", "hole", "incident"].includes(event.action) ||
      event.fields["tapline.decision.verdict"] === "deny" ||
      event.fields["tapline.flow.from_tool"] !== undefined
    );
  }
  return event.primary || event.call_key === null;
}

export function SessionPage({ id, query }: { id: string; query: URLSearchParams }): JSX.Element {
  const after = query.get("after") ?? "";
  const show = query.get("show") ?? "";
  const at = query.get("at") ?? "";
  const { state, problem, waiting, again } = useLines<Told>(
    address(["sessions", id], { limit: 500, after }),
    NONE,
    fold,
  );
  const { session, next } = state;
  const events = state.events.filter((event) => wanted(event, show));
  return (
    <Page
      title="Session"
      recorded={id}
      tools={
        <>
          <a class="button" href={href(["events"], { q: term("gen_ai.conversation.id", id), from: "all" })}>
            Search in it
          </a>
          <Keep
            label="Evidence file"
            path={["evidence"]}
            body={{ indexes: events.slice(0, 500).map(({ index }) => index) }}
            name="evidence.json"
          />
        </>
      }
    >
      {problem !== undefined && <Trouble problem={problem} again={again} />}
      {session !== undefined && <Summary session={session} />}
      <div class="bar screen">
        <Segments label="Show" choices={KINDS} chosen={show} choose={(value) => choose({ show: value })} />
        <p class="dim" role="status">
          {waiting ? "Reading …" : `${plural(events.length, "event")} of ${count(state.events.length)} here`}
        </p>
      </div>
      {events.length === 0 && !waiting && problem === undefined && (
        <Panel>
          <Nothing title="Nothing to show">
            {state.events.length > 0
              ? "Every sight shows the rest."
              : "No event of this session is held here. It may be older than what is kept."}
          </Nothing>
        </Panel>
      )}
      <Timeline events={events} at={at} />
      {next != null && (
        <button type="button" class="button screen" onClick={() => choose({ after: next, at: "" }, true)}>
          What came after
        </button>
      )}
    </Page>
  );
}

function Summary({ session }: { session: SessionRow }): JSX.Element {
  const facts: readonly (readonly [string, JSX.Element])[] = [
    ["User", <Text of={session.users.join(", ")} />],
    ["Agent", <Text of={session.agents.join(", ")} />],
    ["Host", <Text of={session.hosts.join(", ")} />],
    ["First", <Time at={session.first} />],
    ["Length", <>{span(Date.parse(session.last) - Date.parse(session.first))}</>],
    ["Events", <>{count(session.events)}</>],
    ["Calls", <>{count(session.calls)}</>],
    ["Denied", <>{count(session.denied)}</>],
    ["Alerts", <>{count(session.alerts)}</>],
    ["Highest", session.level === null ? <>–</> : <Badge of={session.level} />],
  ];
  const { head } = useSession();
  const asked_at = new Date().toISOString();
  const header = {
    from: session.first,
    to: session.last,
    q: term("gen_ai.conversation.id", session.id),
    asked_at,
    head,
  };
  return (
    <>
      <div class="paper">
        <Exhibit header={header} />
      </div>
      <dl class="summary">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Timeline({ events, at }: { events: readonly TimelineRow[]; at: string }): JSX.Element {
  const [open, set] = useState<ReadonlySet<number>>(new Set());
  useEffect(() => {
    if (at !== "") document.querySelector(`#step-${CSS.escape(at)}`)?.scrollIntoView({ block: "center" });
  }, [at, events.length]);
  return (
    <ol class="timeline">
      {events.map((event, i) => (
        <Step
          key={event.index}
          event={event}
          before={events[i - 1]}
          here={String(event.index) === at}
          open={open.has(event.index)}
          toggle={() => {
            const next = new Set(open);
            if (!next.delete(event.index)) next.add(event.index);
            set(next);
          }}
        >
          <Raw index={event.index} />
        </Step>
      ))}
    </ol>
  );
}

/** The entry and its proof, asked when somebody opens them. */
function Raw({ index }: { index: number }): JSX.Element {
  const answer = useAnswer<EventDetail>(address(["events", String(index)]));
  if (answer.value === undefined) {
    return answer.problem === undefined ? (
      <Waiting what="the entry" />
    ) : (
      <Trouble problem={answer.problem} again={answer.again} />
    );
  }
  return (
    <div class="columns">
      <Panel title={`Entry ${index}`}>
        <RawEntry entry={answer.value.entry} />
      </Panel>
      <ProofPanel detail={answer.value} />
    </div>
  );
}

function RawEntry({ entry }: { entry: string }): JSX.Element {
  let text = entry;
  try {
    text = JSON.stringify(JSON.parse(entry), null, 2);
  } catch {
    // As it is.
  }
  return <Block of={text} label="Entry" />;
}
