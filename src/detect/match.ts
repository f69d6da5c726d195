// The hot path of detection: an event in, the rules that it matches out. Synchronous; no I/O, no validation,
// nothing kept from one event to the next but what was learned about kinds of events.
import type { Event } from "../core/generated/event.ts";
import { Clauses } from "./clauses.ts";
import type { FieldSet } from "./fields.ts";
import { RuleIndex, Waiting } from "./index-rules.ts";
import type { Memo } from "./memo.ts";
import type { Found, Node } from "./nodes.ts";
import { reasonOf } from "../core/errors.ts";
import type { Logsource, Problem, Rule } from "./rule.ts";
import { View } from "./slot.ts";

export interface CompiledRule {
  /** With its filters. */
  readonly rule: Rule;
  /** As its file has it. */
  readonly written: Rule;
  readonly test: Node;
}

/** What made the rule match the event, one value a test. For alerts; not for every event. */
export function explain(rule: CompiledRule, e: Event): Found[] {
  const found: Found[] = [];
  const view = new View();
  view.set(e);
  rule.test.explain(view, found);
  return found;
}

export const PRODUCT = "tapline";

/** A rule that threw: it missed so many events. */
export interface RuleFailure {
  readonly id: string;
  readonly title: string;
  count: number;
  /** Of the first time. */
  readonly reason: string;
}

/** Compiled rules over events. One set serves one thread: tests remember their result for the event in hand. */
export class RuleSet {
  /** 128 bits over the content of all rules and the placeholders, hex. */
  readonly hash: string;
  readonly rules: readonly CompiledRule[];
  readonly problems: readonly Problem[];
  readonly #any: boolean;
  readonly #clauses: Clauses;
  readonly #view = new View();
  readonly #services = new Set<string>();
  readonly #categories = new Set<string>();
  /** By dataset and action. */
  readonly #buckets = new Map<string, Map<string, RuleIndex>>();
  readonly #indexes = new Map<string, RuleIndex>();
  readonly #waiting: Waiting;
  readonly #failed: RuleFailure[] = [];
  readonly #memo: Pick<Memo, "replaced"> | undefined;
  /** Place among the candidates of the rule that is tried. */
  #at = 0;

  constructor(
    name: string,
    rules: readonly CompiledRule[],
    problems: readonly Problem[],
    fields: FieldSet,
    memo?: Pick<Memo, "replaced">,
  ) {
    this.#memo = memo;
    this.hash = name;
    this.rules = rules;
    this.problems = problems;
    this.#any = fields === "any";
    this.#clauses = new Clauses(rules);
    this.#waiting = new Waiting(rules);
    for (const { rule } of rules) {
      if (rule.logsource.product !== PRODUCT) continue;
      if (rule.logsource.service !== undefined) this.#services.add(`${PRODUCT}.${rule.logsource.service}`);
      if (rule.logsource.category !== undefined) this.#categories.add(rule.logsource.category);
    }
  }

  /** Values whose answers gave way to others, since the set is in use. */
  get values_replaced(): number {
    return this.#memo?.replaced ?? 0;
  }

  /** Rules that threw since the last call. Such a rule does not match the event; the others are not concerned. */
  takeFailures(): readonly RuleFailure[] {
    return this.#failed.splice(0);
  }

  /** Appends to `out` the places in `rules` of all rules that the event matches, in ascending order. */
  match(e: Event, out: number[]): void {
    const index = this.#indexOf(e["data_stream.dataset"] ?? "", e["event.action"] ?? "");
    if (index.empty) return;
    const first = out.length;
    this.#view.set(e);
    index.collect(this.#view);
    for (this.#at = 0; this.#at < index.count; this.#at++) {
      try {
        this.#try(index, out);
      } catch (error) {
        this.fail(index.candidates[this.#at]!, error);
      }
    }
    if (out.length - first > 1) sortFrom(out, first);
  }

  #try(index: RuleIndex, out: number[]): void {
    const view = this.#view;
    for (; this.#at < index.count; this.#at++) {
      const place = index.candidates[this.#at]!;
      if (this.#clauses.test(place, view)) out.push(place);
    }
  }

  /** Notes that the rule at `place` threw. */
  fail(place: number, error: unknown): void {
    const { id, title } = this.rules[place]!.rule;
    const failure = this.#failed.find((known) => known.id === id);
    if (failure === undefined) this.#failed.push({ id, title, count: 1, reason: reasonOf(error) });
    else failure.count++;
  }

  #indexOf(dataset: string, action: string): RuleIndex {
    // What no rule names is all one, whatever foreign events hold.
    const service = this.#services.has(dataset) ? dataset : "";
    const category = this.#categories.has(action) ? action : "";
    let actions = this.#buckets.get(service);
    if (actions === undefined) this.#buckets.set(service, (actions = new Map()));
    let index = actions.get(category);
    if (index !== undefined) return index;
    const places: number[] = [];
    for (const [i, { rule }] of this.rules.entries()) {
      if (this.#routes(rule.logsource, service, category)) places.push(i);
    }
    const key = places.join();
    index = this.#indexes.get(key);
    if (index === undefined) this.#indexes.set(key, (index = new RuleIndex(this.#waiting, places)));
    actions.set(category, index);
    return index;
  }

  /** Rules of ours go by dataset and action; the log sources of others name nothing that an event here has. */
  #routes({ product, category, service }: Logsource, dataset: string, action: string): boolean {
    if (product !== PRODUCT) return this.#any;
    if (service !== undefined && dataset !== `${PRODUCT}.${service}`) return false;
    return category === undefined || category === action;
  }
}

/** Few, and nearly in order: by insertion. */
function sortFrom(out: number[], first: number): void {
  for (let i = first + 1; i < out.length; i++) {
    const place = out[i]!;
    let k = i - 1;
    for (; k >= first && out[k]! > place; k--) out[k + 1] = out[k]!;
    out[k + 1] = place;
  }
}
