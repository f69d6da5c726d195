// Incidents: what is open and by when something is due, and one of them with its history, its alerts and what may be said of it.
import type { JSX } from "preact";
import type { IncidentList, IncidentRow } from "../../api.ts";
import { useAnswer, useNow } from "../asking.ts";
import { address } from "../client.ts";
import { useAgain } from "../live.ts";
import { choose, href } from "../route.ts";
import { Badge } from "../ui/badges.tsx";
import { type Choice, Nothing, Page, Panel, Segments, Trouble, Waiting } from "../ui/parts.tsx";
import { Text } from "../ui/text.tsx";
import { Time } from "../ui/time.tsx";
import { Due, nextOf } from "../ui/deadlines.tsx";

const STATUSES: readonly Choice<string>[] = [
  { value: "", label: "All" },
  { value: "open", label: "Open" },
  { value: "acknowledged", label: "Acknowledged" },
  { value: "closed", label: "Closed" },
];

export function IncidentsPage({ query }: { query: URLSearchParams }): JSX.Element {
  const status = query.get("status") ?? "";
  const answer = useAnswer<IncidentList>(address(["incidents"], { status }));
  useAgain(["alerts", "changed"], answer.again);
  const now = useNow(30_000);
  const incidents = answer.value?.incidents ?? [];
  return (
    <Page
      title="Incidents"
      about="Alerts that belong together, and what was communicated about them: supporting evidence for A.8.4, A.8.3 and A.3.3."
    >
      <div class="bar screen">
        <Segments
          label="Status"
          choices={STATUSES}
          chosen={status}
          choose={(value) => choose({ status: value }, true)}
        />
      </div>
      {answer.problem !== undefined && <Trouble problem={answer.problem} again={answer.again} />}
      {answer.value === undefined && answer.problem === undefined && <Waiting what="incidents" />}
      {answer.value !== undefined && (
        <Panel flush>
          {incidents.length === 0 ? (
            <Nothing title={status === "" ? "No incidents" : "No incident with this status"}>
              Alerts open one by the rules under <code>incidents:</code> of the configuration; without any,
              those of level high and above do. What was recorded before the collector started opens none,
              unless a rule has <code>backfill: true</code>.
            </Nothing>
          ) : (
            <IncidentTable incidents={incidents} now={now} />
          )}
        </Panel>
      )}
    </Page>
  );
}

function IncidentTable({ incidents, now }: { incidents: readonly IncidentRow[]; now: number }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Incidents">
      <table>
        <thead>
          <tr>
            <th scope="col">Level</th>
            <th scope="col">Opened</th>
            <th scope="col">Incident</th>
            <th scope="col">In common</th>
            <th scope="col" class="number">
              Alerts
            </th>
            <th scope="col">Status</th>
            <th scope="col">Next due</th>
          </tr>
        </thead>
        <tbody>
          {incidents.map((one) => {
            const next = nextOf(one);
            return (
              <tr key={one.id}>
                <td>
                  <Badge of={one.level} />
                </td>
                <td class="when">
                  <Time at={one.opened_at ?? undefined} />
                </td>
                <td>
                  <a href={href(["incidents", one.id])} class="mono">
                    <Text of={one.id} chars={12} />
                  </a>
                </td>
                <td>
                  <span class="dim">
                    <Text of={one.by} chars={60} />
                  </span>{" "}
                  <Text of={one.group} chars={80} />
                </td>
                <td class="number">{one.alerts}</td>
                <td>
                  <Badge of={one.status} />
                </td>
                <td>
                  {next === undefined ? <span class="none">–</span> : <Due deadline={next} now={now} />}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
