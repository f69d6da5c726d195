// Events that another collector has finished, as the source `kafka` hands them over: `{"origin", "event"}`. They keep
// their ids, and name where they were recorded first. What does not fit this version's table is kept under tapline.ext;
// what is no event at all is kept as it is.
import { type Event, type FieldName, FIELDS, newEvent } from "../../core/generated/event.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Json } from "../../core/text.ts";
import { parseTime } from "../../core/time.ts";
import { type Fields, type Format, type Scope, asHeld, asObject, asText } from "../format.ts";

/** A key of a document's groups: a field, or a group of them. */
interface Place {
  readonly name: string;
  /** In the table; undefined for a group. */
  type: string | undefined;
  readonly inner: Map<string, Place>;
}

/** The table as documents are nested, so that a field is found by its key, under the one name that it has. */
function placesOf(names: readonly string[]): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const name of names) {
    let at = places;
    let last: Place | undefined;
    for (let end = name.indexOf("."); last?.name !== name; end = name.indexOf(".", end + 1)) {
      const whole = end === -1 ? name : name.slice(0, end);
      const key = last === undefined ? whole : whole.slice(last.name.length + 1);
      last = at.get(key) ?? { name: whole, type: undefined, inner: new Map<string, Place>() };
      at.set(key, last);
      at = last.inner;
    }
    last.type = FIELDS[name as FieldName];
  }
  return places;
}

const PLACES = placesOf(Object.keys(FIELDS));
const NOWHERE: ReadonlyMap<string, Place> = new Map();
const ID = /^[\x21-\x7e]{1,256}$/;
const DATASET = /^tapline\.[a-z_]{1,64}$/;
const NAMESPACE = /^[a-z0-9_]{1,100}$/;
/** Fields of the table that a sink adds, and those of blobs, which are in the first ledger's store. */
const ADDED = new Set(["event.sequence", "event.hash"]);
const BLOB = "tapline.blob.";

/** A value as the table's type holds it; undefined when it does not. */
function fitting(type: string, value: unknown): unknown {
  switch (type) {
    case "long":
      return Number.isSafeInteger(value) ? value : undefined;
    case "double":
      return typeof value === "number" && Number.isFinite(value) ? value : undefined;
    case "boolean":
      return typeof value === "boolean" ? value : undefined;
    case "date":
      return typeof value === "string" ? parseTime(value) : undefined;
    case "object":
      return asObject(value);
    case "keyword[]":
      return isListOf(value, "string") ? value : undefined;
    case "long[]":
      return isListOf(value, "number") ? value : undefined;
    default:
      return typeof value === "string" ? value : undefined;
  }
}

const isListOf = (value: unknown, type: "string" | "number"): boolean =>
  Array.isArray(value) &&
  value.every((item) => typeof item === type && (type !== "number" || Number.isSafeInteger(item)));

/** Fills the event from a document's group, whose keys are at `places`; what the table has no place for goes to `rest`. */
function fill(
  e: Event,
  group: Fields,
  places: ReadonlyMap<string, Place>,
  prefix: string,
  rest: Record<string, unknown>,
): void {
  const fields = e as unknown as Record<string, unknown>;
  for (const key in group) {
    const value = group[key];
    const place = places.get(key);
    if (place?.type !== undefined) {
      if (ADDED.has(place.name)) continue;
      const held = fitting(place.type, value);
      if (held === undefined) rest[place.name] = value;
      else fields[place.name] = held;
      continue;
    }
    const name = place?.name ?? prefix + key;
    const inner = asObject(value);
    if (inner !== undefined && name.length < LIMITS.state_key_chars)
      fill(e, inner, place?.inner ?? NOWHERE, `${name}.`, rest);
    else rest[name] = value;
  }
}

/** Whether it has what every event has, so that sinks can tell where it belongs. */
function isEvent(e: Event): boolean {
  return (
    ID.test(e["event.id"] ?? "") &&
    e["@timestamp"] !== undefined &&
    e["event.action"] !== undefined &&
    e["event.kind"] !== undefined &&
    e["data_stream.type"] === "logs" &&
    DATASET.test(e["data_stream.dataset"] ?? "") &&
    NAMESPACE.test(e["data_stream.namespace"] ?? "")
  );
}

/** Texts that moved to blobs are whole in the first ledger alone: here they are cut. */
function cutBlobs(e: Event): void {
  const moved = e["tapline.blob.fields"];
  if (moved === undefined) return;
  e["tapline.data.truncated"] = [...new Set([...(e["tapline.data.truncated"] ?? []), ...moved])];
  for (const name of Object.keys(FIELDS)) {
    if (name.startsWith(BLOB)) (e as unknown as Record<string, unknown>)[name] = undefined;
  }
}

/** Where it was recorded first. One that has come over several collectors says so already. */
function setUpstream(e: Event, r: Fields, document: Fields): void {
  if (e["tapline.upstream.origin"] !== undefined) return;
  const group = asObject(document["event"]) ?? {};
  e["tapline.upstream.origin"] =
    asText(r["origin"])?.slice(0, LIMITS.state_key_chars) ?? `tapline/${e["host.name"] ?? "unknown"}`;
  const sequence = group["sequence"];
  if (typeof sequence === "number" && Number.isSafeInteger(sequence))
    e["tapline.upstream.sequence"] = sequence;
  e["tapline.upstream.hash"] = asText(group["hash"])?.slice(0, LIMITS.state_key_chars);
}

function keep(record: unknown, scope: Scope): void {
  const e = scope.event("record", undefined);
  e["tapline.record.known"] = false;
  e["tapline.ext"] = asHeld(record);
  scope.emit(e);
}

export const taplineEvent: Format = {
  name: "tapline-event",
  vantage: "other",
  // Never told by content: who may write it where is a matter of the configuration.
  recognise: () => 0,
  sessionOf: () => undefined,
  open: () => (record, scope) => {
    const r = asObject(record) ?? {};
    const document = asObject(r["event"]);
    if (document === undefined) return (keep(record, scope), "recorded");
    const e = newEvent();
    const rest = Object.create(null) as Record<string, unknown>;
    fill(e, document, PLACES, "", rest);
    if (!isEvent(e)) return (keep(document, scope), "recorded");
    cutBlobs(e);
    setUpstream(e, r, document);
    if (Object.keys(rest).length > 0)
      e["tapline.ext"] = { ...asObject(e["tapline.ext"]), ...rest } as { [key: string]: Json };
    scope.forward(e);
    return "recorded";
  },
};
