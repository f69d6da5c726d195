// A correlation that fired to the alert that an analyst sees. Deterministic: its id is made of the rule, the group and
// the window's place on the grid, so that a restart, a replay or another order of arrival doubles nothing.
import { createDigest } from "../core/digest.ts";
import { type Origin, eventOf } from "../core/event.ts";
import { type Event, FIELDS } from "../core/generated/event.ts";
import { fromMs } from "../core/time.ts";
import { said } from "../core/said.ts";
import { RISK } from "./alert.ts";
import { addControls } from "./controls.ts";
import type { Firing } from "./correlate-fire.ts";
import type { Correlation } from "./correlation-parse.ts";
import type { Suppressed } from "./suppress.ts";
import { threatOf } from "./threat.ts";

const digest = createDigest("tapline alert");
const TABLE: Readonly<Record<string, string>> = FIELDS;
/** Fields that say what the alert is, and not whom it concerns. */
const OWN =
  /^(?:@|event\.|rule\.|threat\.|data_stream\.|observer\.|ecs\.|tapline\.(?:alert|entry|control)\.)/;
const TOLD_FIELDS = 4;

export interface AlertContext {
  readonly origin: Origin;
  readonly ruleset_hash: string;
  /** When it was found, ms since 1970. */
  readonly now_ms: number;
}

/** Id of the alert of a firing. */
export function correlationAlertId(rule: Correlation, firing: Firing): string {
  return digest([rule.id, rule.hash, firing.key, firing.grid_ms].join("\u0000"));
}

/** The alert of a firing of `rule`. */
export function correlationAlert(rule: Correlation, firing: Firing, context: AlertContext): Event {
  const alert = eventOf("rule-alert", context.origin);
  concern(alert, rule, firing);
  const threat = threatOf(rule.tags);
  addControls(alert, rule.tags);
  alert["@timestamp"] = fromMs(firing.time_ms)!;
  alert["rule.id"] = rule.id;
  alert["rule.name"] = rule.title;
  alert["rule.version"] = rule.hash;
  alert["rule.ruleset"] = context.ruleset_hash;
  alert["rule.category"] = "sigma-correlation";
  alert["rule.description"] = rule.description?.trim();
  alert["rule.reference"] = rule.references[0];
  alert["threat.framework"] = threat.framework;
  alert["threat.tactic.name"] = threat.tactics;
  alert["threat.technique.id"] = threat.techniques;
  alert["tapline.alert.level"] = rule.level;
  alert["tapline.alert.ruleset_hash"] = context.ruleset_hash;
  alert["tapline.alert.event_ids"] = firing.evidence.map((e) => e.event);
  const indexes = firing.evidence.flatMap((e) => (e.index < 0 ? [] : [e.index]));
  alert["tapline.alert.indexes"] = indexes.length === 0 ? undefined : indexes;
  alert["tapline.alert.count"] = firing.count;
  alert["tapline.alert.number"] = firing.number;
  alert["tapline.alert.window.start"] = fromMs(firing.start_ms);
  alert["tapline.alert.window.end"] = fromMs(firing.end_ms);
  alert["tapline.backfill"] = firing.backfill ? true : undefined;
  alert["event.id"] = correlationAlertId(rule, firing);
  alert["event.created"] = fromMs(context.now_ms);
  alert["event.severity"] = RISK[rule.level];
  alert["event.risk_score"] = RISK[rule.level];
  alert["event.reason"] = reasonFor(rule, firing);
  alert["message"] = alert["event.reason"];
  return alert;
}

/** What is recorded at the end of a window in which alerts were suppressed. */
export function suppressedEvent(ended: Suppressed, context: AlertContext): Event {
  const e = eventOf("alert-suppressed", context.origin);
  e["@timestamp"] = fromMs(ended.end_ms);
  e["rule.id"] = ended.rule;
  e["rule.name"] = ended.title;
  e["rule.ruleset"] = context.ruleset_hash;
  e["tapline.alert.suppressed_by"] = ended.alert;
  e["tapline.alert.count"] = ended.count;
  e["tapline.alert.window.start"] = fromMs(ended.start_ms);
  e["tapline.alert.window.end"] = fromMs(ended.end_ms);
  e["tapline.backfill"] = ended.backfill ? true : undefined;
  e["event.id"] = digest(["suppressed", ended.alert, ended.start_ms, ended.count].join("\u0000"));
  e["event.created"] = fromMs(context.now_ms);
  e["message"] = `${ended.title}: ${ended.count} repeats of the alert were not told again`;
  return e;
}

/** Sets the fields of whom it concerns: those grouped by, and those on which all its events agree. */
function concern(alert: Event, rule: Correlation, firing: Firing): void {
  const fields = alert as unknown as Record<string, unknown>;
  const group: Record<string, string> = {};
  for (const [i, name] of rule.group_by.entries()) group[name] = firing.group[i]!;
  for (const [name, value] of Object.entries({ ...firing.context, ...group })) {
    if (OWN.test(name) || value === null) continue;
    if (TABLE[name] === "keyword") fields[name] = String(value);
    else if (TABLE[name] === "keyword[]") fields[name] = [String(value)];
  }
  alert["tapline.alert.group"] = rule.group_by.length === 0 ? undefined : group;
}

/** `Repeated denials: 5 events within 10m; user.name "ann", gen_ai.conversation.id "s1"`. */
function reasonFor(rule: Correlation, firing: Firing): string {
  const told: string[] = rule.group_by.map((name, i) => `${name} ${said(firing.group[i]!, 0)}`);
  for (const [name, value] of Object.entries(firing.context)) {
    if (told.length < TOLD_FIELDS && !rule.group_by.includes(name))
      told.push(`${name} ${said(String(value), 0)}`);
  }
  const what = `${rule.title}: ${measureFor(rule, firing)} within ${spanText(rule.span_ms)}`;
  return told.length === 0 ? what : `${what}; ${told.join(", ")}`;
}

function measureFor(rule: Correlation, { number, count }: Firing): string {
  const n = Number.isInteger(number) ? String(number) : number.toPrecision(4);
  const field = rule.fields.join(", ");
  if (count === 0) return "nothing";
  switch (rule.type) {
    case "event_count":
      return number === 1 ? "1 event" : `${n} events`;
    case "value_count":
      return `${n} different ${number === 1 ? "value" : "values"} of ${field}`;
    case "value_sum":
      return `${field} adds up to ${n}`;
    case "value_avg":
      return `${field} is ${n} on average`;
    case "value_median":
    case "value_percentile":
      return `percentile ${rule.percentile} of ${field} is ${n}`;
    case "temporal":
      return `${count} events of ${n} of its rules`;
    case "temporal_ordered":
      return `${n} of its rules, one after the other,`;
    default:
      return "";
  }
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

function spanText(ms: number): string {
  const [unit, size] = UNITS.find(([, one]) => ms % one === 0) ?? ["s", 1_000];
  return `${ms / size}${unit}`;
}
