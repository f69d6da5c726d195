// The table of fields, asked once; and an entry as a list of its fields.
import { useEffect, useState } from "preact/hooks";
import type { FieldList } from "../api.ts";
import { address, get } from "./client.ts";

export type Fields = ReadonlyMap<string, FieldList["fields"][number]>;

let asked: Promise<Fields> | undefined;
const NONE: Fields = new Map();

export function useFields(): Fields {
  const [fields, set] = useState(NONE);
  useEffect(() => {
    asked ??= get<FieldList>(address(["fields"])).then(
      (list) => new Map(list.fields.map((field) => [field.name, field])),
    );
    asked.then(set, () => {
      asked = undefined;
    });
  }, []);
  return fields;
}

export interface Pair {
  readonly name: string;
  readonly value: unknown;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function collect(value: unknown, name: string, fields: Fields, out: Pair[]): void {
  const known = fields.get(name);
  if (!isObject(value) || (known !== undefined && known.type === "object") || name.split(".").length > 8) {
    out.push({ name, value });
    return;
  }
  for (const [key, part] of Object.entries(value))
    collect(part, name === "" ? key : `${name}.${key}`, fields, out);
}

/** By the names of the table, in the order of the entry; objects that the table keeps as objects stay whole. */
export function pairsOf(entry: string, fields: Fields): readonly Pair[] {
  const out: Pair[] = [];
  try {
    collect(JSON.parse(entry), "", fields, out);
  } catch {
    return [];
  }
  return out;
}

export const valueText = (value: unknown): string =>
  typeof value === "string"
    ? value
    : Array.isArray(value) && value.every((one) => typeof one !== "object")
      ? value.join(", ")
      : JSON.stringify(value, null, 2);
