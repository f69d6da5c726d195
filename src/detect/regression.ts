// SigmaHQ's regression layout: a rule names an `info.yml`, which lists recordings and how often the rule matches in
// each. Reads texts only; recordings in binary form (evtx) are read from the JSON beside them.
import { isMapping, readDocuments } from "./yaml.ts";

export interface Recording {
  readonly name: string;
  /** As the file says it: relative to the top of the repository. */
  readonly path: string;
  /** Events that have to match; undefined asks for at least one. */
  readonly matches: number | undefined;
}

/** Reads an `info.yml`. Never throws for what the text holds. */
export function readInfo(text: string): { recordings: Recording[]; problems: string[] } {
  const recordings: Recording[] = [];
  const [document] = readDocuments(text, "info.yml");
  const problems = document?.report.problems.map((p) => `${p.place}: ${p.message}`) ?? [];
  const list = document?.map?.["regression_tests_info"];
  for (const [i, entry] of (Array.isArray(list) ? list : []).entries()) {
    const path: unknown = isMapping(entry) ? entry["path"] : undefined;
    if (!isMapping(entry) || typeof path !== "string") {
      problems.push(`regression_tests_info ${i + 1}: has no path`);
      continue;
    }
    const { name, match_count: count } = entry;
    recordings.push({
      name: typeof name === "string" ? name : `test ${i + 1}`,
      path,
      matches: typeof count === "number" ? count : undefined,
    });
  }
  return { recordings, problems };
}

/** Events of a JSON file: one value, an array, a line each, or values one after the other. Throws SyntaxError. */
export function readEvents(text: string): object[] {
  const values = jsonValues(text).flatMap((value) => value as object | object[]);
  return values.filter(isMapping).map(foreignEvent);
}

function jsonValues(text: string): unknown[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return split(text).map((part) => JSON.parse(part) as unknown);
  }
}

/** Values that stand one after the other, with or without line ends between them. */
function split(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quoted) {
      if (c === "\\") i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === "{" || c === "[") depth++;
    else if (c === "}" || c === "]") {
      if (--depth > 0) continue;
      parts.push(text.slice(start, i + 1));
      start = i + 1;
    }
  }
  if (text.slice(start).trim() !== "") parts.push(text.slice(start));
  return parts;
}

/** A Windows event with its data at the top level, where rules look for it; anything else as it is. */
function foreignEvent(value: Record<string, unknown>): object {
  const event = value["Event"];
  if (!isMapping(event)) return value;
  const system = isMapping(event["System"]) ? event["System"] : {};
  const provider = isMapping(system["Provider"]) ? system["Provider"]["#attributes"] : undefined;
  const data: Record<string, unknown> = {};
  for (const key of ["EventData", "UserData"]) if (isMapping(event[key])) lift(event[key], data);
  const named = isMapping(provider) ? { Provider_Name: provider["Name"] } : {};
  return { ...withoutSpaces(system), ...named, ...withoutSpaces(data) };
}

/** User data stands inside one element more. */
function lift(map: Record<string, unknown>, into: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(map)) {
    if (key === "#attributes" || key === "Data") {
      if (key === "Data") into[key] = isMapping(value) ? value["#text"] : value;
    } else if (isMapping(value)) lift(value, into);
    else into[key] = value;
  }
}

/** Sigma writes the names of fields without the spaces that some sources have. */
function withoutSpaces(map: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(map)) {
    const text = isMapping(value) && "#text" in value ? value["#text"] : value;
    out[key.replaceAll(" ", "")] = text;
  }
  return out;
}
