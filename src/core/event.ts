// Makes events: the fields that every event of a class has. One place, so that a mapper, an alert and the
// collector's own events cannot differ in them.
import { CLASSES, type Action, type EventClass, MAP_VERSION } from "./generated/classes.ts";
import { ECS_VERSION, type Event, newEvent } from "./generated/event.ts";
import { constant } from "./text.ts";

const ENTRY_VERSION = 1;

/** What all events of one collector share. */
export interface Origin {
  readonly namespace: string;
  readonly host: string;
  readonly version: string;
}

for (const name of Object.keys(CLASSES) as Action[]) {
  const c: EventClass = CLASSES[name];
  for (const list of [c.category, c.type, c.iso42001, c.direct, c.supporting, c.nist_ai_rmf, c.eu_ai_act]) {
    constant(list);
  }
  if (c.by_user !== undefined) {
    constant(c.by_user.iso42001);
    constant(c.by_user.supporting);
  }
}

/** Adds the controls that an event is evidence for since a person decided. */
export function tagPersonDecided(e: Event): void {
  const c: EventClass = CLASSES[e["event.action"] as Action];
  if (c.by_user === undefined) return;
  e["tapline.control.iso42001"] = c.by_user.iso42001;
  e["tapline.control.supporting"] = c.by_user.supporting;
}

/** A new event of a class with its constant fields set; id, time and the rest are the caller's. */
export function eventOf(action: Action, origin: Origin): Event {
  const c: EventClass = CLASSES[action];
  const e = newEvent();
  e["data_stream.type"] = "logs";
  e["data_stream.dataset"] = c.dataset;
  e["data_stream.namespace"] = origin.namespace;
  e["ecs.version"] = ECS_VERSION;
  e["host.name"] = origin.host;
  e["observer.product"] = "tapline";
  e["observer.version"] = origin.version;
  e["tapline.entry.version"] = ENTRY_VERSION;
  e["tapline.control.iso42001"] = c.iso42001;
  e["tapline.control.direct"] = c.direct;
  e["tapline.control.supporting"] = c.supporting;
  e["tapline.control.nist_ai_rmf"] = c.nist_ai_rmf;
  e["tapline.control.eu_ai_act"] = c.eu_ai_act;
  e["tapline.control.map_version"] = MAP_VERSION;
  e["event.kind"] = c.kind;
  e["event.category"] = c.category;
  e["event.type"] = c.type;
  e["event.action"] = action;
  e["event.module"] = "tapline";
  return e;
}
