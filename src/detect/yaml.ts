// Maps from YAML text that may be hostile: no anchors, no repeated keys, bounded size and depth, and time that grows
// with the text alone. Knows nothing of rules.
import { type Document, LineCounter, type YAMLMap, isScalar, parseAllDocuments, visit } from "yaml";
import { reasonOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { Report } from "./rule.ts";

const DEPTH = 16;
const ERRORS_MAX = 10; // a document: one mistake often gives many

export type Mapping = Record<string, unknown>;

/** One document of a file; without `map` it is empty, or the report says why it cannot be read. */
export interface Read {
  readonly map: Mapping | undefined;
  readonly line: number;
  readonly report: Report;
}

/** Never throws for what the text holds. */
export function readDocuments(text: string, file: string): Read[] {
  const failed = (code: string, message: string, remedy: string): Read[] => {
    const report = new Report(file, 1);
    report.error(code, "file", message, remedy);
    return [{ map: undefined, line: 1, report }];
  };
  if (Buffer.byteLength(text) > LIMITS.rule_file_bytes) {
    return failed("file_size", `larger than ${LIMITS.rule_file_bytes} bytes`, "Split it into several files");
  }
  const lines = new LineCounter();
  // The library's own check of keys and its pretty messages take quadratic time on hostile files.
  const fast = { uniqueKeys: false, prettyErrors: false, logLevel: "silent", lineCounter: lines } as const;
  try {
    const parsed = parseAllDocuments(text, fast);
    const documents: Document[] = Array.isArray(parsed) ? parsed : [];
    return documents.map((document) => {
      const line = lines.linePos(document.contents?.range?.[0] ?? 0).line;
      const report = new Report(file, line);
      return { map: toMap(document, lines, report), line, report };
    });
  } catch (error) {
    return failed("yaml", `not readable as YAML: ${reasonOf(error)}`, "Correct the YAML");
  }
}

function toMap(document: Document, lines: LineCounter, report: Report): Mapping | undefined {
  let value: unknown;
  try {
    for (const e of document.errors.slice(0, ERRORS_MAX)) {
      report.error("yaml", `line ${lines.linePos(e.pos[0]).line}`, e.message, "Correct the YAML");
    }
    if (document.errors.length > 0) return undefined;
    visit(document, { Map: (_, map) => repeatedKeys(map, lines, report) });
    if (report.refused) return undefined;
    // Aliases let a small file grow without bound, and rules have no use for them.
    value = document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    report.error("yaml", "file", reasonOf(error), "Write rules without anchors and aliases");
    return undefined;
  }
  if (isMapping(value) && depthOf(value, 0) <= DEPTH) return value;
  const remedy = "See CONTRIBUTING.md";
  if (isMapping(value)) report.error("depth", "file", `nested deeper than ${DEPTH}`, "Flatten it");
  else if (value !== null)
    report.error("not_a_rule", "file", "a rule is a map with title and detection", remedy);
  return undefined;
}

function repeatedKeys(map: YAMLMap, lines: LineCounter, report: Report): void {
  const seen = new Set<string>();
  for (const { key } of map.items) {
    const name = isScalar(key) ? String(key.value) : undefined;
    if (name !== undefined && seen.has(name)) {
      const line = lines.linePos((key as { range?: [number] }).range?.[0] ?? 0).line;
      report.error("yaml", `line ${line}`, `the key "${name}" is there twice`, "Keep one of them");
    } else if (name !== undefined) seen.add(name);
  }
}

function depthOf(value: unknown, depth: number): number {
  if (typeof value !== "object" || value === null || depth > DEPTH) return depth;
  let most = depth;
  for (const inner of Object.values(value)) most = Math.max(most, depthOf(inner, depth + 1));
  return most;
}

export function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
