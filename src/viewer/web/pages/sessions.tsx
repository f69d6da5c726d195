// Sessions, and one of them from beginning to end: what was asked, called, answered, decided, alerted, in the order of time.
import type { JSX } from "preact";
import type { SessionList, SessionRow } from "../../api.ts";
import { useAnswer } from "../asking.ts";
import { address } from "../client.ts";
import { count } from "../figures.ts";
import { useAgain } from "../live.ts";
import { span } from "../time.ts";
import { Badge } from "../ui/badges.tsx";
import { sessionHref } from "../ui/events.tsx";
import { Nothing, Page, Panel, Trouble, Waiting } from "../ui/parts.tsx";
import { Period, periodOf } from "../ui/period.tsx";
import { SearchBox } from "../ui/searchbox.tsx";
import { Text } from "../ui/text.tsx";
import { Time } from "../ui/time.tsx";

const USUAL = "now-30d";

export function SessionsPage({ query }: { query: URLSearchParams }): JSX.Element {
  const q = query.get("q") ?? "";
  const { from, to, ask } = periodOf(query, USUAL);
  const answer = useAnswer<SessionList>(address(["sessions"], { ...ask, q, limit: 100 }));
  useAgain(["head"], answer.again, 3000);
  const sessions = answer.value?.sessions ?? [];
  return (
    <Page title="Sessions" tools={<Period from={from} to={to} usual={USUAL} />}>
      <div class="bar screen">
        <SearchBox q={q} within={ask} />
      </div>
      {answer.problem !== undefined && <Trouble problem={answer.problem} again={answer.again} />}
      {answer.value === undefined && answer.problem === undefined && <Waiting what="sessions" />}
      {answer.value !== undefined && (
        <Panel flush>
          {sessions.length === 0 ? (
            <Nothing title="No session like that">Choose a longer period, or take a condition away.</Nothing>
          ) : (
            <SessionTable sessions={sessions} />
          )}
          {answer.value.cut && (
            <p class="cut">
              Cut: of some files only the 20,000 sessions with most events were counted. A shorter period
              shows all.
            </p>
          )}
          {answer.value.more && (
            <p class="body dim">There are more. A shorter period or a condition shows the others.</p>
          )}
        </Panel>
      )}
    </Page>
  );
}

function SessionTable({ sessions }: { sessions: readonly SessionRow[] }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Sessions">
      <table>
        <thead>
          <tr>
            <th scope="col">Last event</th>
            <th scope="col">Session</th>
            <th scope="col">User</th>
            <th scope="col">Agent</th>
            <th scope="col">Length</th>
            <th scope="col" class="number">
              Events
            </th>
            <th scope="col" class="number">
              Calls
            </th>
            <th scope="col" class="number">
              Denied
            </th>
            <th scope="col" class="number">
              Alerts
            </th>
            <th scope="col">Highest</th>
          </tr>
        </thead>
        <tbody>
          {sessions.map((one) => (
            <tr key={one.id}>
              <td class="when">
                <Time at={one.last} />
              </td>
              <td>
                <a href={sessionHref(one.id)}>
                  <Text of={one.id} chars={60} />
                </a>
              </td>
              <td>
                <Text of={one.users.join(", ")} chars={60} />
              </td>
              <td>
                <Text of={one.agents.join(", ")} chars={60} />
              </td>
              <td class="tight">{span(Date.parse(one.last) - Date.parse(one.first))}</td>
              <td class="number">{count(one.events)}</td>
              <td class="number">{count(one.calls)}</td>
              <td class="number">{count(one.denied)}</td>
              <td class="number">{count(one.alerts)}</td>
              <td>{one.level === null ? <span class="none">–</span> : <Badge of={one.level} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
