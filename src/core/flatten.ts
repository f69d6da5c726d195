// Documents as sinks and ledgers have them, nested, to fields by dotted names.
import { FIELDS } from "./generated/event.ts";

type Fields = Record<string, unknown>;

const TABLE: Readonly<Record<string, string>> = FIELDS;

/** Dotted names for nested fields; a field of the table that is an object stays whole. */
export function flatten(map: object, prefix = "", out: Fields = {}): Fields {
  for (const [key, value] of Object.entries(map as Fields)) {
    const name = prefix + key;
    const inner = typeof value === "object" && value !== null && !Array.isArray(value);
    if (inner && !Object.hasOwn(TABLE, name)) flatten(value, `${name}.`, out);
    else out[name] = value;
  }
  return out;
}
