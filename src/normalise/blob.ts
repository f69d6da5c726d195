// Makes an event fit an entry by moving its longest texts to blobs, named by keyed digest. What is indexed stays as
// long as that is possible at all; the event lists what moved. Writes no files.
import type { Digest } from "../core/digest.ts";
import { type Event, FIELDS, type FieldName, serialise } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";
import type { Json } from "../core/text.ts";

/** UTF-8 of a text that was moved out; lone surrogates are U+FFFD in it. */
export interface Blob {
  readonly digest: string;
  readonly bytes: Uint8Array;
}

/** One moved text: `keep` puts the first bytes of it back in its place. */
interface Moved {
  readonly field: string;
  readonly text: string;
  keep(head: string): void;
}
interface Leaf {
  readonly path: string;
  readonly holder: Record<string, Json>;
  readonly key: string;
  readonly text: string;
}

type Values = Record<string, Json | undefined>;
const PATH_CHARS_MAX = 256;
/** Not worth a blob. */
const SHORT_CHARS = 64;
const HEADS: readonly number[] = [LIMITS.blob_head_bytes, 1_024, 128, 0];
const named = (...types: string[]): FieldName[] =>
  (Object.keys(FIELDS) as FieldName[]).filter((name) => types.includes(FIELDS[name]) && name !== "event.id");
const OBJECTS = named("object");
const TEXTS = named("text", "wildcard", "stored");
const KEYWORDS = named("keyword");
const LISTS = named("keyword[]").filter((name) => !name.startsWith("tapline.blob."));

/**
 * Moves texts out of `e`, longest first, until its document takes at most `limit_bytes`. Names in tapline.blob.fields
 * are fields, or `field#/json/pointer` for a text within an object. Keyword fields that are indexed (up to
 * LIMITS.keyword_chars) move last, when they alone are too long. Whoever puts texts back begins at the end of the
 * list, since an object may move after a text within it. Returns the blobs, to be durable before the entry.
 */
export function moveToBlobs(e: Event, limit_bytes: number, digest: Digest): Blob[] {
  const moved = new Map<string, Moved>();
  const blobs = new Map<string, Blob>();
  const fits = (): boolean => Buffer.byteLength(serialise(e)) <= limit_bytes;
  for (const step of STEPS) {
    for (const item of step(e)) {
      if (fits()) return [...blobs.values()];
      if (moved.has(item.field)) continue;
      moved.set(item.field, item);
      move(e, item, digest, blobs);
    }
    // With many heads kept, shorter ones may do.
    for (let i = 1; i < HEADS.length && !fits(); i++) {
      for (const item of moved.values()) item.keep(headOf(item.text, HEADS[i]!));
    }
  }
  if (!fits()) throw new RangeError("an event without its texts does not fit an entry");
  return [...blobs.values()];
}

/** Moves the texts out of indexed objects for which servers would refuse the whole document. Returns the blobs. */
export function moveLongTexts(e: Event, digest: Digest): Blob[] {
  const values = e as unknown as Values;
  const blobs = new Map<string, Blob>();
  for (const name of OBJECTS) {
    if (!hasLongText(values[name])) continue;
    const leaves = leavesOf(values, name).filter((leaf) => isLong(leaf.text));
    if (leaves.length <= LIMITS.blob_leaves) for (const leaf of leaves) move(e, textOf(leaf), digest, blobs);
    // Many of them, or some that no pointer leads to.
    if (hasLongText(values[name])) move(e, wholeObject(values, name), digest, blobs);
  }
  return [...blobs.values()];
}

function hasLongText(value: Json | undefined): boolean {
  if (typeof value === "string") return isLong(value);
  if (typeof value !== "object" || value === null) return false;
  for (const item of Object.values(value)) if (hasLongText(item)) return true;
  return false;
}

function isLong(text: string): boolean {
  // A character takes at most three bytes of UTF-8.
  return text.length * 3 > LIMITS.object_text_bytes && Buffer.byteLength(text) > LIMITS.object_text_bytes;
}

/** Leaves the head of a text in its place, adds the text to `blobs` and its name to the event. */
function move(e: Event, item: Moved, digest: Digest, blobs: Map<string, Blob>): void {
  item.keep(headOf(item.text, HEADS[0]!));
  const bytes = Buffer.from(item.text);
  const name = digest(item.text.toWellFormed());
  if (!blobs.has(name)) blobs.set(name, { digest: name, bytes });
  e["tapline.blob.fields"] = [...(e["tapline.blob.fields"] ?? []), item.field];
  e["tapline.blob.digests"] = [...(e["tapline.blob.digests"] ?? []), name];
  e["tapline.blob.bytes"] = [...(e["tapline.blob.bytes"] ?? []), bytes.length];
}

const STEPS: readonly ((e: Event) => Moved[])[] = [
  longLeaves,
  wholeObjects,
  (e) => keywordsOver(e, LIMITS.keyword_chars),
  lists,
  (e) => keywordsOver(e, SHORT_CHARS),
];

/** The first `bytes` of a text, cut between characters. */
function headOf(text: string, bytes: number): string {
  const part = text.slice(0, bytes).toWellFormed();
  let length = Math.min(part.length, bytes);
  while (length > 0 && Buffer.byteLength(part.slice(0, length)) > bytes) length = (length * 0.9) | 0;
  return part
    .slice(0, length)
    .replace(/\ufffd$/, "")
    .replace(/[\ud800-\udbff]$/, "");
}

const longestFirst = (a: { text: string }, b: { text: string }): number => b.text.length - a.text.length;

/** A few long texts: fields of text, and strings within objects. */
function longLeaves(e: Event): Moved[] {
  const values = e as unknown as Values;
  const leaves: Leaf[] = [];
  for (const name of TEXTS) {
    const text = values[name];
    if (typeof text === "string")
      leaves.push({ path: name, holder: values as Record<string, Json>, key: name, text });
  }
  for (const name of OBJECTS) if (values[name] !== undefined) leaves.push(...leavesOf(values, name));
  const long = leaves.filter((leaf) => Buffer.byteLength(leaf.text) > LIMITS.blob_head_bytes);
  return long.toSorted(longestFirst).slice(0, LIMITS.blob_leaves).map(textOf);
}

/** Strings within an object field, which is replaced by a copy: other events may hold the same object. */
function leavesOf(values: Values, name: FieldName): Leaf[] {
  const leaves: Leaf[] = [];
  values[name] = JSON.parse(JSON.stringify(values[name])) as Json;
  collect(values as Record<string, Json>, name, name, "", leaves);
  return leaves;
}

function textOf(leaf: Leaf): Moved {
  return { field: leaf.path, text: leaf.text, keep: (head) => (leaf.holder[leaf.key] = head) };
}

/** Strings within holder[key], which is at a JSON pointer of a field. */
function collect(
  holder: Record<string, Json>,
  key: string,
  field: string,
  pointer: string,
  leaves: Leaf[],
): void {
  const value = holder[key]!;
  const path = pointer === "" ? field : `${field}#${pointer}`;
  if (typeof value === "string") leaves.push({ path, holder, key, text: value });
  if (typeof value !== "object" || value === null || path.length > PATH_CHARS_MAX) return;
  const object = value as Record<string, Json>;
  for (const next of Object.keys(object)) {
    // `__proto__` can be read as a key but not written; it moves with the whole object.
    if (next === "__proto__" || next.length > PATH_CHARS_MAX) continue;
    collect(object, next, field, `${pointer}/${next.replaceAll("~", "~0").replaceAll("/", "~1")}`, leaves);
  }
}

/** Objects as a whole, as JSON text; in their place stands {text: head}. */
function wholeObjects(e: Event): Moved[] {
  const values = e as unknown as Values;
  return movable(
    OBJECTS.filter((name) => values[name] !== undefined).map((name) => wholeObject(values, name)),
  );
}

function wholeObject(values: Values, name: FieldName): Moved {
  return {
    field: name,
    text: JSON.stringify(values[name]),
    keep: (head) => (values[name] = { text: head }),
  };
}

function keywordsOver(e: Event, chars: number): Moved[] {
  const values = e as unknown as Values;
  const items = [...TEXTS, ...KEYWORDS].map((name) => ({
    field: name,
    text: typeof values[name] === "string" ? values[name] : "",
    keep: (head: string) => (values[name] = head),
  }));
  return movable(items.filter((item) => item.text.length > chars));
}

/** Lists of keywords, as JSON text; the first of them stay. */
function lists(e: Event): Moved[] {
  const values = e as unknown as Values;
  return movable(
    LISTS.map((name) => {
      const list = (values[name] ?? []) as readonly string[];
      return {
        field: name,
        text: JSON.stringify(list),
        keep: (head) => {
          let chars = 0;
          values[name] = list.filter((item) => (chars += item.length) < head.length);
        },
      };
    }),
  );
}

function movable(items: readonly Moved[]): Moved[] {
  return items.filter((item) => item.text.length > SHORT_CHARS).toSorted(longestFirst);
}
