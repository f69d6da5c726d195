// What lint finds, and the edits that put mechanical findings right: splices of the text at places that the YAML
// document tells, so that comments, quotes and layout stay as they are.
import { type Document, type Node, type Pair, isMap, isNode, isScalar, parseAllDocuments } from "yaml";
import { type Places, documentAt, lineOf } from "./places.ts";

export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly severity: "error" | "warning";
  readonly code: string;
  readonly message: string;
  /** How `--fix` puts it right, when that is mechanical. */
  readonly edit: Edit | undefined;
}

/** Findings of one rule of one file. */
export class Lint {
  readonly findings: Finding[] = [];
  readonly source: string;
  readonly root: Document.Parsed["contents"] | undefined;
  readonly #file: string;
  readonly #line: number;
  readonly #places: Places | undefined;

  /** `line` is where the rule begins. */
  constructor(file: string, source: string, places: Places | undefined, line: number) {
    this.#file = file;
    this.#line = line;
    this.#places = places;
    this.source = source;
    this.root = places === undefined ? undefined : documentAt(places, line)?.contents;
  }

  /** The pair of a key of the rule's own map. */
  pair(key: string): Pair | undefined {
    return isMap(this.root) ? this.root.items.find((p) => isScalar(p.key) && p.key.value === key) : undefined;
  }

  /** `at` is a node of the document or a place of the rule. */
  add(severity: Finding["severity"], code: string, at: unknown, message: string, edit?: Edit): void {
    const offset = isNode(at) ? at.range?.[0] : undefined;
    const place = typeof at === "string" ? at : "";
    const line =
      offset === undefined || this.#places === undefined
        ? lineOf(this.#places, this.#line, place)
        : this.#places.lineAt(offset);
    this.findings.push({ file: this.#file, line, severity, code, message, edit });
  }
}

/** Edit of a scalar's own text, within its quotes; undefined where the text is not what it stands for. */
export function rewritten(source: string, node: unknown, change: (raw: string) => string): Edit | undefined {
  if (!isScalar(node) || node.range === undefined || node.range === null) return undefined;
  const [from, to] = node.range;
  const quoted = node.type === "QUOTE_SINGLE" || node.type === "QUOTE_DOUBLE";
  if (!quoted && node.type !== "PLAIN") return undefined;
  const [start, end] = quoted ? [from + 1, to - 1] : [from, to];
  const raw = source.slice(start, end);
  const text = change(raw);
  return text === raw ? undefined : { start, end, text };
}

const restOfLine = (source: string, from: number): number => {
  const end = source.indexOf("\n", from);
  return end === -1 ? source.length : end + 1;
};

/** Takes out whole lines, from where a node stands to its end; undefined when the lines hold something else too. */
function withoutLines(source: string, from: number, to: number, before: RegExp): Edit | undefined {
  const start = source.lastIndexOf("\n", from - 1) + 1;
  const end = restOfLine(source, to);
  if (!before.test(source.slice(start, from))) return undefined;
  return /^\s*(#.*)?$/.test(source.slice(to, end).trimEnd()) ? { start, end, text: "" } : undefined;
}

export function withoutPair(source: string, pair: Pair): Edit | undefined {
  const [key, value] = [pair.key as Node, pair.value as Node | null];
  const end = value?.range?.[1] ?? key.range?.[1];
  if (key.range === undefined || key.range === null || end === undefined) return undefined;
  return withoutLines(source, key.range[0], end, /^\s*$/);
}

/** An entry of a list that has a line of its own. */
export function withoutItem(source: string, item: unknown): Edit | undefined {
  if (!isNode(item) || item.range === undefined || item.range === null) return undefined;
  return withoutLines(source, item.range[0], item.range[1], /^\s*-\s+$/);
}

/** A new line after a pair of the rule's own map. */
export function lineAfter(source: string, pair: Pair | undefined, line: string): Edit | undefined {
  const value = pair?.value;
  if (!isNode(value) || value.range === undefined || value.range === null) return undefined;
  const at = restOfLine(source, value.range[1]);
  return source[at - 1] === "\n" ? { start: at, end: at, text: `${line}\n` } : undefined;
}

/** The text with the edits made, as many as do not overlap; undefined when it would no longer be YAML. */
export function applyEdits(
  source: string,
  edits: readonly Edit[],
): { text: string; made: number } | undefined {
  let text = source;
  let made = 0;
  let free = Infinity;
  for (const { start, end, text: inserted } of edits.toSorted((a, b) => b.start - a.start || b.end - a.end)) {
    if (end > free || (end === free && start === end)) continue;
    text = text.slice(0, start) + inserted + text.slice(end);
    free = start;
    made++;
  }
  const parsed = parseAllDocuments(text, { uniqueKeys: false, prettyErrors: false, logLevel: "silent" });
  return Array.isArray(parsed) && parsed.every((d) => d.errors.length === 0) ? { text, made } : undefined;
}
