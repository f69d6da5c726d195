// Decisions on calls as fields, shared by the mappers of agents: what was said, by whom, about which call.
import type { Event } from "../../core/generated/event.ts";
import { constant } from "../../core/text.ts";
import { type Fields, asText } from "../format.ts";
import { asCount } from "./fields.ts";

export type Verdict = "allow" | "deny" | "ask";

const ACTIONS = { allow: "pass", deny: "block", ask: "ask" } as const;
const TYPES = { allow: constant(["allowed"]), deny: constant(["denied"]), ask: constant(["info"]) } as const;

const CALL_FIELDS = [
  "gen_ai.operation.name",
  "gen_ai.tool.name",
  "gen_ai.tool.type",
  "gen_ai.tool.call.id",
  "mcp.method.name",
  "service.target.type",
  "service.target.name",
  "tapline.server.name",
  "tapline.server.identity_source",
  "tapline.tool.args_hash",
  "tapline.call.ref",
  "tapline.call_key",
  "tapline.primary",
  "process.command_line",
  "file.path",
  "url.full",
] as const satisfies readonly (keyof Event)[];

/** Sets verdict and decider, on a decision or on the call or result that it is about. */
export function setVerdict(e: Event, verdict: Verdict, by: string | undefined, id?: string): void {
  e["tapline.decision.verdict"] = verdict;
  e["tapline.decision.action"] = ACTIONS[verdict];
  e["tapline.decision.decider.type"] = by;
  e["tapline.decision.decider.id"] = id;
  if (verdict === "deny") e["tapline.decision.executed"] = false;
}

/** Sets what a decision event says beyond the verdict: allowed, denied or open. */
export function setDecided(e: Event, verdict: Verdict): void {
  e["event.type"] = TYPES[verdict];
  e["event.outcome"] = verdict === "ask" ? "unknown" : "success";
}

/** Makes `e` a decision about the call that `from` is, or is the result of. */
export function aboutCall(from: Event, e: Event): Event {
  for (const field of CALL_FIELDS) e[field] = from[field] as never;
  return e;
}

/** Makes `e` the decision that a call's result tells of; the result has its verdict. */
export function decisionOf(result: Event, e: Event): Event {
  aboutCall(result, e);
  // The call never ran: the time between is the one that the decision took.
  e["event.duration"] = result["event.duration"];
  const verdict = result["tapline.decision.verdict"] as Verdict;
  setVerdict(e, verdict, result["tapline.decision.decider.type"], result["tapline.decision.decider.id"]);
  setDecided(e, verdict);
  return e;
}

/** What was done, in the words of the chokepoint's records. */
const DONE = new Map<unknown, "pass" | "block" | "ask">([
  ["allowed", "pass"],
  ["observed", "pass"],
  ["denied", "block"],
  ["asked", "ask"],
  ["pass", "pass"],
  ["block", "block"],
  ["ask", "ask"],
]);
const TYPE_OF = { pass: TYPES.allow, block: TYPES.deny, ask: TYPES.ask } as const;

/** Sets what a chokepoint wrote of its decision: the verdict is not what was done, since a rule that observes lets pass
 * what it would deny. Undefined when the record holds no verdict. */
export function setRecorded(e: Event, decision: Fields): Verdict | undefined {
  const verdict = verdictOf(asText(decision["verdict"]));
  if (verdict === undefined) return undefined;
  const mode = asText(decision["mode"]);
  const done = DONE.get(decision["action"]) ?? (mode === "observe" ? "pass" : ACTIONS[verdict]);
  const policy = asText(decision["policy"]);
  const latency_us = asCount(decision["latency_us"]);
  e["tapline.decision.verdict"] = verdict;
  e["tapline.decision.action"] = done;
  if (done === "block") e["tapline.decision.executed"] = false;
  e["tapline.decision.mode"] = mode;
  e["tapline.decision.decider.type"] = asText(decision["decider"]) ?? "policy";
  e["tapline.decision.decider.id"] = policy;
  e["rule.id"] = asText(decision["rule"]);
  e["rule.ruleset"] = policy;
  e["rule.category"] = "policy";
  e["event.reason"] = asText(decision["reason"]);
  if (e["event.action"] !== "tool-call-decision") return verdict;
  e["event.type"] = TYPE_OF[done];
  e["event.outcome"] = done === "ask" ? "unknown" : "success";
  if (latency_us !== undefined) e["event.duration"] = latency_us * 1_000;
  return verdict;
}

const WORDS = new Map<string, Verdict>();
for (const [verdict, words] of [
  ["allow", "accept accepted allow allowed approve approved approved_for_session auto_accept"],
  ["deny", "reject rejected deny denied abort blocked timed_out"],
  ["ask", "ask modify pending"],
] as const) {
  for (const word of words.split(" ")) WORDS.set(word, verdict);
}

/** A harness's word for a verdict, as ours; undefined when it is none. */
export function verdictOf(word: string | undefined): Verdict | undefined {
  return word === undefined ? undefined : WORDS.get(word.toLowerCase());
}
