// One control: its evidence by class of event, the newest of it, and related places in other frameworks.
import type { JSX } from "preact";
import type { ControlDetail } from "../../api.ts";
import { useAnswer } from "../asking.ts";
import { address } from "../client.ts";
import { count } from "../figures.ts";
import { href } from "../route.ts";
import { both, term } from "../search.ts";
import { Keep } from "../ui/acting.tsx";
import { Badge } from "../ui/badges.tsx";
import { EventTable } from "../ui/events.tsx";
import { Exhibit } from "../ui/exhibit.tsx";
import { Nothing, Page, Panel, Trouble, Waiting } from "../ui/parts.tsx";
import { Period, periodOf } from "../ui/period.tsx";
import { Text } from "../ui/text.tsx";
import { Time } from "../ui/time.tsx";
import { Print, USUAL } from "./controls.tsx";

export function ControlPage({ id, query }: { id: string; query: URLSearchParams }): JSX.Element {
  const { from, to, ask } = periodOf(query, USUAL);
  const answer = useAnswer<ControlDetail>(address(["controls", id], ask));
  const detail = answer.value;
  if (detail === undefined) {
    return (
      <Page title="Control" recorded={id} tools={<Period from={from} to={to} usual={USUAL} />}>
        {answer.problem === undefined ? (
          <Waiting what="the control" />
        ) : (
          <Trouble problem={answer.problem} again={answer.again} />
        )}
      </Page>
    );
  }
  const { control, header } = detail;
  // The map's own question: there is no other definition of evidence of a control.
  const q = control.q[control.direct > 0 ? "direct" : "supporting"] ?? control.q.supporting ?? "";
  return (
    <Page
      title={`${control.id} ${control.title}`}
      about={
        <>
          <Badge of={control.evidence} /> {control.shows}
        </>
      }
      tools={
        <>
          <Keep
            label="CSV"
            path={["exports"]}
            body={{
              what: "events",
              ...ask,
              q,
              fields: [
                "@timestamp",
                "event.sequence",
                "event.action",
                "user.name",
                "service.name",
                "message",
              ],
            }}
            name={`${control.id}.csv`}
          />
          <Keep
            label="Evidence file"
            path={["evidence"]}
            body={{ indexes: detail.events.slice(0, 500).map(({ index }) => index) }}
            name={`evidence-${control.id}.json`}
          />
          <Print />
          <Period from={from} to={to} usual={USUAL} />
        </>
      }
    >
      <Exhibit header={header} />
      {control.evidence === "none" ? (
        <Panel>
          <Nothing title="Not collected here">
            No event speaks to this control. Its evidence is a document or a process: {control.shows}
          </Nothing>
        </Panel>
      ) : (
        <Found detail={detail} q={q} ask={ask} />
      )}
    </Page>
  );
}

function Found({
  detail,
  q,
  ask,
}: {
  detail: ControlDetail;
  q: string;
  ask: { readonly from: string | undefined; readonly to: string | undefined };
}): JSX.Element {
  const { classes, events, crosswalk, control } = detail;
  const places = [...crosswalk.nist_ai_rmf, ...crosswalk.eu_ai_act];
  const period = { from: ask.from ?? "all", to: ask.to };
  return (
    <>
      <div class="columns even">
        <Panel title="By class of event" flush>
          {classes.length === 0 ? (
            <Nothing title="Nothing in this period">
              Nothing was recorded that is tagged with {control.id}. Choose a longer period; the health page
              says whether sources are heard.
            </Nothing>
          ) : (
            <Classes classes={classes} q={control.q} period={period} />
          )}
        </Panel>
        <Panel title="Related places in other frameworks">
          {places.length === 0 ? (
            <p class="dim">None: only direct controls are mapped.</p>
          ) : (
            <dl class="facts">
              <dt>NIST AI RMF</dt>
              <dd>{crosswalk.nist_ai_rmf.join(", ") || "–"}</dd>
              <dt>EU AI Act</dt>
              <dd>{crosswalk.eu_ai_act.join(", ") || "–"}</dd>
            </dl>
          )}
        </Panel>
      </div>
      <Panel title="Newest evidence" flush tools={<a href={href(["events"], { q, ...period })}>All of it</a>}>
        {events.length === 0 ? (
          <Nothing title="No events">Nothing in this period.</Nothing>
        ) : (
          <EventTable
            events={events}
            columns={["user.name", "service.name", "gen_ai.tool.name", "event.outcome"]}
            label="Newest evidence"
          />
        )}
      </Panel>
    </>
  );
}

function Classes({
  classes,
  q,
  period,
}: {
  classes: ControlDetail["classes"];
  q: ControlDetail["control"]["q"];
  period: { readonly from: string; readonly to: string | undefined };
}): JSX.Element {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Class</th>
          <th scope="col">Evidence</th>
          <th scope="col" class="number">
            Events
          </th>
          <th scope="col">Last</th>
        </tr>
      </thead>
      <tbody>
        {classes.map((one) => (
          <tr key={`${one.action} ${one.strength}`}>
            <td>
              <a
                href={href(["events"], {
                  q: both(q[one.strength] ?? "", term("event.action", one.action)),
                  ...period,
                })}
              >
                <Text of={one.action} chars={60} />
              </a>
            </td>
            <td>
              <Badge of={one.strength} />
            </td>
            <td class="number">{count(one.events)}</td>
            <td class="when">
              <Time at={one.last} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
