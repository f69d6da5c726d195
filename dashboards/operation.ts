// A.6.2.6: what agents did and how it went, whether all sources are heard, alerts, and the collector's own accounts.
import { RETENTION } from "./header.ts";
import { LEVEL, LIFE, OUTCOME, VERDICT } from "./colours.ts";
import {
  CALLS,
  ANY_TIME,
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
  percentile,
  there,
} from "./define.ts";

const RESULTS = [action("tool-result"), PRIMARY];
const FAILED = [...RESULTS, is("event.outcome", "failure")];
const ALERTS = [action("rule-alert")];
const URGENT = [...ALERTS, is("tapline.alert.level", "high", "critical")];
const DENIED = [action("tool-call-decision"), is("tapline.decision.verdict", "deny")];
const ACCOUNTS = [action("heartbeat", "collector-stop")];

export const operation: Dashboard = {
  id: "operation",
  title: "A.6.2.6 Operation and monitoring",
  short: "Operation A.6.2.6",
  about: "Activity, errors and latency, sources, alerts and the collector's accounts: evidence for A.6.2.6",
  from: "now-30d",
  filters: [
    { field: "user.name", label: "User" },
    { field: "service.name", label: "Agent" },
    { field: "tapline.server.name", label: "Server" },
    { field: "gen_ai.tool.name", label: "Tool" },
    { field: "host.name", label: "Host" },
  ],
  shows:
    "Direct evidence for A.6.2.6 and A.6.2.8: what agents did, errors, latency, alerts, whether every source was heard. Not collected here: the monitoring plan and its thresholds, and who reviews this page.",
  rows: [
    {
      height: 6,
      panels: [
        number("calls", "Tool calls", 8, CALLS, count("Calls")),
        number("failed", "Failed results", 8, FAILED, count("Results")),
        number("denied", "Denied calls", 8, DENIED, count("Decisions")),
        number("sessions", "Sessions", 8, [], distinct("gen_ai.conversation.id", "Sessions, about")),
        number("urgent", "High and critical alerts", 8, URGENT, count("Alerts")),
        number("gaps", "Gaps", 8, [action("gap")], count("Gaps")),
      ],
    },
    {
      height: 11,
      panels: [
        {
          kind: "time",
          id: "outcomes",
          title: "Results over time, by outcome",
          width: 24,
          where: RESULTS,
          metric: count("Results"),
          by: { ...by("event.outcome", "Outcome", 3), colours: OUTCOME },
        },
        {
          kind: "time",
          id: "verdicts",
          title: "Decisions over time, by verdict",
          width: 24,
          where: [action("tool-call-decision")],
          metric: count("Decisions"),
          by: { ...by("tapline.decision.verdict", "Verdict", 3), colours: VERDICT },
        },
      ],
    },
    {
      height: 12,
      panels: [
        {
          kind: "heat",
          id: "agents",
          title: "Calls a day, by agent",
          width: 16,
          where: CALLS,
          metric: count("Calls"),
          by: by("service.name", "Agent", 8),
        },
        {
          kind: "heat",
          id: "servers",
          title: "Calls a day, by MCP server",
          width: 16,
          where: [...CALLS, there("tapline.server.name")],
          metric: count("Calls"),
          by: by("tapline.server.name", "Server", 8),
        },
        {
          kind: "heat",
          id: "tools",
          title: "Calls a day, by tool",
          width: 16,
          where: CALLS,
          metric: count("Calls"),
          by: by("gen_ai.tool.name", "Tool", 8),
        },
      ],
    },
    {
      height: 13,
      panels: [
        {
          kind: "table",
          id: "latency",
          title: "Latency of calls in seconds, by tool",
          width: 24,
          where: [...RESULTS, there("event.duration")],
          by: [by("gen_ai.tool.name", "Tool", 20), by("tapline.server.name", "Server", 3)],
          metrics: [
            count("Results"),
            percentile("event.duration", 50, "Median"),
            percentile("event.duration", 95, "calls"),
          ],
        },
        {
          kind: "table",
          id: "errors",
          title: "Errors, by tool and kind",
          width: 24,
          where: FAILED,
          by: [
            by("gen_ai.tool.name", "Tool", 20),
            by("tapline.server.name", "Server", 3),
            by("error.type", "Error", 5),
          ],
          metrics: [count("Results"), last()],
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
          kind: "table",
          id: "rules",
          title: "Alerts, by rule",
          width: 24,
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
          kind: "table",
          id: "expected",
          title: "Sources expected: those of the configuration",
          width: 14,
          where: [there("tapline.sources.expected")],
          by: [by("tapline.sources.expected", "Source", 50)],
          metrics: [count("Starts, heartbeats"), last("As of")],
        },
        {
          kind: "table",
          id: "sources",
          title: "Sources heard",
          width: 20,
          where: [there("tapline.source")],
          by: [by("tapline.source", "Source", 50)],
          metrics: [count("Events"), last("Last event"), highest("event.created", "Last read")],
        },
        {
          kind: "table",
          id: "silent",
          title: "Sources silent, in heartbeats",
          width: 14,
          where: [action("heartbeat", "collector-stop"), there("tapline.sources.silent")],
          by: [by("tapline.sources.silent", "Source", 50)],
          metrics: [count("Heartbeats"), last("Last silent")],
        },
      ],
    },
    {
      height: 11,
      panels: [
        {
          kind: "time",
          id: "life",
          title: "The collector: heartbeats, starts, stops, gaps",
          width: 28,
          where: [action("heartbeat", "collector-start", "collector-stop", "gap")],
          metric: count("Records"),
          by: { ...by("event.action", "What", 4), colours: LIFE },
        },
        {
          kind: "table",
          id: "unread",
          title: "Gaps and records that could not be read",
          width: 20,
          where: [action("gap", "unparsable-record")],
          by: [by("event.action", "What", 2), by("tapline.gap.reason", "Reason", 12)],
          metrics: [count("Times"), last()],
        },
      ],
    },
    {
      height: 8,
      panels: [
        {
          kind: "table",
          id: "accounts",
          title: "Accounts since the ledger began: read = recorded + merged + skipped",
          width: 24,
          where: ACCOUNTS,
          by: [by("host.name", "Host", 20)],
          metrics: [
            highest("tapline.count.read", "Read"),
            highest("tapline.count.recorded", "Recorded"),
            highest("tapline.count.merged", "Merged"),
            highest("tapline.count.skipped", "Skipped"),
            last("As of"),
          ],
        },
        {
          kind: "table",
          id: "ledger",
          title: "Ledger: highest index here, entries under a checkpoint and a snapshot",
          width: 24,
          where: [],
          by: [by("host.name", "Host", 20)],
          metrics: [
            highest("event.sequence", "Highest index"),
            highest("tapline.integrity.checkpoint_size", "Under a checkpoint"),
            highest("tapline.integrity.tree_size", "Under a snapshot"),
            last("Last event"),
          ],
        },
      ],
    },
    {
      height: 9,
      panels: [
        {
          kind: "table",
          id: "checks",
          title: "Checks of controls, by outcome: the newest counts",
          width: 18,
          where: [action("control-status")],
          by: [by("tapline.check.name", "Check", 10), by("tapline.check.outcome", "Outcome", 3)],
          metrics: [count("Times recorded"), last("Last recorded")],
        },
        { kind: "text", id: "inforce", title: "Retention in force", width: 10, text: RETENTION },
        {
          kind: "table",
          id: "retention",
          title: "The oldest event still held, whatever the period above",
          width: 20,
          where: [],
          by: [by("data_stream.dataset", "Data set", 10)],
          metrics: [count("Events"), first("Oldest"), last("Newest")],
          period: ANY_TIME,
        },
      ],
    },
    eventsRow("Alerts", "alerts"),
  ],
};
