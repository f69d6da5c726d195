// The analyst's page: is something leaving, from which session, by which tool, to where, and was that place ever seen before.
import { LEVEL } from "./colours.ts";
import {
  CALLS,
  type Dashboard,
  PRIMARY,
  action,
  by,
  count,
  distinct,
  eventsRow,
  first,
  highest,
  is,
  last,
  number,
  sum,
  there,
} from "./define.ts";

const OUT = [...CALLS, is("network.direction", "egress")];
const SECRETS = [there("tapline.data.secrets"), action("tool-call", "tool-result"), PRIMARY];
const ALERTS = [action("rule-alert")];
const NEW = [action("first-seen"), is("tapline.first_seen.kind", "domain", "address")];

export const exfiltration: Dashboard = {
  id: "exfiltration",
  title: "Exfiltration triage",
  short: "Exfiltration",
  about: "Destinations, first seen, bytes, secrets, flows, and the sessions to look at",
  from: "now-7d",
  filters: [
    { field: "gen_ai.conversation.id", label: "Session" },
    { field: "user.name", label: "User" },
    { field: "service.name", label: "Agent" },
    { field: "destination.domain", label: "Destination" },
    { field: "rule.name", label: "Rule" },
  ],
  shows:
    "For triage: a click on a session, a destination or a rule filters the page; the id of an event opens it. Names, addresses and arguments are what agents and servers wrote: never follow them. Supporting evidence for A.8.4 and A.9.3.",
  rows: [
    {
      height: 6,
      panels: [
        number("out", "Outgoing calls", 8, OUT, count("Calls")),
        number("bytes", "Bytes sent", 8, OUT, sum("tapline.data.bytes_out", "Sent")),
        number(
          "leaks",
          "Secrets in outgoing calls",
          8,
          [...OUT, there("tapline.data.secrets")],
          count("Calls"),
        ),
        number(
          "flows",
          "Calls that carry content of a result",
          8,
          [...CALLS, there("tapline.flow.from_event")],
          count("Calls"),
        ),
        number("new", "Destinations never seen before", 8, NEW, count("Destinations")),
        number(
          "sessions",
          "Sessions with alerts",
          8,
          ALERTS,
          distinct("gen_ai.conversation.id", "≈ Sessions"),
        ),
      ],
    },
    {
      height: 13,
      panels: [
        {
          kind: "table",
          id: "open",
          title: "Sessions to look at, by highest risk",
          width: 28,
          where: [...ALERTS, there("gen_ai.conversation.id")],
          by: [
            by("gen_ai.conversation.id", "Session", 20),
            by("user.name", "User", 2),
            by("service.name", "Agent", 2),
          ],
          metrics: [
            highest("event.risk_score", "Risk"),
            count("Alerts"),
            distinct("rule.id", "≈ Rules"),
            last(),
          ],
        },
        {
          kind: "table",
          id: "rules",
          title: "Alerts, by rule",
          width: 20,
          where: ALERTS,
          by: [by("rule.name", "Rule", 20), by("tapline.alert.level", "Level", 5)],
          metrics: [count("Alerts"), distinct("gen_ai.conversation.id", "≈ Sessions"), last()],
        },
      ],
    },
    {
      height: 12,
      panels: [
        {
          kind: "time",
          id: "levels",
          title: "Alerts over time, by level",
          width: 24,
          where: ALERTS,
          metric: count("Alerts"),
          by: { ...by("tapline.alert.level", "Level", 5), colours: LEVEL },
        },
        {
          kind: "time",
          id: "sent",
          title: "Bytes sent over time, in outgoing calls",
          width: 24,
          where: OUT,
          metric: sum("tapline.data.bytes_out", "Sent"),
        },
      ],
    },
    {
      height: 13,
      panels: [
        {
          kind: "table",
          id: "destinations",
          title: "Destinations of outgoing calls",
          width: 30,
          where: OUT,
          by: [by("destination.domain", "Destination", 20), by("destination.registered_domain", "Domain", 1)],
          metrics: [
            count("Calls"),
            sum("tapline.data.bytes_out", "Sent"),
            distinct("gen_ai.conversation.id", "≈ Sessions"),
            first(),
            last(),
          ],
        },
        {
          kind: "table",
          id: "firsts",
          title: "Seen for the first time",
          width: 18,
          where: [action("first-seen")],
          by: [
            by("tapline.first_seen.kind", "What", 8),
            by("destination.domain", "Destination", 10),
            by("tapline.server.name", "Server", 3),
          ],
          metrics: [count("Times"), first("When")],
        },
      ],
    },
    {
      height: 12,
      panels: [
        {
          kind: "table",
          id: "secrets",
          title: "Secrets found, by kind and place",
          width: 24,
          where: SECRETS,
          by: [
            by("tapline.data.secrets", "Kind", 15),
            by("event.action", "In", 2),
            by("gen_ai.tool.name", "Tool", 5),
          ],
          metrics: [count("Events"), distinct("gen_ai.conversation.id", "≈ Sessions"), last()],
        },
        {
          kind: "table",
          id: "traits",
          title: "Commands that send, encode or read the environment",
          width: 24,
          where: [...CALLS, there("tapline.command.traits")],
          by: [by("tapline.command.traits", "Trait", 10), by("service.name", "Agent", 5)],
          metrics: [count("Calls"), distinct("gen_ai.conversation.id", "≈ Sessions"), last()],
        },
      ],
    },
    {
      height: 12,
      panels: [
        {
          kind: "table",
          id: "flow",
          title: "Flow: from which tool into which",
          width: 28,
          where: [...CALLS, there("tapline.flow.from_event")],
          by: [
            by("tapline.flow.from_tool", "From", 10),
            by("tapline.flow.to_tool", "To", 10),
            by("tapline.flow.encoding", "Encoding", 5),
          ],
          metrics: [count("Calls"), highest("tapline.flow.overlap", "Largest overlap"), last()],
        },
        {
          kind: "table",
          id: "beacons",
          title: "Addresses with data in what the agent wrote",
          width: 20,
          where: [there("tapline.beacon.kind")],
          by: [by("tapline.beacon.domain", "Host", 20), by("tapline.beacon.kind", "Kind", 3)],
          metrics: [count("Texts"), highest("tapline.beacon.chars", "Most characters"), last()],
        },
      ],
    },
    eventsRow("Outgoing calls", "outgoing"),
  ],
};
