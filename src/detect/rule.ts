// What a Sigma rule is between the stages of detection: the parsed form, and the problems found on the way.
// No parsing and no evaluation here.
import { LEVELS, type Level } from "../core/incident.ts";
import { LIMITS } from "../core/limits.ts";
import type { Suppression } from "./suppress.ts";

export { LEVELS, type Level };

/** One thing that is wrong with a rule. An error refuses that rule; the others run. As text: one line. */
export class Problem {
  readonly severity: "error" | "warning";
  /** Stable name of the kind of problem. */
  readonly code: string;
  readonly file: string;
  /** Line in the file where the rule begins, from 1. */
  readonly line: number;
  /** Title of the rule, where it has one. */
  readonly rule: string | undefined;
  /** Path in the rule, such as `detection.selection.file.path|contains`. */
  readonly place: string;
  readonly message: string;
  readonly remedy: string;

  constructor(p: Omit<Problem, "toString">) {
    this.severity = p.severity;
    this.code = p.code;
    this.file = p.file;
    this.line = p.line;
    this.rule = p.rule;
    this.place = p.place;
    this.message = p.message;
    this.remedy = p.remedy;
  }

  toString(): string {
    const rule = this.rule === undefined ? "" : ` "${this.rule}"`;
    return `${this.file}:${this.line}${rule}, ${this.place}: ${this.message}. ${this.remedy}.`;
  }
}

export type Scalar = string | number | boolean | null;

/** `field|modifier|...: values`; without a field its values are searched in the whole event. */
export interface Item {
  readonly kind: "item";
  readonly field: string | undefined;
  readonly modifiers: readonly string[];
  readonly values: readonly Scalar[];
  readonly place: string;
}
/** A tree of items as the detection section writes it: maps are `all`, lists are `any`. */
export type Term = Item | { readonly kind: "all" | "any"; readonly terms: readonly Term[] };

export interface Logsource {
  readonly product: string | undefined;
  readonly category: string | undefined;
  readonly service: string | undefined;
}

/** What every rule says of itself, whatever its kind. */
export interface Meta {
  readonly file: string;
  readonly line: number;
  /** The rule's id; its content hash when it has none. */
  readonly id: string;
  /** What other rules call it. */
  readonly name: string | undefined;
  readonly title: string;
  readonly description: string | undefined;
  readonly level: Level;
  readonly status: string | undefined;
  readonly tags: readonly string[];
  readonly references: readonly string[];
  readonly falsepositives: readonly string[];
  /** 128 bits over the content, hex; layout and comments do not count. */
  readonly hash: string;
}

export interface Rule extends Meta {
  readonly logsource: Logsource;
  readonly selections: ReadonlyMap<string, Term>;
  /** Several conditions are alternatives. */
  readonly conditions: readonly string[];
  /** Repeats of its alert are counted, not told. */
  readonly suppress?: Suppression | undefined;
}

/** A condition that is joined to those of other rules with `and`. */
export interface Filter extends Rule {
  /** Ids or names of rules; `any`: all whose log source is within the filter's. */
  readonly rules: "any" | readonly string[];
}

/** Collects the problems of one rule. */
export class Report {
  /** The first of them. */
  readonly problems: Problem[] = [];
  /** Whether the rule has an error. */
  refused = false;
  readonly #file: string;
  readonly #line: number;
  rule: string | undefined;

  constructor(file: string, line: number, rule?: string) {
    this.#file = file;
    this.#line = line;
    this.rule = rule;
  }

  error(code: string, place: string, message: string, remedy: string): void {
    this.#add("error", code, place, message, remedy);
  }

  warn(code: string, place: string, message: string, remedy: string): void {
    this.#add("warning", code, place, message, remedy);
  }

  #add(severity: Problem["severity"], code: string, place: string, message: string, remedy: string): void {
    if (severity === "error") this.refused = true;
    if (this.problems.length >= LIMITS.rule_problems) return;
    const [file, line, rule] = [this.#file, this.#line, this.rule];
    this.problems.push(new Problem({ severity, code, file, line, rule, place, message, remedy }));
  }
}

/** The name of `known` that `name` was probably meant to be, within two or a quarter of its letters. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 4)) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= least) continue;
    const d = distance(name, candidate);
    if (d < least) [best, least] = [candidate, d];
  }
  return best;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
