// Why a rule matches an event or not: the truth of every test, what the event holds instead, and which parts of the
// condition decided. Asks the engine itself, one test at a time, so that it cannot tell another story. Cold path.
import { flatten } from "../core/flatten.ts";
import type { Event } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";
import { type Condition, parseCondition } from "./condition.ts";
import { type FieldSet, slotFor } from "./fields.ts";
import { PRODUCT } from "./match.ts";
import type { Placeholders } from "./modifiers.ts";
import { missingIn } from "./resting.ts";
import type { Item, Rule, Scalar, Term } from "./rule.ts";
import { compileRules } from "./rules.ts";
import { Slot, type Value, View } from "./slot.ts";

/** `matches`; or why not: the field is not there or null, the value differs, only in letter case, or is of a type that
 * the test cannot take; `excluded`: the test is negated and the value is there; `no_values`: nothing defines its placeholder. */
export type Outcome = "matches" | "no_values" | "absent" | "case" | "type" | "differs" | "excluded";

export interface Leaf {
  readonly selection: string;
  /** `field|modifiers`, or `keywords`. */
  readonly test: string;
  readonly wanted: readonly Scalar[];
  readonly outcome: Outcome;
  /** What the event holds in the field, cut to a readable length. */
  readonly found: readonly Value[];
  /** With `all`: the values that are missing. */
  readonly missing: readonly Scalar[];
  /** Other fields of the event that would pass the test. */
  readonly elsewhere: readonly string[];
}

/** A condition with what came of it. */
export interface Verdict {
  readonly text: string;
  readonly holds: boolean;
  readonly children: readonly Verdict[];
}

export interface Explanation {
  readonly matches: boolean;
  /** Why the rule never meets such an event; undefined when it does. */
  readonly logsource: string | undefined;
  readonly conditions: readonly Verdict[];
  /** Selections that decided. */
  readonly decided: readonly string[];
  readonly leaves: readonly Leaf[];
}

const FOUND_MAX = 5;
const ELSEWHERE_MAX = 3;
const COMPARES = ["lt", "lte", "gt", "gte", "minute", "hour", "day", "week", "month", "year"];

export class Explainer {
  readonly #rule: Rule;
  readonly #event: Event;
  readonly #fields: FieldSet;
  readonly #placeholders: Placeholders;

  /** The rule must compile, but for placeholders without values. */
  constructor(rule: Rule, event: Event, placeholders: Placeholders = {}) {
    this.#rule = rule;
    this.#event = event;
    this.#fields = rule.logsource.product === PRODUCT ? "table" : "any";
    this.#placeholders = placeholders;
  }

  explain(): Explanation {
    const rule = this.#rule;
    const truths = new Map<string, boolean>();
    const leaves: Leaf[] = [];
    for (const [name, term] of rule.selections) truths.set(name, this.#term(name, term, leaves));
    const trees = rule.conditions.map((text) => parseCondition(text, [...rule.selections.keys()]));
    const conditions = trees.map((tree) => verdict(tree, truths));
    const decided = new Set<string>();
    const holds = conditions.some((c) => c.holds);
    trees.forEach((tree, i) => (conditions[i]!.holds === holds ? decide(tree, truths, decided) : undefined));
    const logsource = this.#logsource();
    return {
      matches: holds && logsource === undefined,
      logsource,
      conditions,
      decided: [...decided],
      leaves,
    };
  }

  #logsource(): string | undefined {
    if (this.#fields === "any") return undefined;
    const { category, service } = this.#rule.logsource;
    const [action, dataset] = [this.#event["event.action"], this.#event["data_stream.dataset"]];
    if (category !== undefined && category !== action) {
      return `category is ${category}, event.action is ${action ?? "absent"}`;
    }
    if (service === undefined || dataset === `${PRODUCT}.${service}`) return undefined;
    return `service is ${service}, data_stream.dataset is ${dataset ?? "absent"}`;
  }

  #term(selection: string, term: Term, leaves: Leaf[]): boolean {
    if (term.kind === "item") {
      const leaf = this.#leaf(selection, term);
      leaves.push(leaf);
      return leaf.outcome === "matches";
    }
    const truths = term.terms.map((inner) => this.#term(selection, inner, leaves));
    return term.kind === "all" ? truths.every(Boolean) : truths.some(Boolean);
  }

  #leaf(selection: string, item: Item): Leaf {
    const holds = this.#hold([item])[0]!;
    const found = this.#values(item.field);
    const missing =
      !holds && item.modifiers.includes("all")
        ? item.values.filter(
            (_, i) => !this.#hold(item.values.map((value) => ({ ...item, values: [value] })))[i],
          )
        : [];
    return {
      selection,
      test: [item.field ?? "keywords", ...item.modifiers].join("|"),
      wanted: item.values,
      outcome: holds ? "matches" : this.#why(item),
      found: item.field === undefined ? [] : found.slice(0, FOUND_MAX).map(cut),
      missing,
      elsewhere: holds ? [] : this.#elsewhere(item),
    };
  }

  /** Which of the tests pass, each alone. */
  #hold(items: readonly Item[]): boolean[] {
    const rules = items.map((item, i): Rule => {
      const logsource = { product: this.#rule.logsource.product, category: undefined, service: undefined };
      return {
        ...this.#rule,
        id: `test ${i}`,
        logsource,
        selections: new Map([["test", item]]),
        conditions: ["test"],
      };
    });
    const set = compileRules(rules, { fields: this.#fields, placeholders: this.#placeholders });
    const matched: number[] = [];
    set.match(this.#event, matched);
    const ids = new Set(matched.map((place) => set.rules[place]!.rule.id));
    return rules.map((rule) => ids.has(rule.id));
  }

  #values(name: string | undefined): Value[] {
    const slot = name === undefined ? new Slot("keywords", "", "keywords") : slotFor(name, this.#fields);
    if (slot === undefined) return [];
    const view = new View();
    view.set(this.#event);
    slot.load(view);
    return slot.values.slice(0, slot.count);
  }

  #why(item: Item): Outcome {
    const { modifiers } = item;
    if (missingIn([item], this.#placeholders).size > 0) return "no_values";
    if (modifiers.includes("exists")) return item.values[0] === true ? "absent" : "differs";
    if (modifiers.includes("neq")) return "excluded";
    if (item.values.every((value) => value === null)) return "differs";
    const values = this.#values(item.field);
    if (values.length === 0) return "absent";
    if (modifiers.some((m) => COMPARES.includes(m))) return values.some(isNumeric) ? "differs" : "type";
    if (modifiers.includes("cidr"))
      return values.some((v) => /^[\d.]+$|:/.test(String(v))) ? "differs" : "type";
    const folded = modifiers.filter((m) => m !== "cased");
    const re = folded.indexOf("re");
    if (re !== -1 && !folded.includes("i")) folded.splice(re + 1, 0, "i");
    if (folded.length === modifiers.length && folded.every((m, i) => m === modifiers[i])) return "differs";
    return this.#hold([{ ...item, modifiers: folded }])[0] === true ? "case" : "differs";
  }

  /** Fields that hold what was looked for in the wrong one. */
  #elsewhere(item: Item): string[] {
    const odd = ["neq", "exists", "fieldref", ...COMPARES];
    const short = item.values.some((value) => String(value ?? "").length < 3);
    if (item.field === undefined || short || item.modifiers.some((m) => odd.includes(m))) return [];
    const names = Object.keys(this.#fields === "table" ? flatten(this.#event) : this.#event);
    const others = names.filter((name) => name !== item.field && slotFor(name, this.#fields) !== undefined);
    const hold = this.#hold(others.map((field) => ({ ...item, field })));
    return others.filter((_, i) => hold[i]).slice(0, ELSEWHERE_MAX);
  }
}

function cut(value: Value): Value {
  if (typeof value !== "string" || value.length <= LIMITS.reason_chars) return value;
  return `${value.slice(0, LIMITS.reason_chars).toWellFormed()}…`;
}

function isNumeric(value: Value): boolean {
  return (
    String(value).trim() !== "" &&
    (Number.isFinite(Number(value)) || !Number.isNaN(Date.parse(String(value))))
  );
}

function verdict(c: Condition, truths: ReadonlyMap<string, boolean>): Verdict {
  if (c.kind === "ref") return { text: c.name, holds: truths.get(c.name)!, children: [] };
  if (c.kind === "not") {
    const child = verdict(c.child, truths);
    return { text: "not", holds: !child.holds, children: [child] };
  }
  const children = c.children.map((child) => verdict(child, truths));
  const holds = c.kind === "and" ? children.every((v) => v.holds) : children.some((v) => v.holds);
  return { text: c.kind, holds, children };
}

/** The selections without whose value the condition would have come out otherwise, or may have. */
function decide(c: Condition, truths: ReadonlyMap<string, boolean>, into: Set<string>): void {
  if (c.kind === "ref") into.add(c.name);
  else if (c.kind === "not") decide(c.child, truths, into);
  else {
    const { holds } = verdict(c, truths);
    for (const child of c.children) if (verdict(child, truths).holds === holds) decide(child, truths, into);
  }
}
