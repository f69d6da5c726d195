// The generated saved objects: they import (the offline checker), every panel uses fields that exist and can be
// aggregated, nothing recorded can become markup or a link, headers say what they have to, colours can be told apart.
import { readFileSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import { describe, expect, test } from "vitest";
import { SETS } from "../../dashboards/colours.ts";
import { DASHBOARDS } from "../../dashboards/index.ts";
import { dashboardsSource } from "../../scripts/gen/dashboards.ts";
import { RULES, check } from "./checker.ts";
import { readKql } from "./kql.ts";
import { FILES, type SavedObject, ofType, panelsOf, parse, readObjects, visStateOf } from "./objects.ts";
import { queriesOf } from "./queries.ts";

const table = parseYaml(readFileSync("mappings/fields.yml", "utf8")) as {
  fields: Record<string, [string]>;
  sink_fields: Record<string, [string]>;
};
const TYPES = new Map(
  Object.entries({ ...table.fields, ...table.sink_fields }).map(([name, [type]]) => [name, type]),
);
const FRONT_ENDS = Object.keys(FILES) as (keyof typeof FILES)[];
const OBJECTS = { opensearch: readObjects(FILES.opensearch), kibana: readObjects(FILES.kibana) };

test("generated files are what the generators make now", () => {
  for (const [path, text] of Object.entries(dashboardsSource()))
    expect(readFileSync(path, "utf8") === text, `${path}: run npm run gen`).toBe(true);
});

/** What is wrong with the fields of the panels of a file. */
function wrongFields(objects: readonly SavedObject[]): string[] {
  const numbers = ["long", "long[]", "double"];
  const wrong: string[] = [];
  for (const { panel, aggregated, named } of queriesOf(objects)) {
    for (const name of named) if (!TYPES.has(name)) wrong.push(`${panel}: no field ${name}`);
    for (const { field, op } of aggregated) {
      const type = TYPES.get(field);
      const figures = ["sum", "min", "max", "percentile", "percentiles"].includes(op);
      const dated = type === "date" && ["min", "max", "date_histogram"].includes(op);
      if (type === undefined) wrong.push(`${panel}: no field ${field}`);
      else if (["text", "object", "stored"].includes(type))
        wrong.push(`${panel}: ${field} is ${type}: it cannot be aggregated`);
      else if ((figures || op === "date_histogram") && !dated && !(figures && numbers.includes(type)))
        wrong.push(`${panel}: ${op} of ${field}, which is ${type}`);
    }
  }
  return wrong;
}

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
    ["service.name", "gen_ai.tool.call.arguments", "gen_ai.tool.call.arguments is object"],
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
    const [view] = ofType(objects, "index-pattern");
    const formats: Record<string, { id: string; params: { urlTemplate?: string; type?: string } }> = parse(
      view!.attributes["fieldFormatMap"],
    );
    const made =
      /^(event\.id|tapline\.(alert\.event_ids|cause\.event_id|flow\.from_event|provenance\.source_event|control\.\w+))$/;
    for (const [field, { id, params }] of Object.entries(formats)) {
      expect(TYPES.has(field), field).toBe(true);
      expect(["url", "date", "duration", "bytes"], field).toContain(id);
      if (id !== "url") continue;
      expect(field).toMatch(made);
      expect(params.urlTemplate).toMatch(/^\.\.\/app\/discover#/);
      expect(params.urlTemplate).not.toContain("rawValue");
      expect(params.type).toBe("a");
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
