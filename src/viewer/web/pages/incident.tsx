// One incident: its state and deadlines, its history, its alerts.
import type { JSX } from "preact";
import type { IncidentDetail, IncidentStep } from "../../api.ts";
import { useAnswer, useNow } from "../asking.ts";
import { address } from "../client.ts";
import { plural } from "../figures.ts";
import { useAgain } from "../live.ts";
import { href } from "../route.ts";
import { Badge } from "../ui/badges.tsx";
import { AlertTable } from "../ui/events.tsx";
import { Exhibit } from "../ui/exhibit.tsx";
import { Nothing, Page, Panel, Trouble, Waiting, useSession } from "../ui/parts.tsx";
import { Text } from "../ui/text.tsx";
import { Time } from "../ui/time.tsx";
import { Deadlines } from "../ui/deadlines.tsx";
import { Actions } from "./incident-acts.tsx";

export function IncidentPage({ id }: { id: string }): JSX.Element {
  const answer = useAnswer<IncidentDetail>(address(["incidents", id]));
  useAgain(["changed"], answer.again);
  if (answer.value === undefined) {
    return (
      <Page title="Incident">
        {answer.problem === undefined ? (
          <Waiting what="the incident" />
        ) : (
          <Trouble problem={answer.problem} again={answer.again} />
        )}
      </Page>
    );
  }
  return <Shown {...answer.value} />;
}

function Shown({ incident, rules, recipients, history, alerts }: IncidentDetail): JSX.Element {
  const { head } = useSession();
  const now = useNow(10_000);
  const asked_at = new Date(now).toISOString();
  const opened = incident.opened_at ?? incident.changed_at;
  return (
    <Page
      title="Incident"
      recorded={incident.id.slice(0, 12)}
      about={
        <>
          {plural(incident.alerts, "alert")} with <Text of={incident.by} chars={60} />{" "}
          <Text of={incident.group} chars={100} />
        </>
      }
      tools={
        <button type="button" class="button" onClick={() => print()}>
          Print
        </button>
      }
    >
      <div class="paper">
        <Exhibit header={{ from: opened, to: asked_at, q: `incident ${incident.id}`, asked_at, head }} />
      </div>
      <Actions incident={incident} />
      <div class="columns even">
        <Panel title="State">
          <State incident={incident} rules={rules} recipients={recipients} />
        </Panel>
        <Panel title="Deadlines" flush>
          <Deadlines deadlines={incident.deadlines} now={now} />
        </Panel>
      </div>
      <Panel title="History">
        <Steps steps={history} />
      </Panel>
      <Panel title="Alerts" flush>
        {alerts.length === 0 ? (
          <Nothing title="No alert is held here">They may be older than what is kept.</Nothing>
        ) : (
          <AlertTable alerts={alerts} label="Alerts of the incident" />
        )}
      </Panel>
    </Page>
  );
}

const Moment = ({ at, by }: { at: string | null; by: string | null }): JSX.Element =>
  at === null ? (
    <span class="none">not yet</span>
  ) : (
    <>
      <Time at={at} />
      {by !== null && (
        <>
          {" "}
          by <Text of={by} chars={60} />
        </>
      )}
    </>
  );

function Steps({ steps }: { steps: readonly IncidentStep[] }): JSX.Element {
  return (
    <ol class="history">
      {steps.map((step) => (
        <li key={step.index}>
          <div>
            <strong>
              <Text of={step.transition} chars={40} />
            </strong>
            {step.by !== null && (
              <>
                {" "}
                by <Text of={step.by} chars={60} />
              </>
            )}{" "}
            <span class="dim">
              <Time at={step.at} />, <a href={href(["events", String(step.index)])}>entry {step.index}</a>
            </span>
          </div>
          {step.message !== null && (
            <p>
              <Text of={step.message} chars={600} />
            </p>
          )}
          {step.note !== null && (
            <p>
              <Text of={step.note} chars={2000} />
            </p>
          )}
          {step.odd !== null && (
            <p class="dim">
              Changed nothing: <Text of={step.odd} />
            </p>
          )}
        </li>
      ))}
    </ol>
  );
}

function State({
  incident,
  rules,
  recipients,
}: Pick<IncidentDetail, "incident" | "rules" | "recipients">): JSX.Element {
  return (
    <dl class="facts">
      <dt>Status</dt>
      <dd class="badges">
        <Badge of={incident.status} />
        {incident.verdict !== null && <Badge of={incident.verdict} />}
      </dd>
      <dt>Level</dt>
      <dd>
        <Badge of={incident.level} />
      </dd>
      <dt>Opened</dt>
      <dd>
        <Time at={incident.opened_at ?? undefined} />
      </dd>
      <dt>Acknowledged</dt>
      <dd>
        <Moment at={incident.acknowledged_at} by={incident.acknowledged_by} />
      </dd>
      <dt>Notified</dt>
      <dd>
        <Moment at={incident.notified_at} by={null} />
      </dd>
      <dt>Closed</dt>
      <dd>
        <Moment at={incident.closed_at} by={incident.closed_by} />
      </dd>
      <dt>Told</dt>
      <dd>
        <Text of={recipients.join(", ")} />
      </dd>
      <dt>Rules</dt>
      <dd>
        <Text of={rules.join(", ")} chars={600} />
      </dd>
    </dl>
  );
}
