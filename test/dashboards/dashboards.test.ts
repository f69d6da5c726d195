// The generated saved objects: they import (the offline checker), every panel uses fields that exist and can be
// aggregated, nothing recorded can become markup or a link, headers say what they have to, colours can be told apart.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { SETS } from "../../dashboards/colours.ts";
import { DASHBOARDS } from "../../dashboards/index.ts";
import { dashboardsSource } from "../../scripts/gen/dashboards.ts";
import type { Event } from "../../src/core/generated/event.ts";
import { claudeCode } from "../../src/normalise/formats/claude-code.ts";
import { fixture, mapRecords } from "../normalise/harness.ts";
import { RULES, check } from "./checker.ts";
import { readKql } from "./kql.ts";
import { FILES, type SavedObject, ofType, panelsOf, parse, readObjects, visStateOf } from "./objects.ts";
import { queriesOf } from "./queries.ts";

/** The fields of each data view, as the mapping that the server gets has them. */
function mapped(file: string): Map<string, string> {
  const read = JSON.parse(readFileSync(`mappings/generated/opensearch/${file}.json`, "utf8")) as Mapped & {
    template?: Mapped;
  };
  const types = new Map<string, string>();
  const walk = (properties: Properties, path: string): void => {
    for (const [name, one] of Object.entries(properties)) {
      if (one.properties !== undefined) walk(one.properties, `${path}${name}.`);
      else types.set(path + name, one.index === false ? "stored" : one.type!);
    }
  };
  walk((read.template ?? read).mappings!.properties, "");
  return types;
}
interface Properties {
  readonly [name: string]: {
    readonly type?: string;
    readonly index?: boolean;
    readonly properties?: Properties;
  };
}
interface Mapped {
  readonly mappings?: { readonly properties: Properties };
}
const TYPES: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  "tapline-events-view": mapped("index-logs-tapline"),
  "tapline-incidents-view": mapped("index-tapline-incident-state"),
};
const FRONT_ENDS = Object.keys(FILES) as (keyof typeof FILES)[];
const OBJECTS = { opensearch: readObjects(FILES.opensearch), kibana: readObjects(FILES.kibana) };

test("generated files are what the generators make now", () => {
  for (const [path, text] of Object.entries(dashboardsSource()))
    expect(readFileSync(path, "utf8") === text, `${path}: run npm run gen`).toBe(true);
});

const NUMBERS = ["long", "double"];
const VALUES = [...NUMBERS, "keyword", "constant_keyword", "wildcard", "boolean", "date", "ip"];

/** What is wrong with the fields of the panels of a file. */
function wrongFields(objects: readonly SavedObject[]): string[] {
  const wrong: string[] = [];
  for (const { panel, view, aggregated, named } of queriesOf(objects)) {
    const types = TYPES[view]!;
    for (const name of named) if (!types.has(name)) wrong.push(`${panel}: no field ${name}`);
    for (const { field, op } of aggregated) {
      const type = types.get(field);
      const figures = ["sum", "min", "max", "median", "percentile", "percentiles"].includes(op);
      const dated = type === "date" && ["min", "max", "date_histogram"].includes(op);
      if (type === undefined) wrong.push(`${panel}: no field ${field}`);
      else if (!VALUES.includes(type)) wrong.push(`${panel}: ${field} is ${type}: it cannot be aggregated`);
      else if ((figures || op === "date_histogram") && !dated && !(figures && NUMBERS.includes(type)))
        wrong.push(`${panel}: ${op} of ${field}, which is ${type}`);
    }
  }
  return wrong;
}

/** Fields whose values Tapline makes itself, of characters that are safe in a link. */
const LINKED: Readonly<Record<string, readonly string[]>> = {
  "tapline-events-view": [
    "event.id",
    "tapline.alert.event_ids",
    "tapline.control.direct",
    "tapline.control.iso42001",
    "tapline.control.supporting",
    "tapline.flow.from_event",
    "tapline.incident.alert_ids",
    "tapline.incident.id",
    "tapline.provenance.source_event",
  ],
  "tapline-incidents-view": ["event.id", "tapline.incident.alert_ids", "tapline.incident.id"],
};

describe.each(FRONT_ENDS)("%s", (name) => {
  const objects = OBJECTS[name];

  test("passes the checker", () => {
    expect(check(objects, RULES[name])).toEqual([]);
    expect(ofType(objects, "dashboard").length).toBe(DASHBOARDS.length + 1);
  });

  test("uses fields that exist and can be aggregated", () => {
    expect(wrongFields(objects)).toEqual([]);
    expect(queriesOf(objects).length).toBeGreaterThan(20);
  });

  test.each([
    ["service.name", "service.nickname", "no field service.nickname"],
    ["service.name", "message", "message is text"],
    ["service.name", "gen_ai.tool.call.arguments", "gen_ai.tool.call.arguments is flat_object"],
    ["service.name", "gen_ai.tool.call.arguments.path", "no field gen_ai.tool.call.arguments.path"],
    ["event.duration", "event.action", "of event.action, which is keyword"],
  ])("tells a panel that has %s changed to %s", (from, to, what) => {
    const text = readFileSync(FILES[name], "utf8").replaceAll(from, to);
    const spoiled = text
      .split("\n")
      .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as SavedObject]));
    expect(wrongFields(spoiled).join("\n")).toContain(what);
  });

  test("values of agents and servers are never links, and nothing recorded is markup", () => {
    for (const view of ofType(objects, "index-pattern")) {
      const formats: Record<string, { id: string; params: { urlTemplate?: string; type?: string } }> = parse(
        view.attributes["fieldFormatMap"],
      );
      for (const [field, { id }] of Object.entries(formats)) {
        expect(TYPES[view.id]!.has(field), field).toBe(true);
        expect(["url", "date", "duration", "bytes"], field).toContain(id);
      }
      const links = Object.entries(formats).filter(([, { id }]) => id === "url");
      expect(links.map(([field]) => field).toSorted()).toEqual(LINKED[view.id]);
      for (const [, { params }] of links) {
        expect(params.urlTemplate).toMatch(/^\.\.\/app\/discover#/);
        expect(params.urlTemplate).not.toContain("rawValue");
        expect(params.type).toBe("a");
      }
    }
  });

  test("headers say scope, period, time zone, filters, checkpoint and terms, and lead to every page", () => {
    const pages = ofType(objects, "dashboard");
    for (const page of pages) {
      const [first] = panelsOf(page);
      const text = textOf(first!, page, objects);
      for (const other of pages) {
        const bare = other.id === page.id;
        expect(text.includes(`](#/view/${other.id})`), `${page.id} → ${other.id}`).toBe(!bare);
      }
      const links = [...text.matchAll(/\]\(([^)]*)\)/g)].map(([, to]) => to!);
      for (const link of links)
        expect(link).toMatch(/^(#\/view\/tapline-|\.\.\/app\/discover#\/view\/tapline-)/);
      for (const link of links)
        expect(objects.map(({ id }) => id)).toContain(/view\/([\w-]+)/.exec(link)![1]);
      if (page.id === "tapline-terms") continue;
      for (const word of ["Scope", "Period", "Time zone", "Filters", "Ledger checkpoint"])
        expect(text, page.id).toContain(`**${word}**`);
    }
    expect(JSON.stringify(objects)).not.toMatch(/tamper-?proof|immutable|% of|of 38|exactly once/i);
  });
});

function textOf(
  panel: { panelRefName?: string; embeddableConfig: Readonly<Record<string, unknown>> },
  page: SavedObject,
  objects: readonly SavedObject[],
): string {
  const saved = panel.embeddableConfig["savedVis"] as { params: { markdown: string } } | undefined;
  if (saved !== undefined) return saved.params.markdown;
  const { id } = page.references.find(({ name }) => name === panel.panelRefName)!;
  return String(visStateOf(objects.find((object) => object.id === id)!).params["markdown"]);
}

test("tokens are summed over all events: each is on one, which need not be the call's primary", () => {
  const summed = DASHBOARDS.flatMap(({ rows }) => rows)
    .flatMap(({ panels }) => panels)
    .filter((panel) => panel.kind === "table")
    .filter(({ metrics }) => metrics.some(({ field }) => field?.startsWith("gen_ai.usage.") === true));
  expect(summed.length).toBeGreaterThan(0);
  for (const { id, where } of summed)
    expect(
      where.map(({ field }) => field),
      id,
    ).not.toContain("tapline.primary");
  const { events } = mapRecords(claudeCode, fixture("claude-code/real.jsonl"));
  const calls = events.filter((e) => e["event.action"] === "model-call");
  const output = (of: readonly Partial<Event>[]): number =>
    of.reduce((sum, e) => sum + (e["gen_ai.usage.output_tokens"] ?? 0), 0);
  expect([output(calls), output(calls.filter((e) => e["tapline.primary"] === true))]).toEqual([637, 29]);
});

test("both files have the same pages and the same panels", () => {
  const named = (objects: readonly SavedObject[]) =>
    queriesOf(objects)
      .map(({ panel }) => panel)
      .toSorted();
  expect(named(OBJECTS.kibana)).toEqual(named(OBJECTS.opensearch));
});

test("KQL: what is not understood is an error", () => {
  for (const bad of ["a:", "a: b", 'a: "x" b: "y"', 'a: ("x" and "y")', "a < 3", '"'])
    expect(() => readKql(bad), bad).toThrow(/KQL/);
  expect(readKql('not a.b: ("x" or true) and c: * and d > 4')).toEqual({
    fields: ["a.b", "c", "d"],
    query: {
      bool: {
        filter: [{ exists: { field: "c" } }, { range: { d: { gt: 4 } } }],
        must_not: [{ terms: { "a.b": ["x", true] } }],
      },
    },
  });
});

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const c = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

test("colours have a contrast of 3 : 1 on white, and their greys can be told apart", () => {
  for (const [name, set] of Object.entries(SETS)) {
    const lights = Object.values(set).map(luminance);
    for (const light of lights) expect(1.05 / (light + 0.05), name).toBeGreaterThanOrEqual(3);
    const sorted = lights.toSorted((a, b) => b - a);
    for (const [i, light] of sorted.slice(1).entries())
      expect((sorted[i]! + 0.05) / (light + 0.05), name).toBeGreaterThanOrEqual(1.4);
  }
});
