// Lists of events, and of alerts where they are only looked at.
import type { JSX } from "preact";
import type { AlertRow, EventRow, FieldValue } from "../../api.ts";
import { href } from "../route.ts";
import { Badge } from "./badges.tsx";
import { Text } from "./text.tsx";
import { Time } from "./time.tsx";

export const textOf = (value: FieldValue | undefined): string | undefined =>
  value === undefined ? undefined : Array.isArray(value) ? value.join(", ") : String(value);

export const fieldOf = (event: EventRow, name: string): string | undefined => textOf(event.fields[name]);

/** Where a call goes or what it touches, whichever the event has. */
const TARGETS = [
  "url.full",
  "destination.domain",
  "file.path",
  "process.command_line",
  "tapline.data.query",
  "mcp.resource.uri",
  "url.domain",
];
export const targetOf = (event: EventRow): string | undefined =>
  TARGETS.map((name) => fieldOf(event, name)).find((text) => text !== undefined);

export function toolOf(event: EventRow): string | undefined {
  const tool = fieldOf(event, "gen_ai.tool.name");
  const server = fieldOf(event, "tapline.server.name");
  return tool === undefined || server === undefined ? (tool ?? server) : `${server}/${tool}`;
}

export const eventHref = (event: EventRow): string => href(["events", String(event.index)]);
export const sessionHref = (id: string): string => href(["sessions", id]);

const WORDS = ["tapline.alert.level", "tapline.decision.verdict", "event.outcome"];
const TIMES = ["event.created", "tapline.alert.window.start", "tapline.alert.window.end"];

function cell(event: EventRow, name: string): JSX.Element {
  const text = name === "gen_ai.tool.name" ? toolOf(event) : fieldOf(event, name);
  // A decision has no outcome of its own.
  if (name === "event.outcome") return <Badge of={fieldOf(event, "tapline.decision.verdict") ?? text} />;
  if (WORDS.includes(name)) return <Badge of={text} />;
  if (TIMES.includes(name)) return <Time at={text} />;
  if (name === "gen_ai.conversation.id" && text !== undefined) {
    return (
      <a href={sessionHref(text)}>
        <Text of={text} chars={20} />
      </a>
    );
  }
  return <Text of={text} chars={120} />;
}

const LABELS: Readonly<Record<string, string>> = {
  "event.action": "Class",
  "user.name": "User",
  "service.name": "Agent",
  "tapline.server.name": "Server",
  "gen_ai.tool.name": "Tool",
  "event.outcome": "Outcome",
  "tapline.decision.verdict": "Verdict",
  "tapline.alert.level": "Level",
  "rule.name": "Rule",
  "gen_ai.conversation.id": "Session",
  "host.name": "Host",
  "destination.domain": "Destination",
  "tapline.data.bytes_out": "Bytes out",
  "tapline.data.secrets": "Secrets",
  "tapline.flow.from_tool": "Content from",
  "tapline.data.classification": "Data",
  "tapline.alert.event_ids": "Rests on",
  "error.type": "Error",
  "file.path": "File",
  "url.full": "Address",
  "process.command_line": "Command",
};
export const labelOf = (field: string): string => (Object.hasOwn(LABELS, field) ? LABELS[field]! : field);

const OWN = new Set(["@timestamp", "event.sequence", "event.action", "event.id"]);

export function EventTable({
  events,
  columns,
  label,
  message = true,
  at,
}: {
  events: readonly EventRow[];
  columns: readonly string[];
  label: string;
  /** The row that keys act on. */
  at?: number;
  /** With a column for what happened, in words. */
  message?: boolean;
}): JSX.Element {
  const shown = columns.filter((name) => !OWN.has(name) && name !== "message");
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col" class="number">
              Index
            </th>
            <th scope="col">Class</th>
            {message && (
              <th scope="col" class="what">
                What
              </th>
            )}
            {shown.map((name) => (
              <th scope="col" key={name} title={name}>
                {labelOf(name)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {events.map((event, i) => (
            <tr key={event.index} class={i === at ? "chosen" : ""}>
              <td class="when">
                <Time at={event.time} />
              </td>
              <td class="number">
                <a href={eventHref(event)}>{event.index}</a>
              </td>
              <td class="tight">
                <Text of={event.action} chars={40} />
              </td>
              {message && (
                <td>
                  <Text of={event.message ?? targetOf(event)} chars={160} />
                </td>
              )}
              {shown.map((name) => (
                <td key={name}>{cell(event, name)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Alerts to look at; each leads into the queue. */
export function AlertTable({ alerts, label }: { alerts: readonly AlertRow[]; label: string }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            <th scope="col">Level</th>
            <th scope="col">Time</th>
            <th scope="col">Rule</th>
            <th scope="col">What</th>
            <th scope="col">Status</th>
            <th scope="col">Session</th>
          </tr>
        </thead>
        <tbody>
          {alerts.map(({ event, rule, level, status }) => {
            const session = fieldOf(event, "gen_ai.conversation.id");
            return (
              <tr key={event.id}>
                <td>
                  <Badge of={level} />
                </td>
                <td class="when">
                  <Time at={event.time} />
                </td>
                <td>
                  <a href={href(["alerts"], { status: "all", from: "all", alert: event.id })}>
                    <Text of={rule.name} chars={100} />
                  </a>
                </td>
                <td>
                  <Text of={event.message ?? toolOf(event)} chars={160} />
                </td>
                <td>
                  <Badge of={status} />
                </td>
                <td>
                  {session === undefined ? (
                    <span class="none">–</span>
                  ) : (
                    <a href={sessionHref(session)}>
                      <Text of={session} chars={24} />
                    </a>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
