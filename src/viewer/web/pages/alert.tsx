// One alert in hand: what the rule saw, who and where, the events it rests on, and what was said of it.
import type { JSX } from "preact";
import type { AlertDetail } from "../../api.ts";
import { useAnswer } from "../asking.ts";
import { address } from "../client.ts";
import { type Pair, pairsOf, useFields, valueText } from "../fields.ts";
import { useAgain } from "../live.ts";
import { href } from "../route.ts";
import { term } from "../search.ts";
import { Badge } from "../ui/badges.tsx";
import { eventHref, fieldOf, targetOf, toolOf } from "../ui/events.tsx";
import { Panel, Trouble, Waiting, useOwner } from "../ui/parts.tsx";
import { Block, Text } from "../ui/text.tsx";
import { Time } from "../ui/time.tsx";
import type { Act } from "./alert-acts.tsx";
import { History, Related } from "../ui/related.tsx";

const find = (pairs: readonly Pair[], name: string): unknown =>
  pairs.find((pair) => pair.name === name)?.value;

export function AlertPane({
  id,
  acts,
  marked,
}: {
  id: string;
  acts: readonly Act[];
  marked: number;
}): JSX.Element {
  const answer = useAnswer<AlertDetail>(address(["alerts", id]));
  useAgain(["changed"], answer.again);
  if (answer.value === undefined) {
    return (
      <Panel>
        {answer.problem === undefined ? (
          <Waiting what="the alert" />
        ) : (
          <Trouble problem={answer.problem} again={answer.again} />
        )}
      </Panel>
    );
  }
  return <Pane {...answer.value} acts={acts} marked={marked} />;
}

function Buttons({ acts, marked }: { acts: readonly Act[]; marked: number }): JSX.Element | null {
  if (!useOwner()) return null;
  return (
    <div
      class="acts screen"
      role="group"
      aria-label={marked > 0 ? "For the marked alerts" : "For this alert"}
    >
      {marked > 0 && <p class="dim">For the {marked} marked:</p>}
      {acts.map(({ key, label, does }) => (
        <button type="button" class="button" key={key} onClick={does} aria-keyshortcuts={key}>
          {label} <kbd aria-hidden="true">{key}</kbd>
        </button>
      ))}
    </div>
  );
}

function Pane({
  alert,
  detail,
  history,
  acts,
  marked,
}: AlertDetail & { acts: readonly Act[]; marked: number }): JSX.Element {
  const fields = useFields();
  const pairs = pairsOf(detail.entry, fields);
  const { event, rule } = alert;
  const session = fieldOf(event, "gen_ai.conversation.id");
  const evidence = find(pairs, "tapline.alert.evidence");
  const description = find(pairs, "rule.description");
  return (
    <Panel class="pane" flush>
      <div class="body">
        <div class="badges">
          <Badge of={alert.level} />
          <Badge of={alert.status} />
          {alert.verdict !== null && <Badge of={alert.verdict} />}
        </div>
        <h2 class="title">
          <a href={href(["rules", rule.id])}>
            <Text of={rule.name} />
          </a>
        </h2>
        {event.message !== null && (
          <p>
            <Text of={event.message} />
          </p>
        )}
      </div>
      <Buttons acts={marked > 0 ? acts : acts.filter(({ fits }) => fits(alert.status))} marked={marked} />
      <div class="body">
        <Facts alert={alert} session={session} />
      </div>
      {typeof description === "string" && (
        <Part title="What the rule looks for">
          <Text of={description} chars={1200} />
        </Part>
      )}
      {evidence !== undefined && (
        <Part title="What matched">
          <Evidence of={evidence} />
        </Part>
      )}
      <Part title="Belongs to it">
        <Related detail={detail} />
      </Part>
      <Part title="Said so far">
        <History steps={history} />
      </Part>
    </Panel>
  );
}

const Part = ({ title, children }: { title: string; children: JSX.Element }): JSX.Element => (
  <div class="body part">
    <h3>{title}</h3>
    {children}
  </div>
);

const Fact = ({ name, children }: { name: string; children: JSX.Element }): JSX.Element => (
  <>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </>
);

function Facts({
  alert,
  session,
}: {
  alert: AlertDetail["alert"];
  session: string | undefined;
}): JSX.Element {
  const { event } = alert;
  const target = targetOf(event);
  return (
    <dl class="facts">
      <dt>Time</dt>
      <dd>
        <Time at={event.time} precision="millisecond" />
      </dd>
      <dt>Who</dt>
      <dd>
        <Text of={fieldOf(event, "user.name")} /> <span class="dim">with</span>{" "}
        <Text of={fieldOf(event, "service.name")} />
      </dd>
      <dt>Session</dt>
      <dd>
        {session === undefined ? (
          <span class="none">–</span>
        ) : (
          <a href={href(["sessions", session], { at: String(event.index) })}>
            <Text of={session} chars={80} />
          </a>
        )}
      </dd>
      <dt>Tool</dt>
      <dd>
        <Text of={toolOf(event)} />
      </dd>
      {target !== undefined && (
        <Fact name="Target">
          <Text of={target} />
        </Fact>
      )}
      {alert.assignee !== null && (
        <Fact name="Assigned to">
          <Text of={alert.assignee} />
        </Fact>
      )}
      {alert.incident !== null && (
        <Fact name="Incident">
          <a href={href(["incidents", alert.incident])} class="mono">
            <Text of={alert.incident} chars={16} />
          </a>
        </Fact>
      )}
      <dt>More of it</dt>
      <dd class="inline">
        <a href={href(["alerts"], { status: "all", q: term("rule.id", alert.rule.id) })}>this rule</a>
        {session !== undefined && (
          <a href={href(["alerts"], { status: "all", q: term("gen_ai.conversation.id", session) })}>
            this session
          </a>
        )}
        <a href={eventHref(event)}>entry {event.index} and its proof</a>
      </dd>
    </dl>
  );
}

function Evidence({ of }: { of: unknown }): JSX.Element {
  if (typeof of !== "object" || of === null) return <Block of={valueText(of)} label="What matched" />;
  return (
    <dl class="facts">
      {Object.entries(of).map(([name, value]) => (
        <>
          <dt key={name} class="mono">
            <Text of={name} />
          </dt>
          <dd>
            {valueText(value).includes("\n") ? (
              <Block of={valueText(value)} label={name} />
            ) : (
              <Text of={valueText(value)} chars={600} />
            )}
          </dd>
        </>
      ))}
    </dl>
  );
}
