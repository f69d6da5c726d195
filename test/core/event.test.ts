// The generated serialiser: equal to JSON of the nested document, for every event; and the order sinks rely on.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { eventOf } from "../../src/core/event.ts";
import { CLASSES } from "../../src/core/generated/classes.ts";
import {
  type Event,
  FIELDS,
  type FieldName,
  RARE,
  SAFE,
  newEvent,
  serialise,
} from "../../src/core/generated/event.ts";

const SPLICED = ["event.sequence", "event.hash"];
const names = (Object.keys(FIELDS) as FieldName[]).filter((name) => !SPLICED.includes(name));
const text = fc.string({ unit: "binary" });
const values = {
  keyword: text,
  "keyword[]": fc.array(text, { maxLength: 3 }),
  long: fc.maxSafeInteger(),
  "long[]": fc.array(fc.nat(), { maxLength: 3 }),
  double: fc.double({ noNaN: true, noDefaultInfinity: true }),
  boolean: fc.boolean(),
  date: fc.constant("2026-11-23T10:00:00.000Z"),
  ip: fc.ipV4(),
  text,
  wildcard: text,
  constant: text,
  object: fc.dictionary(text, fc.oneof(text, fc.nat()), { noNullPrototype: true }),
  stored: text,
};
const events = fc.record(
  Object.fromEntries(
    names.map((name) => [
      name,
      fc.option(
        (SAFE.includes(name) ? fc.constant("safe-1") : values[FIELDS[name]]) as fc.Arbitrary<unknown>,
        { nil: undefined, freq: 2 },
      ),
    ]),
  ),
);

function nested(e: Record<string, unknown>): unknown {
  const root: Record<string, unknown> = {};
  for (const name of names) {
    if (e[name] === undefined) continue;
    if (RARE.some(([group, field]) => name.startsWith(`${group}.`) && e[field] === undefined)) continue;
    let at = root;
    const path = name.startsWith("@") ? [name] : name.split(".");
    for (const key of path.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>;
    at[path.at(-1)!] = e[name];
  }
  return root;
}

test("writes what JSON.stringify of the nested document writes", () => {
  fc.assert(
    fc.property(events, (fields) => {
      const e = Object.assign(newEvent(), fields) as unknown as Event;
      expect(JSON.parse(serialise(e))).toEqual(JSON.parse(JSON.stringify(nested(fields))));
    }),
    { numRuns: 300 },
  );
});

test("every class: data stream first, event last with its id first, five fields that Elastic Security needs", () => {
  const origin = { namespace: "default", host: "h", version: "0" };
  for (const name of Object.keys(CLASSES) as (keyof typeof CLASSES)[]) {
    const e = eventOf(name, origin);
    e["@timestamp"] = "2026-11-23T10:00:00.000Z";
    e["event.id"] = "id-1";
    const document = serialise(e);
    expect(document).toMatch(
      /^\{"@timestamp":"[^"]+","data_stream":\{"type":"logs","dataset":"tapline\.[a-z]+","namespace":"default"\},/,
    );
    expect(document).toMatch(/,"event":\{"id":"id-1",[^{}]*\}\}$/);
    const parsed = JSON.parse(document) as { event: Record<string, unknown>; ecs: unknown };
    expect([parsed.event["kind"], parsed.event["category"], parsed.event["type"], parsed.ecs]).not.toContain(
      undefined,
    );
    expect(parsed.event["kind"]).not.toBe("signal");
  }
});

test("all events share one shape", () => {
  const keys = Object.keys(newEvent());
  expect(Object.keys(eventOf("tool-call", { namespace: "n", host: "h", version: "0" }))).toEqual(keys);
});
