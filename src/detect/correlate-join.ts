// Correlations and the rules that they refer to, joined: who feeds whom, and which fields each rule's events have to
// bring along. Plain data, so that it can cross threads. Checks nothing.
import { hash } from "node:crypto";
import { canonical } from "../core/digest.ts";
import type { Correlation } from "./correlation-parse.ts";
import type { Report } from "./rule.ts";

/** What an alert tells of whom it concerns; every extract brings these fields along. */
export const CONTEXT = [
  "gen_ai.conversation.id",
  "session.id",
  "user.id",
  "user.name",
  "service.name",
  "gen_ai.agent.name",
  "tapline.server.name",
  "gen_ai.tool.name",
  "destination.domain",
] as const;

/** A detection rule, as far as correlations refer to it. */
export interface BaseRule {
  readonly id: string;
  readonly name?: string | undefined;
  readonly hash: string;
  readonly suppress?: object | undefined;
}

/** Content hash of each rule whose matches are wanted → fields of the event that an extract holds, in order. */
export type ExtractPlan = Readonly<Record<string, readonly string[]>>;

/** Where a value of an inner rule's firing comes from: its group, its number, or (places, one for each of its slots)
 * the events that it rests on. */
export type Origin = { readonly group: number } | "number" | { readonly rows: readonly number[] };

/** One entry of `rules`: what feeds it, and where in the values of its rows things are. */
export interface NodeSlot {
  /** Content hash of the detection rule, or place of the inner correlation. */
  readonly source: string | number;
  readonly fields: readonly string[];
  readonly group: readonly number[];
  readonly value: readonly number[];
  /** Places of what this and outer correlations group by or measure. */
  readonly needed: readonly number[];
  /** Places of CONTEXT. */
  readonly context: readonly number[];
  /** How to fill the fields from a firing; empty for detection rules. */
  readonly origins: readonly Origin[];
}

export interface CorrelationNode {
  readonly rule: Correlation;
  readonly slots: readonly NodeSlot[];
  readonly parents: readonly { readonly node: number; readonly slot: number }[];
  /** False when only an outer correlation wants its firings. */
  readonly alerts: boolean;
  /** An outer correlation reads its number, or of its events what may change: both have to be final then. */
  readonly settled: boolean;
  /** State of a node is good for a node of the same shape. */
  readonly shape: string;
}

/** Inner correlations come before outer ones. */
export interface CorrelationSet {
  readonly nodes: readonly CorrelationNode[];
  readonly plan: ExtractPlan;
  /** Content hashes of the detection rules that do not alert by themselves, since no `generate: true` asks for it. */
  readonly quiet: readonly string[];
  /** A rule on single events has its repeats suppressed: that too needs the time of all events. */
  readonly suppresses: boolean;
}

/** A correlation on its way to a node. */
export interface Draft {
  readonly rule: Correlation;
  readonly report: Report;
  readonly refs: (BaseRule | Draft)[];
  state: "new" | "open" | "done";
  depth: number;
  /** Fields that outer correlations read from the events behind a firing. */
  readonly through: Set<string>;
  settled: boolean;
}

export const isDraft = (ref: BaseRule | Draft): ref is Draft => "report" in ref;

/** What a field is called in the events of one rule. */
export function named({ rule, refs }: Draft, at: number, name: string): string {
  const mapping = Object.hasOwn(rule.aliases, name) ? rule.aliases[name] : undefined;
  if (mapping === undefined) return name;
  const ref = refs[at]!;
  const who = isDraft(ref) ? ref.rule : ref;
  return (
    [rule.rules[at]!, who.name ?? "", who.id].map((n) => mapping[n]).find((f) => f !== undefined) ?? name
  );
}

/** Names of an inner correlation's number. */
export const isNumber = (draft: Draft, name: string): boolean =>
  name === draft.rule.type || name === "sigma_metric";

/** Drafts in order, inner ones first, to what runs. */
export function join(drafts: readonly Draft[], suppresses: boolean): CorrelationSet {
  const plan: Record<string, string[]> = {};
  // From the outside in, since outer correlations tell what inner ones have to bring along.
  const wants = new Map<Draft, readonly (readonly string[])[]>();
  for (const draft of drafts.toReversed()) {
    const needed = [...draft.rule.group_by, ...draft.rule.fields, ...draft.through];
    const lists = draft.refs.map((ref, at) => {
      const own = needed.map((name) => named(draft, at, name));
      const list = [...new Set([...own, ...CONTEXT])];
      if (!isDraft(ref)) return (plan[ref.hash] = [...new Set([...(plan[ref.hash] ?? []), ...list])]);
      for (const field of own) {
        if (isNumber(ref, field)) ref.settled = true;
        else if (!ref.rule.group_by.includes(field)) {
          ref.through.add(field);
          // Which events are the earliest in order is known when no earlier one will come.
          if (ref.rule.type === "temporal_ordered") ref.settled = true;
        }
      }
      return list;
    });
    wants.set(draft, lists);
  }
  const nodes: CorrelationNode[] = [];
  for (const draft of drafts) nodes.push(toNode(draft, drafts, wants.get(draft)!, plan, nodes));
  const loud = new Set(drafts.filter((d) => d.rule.generate).flatMap((d) => d.refs));
  const quiet = drafts.flatMap((d) => d.refs).filter((ref) => !loud.has(ref));
  const steps = new Set(quiet.flatMap((ref) => (isDraft(ref) ? [] : [ref.hash])));
  return { nodes, plan, quiet: [...steps], suppresses };
}

function toNode(
  draft: Draft,
  drafts: readonly Draft[],
  wants: readonly (readonly string[])[],
  plan: ExtractPlan,
  nodes: readonly CorrelationNode[],
): CorrelationNode {
  const { rule } = draft;
  const slots = draft.refs.map((ref, at): NodeSlot => {
    const fields = isDraft(ref) ? wants[at]! : plan[ref.hash]!;
    const places = (list: readonly string[]): number[] =>
      list.map((name) => fields.indexOf(named(draft, at, name)));
    return {
      source: isDraft(ref) ? drafts.indexOf(ref) : ref.hash,
      fields,
      group: places(rule.group_by),
      value: places(rule.fields),
      needed: places([...rule.group_by, ...rule.fields, ...draft.through]),
      context: CONTEXT.map((name) => fields.indexOf(name)),
      origins: isDraft(ref) ? fields.map((field) => originOf(ref, field, nodes[drafts.indexOf(ref)]!)) : [],
    };
  });
  const outer = drafts.flatMap((other, node) =>
    other.refs.flatMap((ref, slot) => (ref === draft ? [{ node, slot }] : [])),
  );
  const loud = drafts.some((other) => other.rule.generate && other.refs.includes(draft));
  const feeds = slots.map((s) => [
    typeof s.source === "number" ? nodes[s.source]!.shape : s.source,
    s.fields,
  ]);
  const shape = hash("sha256", canonical([rule.hash, feeds, draft.settled]), "hex").slice(0, 32);
  return { rule, slots, parents: outer, alerts: outer.length === 0 || loud, settled: draft.settled, shape };
}

function originOf(ref: Draft, field: string, node: CorrelationNode): Origin {
  if (isNumber(ref, field)) return "number";
  const group = ref.rule.group_by.indexOf(field);
  if (group >= 0) return { group };
  return { rows: node.slots.map((slot, at) => slot.fields.indexOf(named(ref, at, field))) };
}
