// A.8: alerts, what became of them, and the timeline of one incident with the alerts that it rests on.
import { LEVEL } from "./colours.ts";
import {
  type Dashboard,
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
  there,
} from "./define.ts";

const ALERTS = [action("rule-alert")];
const URGENT = [...ALERTS, is("tapline.alert.level", "high", "critical")];
const INCIDENTS = [action("incident")];

export const incidents: Dashboard = {
  id: "incidents",
  title: "A.8 Incidents",
  short: "Incidents A.8",
  about: "Alerts and the records of incidents: supporting evidence for A.8.4, A.8.3 and A.3.3",
  from: "now-30d",
  filters: [
    { field: "tapline.alert.level", label: "Level" },
    { field: "rule.name", label: "Rule" },
    { field: "user.name", label: "User" },
    { field: "gen_ai.conversation.id", label: "Session" },
    { field: "tapline.server.name", label: "Server" },
  ],
  shows:
    "Supporting evidence for A.8.4, A.8.3 and A.3.3: what was alerted, and what people recorded about it. Not collected here: the plan for communicating incidents, and what was said outside Tapline.",
  rows: [
    {
      height: 6,
      panels: [
        number("alerts", "Alerts", 8, ALERTS, count("Alerts")),
        number("urgent", "High and critical", 8, URGENT, count("Alerts")),
        number("rules", "Rules that alerted", 8, ALERTS, distinct("rule.id", "Rules, about")),
        number(
          "sessions",
          "Sessions with alerts",
          8,
          ALERTS,
          distinct("gen_ai.conversation.id", "Sessions, about"),
        ),
        number("suppressed", "Summaries of repeats", 8, [action("alert-suppressed")], count("Summaries")),
        number("records", "Records of incidents", 8, INCIDENTS, count("Records")),
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
          id: "transitions",
          title: "Records of incidents over time",
          width: 24,
          where: INCIDENTS,
          metric: count("Records"),
        },
      ],
    },
    {
      height: 13,
      panels: [
        {
          kind: "table",
          id: "byrule",
          title: "Alerts, by rule",
          width: 24,
          where: ALERTS,
          by: [by("rule.name", "Rule", 20), by("tapline.alert.level", "Level", 5)],
          metrics: [count("Alerts"), distinct("gen_ai.conversation.id", "Sessions, about"), first(), last()],
        },
        {
          kind: "table",
          id: "bysession",
          title: "Alerts, by session",
          width: 24,
          where: [...ALERTS, there("gen_ai.conversation.id")],
          by: [by("gen_ai.conversation.id", "Session", 20), by("user.name", "User", 2)],
          metrics: [count("Alerts"), highest("event.risk_score", "Highest risk"), first(), last()],
        },
      ],
    },
    {
      height: 12,
      panels: [
        {
          kind: "table",
          id: "techniques",
          title: "Alerts, by technique",
          width: 24,
          where: [...ALERTS, there("threat.technique.id")],
          by: [by("threat.technique.id", "Technique", 20), by("threat.tactic.name", "Tactic", 3)],
          metrics: [count("Alerts"), last()],
        },
        {
          kind: "table",
          id: "people",
          title: "Records of incidents, by who made them",
          width: 24,
          where: INCIDENTS,
          by: [by("user.name", "Who", 10), by("host.name", "Host", 10)],
          metrics: [count("Records"), first(), last()],
        },
      ],
    },
    eventsRow("Alerts", "alerts"),
  ],
};
