// Proofs: the file `<rule>.test.yml` beside a rule lists events that must match and events that must not. An event is
// written with dotted or nested fields; what the rule's logsource says of it need not be repeated.
import { parseDocument } from "yaml";
import { eventOf } from "../core/event.ts";
import { reasonOf } from "../core/errors.ts";
import { type Action, CLASSES } from "../core/generated/classes.ts";
import { type Event, FIELDS } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";
import { suggestField } from "./fields.ts";
import { type CompiledRule, RuleSet } from "./match.ts";
import type { Logsource } from "./rule.ts";

export interface Proof {
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
  const problems: string[] = [];
  const proof: { match: Event[]; miss: Event[] } = { match: [], miss: [] };
  let value: unknown;
  try {
    if (text.length > LIMITS.rule_file_bytes) throw new Error(`larger than ${LIMITS.rule_file_bytes} bytes`);
    const document = parseDocument(text, { logLevel: "silent" });
    if (document.errors.length > 0) throw document.errors[0]!;
    value = document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    return { ...proof, problems: [reasonOf(error).split("\n")[0]!] };
  }
  for (const [key, list] of Object.entries(typeof value === "object" && value !== null ? value : {})) {
    if ((key !== "match" && key !== "miss") || !Array.isArray(list)) {
      problems.push(`"${key}" is not understood: a proof has the lists "match" and "miss"`);
      continue;
    }
    for (const [i, entry] of list.entries()) {
      const event = readEvent(entry, logsource, `${key} ${i + 1}`, problems);
      if (event !== undefined) proof[key].push(event);
    }
  }
  return { ...proof, problems };
}

function readEvent(value: unknown, source: Logsource, place: string, problems: string[]): Event | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    problems.push(`${place}: an event is a map of fields`);
    return undefined;
  }
  const fields: Record<string, unknown> = {};
  flatten(value as Record<string, unknown>, "", fields);
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

function flatten(map: Record<string, unknown>, prefix: string, out: Record<string, unknown>): void {
  for (const key of Object.keys(map)) {
    const name = prefix + key;
    const value = map[key];
    const inner = typeof value === "object" && value !== null && !Array.isArray(value);
    if (inner && !Object.hasOwn(TABLE, name)) flatten(value as Record<string, unknown>, `${name}.`, out);
    else out[name] = value;
  }
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
