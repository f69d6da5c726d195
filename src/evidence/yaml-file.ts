// The organisation's own files, statement of applicability and impact assessment: YAML that is checked against a schema, with
// every problem and its place at once. Knows nothing of what they say.
import { hash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { type Document, LineCounter, isNode, parseDocument } from "yaml";
import type { z } from "zod";
import { TaplineError, reasonOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { closest } from "../core/suggest.ts";

export interface FileRead<T> {
  readonly value: T;
  /** `sha256:…` of the file. */
  readonly digest: string;
}

interface Wrong {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The text of such a file. Throws FILE_UNREADABLE. */
export async function textOfFile(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > LIMITS.report_file_bytes)
      throw new Error(`larger than ${LIMITS.report_file_bytes} bytes`);
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new TaplineError("FILE_UNREADABLE", `cannot read ${path}: ${reasonOf(cause)}`, {
      remedy: "check the path and its permissions",
      cause,
    });
  }
}

/** Reads such a file; `keys` are those that a place of it may have. Throws FILE_INVALID with every problem, one a line. */
export function parseFile<S extends z.ZodType>(
  text: string,
  path: string,
  schema: S,
  keys: (path: readonly PropertyKey[]) => readonly string[],
): FileRead<z.output<S>> {
  const lines = new LineCounter();
  const document = parseDocument(text, { schema: "core", prettyErrors: false, lineCounter: lines });
  const problems: { line: number; text: string }[] = document.errors.map(({ message, pos }) => ({
    line: lines.linePos(pos[0]).line,
    text: message,
  }));
  const lineOf = (at: readonly PropertyKey[]): number => {
    const range = nearest(document, at)?.range;
    return range === undefined || range === null ? 1 : lines.linePos(range[0]).line;
  };
  if (problems.length === 0) {
    const raw = valueOf(document, problems);
    const parsed = schema.safeParse(raw ?? {});
    if (parsed.success && problems.length === 0)
      return { value: parsed.data, digest: `sha256:${hash("sha256", text)}` };
    const wrong = (parsed.error?.issues ?? []).flatMap((issue) => wrongOf(issue, keys));
    for (const { path: at, message } of wrong)
      problems.push({ line: lineOf(at), text: `${at.join(".")}${at.length === 0 ? "" : ": "}${message}` });
  }
  const told = problems.toSorted((a, b) => a.line - b.line);
  const shown = told
    .slice(0, LIMITS.report_problems)
    .map(({ line, text: what }) => `${path}:${line}: ${what}`);
  if (told.length > shown.length) shown.push(`and ${told.length - shown.length} more`);
  throw new TaplineError("FILE_INVALID", shown.join("\n"), {
    remedy: "see docs/guides/evidence.md for what such a file says",
  });
}

function valueOf(document: Document, problems: { line: number; text: string }[]): unknown {
  try {
    return document.toJS() as unknown;
  } catch (error) {
    problems.push({ line: 1, text: reasonOf(error) });
    return undefined;
  }
}

/** The node at a path, or the last one on the way to it. */
function nearest(document: Document, path: readonly PropertyKey[]) {
  for (let length = path.length; length > 0; length--) {
    const found = document.getIn(path.slice(0, length), true);
    if (isNode(found)) return found;
  }
  return document.contents;
}

function wrongOf(
  issue: z.core.$ZodIssue,
  keys: (path: readonly PropertyKey[]) => readonly string[],
): Wrong[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const near = closest(key, keys(issue.path));
      const hint = near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`;
      return { path: [...issue.path, key], message: `there is no such key${hint}` };
    });
  }
  if (issue.code === "invalid_key") {
    const key = String(issue.path.at(-1));
    const near = closest(key, keys(issue.path.slice(0, -1)));
    return [
      {
        path: issue.path,
        message: `${issue.issues.map(({ message }) => message).join(", ")}${near === undefined ? "" : `; did you mean ${near}?`}`,
      },
    ];
  }
  return [{ path: issue.path, message: issue.message }];
}
