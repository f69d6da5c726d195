// Deadlines of incidents: what is met, due or overdue, and by when.
import type { JSX } from "preact";
import type { IncidentDeadline, IncidentRow } from "../../api.ts";
import { span } from "../time.ts";
import { Badge } from "../ui/badges.tsx";
import { Nothing } from "../ui/parts.tsx";
import { Text } from "../ui/text.tsx";
import { Time } from "../ui/time.tsx";

const stateOf = ({ met_at, late, due }: IncidentDeadline, now: number): "met" | "overdue" | "due" =>
  met_at !== null && !late ? "met" : late || Date.parse(due) < now ? "overdue" : "due";

/** The one that presses most: what is not met, the earliest. */
export const nextOf = ({ deadlines }: IncidentRow): IncidentDeadline | undefined =>
  deadlines.filter(({ met_at }) => met_at === null).toSorted((a, b) => a.due.localeCompare(b.due))[0];

export function Due({ deadline, now }: { deadline: IncidentDeadline; now: number }): JSX.Element {
  const state = stateOf(deadline, now);
  const left = Date.parse(deadline.due) - now;
  return (
    <span class="badges">
      <Badge of={state} />
      <span>
        <Text of={deadline.name} chars={40} />
        {deadline.met_at === null && (
          <span class="dim">, {left < 0 ? `${span(left)} ago` : `in ${span(left)}`}</span>
        )}
      </span>
    </span>
  );
}

const UNTIL: Readonly<Record<string, string>> = {
  acknowledged: "somebody acknowledges it",
  reported: "it is reported",
  closed: "it is closed",
};

export function Deadlines({
  deadlines,
  now,
}: {
  deadlines: readonly IncidentDeadline[];
  now: number;
}): JSX.Element {
  if (deadlines.length === 0)
    return <Nothing title="No deadlines">None of the configuration applies, and nobody set one.</Nothing>;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Deadline</th>
          <th scope="col">Due</th>
          <th scope="col">Until</th>
          <th scope="col">Met</th>
        </tr>
      </thead>
      <tbody>
        {deadlines.map((one) => (
          <tr key={one.name}>
            <td>
              <Due deadline={one} now={now} />
            </td>
            <td class="when">
              <Time at={one.due} />
            </td>
            <td>{UNTIL[one.until]}</td>
            <td class="when">
              {one.met_at === null ? <span class="none">not yet</span> : <Time at={one.met_at} />}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
