// The rows of the queue: one alert each, one of them in hand, any number marked.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { AlertRow } from "../../api.ts";
import { Badge } from "../ui/badges.tsx";
import { fieldOf, toolOf } from "../ui/events.tsx";
import { Text } from "../ui/text.tsx";
import { Time } from "../ui/time.tsx";

export function Rows({
  alerts,
  chosen,
  marked,
  select,
  toggle,
  open,
}: {
  alerts: readonly AlertRow[];
  chosen: string | undefined;
  marked: ReadonlySet<string>;
  select: (id: string) => void;
  toggle: (id: string) => void;
  open: () => void;
}): JSX.Element {
  const grid = useRef<HTMLTableElement>(null);
  useEffect(() => {
    const row = grid.current?.querySelector<HTMLElement>("tr[aria-selected='true']");
    row?.scrollIntoView({ block: "nearest" });
    // The focus goes along when it is in the list, so that screen readers hear where they are.
    if (grid.current?.contains(document.activeElement) === true) row?.focus({ preventScroll: true });
  }, [chosen]);
  return (
    <div class="rows">
      <table role="grid" aria-label="Alerts" aria-multiselectable="true" ref={grid}>
        <thead>
          <tr>
            <th scope="col">
              <span class="hidden">Marked</span>
            </th>
            <th scope="col">Level</th>
            <th scope="col">Time</th>
            <th scope="col">What</th>
            <th scope="col">Status</th>
          </tr>
        </thead>
        <tbody>
          {alerts.map((alert) => (
            <Row
              key={alert.event.id}
              alert={alert}
              chosen={alert.event.id === chosen}
              marked={marked.has(alert.event.id)}
              select={select}
              toggle={toggle}
              open={open}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({
  alert: { event, rule, level, status, assignee, verdict, notes, backfill },
  chosen,
  marked,
  select,
  toggle,
  open,
}: {
  alert: AlertRow;
  chosen: boolean;
  marked: boolean;
  select: (id: string) => void;
  toggle: (id: string) => void;
  open: () => void;
}): JSX.Element {
  const who = [fieldOf(event, "user.name"), fieldOf(event, "service.name"), toolOf(event)];
  return (
    <tr
      aria-selected={chosen ? "true" : "false"}
      tabIndex={chosen ? 0 : -1}
      onClick={() => select(event.id)}
      onDblClick={open}
    >
      <td>
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label="Mark"
          checked={marked}
          onClick={(click) => click.stopPropagation()}
          onChange={() => toggle(event.id)}
        />
      </td>
      <td>
        <Badge of={level} />
      </td>
      <td class="when">
        <Time at={event.time} />
        {backfill && (
          <div class="dim" title="Of a record that is older than the start of the run: told by nobody">
            backfill
          </div>
        )}
      </td>
      <td>
        <div class="strong">
          <Text of={rule.name} chars={120} />
        </div>
        <div class="dim">
          {who
            .filter((text) => text !== undefined)
            .map((text, i) => (
              <span key={i} class="dotted">
                <Text of={text} chars={60} />
              </span>
            ))}
        </div>
      </td>
      <td>
        <Badge of={verdict ?? status} />
        {assignee !== null && (
          <div class="dim">
            <Text of={assignee} chars={30} />
          </div>
        )}
        {notes > 0 && <div class="dim">{notes === 1 ? "1 note" : `${notes} notes`}</div>}
      </td>
    </tr>
  );
}
