// A dashboard with a panel of every kind, and figures for it.
import type * as api from "../../../src/viewer/api.ts";
import type { World } from "./world.ts";

const LEVELS = {
  informational: "#8A93A5",
  low: "#2B7BB0",
  medium: "#8A4B08",
  high: "#7C1D14",
  critical: "#2A0606",
};
const OUTCOME = { success: "#3D9A74", unknown: "#8A6D1F", failure: "#7A1F1F" };
const metric = (label: string, unit: api.Unit = "number", about = false): api.MetricLayout => ({
  label,
  unit,
  about,
});
const by = (
  label: string,
  field: string | null,
  colours: Readonly<Record<string, string>> | null = null,
): api.ByLayout => ({ label, field, colours });
const figure = (id: string, title: string, m: api.MetricLayout): api.PanelLayout => ({
  id,
  title,
  width: 8,
  q: "event.action:tool-call",
  kind: "number",
  metric: m,
});

export function dashboardOf(id: string): api.DashboardLayout {
  return {
    id,
    title: id === "operation" ? "A.6.2.6 Operation and monitoring" : "Exfiltration triage",
    short: "Operation A.6.2.6",
    about: "",
    from: "now-30d",
    shows:
      "Direct evidence for A.6.2.6 and A.6.2.8: what agents did, errors, latency, alerts, whether every source was heard. Not collected here: the monitoring plan and its thresholds, and who reviews this page.",
    filters: [
      { field: "user.name", label: "User" },
      { field: "service.name", label: "Agent" },
      { field: "tapline.server.name", label: "Server" },
    ],
    rows: [
      {
        height: 6,
        panels: [
          figure("calls", "Tool calls", metric("Calls")),
          figure("failed", "Failed results", metric("Results")),
          figure("denied", "Denied calls", metric("Decisions")),
          figure("sessions", "Sessions", metric("Sessions", "number", true)),
          figure("bytes", "Bytes sent", metric("Sent", "bytes")),
          figure("gaps", "Gaps", metric("Gaps")),
        ],
      },
      {
        height: 11,
        panels: [
          {
            id: "outcomes",
            title: "Results over time, by outcome",
            width: 24,
            q: "event.action:tool-result",
            kind: "time",
            metric: metric("Results"),
            by: by("Outcome", "event.outcome", OUTCOME),
          },
          {
            id: "levels",
            title: "Alerts over time, by level",
            width: 24,
            q: "event.action:rule-alert",
            kind: "time",
            metric: metric("Alerts"),
            by: by("Level", "tapline.alert.level", LEVELS),
          },
        ],
      },
      {
        height: 12,
        panels: [
          {
            id: "tools",
            title: "Calls a day, by tool",
            width: 24,
            q: "event.action:tool-call",
            kind: "heat",
            metric: metric("Calls"),
            by: by("Tool", "gen_ai.tool.name"),
          },
          {
            id: "servers",
            title: "Calls, by server and outcome",
            width: 24,
            q: "event.action:tool-call",
            kind: "bar",
            metric: metric("Calls"),
            by: by("Server", "tapline.server.name"),
            stack: by("Outcome", "event.outcome", OUTCOME),
          },
        ],
      },
      {
        height: 13,
        panels: [
          {
            id: "latency",
            title: "Latency of calls, by tool",
            width: 24,
            q: "event.action:tool-result",
            kind: "table",
            by: [by("Tool", "gen_ai.tool.name"), by("Server", "tapline.server.name")],
            metrics: [
              metric("Results"),
              metric("Median", "ns"),
              metric("95 of 100", "ns"),
              metric("Last", "time"),
            ],
          },
          {
            id: "about",
            title: "What events show",
            width: 24,
            q: "",
            kind: "text",
            text: "**Direct** evidence is the events themselves; *nothing here* is a share. See [Exfiltration](#/view/tapline-exfiltration) or [elsewhere](https://example.org).\n\n| control | shows |\n|---|---|\n| A.6.2.6 | `heartbeat` and alerts |\n| A.6.2.8 | the log itself |",
          },
        ],
      },
      {
        height: 16,
        panels: [
          {
            id: "events",
            title: "Alerts",
            width: 48,
            q: "event.action:rule-alert",
            kind: "events",
            columns: ["tapline.alert.level", "rule.name", "user.name", "gen_ai.conversation.id", "message"],
          },
        ],
      },
    ],
  };
}

const DAY = 86_400_000;

export function linesOf(id: string, world: World, header: api.ExhibitHeader): api.DashboardLine[] {
  const { say } = world;
  const times = Array.from({ length: 30 }, (_, i) => Math.floor(world.now / DAY) * DAY - (29 - i) * DAY);
  const wave = (scale: number, seed: number): number[] =>
    times.map((_, i) =>
      Math.max(
        0,
        Math.round(
          scale * (1 + Math.sin((i + seed) / 2.6)) * (i % 7 > 4 ? 0.35 : 1) + ((i * seed * 7919) % 7),
        ),
      ),
    );
  const data: api.PanelData[] = [
    ...[
      ["calls", 48_211],
      ["failed", 913],
      ["denied", 127],
      ["sessions", 1_204],
      ["bytes", 73_400_320],
      ["gaps", 0],
    ].map(([panel, value]) => ({ id: String(panel), kind: "number" as const, value: value as number })),
    {
      id: "outcomes",
      kind: "time",
      step_ms: DAY,
      times,
      series: [
        { key: "success", other: false, values: wave(700, 3) },
        { key: "failure", other: false, values: wave(60, 5) },
        { key: "unknown", other: false, values: wave(30, 2) },
      ],
    },
    {
      id: "levels",
      kind: "time",
      step_ms: DAY,
      times,
      series: [
        { key: "low", other: false, values: wave(9, 1) },
        { key: "medium", other: false, values: wave(6, 4) },
        { key: "high", other: false, values: wave(4, 2) },
        { key: "critical", other: false, values: wave(1, 6) },
      ],
    },
    {
      id: "tools",
      kind: "heat",
      step_ms: DAY,
      times,
      series: ["Bash", "Read", "Edit", "http_post", "get_issue", "query"].map((key, i) => ({
        key: say(key),
        other: false,
        values: wave(120 / (i + 1), i + 1),
      })),
    },
    {
      id: "servers",
      kind: "bar",
      bars: ["github", "postgres", "fetch", "files"].map((key, i) => ({
        key: say(key),
        value: 4_000 - i * 930,
        parts: [
          { key: "success", value: 3_700 - i * 930 },
          { key: "failure", value: 300 },
        ],
      })),
      more: 2,
    },
    {
      id: "latency",
      kind: "table",
      rows: ["Bash", "http_post", "get_issue", "query"].map((key, i) => ({
        keys: [say(key), say("github")],
        values: [
          4_120 - i * 700,
          38_000_000 * (i + 1),
          912_000_000 * (i + 1),
          new Date(world.now - i * 5e6).toISOString(),
        ],
      })),
      more: 0,
    },
    { id: "events", kind: "events", events: world.alerts.slice(0, 10).map(({ event }) => event) },
  ];
  if (id === "exfiltration") data.splice(7, 1);
  return [
    { type: "begin", header },
    ...data.map((one) => ({ type: "panel" as const, data: one })),
    ...(id === "exfiltration"
      ? [
          {
            type: "problem" as const,
            panel: "levels",
            problem: {
              code: "SLOW",
              message: "the panel took longer than 30 s",
              remedy: "choose a shorter period",
            },
          },
        ]
      : []),
    { type: "end", took_ms: 40 },
  ];
}
