// Mutants of a rule for the check of its proof: each has one test of the rule answered always yes, always no, or one
// value less. A proof that no mutant passes notices when any part of the rule goes.
import type { Item, Rule, Term } from "../../src/detect/rule.ts";

const NEVER: Item = { kind: "item", field: "event.action", modifiers: [], values: ["no such"], place: "" };
const ALWAYS: Item = { kind: "item", field: "event.id", modifiers: ["exists"], values: [true], place: "" };

export interface Mutant {
  readonly rule: Rule;
  /** What was done to it. */
  readonly name: string;
}

/** Every mutant of the rule. */
export function* mutants(rule: Rule): Generator<Mutant> {
  for (const [selection, term] of rule.selections) {
    for (const [changed, name] of changes(term)) {
      const selections = new Map(rule.selections).set(selection, changed);
      yield { rule: { ...rule, selections }, name: `${selection}: ${name}` };
    }
  }
}

function* changes(term: Term, beside: readonly Term[] = []): Generator<[Term, string]> {
  if (term.kind === "item") {
    const said = [term.field, ...term.modifiers].join("|");
    yield [NEVER, `${said} never`];
    if (!isForetaste(term, beside)) yield [ALWAYS, `${said} always`];
    // A condition of many values says each of them for a reason.
    if (term.values.length < 2 || term.modifiers.includes("all")) return;
    for (const value of term.values) {
      yield [{ ...term, values: term.values.filter((v) => v !== value) }, `${said} without ${value}`];
    }
    return;
  }
  for (let i = 0; i < term.terms.length; i++) {
    for (const [changed, name] of changes(term.terms[i]!, term.kind === "all" ? term.terms : [])) {
      yield [{ ...term, terms: term.terms.with(i, changed) }, name];
    }
  }
}

/** A `contains` beside an expression on the same field tells for which texts the expression is worth running: it asks
 * nothing more, so without it the rule says the same. */
function isForetaste({ field, modifiers }: Item, beside: readonly Term[]): boolean {
  const same = (t: Term): boolean => t.kind === "item" && t.field === field && t.modifiers.includes("re");
  return modifiers.length === 1 && modifiers[0] === "contains" && beside.some(same);
}
