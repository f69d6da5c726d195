// Dotted paths into records, values made to fit the types of the field table, and what a mapping leaves over.
import { isIP } from "node:net";
import { type FieldName, FIELDS } from "../../core/generated/event.ts";
import { fromEpoch, parseTime } from "../../core/time.ts";
import { type Fields, asHeld, asNumber, asObject } from "../format.ts";
import { asFlag, asIdentity, asInteger } from "./fields.ts";

export interface Path {
  readonly text: string;
  readonly keys: readonly string[];
}
/** Paths as a tree: a key leads on, or is the end of a path. */
export type Kept = ReadonlyMap<string, Path | Kept>;

export function compilePath(text: string): Path {
  return { text, keys: text.split(".") };
}

/** The value at a path, else of the key that has the dots in its name. */
export function find(record: Fields, path: Path): unknown {
  return walk(record, path) ?? (Object.hasOwn(record, path.text) ? record[path.text] : undefined);
}

function walk(record: Fields, path: Path): unknown {
  let value: unknown = record;
  for (let i = 0; i < path.keys.length; i++) {
    const object = asObject(value);
    if (object === undefined || !Object.hasOwn(object, path.keys[i]!)) return undefined;
    value = object[path.keys[i]!];
  }
  return value;
}

export function treeOf(paths: readonly Path[]): Kept {
  const tree = new Map<string, Path | Kept>();
  for (const path of paths) {
    if (path.keys.length > 1) tree.set(path.text, path);
    let at = tree;
    for (let i = 0; i < path.keys.length - 1; i++) {
      const next = at.get(path.keys[i]!);
      // A path to the whole object covers the paths into it.
      if (next !== undefined && !(next instanceof Map)) break;
      const inner = (next as Map<string, Path | Kept> | undefined) ?? new Map<string, Path | Kept>();
      at.set(path.keys[i]!, inner);
      at = inner;
    }
    at.set(path.keys.at(-1)!, path);
  }
  return tree;
}

/** The record without what the paths name; paths in `failed` stay. Undefined when nothing is left. */
export function restOf(record: Fields, used: Kept, failed: ReadonlySet<Path>): Fields | undefined {
  const rest: [string, unknown][] = [];
  for (const key of Object.keys(record)) {
    const value = record[key];
    const path = used.get(key);
    if (path === undefined) rest.push([key, value]);
    else if (!(path instanceof Map)) {
      const end = path as Path;
      const unused =
        key === end.text && end.keys.length > 1 && (walk(record, end) ?? undefined) !== undefined;
      if (unused || failed.has(end)) rest.push([key, value]);
    } else {
      const object = asObject(value);
      const inner = object === undefined ? value : restOf(object, path, failed);
      if (inner !== undefined) rest.push([key, inner]);
    }
  }
  return rest.length === 0 ? undefined : Object.fromEntries(rest);
}

const OUTCOMES = new Set(["success", "failure", "unknown"]);

/** A value as the field's type has it, or undefined when it cannot be that. */
export function convert(name: FieldName, value: unknown): unknown {
  switch (FIELDS[name] as string) {
    case "long":
      return asInteger(value);
    case "double":
      return asNumber(value);
    case "boolean":
      return asFlag(value);
    case "date":
      return typeof value === "string"
        ? parseTime(value)
        : typeof value === "number"
          ? fromEpoch(value)
          : undefined;
    case "ip":
      return typeof value === "string" && isIP(value) !== 0 ? value : undefined;
    case "object":
      return asHeld(value);
    case "keyword[]":
      return listOf(value, asIdentity);
    case "long[]":
      return listOf(value, asInteger);
    default: {
      const text = asIdentity(value);
      return name === "event.outcome" && !OUTCOMES.has(text ?? "") ? undefined : text;
    }
  }
}

/** A list whose items all fit; a single value is a list of one. */
function listOf<T>(value: unknown, as: (item: unknown) => T | undefined): T[] | undefined {
  const items = Array.isArray(value) ? value.map((item) => as(item)) : [as(value)];
  return items.every((item) => item !== undefined) ? items : undefined;
}
