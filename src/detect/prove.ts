// Proofs: the file `<rule>.test.yml` beside a rule lists events that must match and events that must not. An event is
// written with dotted or nested fields; what the rule's logsource says of it need not be repeated.
import { flatten } from "../core/flatten.ts";
import { eventOf } from "../core/event.ts";
import { type Action, CLASSES } from "../core/generated/classes.ts";
import { type Event, FIELDS } from "../core/generated/event.ts";
import { suggestField } from "./fields.ts";
import { type CompiledRule, PRODUCT, RuleSet } from "./match.ts";
import type { Placeholders } from "./modifiers.ts";
import type { Logsource } from "./rule.ts";
import { type Mapping, isMapping, readDocuments } from "./yaml.ts";

export interface Proof {
  /** What the rule's placeholders stand for in these events: the list `placeholders`. */
  readonly placeholders: Placeholders;
  readonly match: readonly Event[];
  readonly miss: readonly Event[];
  /** Why parts of the file could not be read, one sentence each. */
  readonly problems: readonly string[];
}

const TABLE: Readonly<Record<string, string>> = FIELDS;
const ORIGIN = { namespace: "default", host: "host", version: "0" };

/** The name of the proof that belongs to a rule file. */
export function proofPath(ruleFile: string): string {
  return ruleFile.replace(/\.ya?ml$/, ".test.yml");
}

/** Reads a proof; `logsource` is its rule's. Never throws for what the text holds. */
export function readProof(text: string, logsource: Logsource): Proof {
  const [document] = readDocuments(text, "proof");
  const problems = document?.report.problems.map((p) => `${p.place}: ${p.message}`) ?? [];
  if (problems.length > 0) return { match: [], miss: [], placeholders: {}, problems };
  return readCases(document?.map ?? {}, logsource);
}

/** The same from a map that was read already. `missing` names the list of events that must not match. */
export function readCases(map: Mapping, logsource: Logsource, missing = "miss"): Proof {
  const problems: string[] = [];
  const lists: Record<string, Event[]> = { match: [], [missing]: [] };
  for (const [key, list] of Object.entries(map)) {
    const events = Object.hasOwn(lists, key) ? lists[key] : undefined;
    if (key === "placeholders") continue;
    if (events === undefined || !Array.isArray(list)) {
      problems.push(`"${key}" is not understood: a proof has the lists "match" and "${missing}"`);
      continue;
    }
    for (const [i, entry] of list.entries()) {
      const event = readEvent(entry, logsource, `${key} ${i + 1}`, problems);
      if (event !== undefined) events.push(event);
    }
  }
  const placeholders = readPlaceholders(map["placeholders"], problems);
  return { match: lists["match"]!, miss: lists[missing]!, placeholders, problems };
}

function readPlaceholders(value: unknown, problems: string[]): Placeholders {
  const out: Record<string, readonly string[]> = {};
  if (value === undefined) return out;
  for (const [name, list] of Object.entries(isMapping(value) ? value : {})) {
    if (Array.isArray(list) && list.every((v) => typeof v === "string")) out[name] = list;
    else problems.push(`placeholders.${name}: a list of texts`);
  }
  if (!isMapping(value)) problems.push("placeholders: a map of names to lists of texts");
  return out;
}

/** One event of a proof, or undefined with the reason in `problems`. */
export function readEvent(
  value: unknown,
  source: Logsource,
  place: string,
  problems: string[],
): Event | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    problems.push(`${place}: an event is a map of fields`);
    return undefined;
  }
  // Events of other people are taken as they are.
  if (source.product !== PRODUCT) return value as Event;
  const fields = flatten(value);
  const action = fields["event.action"] ?? source.category ?? actionOf(source.service);
  if (typeof action !== "string" || !Object.hasOwn(CLASSES, action)) {
    problems.push(`${place}: there is no event.action ${JSON.stringify(action)}`);
    return undefined;
  }
  const event = eventOf(action as Action, ORIGIN);
  event["event.id"] = `proof-${place}`;
  event["@timestamp"] = "2026-01-01T00:00:00.000Z";
  for (const [name, v] of Object.entries(fields)) {
    if (!Object.hasOwn(TABLE, name)) {
      problems.push(`${place}: there is no field "${name}". ${suggestField(name)}`);
      continue;
    }
    const list = TABLE[name]!.endsWith("[]") && !Array.isArray(v) ? [v] : v;
    (event as unknown as Record<string, unknown>)[name] = list;
  }
  return event;
}

/** Any class of the service's data set will do for a rule that names no category. */
function actionOf(service: string | undefined): string {
  if (service === undefined) return "tool-call";
  const found = Object.values(CLASSES).find((c) => c.dataset === `tapline.${service}`);
  return found?.name ?? "tool-call";
}

/** Why the rule does not do what its proof says, one sentence each; empty when it does. */
export function prove(rule: CompiledRule, proof: Proof): string[] {
  const failures = [...proof.problems];
  const set = new RuleSet("proof", [rule], [], "table");
  const matches = (event: Event): boolean => {
    const out: number[] = [];
    set.match(event, out);
    return out.length > 0;
  };
  for (const [i, event] of proof.match.entries())
    if (!matches(event)) failures.push(`match ${i + 1} does not match`);
  for (const [i, event] of proof.miss.entries()) if (matches(event)) failures.push(`miss ${i + 1} matches`);
  return failures;
}
