// Keeps indexed objects within the depth that servers accept: what lies deeper becomes its JSON text.
import { type Event, type FieldName, FIELDS } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";
import type { Json } from "../core/text.ts";

type ObjectField = { [K in FieldName]: (typeof FIELDS)[K] extends "object" ? K : never }[FieldName];
const OBJECT_FIELDS = (Object.keys(FIELDS) as FieldName[]).filter(
  (name) => FIELDS[name] === "object",
) as ObjectField[];

/** Rewrites the event's objects that nest deeper than LIMITS.object_depth, and lists them in tapline.data.truncated.
 * Needed only for records with that many opening brackets. */
export function limitObjects(e: Event): void {
  for (let i = 0; i < OBJECT_FIELDS.length; i++) {
    const name = OBJECT_FIELDS[i]!;
    const value = e[name];
    if (value === undefined) continue;
    const shallow = limitDepth(value, LIMITS.object_depth);
    if (shallow === value) continue;
    e[name] = shallow;
    e["tapline.data.truncated"] = [...(e["tapline.data.truncated"] ?? []), name];
  }
}

/** The value with every object and array below `levels` levels replaced by its JSON text; itself when there is none. */
export function limitDepth(value: Json, levels: number): Json {
  if (typeof value !== "object" || value === null) return value;
  if (levels === 0) return JSON.stringify(value);
  if (Array.isArray(value)) {
    let copy: Json[] | undefined;
    for (let i = 0; i < value.length; i++) {
      const item = limitDepth(value[i] as Json, levels - 1);
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
    const item = limitDepth(object[keys[i]!]!, levels - 1);
    if (item === object[keys[i]!]) continue;
    entries ??= Object.entries(object);
    entries[i] = [keys[i]!, item];
  }
  return entries === undefined ? value : Object.fromEntries(entries);
}
