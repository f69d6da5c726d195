// Documents as sinks and ledgers have them, nested, to events as rules see them: flat, with what moved to blobs put
// back. Reads no files.
import { flatten } from "../core/flatten.ts";
import { type Event, FIELDS } from "../core/generated/event.ts";

type Fields = Record<string, unknown>;

const TABLE: Readonly<Record<string, string>> = FIELDS;
// Set when an event is stored, after the rules have seen it.
const STORED = [
  "tapline.blob.fields",
  "tapline.blob.digests",
  "tapline.blob.bytes",
  "event.sequence",
  "event.hash",
];

/** Digests of the texts that moved out of a document. */
export function blobsOf(document: object): readonly string[] {
  const digests = flatten(document)["tapline.blob.digests"];
  return Array.isArray(digests) ? digests.map(String) : [];
}

/** The event that a document was made from, as rules saw it. `blobs` are texts by digest; those that are missing
 * leave their first part in place. */
export function eventOfDocument(document: object, blobs: ReadonlyMap<string, string> = new Map()): Event {
  const fields = flatten(document);
  const names = (fields["tapline.blob.fields"] ?? []) as readonly string[];
  const digests = (fields["tapline.blob.digests"] ?? []) as readonly string[];
  // Backwards: an object may have moved after a text within it.
  for (let i = names.length - 1; i >= 0; i--) {
    const text = blobs.get(digests[i]!);
    if (text !== undefined) putBack(fields, names[i]!, text);
  }
  for (const name of STORED) delete fields[name];
  return fields as unknown as Event;
}

/** `place` is a field, or `field#/json/pointer` for a text within an object. */
function putBack(fields: Fields, place: string, text: string): void {
  const hash = place.indexOf("#");
  const name = hash === -1 ? place : place.slice(0, hash);
  const type = TABLE[name];
  if (hash === -1) {
    const parsed = type === "object" || type?.endsWith("[]") === true ? parsedOr(text) : text;
    if (parsed !== undefined) fields[name] = parsed;
    return;
  }
  const keys = place
    .slice(hash + 2)
    .split("/")
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  let at: unknown = fields[name];
  for (const key of keys.slice(0, -1)) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return;
    at = (at as Fields)[key];
  }
  const last = keys.at(-1)!;
  if (typeof at === "object" && at !== null && Object.hasOwn(at, last)) (at as Fields)[last] = text;
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
