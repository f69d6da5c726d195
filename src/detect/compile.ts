// A parsed rule to a predicate over events. One compiler makes all rules of a set, so that they share slots and
// tests. What cannot be honoured is an error that names rule, place and remedy; nothing is approximated.
import { reasonOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { type Condition, ConditionError, FILTER, parseCondition } from "./condition.ts";
import { type FieldSet, slotFor, suggestField } from "./fields.ts";
import { literalsOf } from "./literals.ts";
import { Literals, type Where } from "./index-slot.ts";
import { CheckLeaf, Leaf, PresenceLeaf, RefLeaf, TextLeaf } from "./leaf.ts";
import { Memo } from "./memo.ts";
import { All, Any, Not, type Node } from "./nodes.ts";
import { type Placeholders, type Spec, type Test, readItem } from "./modifiers.ts";
import { type Text, anchored, finder, necessary, plain } from "./pattern.ts";
import type { Item, Report, Rule, Term } from "./rule.ts";
import { LITERAL_CHARS } from "./scan.ts";
import { Slot } from "./slot.ts";
import { RELATIONS, compare, network, regex } from "./tests.ts";

export class Compiler {
  readonly #fields: FieldSet;
  readonly #placeholders: Placeholders;
  readonly #slots = new Map<string, Slot>();
  readonly #leaves = new Map<string, Leaf>();
  readonly #literals = new Map<Slot, Literals>();

  constructor(fields: FieldSet, placeholders: Placeholders) {
    this.#fields = fields;
    this.#placeholders = placeholders;
  }

  /** The rule's predicate, or undefined with the reasons in the report; `section` is where its detection stands. */
  compile(rule: Rule, report: Report, section = "detection"): Node | undefined {
    const selections = new Map<string, Node>();
    for (const [name, term] of rule.selections) {
      const node = this.#term(term, report);
      if (node !== undefined) selections.set(name, node);
    }
    const names = [...rule.selections.keys()];
    const used = new Set<string>();
    const nodes: Node[] = [];
    for (const condition of rule.conditions) {
      try {
        const node = build(parseCondition(condition, names), selections, used);
        if (node !== undefined) nodes.push(node);
      } catch (error) {
        if (!(error instanceof ConditionError)) throw error;
        report.error(error.code, `${section}.condition "${condition}"`, error.message, error.remedy);
      }
    }
    for (const name of report.refused ? [] : names) {
      if (used.has(name) || name.startsWith(FILTER)) continue;
      report.warn(
        "unused",
        `${section}.${name}`,
        "no condition uses it",
        "Use it in the condition or remove it",
      );
    }
    return report.refused ? undefined : join("any", nodes);
  }

  /** To be called once, after the last rule: builds each field's index. Returns what they share. */
  finish(): Memo {
    const memo = new Memo(LIMITS.answer_memo);
    let field = 0;
    for (const slot of this.#slots.values())
      slot.index = this.#of(slot).build(memo, field++, slot.read === "keywords");
    return memo;
  }

  #term(term: Term, report: Report): Node | undefined {
    if (term.kind === "item") return this.#item(term, report);
    const nodes = term.terms.flatMap((t) => this.#term(t, report) ?? []);
    return nodes.length === term.terms.length ? join(term.kind, nodes) : undefined;
  }

  #item(item: Item, report: Report): Node | undefined {
    const spec = readItem(item, this.#placeholders, report);
    const slot = this.#slot(item.field, item, report);
    if (spec === undefined || slot === undefined) return undefined;
    const groups = spec.all ? spec.values : [spec.values.flat()];
    const nodes: Node[] = [];
    for (const tests of groups) {
      const node = this.#group(slot, tests, spec, item, report);
      if (node === undefined) return undefined;
      nodes.push(node);
    }
    const node = join("all", nodes);
    return spec.negate ? new Not(node) : node;
  }

  #slot(name: string | undefined, item: Item, report: Report): Slot | undefined {
    const key = name ?? "";
    let slot = this.#slots.get(key);
    if (slot !== undefined) return slot;
    slot = name === undefined ? new Slot("keywords", "", "keywords") : slotFor(name, this.#fields);
    if (slot === undefined)
      report.error("field", item.place, `there is no field "${name}"`, suggestField(name!));
    else this.#slots.set(key, slot);
    return slot;
  }

  /** Alternatives of one field: all texts are one leaf, everything else is a leaf each. */
  #group(slot: Slot, tests: readonly Test[], spec: Spec, item: Item, report: Report): Node | undefined {
    const nodes: Node[] = [];
    const texts: Text[] = [];
    for (const test of tests) {
      if (test.kind === "text") texts.push(test.text);
      else {
        const node = this.#test(slot, test, spec, item, report);
        if (node === undefined) return undefined;
        nodes.push(node);
      }
    }
    if (texts.length > 0) {
      const key = JSON.stringify([slot.name, slot.read, spec.cased, texts]);
      nodes.push(this.#share(key, slot, (place) => this.#texts(place, slot, texts, spec.cased)));
    }
    return join("any", nodes);
  }

  #share(key: string, slot: Slot, make: (place: number) => Leaf): Leaf {
    let leaf = this.#leaves.get(key);
    if (leaf === undefined) {
      const literals = this.#of(slot);
      leaf = make(literals.count);
      this.#leaves.set(key, leaf);
      literals.watch(leaf);
    }
    leaf.uses++;
    return leaf;
  }

  #test(
    slot: Slot,
    test: Exclude<Test, { kind: "text" }>,
    spec: Spec,
    item: Item,
    report: Report,
  ): Node | undefined {
    const key = JSON.stringify([slot.name, slot.read, spec.cased, test]);
    switch (test.kind) {
      case "null":
        return this.#share(key, slot, (place) => new PresenceLeaf(place, slot, "null"));
      case "exists":
        return this.#share(
          key,
          slot,
          (place) => new PresenceLeaf(place, slot, test.value ? "present" : "missing"),
        );
      case "cidr":
        return this.#share(
          key,
          slot,
          (place) => new CheckLeaf(place, slot, 20, network(test.net, test.prefix)),
        );
      case "compare":
        return this.#share(
          key,
          slot,
          (place) => new CheckLeaf(place, slot, 3, compare(test.op, test.value, test.part)),
        );
      case "fieldref": {
        const other = this.#slot(test.field, item, report);
        if (other === undefined) return undefined;
        return this.#share(
          key,
          slot,
          (place) => new RefLeaf(place, slot, other, spec.cased, RELATIONS[test.how]),
        );
      }
      case "regex":
        break;
    }
    try {
      return this.#share(key, slot, (place) => this.#regex(place, slot, test.source, test.flags));
    } catch (error) {
      const remedy = "Write it without look-around, back references and possessive quantifiers";
      report.error("regex", item.place, `not a regular expression of RE2: ${reasonOf(error)}`, remedy);
      return undefined;
    }
  }

  #regex(place: number, slot: Slot, source: string, flags: string): Leaf {
    const { check, find } = regex(source, flags);
    const leaf = new CheckLeaf(place, slot, 40, check, find);
    const literals = literalsOf(source, LITERAL_CHARS);
    for (const literal of literals ?? []) this.#of(slot).add("holds", literal, leaf, false);
    leaf.indexed = literals !== undefined;
    return leaf;
  }

  #texts(place: number, slot: Slot, texts: readonly Text[], cased: boolean): Leaf {
    const exact = new Set<string>();
    const patterns: ((text: string) => number)[] = [];
    const wanted: { where: Where; literal: string; sure: boolean }[] = [];
    const loose: ((text: string) => number)[] = [];
    for (const source of texts) {
      const text = cased ? source : source.map((p) => (typeof p === "string" ? p.toLowerCase() : p));
      const whole = plain(text);
      const find = finder(text);
      if (whole === undefined) patterns.push(find);
      else exact.add(whole);
      const { where, literal, sure } = seek(text, cased);
      if (where === "is" || literal !== "") wanted.push({ where, literal, sure });
      else loose.push(find);
    }
    const leaf = new TextLeaf(place, slot, exact, patterns, cased);
    leaf.loose = loose;
    leaf.indexed = wanted.length > 0;
    for (const { where, literal, sure } of wanted) this.#of(slot).add(where, literal, leaf, sure);
    return leaf;
  }

  #of(slot: Slot): Literals {
    let literals = this.#literals.get(slot);
    if (literals === undefined) this.#literals.set(slot, (literals = new Literals()));
    return literals;
  }
}

/** What to look for in lower-case values to find a text, and whether that is the whole test. */
function seek(text: Text, cased: boolean): { where: Where; literal: string; sure: boolean } {
  const whole = anchored(text);
  // Letters beyond ASCII have lower-case forms that depend on what stands around them.
  if (whole !== undefined && (!cased || /^[\0-\x7f]*$/.test(whole.literal))) {
    return { where: whole.where, literal: whole.literal.toLowerCase(), sure: !cased };
  }
  return { where: "holds", literal: necessary(text, 1) ?? "", sure: false };
}

function join(kind: "all" | "any", nodes: readonly Node[]): Node {
  if (nodes.length === 1) return nodes[0]!;
  return kind === "all" ? new All(nodes) : new Any(nodes);
}

function build(c: Condition, selections: ReadonlyMap<string, Node>, used: Set<string>): Node | undefined {
  if (c.kind === "ref") {
    used.add(c.name);
    return selections.get(c.name);
  }
  if (c.kind === "not") {
    const child = build(c.child, selections, used);
    return child === undefined ? undefined : new Not(child);
  }
  const nodes = c.children.flatMap((child) => build(child, selections, used) ?? []);
  if (nodes.length < c.children.length) return undefined;
  return join(c.kind === "and" ? "all" : "any", nodes);
}
