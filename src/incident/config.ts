// The configuration's part on incidents: by which rules alerts group, and which deadlines apply. Checked by zod.
import { z } from "zod";
import { FIELDS } from "../core/generated/event.ts";
import { LEVELS, PLAIN_NAME, UNTIL } from "../core/incident.ts";
import { LIMITS } from "../core/limits.ts";

const UNIT_MS: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, h: 3_600_000, d: 86_400_000 };
/** Short names of fields that incidents group by. */
const BY: Readonly<Record<string, string>> = {
  session: "gen_ai.conversation.id",
  user: "user.name",
  server: "tapline.server.name",
};
const TABLE: Readonly<Record<string, string>> = FIELDS;

/** Milliseconds of a time span such as `15d`; 0 when it is none. */
function msOf(text: string): number {
  const m = /^(\d{1,5})([smhd])$/.exec(text);
  return m === null ? 0 : Number(m[1]) * UNIT_MS[m[2]!]!;
}

const name = z.string().regex(PLAIN_NAME, "a name: a-z, 0-9, - and _, at most 63 characters");
const span = (longest: string) =>
  z
    .string()
    .refine(
      (text) => msOf(text) > 0 && msOf(text) <= msOf(longest),
      `a number and s, m, h or d, at most ${longest}`,
    );

export const incidentRule = z.strictObject({
  name: name.describe("Name of the rule: part of the incident's id"),
  level: z.enum(LEVELS).default("high").describe("Least level of an alert that opens or joins an incident"),
  by: z
    .string()
    .refine(
      (by) => Object.hasOwn(BY, by) || ["keyword", "wildcard"].includes(TABLE[by] ?? ""),
      "session, user, server, or a field of the table whose type is keyword",
    )
    .default("session")
    .describe("What alerts of one incident have in common: session, user, server, or a field"),
  window: span("31d")
    .default("24h")
    .describe("Alerts of so long after the first are the same incident (`30m`, `24h`, `7d`)"),
  backfill: z
    .boolean()
    .default(false)
    .describe("Whether alerts on records from before the start open incidents. These are never notified"),
});

export const deadlineRule = z.strictObject({
  name: name.describe("Name of the deadline"),
  within: span("3650d").describe("How long after the incident was opened"),
  until: z
    .enum(UNTIL)
    .describe("What meets it: an acknowledgement, a notification that names it (`reported`), or the end"),
  level: z
    .enum(LEVELS)
    .optional()
    .describe("Applies to incidents of this level and above; without it only where a person says so"),
  source: z.string().max(200).optional().describe("Where the deadline comes from, for whoever reads it"),
});

const unique = (list: readonly { readonly name: string }[]): boolean =>
  new Set(list.map((one) => one.name)).size === list.length;

export const incidentsSchema = z
  .array(incidentRule)
  .max(LIMITS.incident_rules)
  .refine(unique, "two rules have the same name")
  .default([{ name: "session", level: "high", by: "session", window: "24h", backfill: false }])
  .describe("Rules by which alerts group into incidents: see below");

// Regulation (EU) 2024/1689, Article 73: reports of serious incidents by providers of high-risk systems, counted from
// when the provider becomes aware. Whether an incident is one is for a person to say. See docs/guides/operations.md.
const ARTICLE = "Regulation (EU) 2024/1689, Article 73";
export const deadlinesSchema = z
  .array(deadlineRule)
  .max(LIMITS.incident_deadlines)
  .refine(unique, "two deadlines have the same name")
  .default([
    { name: "acknowledge", within: "24h", until: "acknowledged", level: "high" },
    { name: "serious", within: "15d", until: "reported", source: `${ARTICLE}(2)` },
    { name: "death", within: "10d", until: "reported", source: `${ARTICLE}(4)` },
    { name: "widespread", within: "2d", until: "reported", source: `${ARTICLE}(3)` },
  ])
  .describe("Deadlines of incidents: see below");

export type DeadlineRule = Readonly<z.output<typeof deadlineRule>> & { readonly within_ms: number };

/** A rule as plain data that crosses to workers. */
export interface IncidentRule {
  readonly name: string;
  readonly level: (typeof LEVELS)[number];
  /** Field of alerts. */
  readonly field: string;
  readonly window_ms: number;
  readonly backfill: boolean;
}

export function rulesOf(rules: z.output<typeof incidentsSchema>): IncidentRule[] {
  return rules.map((rule) => ({
    name: rule.name,
    level: rule.level,
    field: Object.hasOwn(BY, rule.by) ? BY[rule.by]! : rule.by,
    window_ms: msOf(rule.window),
    backfill: rule.backfill,
  }));
}

export function deadlinesOf(deadlines: z.output<typeof deadlinesSchema>): DeadlineRule[] {
  return deadlines.map((one) => ({ ...one, within_ms: msOf(one.within) }));
}
