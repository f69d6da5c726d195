// Where in a rule file something stands: from a place such as `detection.selection.file.path|contains` to the parts of
// the YAML document, their lines and offsets. Changes nothing.
import {
  type Document,
  LineCounter,
  type Node,
  type Pair,
  isMap,
  isScalar,
  isSeq,
  parseAllDocuments,
} from "yaml";
import { LIMITS } from "../core/limits.ts";

export interface Places {
  readonly documents: readonly Document.Parsed[];
  lineAt(offset: number): number;
}

/** Undefined when the text is too large or not YAML. */
export function placesOf(text: string): Places | undefined {
  if (text.length > LIMITS.rule_file_bytes) return undefined;
  const lines = new LineCounter();
  try {
    const options = {
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: "silent",
      lineCounter: lines,
    } as const;
    const documents = parseAllDocuments(text, options);
    if (!Array.isArray(documents) || documents.some((document) => document.errors.length > 0))
      return undefined;
    return { documents, lineAt: (offset) => lines.linePos(offset).line };
  } catch {
    return undefined;
  }
}

/** The document of a file that begins at a line. */
export function documentAt(places: Places, line: number): Document.Parsed | undefined {
  return places.documents.find((d) => places.lineAt(d.contents?.range?.[0] ?? 0) === line);
}

/** The pair of keys and value at a path of keys, through lists of maps. */
export function pairAt(node: unknown, path: string): Pair | undefined {
  if (isSeq(node)) {
    for (const item of node.items) {
      const found = pairAt(item, path);
      if (found !== undefined) return found;
    }
  }
  if (!isMap(node)) return undefined;
  for (const pair of node.items) {
    const key = isScalar(pair.key) ? String(pair.key.value) : "";
    if (key === path) return pair;
    if (!path.startsWith(`${key}.`)) continue;
    const inner = pairAt(pair.value, path.slice(key.length + 1));
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/** Line of a place of the rule that begins at `line`; that line when the place is not found. */
export function lineOf(places: Places | undefined, line: number, place: string): number {
  if (places === undefined) return line;
  const at = documentAt(places, line)?.contents;
  for (
    let path = place.split(" ")[0]!;
    path !== "";
    path = path.slice(0, Math.max(0, path.lastIndexOf(".")))
  ) {
    const start = (pairAt(at, path)?.key as Node | undefined)?.range?.[0];
    if (start !== undefined) return places.lineAt(start);
  }
  const said = /^line (\d+)$/.exec(place);
  return said === null ? line : Number(said[1]);
}
