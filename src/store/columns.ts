// The store's columns, from the field table: their types, and the SQL that takes them out of a document.
// A value that does not fit its column's type is null there; the column `entry` has the whole document.
import { hash } from "node:crypto";
import { FIELDS, type FieldName } from "../core/generated/event.ts";

const TYPES: Readonly<Record<string, string>> = {
  "keyword[]": "VARCHAR[]",
  long: "BIGINT",
  "long[]": "BIGINT[]",
  double: "DOUBLE",
  boolean: "BOOLEAN",
  date: "TIMESTAMP", // UTC
  object: "JSON", // stored as text
};

interface Tree {
  [key: string]: string | Tree;
}

// Not in an entry: an entry never contains its own index.
const SPLICED = new Set<string>(["event.sequence", "event.hash"]);
const NAMES = (Object.keys(FIELDS) as FieldName[]).filter((name) => !SPLICED.has(name));
const typeOf = (name: FieldName): string => TYPES[FIELDS[name]] ?? "VARCHAR";

function structure(): Tree {
  const root: Tree = {};
  for (const name of NAMES) {
    const keys = name.split(".");
    let node = root;
    for (const key of keys.slice(0, -1)) node = (node[key] ??= {}) as Tree;
    node[keys.at(-1)!] = typeOf(name);
  }
  return root;
}

function expression(name: FieldName): string {
  const path =
    "d." +
    name
      .split(".")
      .map((key) => `"${key}"`)
      .join(".");
  return `${typeOf(name) === "JSON" ? `CAST(${path} AS VARCHAR)` : path} AS "${name}"`;
}

const STRUCTURE = JSON.stringify(structure()).replaceAll("'", "''");
const LAST = `sequence AS "event.sequence", hash AS "event.hash", entry`;
const COLUMNS = [...NAMES.map(expression), LAST].join(", ");

/** The rows of a relation (sequence, hash, entry, doc), `doc` being valid JSON or null, as the store's columns. */
export function selectColumns(relation: string, doc: string): string {
  return `SELECT ${COLUMNS} FROM (SELECT sequence, hash, entry, json_transform(${doc}, '${STRUCTURE}') AS d FROM ${relation})`;
}

/** Every column of a file of today, by its type. */
export function columnTypes(): Record<string, string> {
  const types = Object.fromEntries(
    NAMES.map((name) => [name, typeOf(name) === "JSON" ? "VARCHAR" : typeOf(name)]),
  );
  return { ...types, "event.sequence": "BIGINT", "event.hash": "VARCHAR", entry: "VARCHAR" };
}

/** Names the columns and their types: changes with the field table. */
export const COLUMNS_DIGEST = hash("sha256", STRUCTURE + COLUMNS, "hex").slice(0, 16);

const LONE_SURROGATE = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;

/** The document as DuckDB's parser takes it (it refuses lone surrogates), or undefined when it is not JSON. */
export function parseable(entry: string): string | undefined {
  try {
    // A whole pair is written as itself, so that what is left escaped is alone.
    return JSON.stringify(JSON.parse(entry)).replaceAll(LONE_SURROGATE, "$1\\ufffd");
  } catch {
    return undefined;
  }
}
