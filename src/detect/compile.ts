// A parsed rule to a predicate over events. One compiler makes all rules of a set, so that they share slots and
// tests. What cannot be honoured is an error that names rule, place and remedy; nothing is approximated.
import { reasonOf } from "../core/errors.ts";
import { type Condition, ConditionError, parseCondition } from "./condition.ts";
import { type FieldSet, slotFor, suggestField } from "./fields.ts";
import { literalsOf } from "./literals.ts";
import { All, Any, CheckLeaf, Not, type Node, PresenceLeaf, RefLeaf, TextLeaf } from "./nodes.ts";
import { type Placeholders, type Spec, type Test, readItem } from "./modifiers.ts";
import { type Text, finder, necessary, plain } from "./pattern.ts";
import type { Item, Report, Rule, Term } from "./rule.ts";
import { LITERAL_CHARS, Scan, type Watcher } from "./scan.ts";
import { Slot } from "./slot.ts";
import { RELATIONS, compare, network, regex } from "./tests.ts";

export class Compiler {
  readonly #fields: FieldSet;
  readonly #placeholders: Placeholders;
  readonly #slots = new Map<string, Slot>();
  readonly #leaves = new Map<string, Node>();
  readonly #watched = new Map<Slot, Map<string, Watcher[]>>();

  constructor(fields: FieldSet, placeholders: Placeholders) {
    this.#fields = fields;
    this.#placeholders = placeholders;
  }

  /** The rule's predicate, or undefined with the reasons in the report. */
  compile(rule: Rule, report: Report): Node | undefined {
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
        report.error(error.code, `detection.condition "${condition}"`, error.message, error.remedy);
      }
    }
    for (const name of report.refused ? [] : names) {
      if (used.has(name)) continue;
      report.warn(
        "unused",
        `detection.${name}`,
        "no condition uses it",
        "Use it in the condition or remove it",
      );
    }
    return report.refused ? undefined : join("any", nodes);
  }

  /** To be called once, after the last rule: builds each field's scan. */
  finish(): void {
    for (const [slot, watched] of this.#watched) slot.scan = new Scan(watched);
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
      nodes.push(this.#share(key, () => this.#texts(slot, texts, spec.cased)));
    }
    return join("any", nodes);
  }

  #share(key: string, make: () => Node): Node {
    let leaf = this.#leaves.get(key);
    if (leaf === undefined) this.#leaves.set(key, (leaf = make()));
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
        return this.#share(key, () => new PresenceLeaf(slot, "null"));
      case "exists":
        return this.#share(key, () => new PresenceLeaf(slot, test.value ? "present" : "missing"));
      case "cidr":
        return this.#share(key, () => new CheckLeaf(slot, 20, network(test.net, test.prefix)));
      case "compare":
        return this.#share(key, () => new CheckLeaf(slot, 3, compare(test.op, test.value, test.part)));
      case "fieldref": {
        const other = this.#slot(test.field, item, report);
        if (other === undefined) return undefined;
        return this.#share(key, () => new RefLeaf(slot, other, spec.cased, RELATIONS[test.how]));
      }
      case "regex":
        break;
    }
    try {
      return this.#share(key, () => this.#regex(slot, test.source, test.flags));
    } catch (error) {
      const remedy = "Write it without look-around, back references and possessive quantifiers";
      report.error("regex", item.place, `not a regular expression of RE2: ${reasonOf(error)}`, remedy);
      return undefined;
    }
  }

  #regex(slot: Slot, source: string, flags: string): Node {
    const { check, find } = regex(source, flags);
    const leaf = new CheckLeaf(slot, 40, check, find);
    const literals = slot.read === "keywords" ? undefined : literalsOf(source, LITERAL_CHARS);
    if (literals !== undefined) {
      leaf.indexed = true;
      this.#watch(slot, new Set(literals), leaf);
    }
    return leaf;
  }

  #texts(slot: Slot, texts: readonly Text[], cased: boolean): Node {
    const exact = new Set<string>();
    const patterns: ((text: string) => number)[] = [];
    const literals: string[] = [];
    let indexed = true;
    for (const source of texts) {
      const text = cased ? source : source.map((p) => (typeof p === "string" ? p.toLowerCase() : p));
      const whole = plain(text);
      if (whole !== undefined) {
        exact.add(whole);
        continue;
      }
      patterns.push(finder(text));
      const literal = necessary(text, LITERAL_CHARS);
      if (literal === undefined) indexed = false;
      else literals.push(literal);
    }
    const leaf = new TextLeaf(slot, exact, patterns, cased);
    // Keywords read the whole event: a scan of everything costs more than it saves.
    leaf.indexed = indexed && patterns.length > 0 && slot.read !== "keywords";
    if (leaf.indexed) this.#watch(slot, new Set(literals), leaf);
    return leaf;
  }

  #watch(slot: Slot, literals: ReadonlySet<string>, leaf: Watcher): void {
    let watched = this.#watched.get(slot);
    if (watched === undefined) this.#watched.set(slot, (watched = new Map()));
    for (const literal of literals) {
      const watchers = watched.get(literal);
      if (watchers === undefined) watched.set(literal, [leaf]);
      else watchers.push(leaf);
    }
  }
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
