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

/** A step from an object to what it has under a key. */
interface Step {
  /** Place of the object among those found before; -1 for the record. */
  readonly from: number;
  readonly key: string;
  /** Every object has something of that name, so that it has to be asked whether it is its own. */
  readonly common: boolean;
}

/** Finds many paths in one record, each object on the way once. One instance serves one stream. */
export class Finder {
  readonly #paths: readonly Path[];
  /** To the objects on the way, outermost first. */
  readonly #inner: Step[] = [];
  /** To the values, by path. */
  readonly #last: readonly Step[];
  readonly #objects: (Fields | undefined)[] = [];

  constructor(paths: readonly Path[]) {
    this.#paths = paths;
    this.#last = paths.map(({ keys }) => {
      let from = -1;
      for (const key of keys.slice(0, -1)) from = this.#place(from, key);
      return stepOf(from, keys.at(-1)!);
    });
  }

  #place(from: number, key: string): number {
    const known = this.#inner.findIndex((step) => step.from === from && step.key === key);
    return known === -1 ? this.#inner.push(stepOf(from, key)) - 1 : known;
  }

  /** To be called before `at`. */
  look(record: Fields): void {
    const objects = this.#objects;
    for (let i = 0; i < this.#inner.length; i++) {
      const step = this.#inner[i]!;
      const object = step.from === -1 ? record : objects[step.from];
      objects[i] = object === undefined ? undefined : asObject(take(object, step));
    }
  }

  /** As `find` of the path at a place. */
  at(record: Fields, place: number): unknown {
    const step = this.#last[place]!;
    const object = step.from === -1 ? record : this.#objects[step.from];
    const value = object === undefined ? undefined : take(object, step);
    if (value !== undefined && value !== null) return value;
    const { text } = this.#paths[place]!;
    return Object.hasOwn(record, text) ? record[text] : undefined;
  }
}

function stepOf(from: number, key: string): Step {
  return { from, key, common: key in Object.prototype };
}

function take(object: Fields, { key, common }: Step): unknown {
  return common && !Object.hasOwn(object, key) ? undefined : object[key];
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
  let rest: Record<string, unknown> | undefined;
  for (const key in record) {
    const value = record[key];
    const path = used.get(key);
    let left: unknown;
    if (path === undefined) left = value;
    else if (path instanceof Map) {
      const object = asObject(value);
      left = object === undefined ? value : restOf(object, path, failed);
    } else {
      const end = path as Path;
      const unused =
        key === end.text && end.keys.length > 1 && (walk(record, end) ?? undefined) !== undefined;
      if (!unused && !failed.has(end)) continue;
      left = value;
    }
    if (left === undefined) continue;
    rest ??= {};
    // As a key like any other: plain assignment would set the prototype.
    if (key === "__proto__") Object.defineProperty(rest, key, { value: left, ...PLAIN });
    else rest[key] = left;
  }
  return rest;
}

const PLAIN = { enumerable: true, configurable: true, writable: true };

const OUTCOMES = new Set(["success", "failure", "unknown"]);

/** Makes a value what a field's type has; undefined for what it cannot be. */
type Converter = (value: unknown) => unknown;

const CONVERTERS: Readonly<Record<string, Converter>> = {
  long: asInteger,
  double: asNumber,
  boolean: asFlag,
  date: asTime,
  ip: (value) => (typeof value === "string" && isIP(value) !== 0 ? value : undefined),
  object: asHeld,
  "keyword[]": (value) => listOf(value, asIdentity),
  "long[]": (value) => listOf(value, asInteger),
};

export function converterOf(name: FieldName): Converter {
  return name === "event.outcome" ? asOutcome : (CONVERTERS[FIELDS[name]] ?? asIdentity);
}

function asTime(value: unknown): string | undefined {
  if (typeof value === "string") return parseTime(value);
  return typeof value === "number" ? fromEpoch(value) : undefined;
}

function asOutcome(value: unknown): string | undefined {
  const text = asIdentity(value);
  return text !== undefined && OUTCOMES.has(text) ? text : undefined;
}

/** A list whose items all fit; a single value is a list of one. */
function listOf<T>(value: unknown, as: (item: unknown) => T | undefined): T[] | undefined {
  const items = Array.isArray(value) ? value.map((item) => as(item)) : [as(value)];
  return items.every((item) => item !== undefined) ? items : undefined;
}
