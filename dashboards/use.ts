// A.9 and A.10: what policy and people decided, what was not sanctioned, what changed at servers and tools, who granted
// what, calls past the chokepoint, and third-party servers and models.
import { OVERSIGHT, VERDICT } from "./colours.ts";
import {
  type Dashboard,
  PRIMARY,
  action,
  by,
  count,
  distinct,
  eventsRow,
  first,
  is,
  last,
  number,
  sum,
  there,
} from "./define.ts";

const DECISIONS = [action("tool-call-decision")];
const DENIED = [...DECISIONS, is("tapline.decision.verdict", "deny")];
const ASKED = [...DECISIONS, is("tapline.decision.verdict", "ask")];
const UNSANCTIONED = [is("tapline.server.sanctioned", false)];
const PAST = [action("bypass", "hole")];
const MODELS = [by("gen_ai.provider.name", "Provider", 10), by("gen_ai.response.model", "Model", 10)];
const verdict = { ...by("tapline.decision.verdict", "Verdict", 3), colours: VERDICT };

export const use: Dashboard = {
  id: "use",
  title: "A.9 and A.10 Use and suppliers",
  short: "Use, suppliers A.9 A.10",
  about:
    "Decisions, approvals, unsanctioned servers, changes, bypasses, suppliers: evidence for A.9.4, A.9.2, A.10.3",
  from: "now-30d",
  filters: [
    { field: "user.name", label: "User" },
    { field: "service.name", label: "Agent" },
    { field: "tapline.server.name", label: "Server" },
    { field: "gen_ai.tool.name", label: "Tool" },
    { field: "rule.id", label: "Policy rule" },
  ],
  shows:
    "Direct evidence for A.9.4, supporting for A.9.2, A.3.2, A.4.4, A.10.2 and A.10.3: what policy and people decided, and what went past them. Not collected here: the objectives of use, contracts and their reviews.",
  rows: [
    {
      height: 6,
      panels: [
        number("decisions", "Decisions", 8, DECISIONS, count("Decisions")),
        number("denied", "Denied", 8, DENIED, count("Decisions")),
        number("asked", "Asked", 8, ASKED, count("Decisions")),
        number("unsanctioned", "Events of unsanctioned servers", 8, UNSANCTIONED, count("Events")),
        number("bypasses", "Bypasses", 8, [action("bypass")], count("Calls")),
        number("holes", "Holes", 8, [action("hole")], count("Decisions")),
      ],
    },
    {
      height: 11,
      panels: [
        {
          kind: "time",
          id: "verdicts",
          title: "Decisions over time, by verdict",
          width: 24,
          where: DECISIONS,
          metric: count("Decisions"),
          by: verdict,
        },
        {
          kind: "bar",
          id: "servers",
          title: "Decisions by server and verdict",
          width: 24,
          where: [...DECISIONS, there("tapline.server.name")],
          metric: count("Decisions"),
          by: by("tapline.server.name", "Server", 10),
          stack: verdict,
        },
      ],
    },
    {
      height: 13,
      panels: [
        {
          kind: "table",
          id: "rules",
          title: "Decisions by rule of the policy",
          width: 24,
          where: DECISIONS,
          by: [
            by("rule.id", "Rule", 20),
            by("tapline.decision.verdict", "Verdict", 3),
            by("tapline.decision.action", "Done", 3),
          ],
          metrics: [count("Decisions"), distinct("user.name", "≈ Users"), last()],
        },
        {
          kind: "table",
          id: "approvals",
          title: "Approvals and approvers: who decided",
          width: 24,
          where: DECISIONS,
          by: [
            by("tapline.decision.decider.type", "Decider", 4),
            by("tapline.decision.decider.id", "Name or policy", 10),
            by("user.effective.name", "Person", 5),
            by("tapline.decision.verdict", "Verdict", 3),
          ],
          metrics: [count("Decisions"), distinct("gen_ai.tool.name", "≈ Tools"), last()],
        },
      ],
    },
    {
      height: 12,
      panels: [
        {
          kind: "table",
          id: "roles",
          title: "Decisions by role of the user",
          width: 16,
          where: DECISIONS,
          by: [by("user.roles", "Role", 10), by("tapline.decision.verdict", "Verdict", 3)],
          metrics: [count("Decisions")],
        },
        {
          kind: "table",
          id: "tools",
          title: "Denied and asked tools",
          width: 16,
          where: [...DECISIONS, is("tapline.decision.verdict", "deny", "ask")],
          by: [by("gen_ai.tool.name", "Tool", 20), by("tapline.server.name", "Server", 3)],
          metrics: [count("Decisions"), last()],
        },
        {
          kind: "table",
          id: "permissions",
          title: "Permissions changed",
          width: 16,
          where: [action("permission-change", "grant-change")],
          by: [by("user.name", "User", 10), by("tapline.permission.operation", "What", 5)],
          metrics: [count("Changes"), last()],
        },
      ],
    },
    {
      height: 12,
      panels: [
        {
          kind: "table",
          id: "unknown",
          title: "Unsanctioned servers and their tools: not in the inventory",
          width: 24,
          where: UNSANCTIONED,
          by: [by("tapline.server.name", "Server", 20), by("gen_ai.tool.name", "Tool", 10)],
          metrics: [count("Events"), distinct("user.name", "≈ Users"), first(), last()],
        },
        {
          kind: "table",
          id: "drift",
          title: "Changes of definitions, inventory, policy and quarantine",
          width: 24,
          where: [
            action(
              "tool-definition-changed",
              "tool-quarantined",
              "quarantine-change",
              "inventory-change",
              "policy-change",
            ),
          ],
          by: [
            by("event.action", "What", 6),
            by("tapline.server.name", "Server", 10),
            by("gen_ai.tool.name", "Tool", 5),
          ],
          metrics: [count("Times"), last()],
        },
      ],
    },
    {
      height: 12,
      panels: [
        {
          kind: "time",
          id: "past",
          title: "Bypasses and holes over time",
          width: 24,
          where: PAST,
          metric: count("Events"),
          by: { ...by("event.action", "What", 2), colours: OVERSIGHT },
        },
        {
          kind: "table",
          id: "missing",
          title: "Bypasses and holes, by what is missing",
          width: 24,
          where: PAST,
          by: [
            by("event.action", "What", 2),
            by("service.name", "Agent", 10),
            by("tapline.chokepoint.missing", "Missing", 3),
          ],
          metrics: [count("Events"), distinct("gen_ai.conversation.id", "≈ Sessions"), last()],
        },
      ],
    },
    {
      height: 12,
      panels: [
        {
          kind: "table",
          id: "releases",
          title: "Third-party servers, by release",
          width: 16,
          where: [there("tapline.server.name")],
          by: [by("tapline.server.name", "Server", 20), by("tapline.server.release", "Release", 5)],
          metrics: [count("Events"), first(), last()],
        },
        {
          kind: "table",
          id: "models",
          title: "Providers and models, by calls",
          width: 16,
          where: [action("model-call"), PRIMARY],
          by: MODELS,
          metrics: [count("Calls"), last()],
        },
        {
          kind: "table",
          id: "tokens",
          title: "Providers and models, by tokens",
          width: 16,
          // Each token is on one event, which need not be the one that counts as the call.
          where: [action("model-call")],
          by: MODELS,
          metrics: [
            sum("gen_ai.usage.input_tokens", "Tokens in"),
            sum("gen_ai.usage.output_tokens", "Tokens out"),
          ],
        },
      ],
    },
    eventsRow("Decisions", "decisions"),
  ],
};
