// Keeps indexed objects in the shape that servers accept: what lies deeper, or below longer keys, or has a NUL or
// half a character in a key, becomes its JSON text.
import { type Event, type FieldName, FIELDS } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";
import type { Json } from "../core/text.ts";

type ObjectField = { [K in FieldName]: (typeof FIELDS)[K] extends "object" ? K : never }[FieldName];
const OBJECT_FIELDS = (Object.keys(FIELDS) as FieldName[]).filter(
  (name) => FIELDS[name] === "object",
) as ObjectField[];

/** Rewrites the event's objects that servers would refuse for their shape, and lists them in tapline.data.truncated.
 * Needed only for records with that many opening brackets or bytes, or with control characters. */
export function limitObjects(e: Event): void {
  for (let i = 0; i < OBJECT_FIELDS.length; i++) {
    const name = OBJECT_FIELDS[i]!;
    const value = e[name];
    if (value === undefined) continue;
    const limited = limitShape(value, LIMITS.object_depth, LIMITS.object_path_bytes);
    if (limited === value) continue;
    // A server indexes objects only.
    e[name] = typeof limited === "string" ? { text: limited } : limited;
    e["tapline.data.truncated"] = [...(e["tapline.data.truncated"] ?? []), name];
  }
}

/** The value with every object and array below `levels` levels, and every object with a key that does not fit in
 * `path_bytes`, replaced by its JSON text; itself when there is none. */
export function limitShape(value: Json, levels: number, path_bytes: number): Json {
  if (typeof value !== "object" || value === null) return value;
  if (levels === 0) return JSON.stringify(value);
  if (Array.isArray(value)) {
    let copy: Json[] | undefined;
    for (let i = 0; i < value.length; i++) {
      const item = limitShape(value[i] as Json, levels - 1, path_bytes);
      if (item === value[i]) continue;
      copy ??= [...(value as Json[])];
      copy[i] = item;
    }
    return copy ?? value;
  }
  const object = value as Readonly<Record<string, Json>>;
  const keys = Object.keys(object);
  let entries: [string, Json][] | undefined;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const left = path_bytes - Buffer.byteLength(key) - 1;
    if (left < 0 || key.includes("\0") || !key.isWellFormed()) return JSON.stringify(value);
    const item = limitShape(object[key]!, levels - 1, left);
    if (item === object[key]) continue;
    entries ??= Object.entries(object);
    entries[i] = [key, item];
  }
  return entries === undefined ? value : Object.fromEntries(entries);
}
