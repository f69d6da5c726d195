// Which field names rules may use, and how each is read from an event.
import { FIELDS } from "../core/generated/event.ts";
import { nearest } from "./rule.ts";
import { Slot } from "./slot.ts";

/** `table`: only fields of the table and paths into its objects. `any`: whatever an event of others may hold. */
export type FieldSet = "table" | "any";

// What sinks splice in later, and what never was in an entry, no rule can see.
const HIDDEN = new Set(["event.sequence", "event.hash"]);
const TABLE: Readonly<Record<string, string>> = FIELDS;
const NAMES = Object.keys(TABLE).filter((name) => !HIDDEN.has(name));

/** A slot for the field, or undefined when no event can have it. */
export function slotFor(name: string, fields: FieldSet): Slot | undefined {
  if (Object.hasOwn(TABLE, name) && !HIDDEN.has(name)) return new Slot(name, name, "field");
  for (let dot = name.lastIndexOf("."); dot > 0; dot = name.lastIndexOf(".", dot - 1)) {
    const head = name.slice(0, dot);
    if (Object.hasOwn(TABLE, head) && TABLE[head] === "object") return new Slot(name, head, "path");
  }
  return fields === "any" ? new Slot(name, name, "foreign") : undefined;
}

/** What to write instead of a name that no field has. */
export function suggestField(name: string): string {
  const near = nearest(name, NAMES) ?? NAMES.find((known) => known.endsWith(`.${name.split(".").at(-1)}`));
  return near === undefined ? "See the fields in docs/reference.md" : `Did you mean "${near}"?`;
}
