// The offline checker takes files that were drawn by real front ends, and tells each of the faults that broke one there.
import { describe, expect, test } from "vitest";
import { RULES, check } from "./checker.ts";
import { FILES, type SavedObject, readObjects } from "./objects.ts";

const FIXTURES = "test/fixtures/dashboards";

test("takes files that real front ends drew", () => {
  expect(check(readObjects(`${FIXTURES}/osd-minimal.ndjson`), RULES.opensearch)).toEqual([]);
  expect(check(readObjects(`${FIXTURES}/kibana-lens.ndjson`), RULES.kibana)).toEqual([]);
});

test("tells an index pattern without fields", () => {
  const [wrong, ...others] = check(readObjects(`${FIXTURES}/osd-minimal-nofields.ndjson`), RULES.opensearch);
  expect(wrong).toMatch(/^index-pattern audit-events-star: without fields/);
  expect(others).toEqual([]);
});

type Open = Record<string, unknown> & { attributes: Record<string, unknown>; references: { name: string }[] };
type Spoil = (object: Open) => void;

/** The file with the first object of a type, in which `match` occurs, changed. */
function spoiled(path: string, type: string, match: string, change: Spoil): SavedObject[] {
  const objects = readObjects(path);
  const at = objects.findIndex((object) => object.type === type && JSON.stringify(object).includes(match));
  if (at < 0) throw new Error(`no ${type} with ${match} in ${path}`);
  const copy = structuredClone(objects[at]) as unknown as Open;
  change(copy);
  return objects.with(at, copy as unknown as SavedObject);
}
/** Changes JSON that is in a string. */
const inside =
  (key: string, change: (value: never) => unknown): Spoil =>
  (object) => {
    const value = JSON.parse(String(object.attributes[key])) as never;
    change(value);
    object.attributes[key] = JSON.stringify(value);
  };
const vis = (change: (state: Record<string, never>) => void): Spoil => inside("visState", change);
const osd = `${FIXTURES}/osd-minimal.ndjson`;
const kibana = `${FIXTURES}/kibana-lens.ndjson`;

describe("OpenSearch Dashboards", () => {
  const cases: [string, string, string, Spoil, string][] = [
    [
      "a newer version",
      "visualization",
      "",
      (o) => (o["migrationVersion"] = { visualization: "8.5.0" }),
      "8.5.0",
    ],
    ["a key of Kibana", "search", "", (o) => (o["coreMigrationVersion"] = "8.8.0"), "coreMigrationVersion"],
    ["a newer attribute", "search", "", (o) => (o.attributes["hideChart"] = false), "attribute hideChart"],
    [
      "controls of Kibana",
      "dashboard",
      "",
      (o) => (o.attributes["controlGroupInput"] = { panelsJSON: "{}" }),
      "strict",
    ],
    ["a type of Kibana", "search", "", (o) => (o["type"] = "lens"), "type lens"],
    [
      "JSON that is none",
      "dashboard",
      "",
      (o) => (o.attributes["optionsJSON"] = { a: 1 }),
      "not JSON in a string",
    ],
    ["a lost reference", "dashboard", "", (o) => o.references.pop(), "no reference panel_12"],
    [
      "a reference out of the file",
      "search",
      "",
      (o) => ((o.references[0] as { id?: string }).id = "x"),
      "not in the file",
    ],
    ["another title", "visualization", "", (o) => (o.attributes["title"] = "x"), "visState.title"],
    ["no timeRestore", "dashboard", "", (o) => (o.attributes["timeRestore"] = false), "timeRestore"],
    [
      "overlapping panels",
      "dashboard",
      "",
      inside("panelsJSON", (panels: { gridData: { x: number } }[]) => void (panels[1]!.gridData.x = 30)),
      "lie on each other",
    ],
    [
      "a panel off the grid",
      "dashboard",
      "",
      inside("panelsJSON", (panels: { gridData: { w: number } }[]) => void (panels[12]!.gridData.w = 49)),
      "leaves the grid",
    ],
    [
      "a new name of a panel",
      "dashboard",
      "",
      inside(
        "panelsJSON",
        (panels: { panelRefName: string }[]) => void (panels[0]!.panelRefName = "1:panel_1"),
      ),
      "panel_<n>",
    ],
    [
      "a kind that does not draw",
      "visualization",
      "tagcloud",
      vis((s) => (s["type"] = "gauge" as never)),
      "gauge",
    ],
    [
      "TSVB's trap",
      "visualization",
      "split_color_mode",
      (o) =>
        (o.attributes["visState"] = String(o.attributes["visState"]).replace(
          '"gradient"',
          '"opensearchDashboards"',
        )),
      "split_color_mode",
    ],
    [
      "Vega without schema",
      "visualization",
      "vega-lite",
      (o) => (o.attributes["visState"] = String(o.attributes["visState"]).replace("/v4.json", "/v6.json")),
      "vega-lite v4",
    ],
    [
      "a control's reference",
      "visualization",
      "input_control_vis",
      (o) => (o.references[0]!.name = "control"),
      "control_0",
    ],
    [
      "an order by nothing",
      "visualization",
      "event.category",
      vis((s) => ((s["aggs"]![1] as { params: { orderBy: string } }).params.orderBy = "9")),
      "orders by none",
    ],
  ];
  test.each(cases)("%s", (_, type, match, change, told) => {
    expect(check(spoiled(osd, type, match, change), RULES.opensearch).join("\n")).toContain(told);
  });

  test("an id twice", () => {
    const objects = readObjects(osd);
    expect(check([...objects, objects[0]!], RULES.opensearch)).toEqual([
      "index-pattern:audit-events-star is there twice",
    ]);
  });
});

describe("Kibana", () => {
  const cases: [string, string, Spoil, string][] = [
    ["the old version's key", "search", (o) => (o["migrationVersion"] = {}), "key migrationVersion"],
    ["a newer version", "dashboard", (o) => (o["typeMigrationVersion"] = "10.2.0"), "10.2.0"],
    ["an attribute of the old form", "search", (o) => (o.attributes["version"] = 1), "attribute version"],
    [
      "a newer setting of controls",
      "dashboard",
      (o) => ((o.attributes["controlGroupInput"] as Record<string, unknown>)["showApplySelections"] = false),
      "showApplySelections",
    ],
    ["a lost reference of a panel", "dashboard", (o) => o.references.shift(), "no reference"],
    ["a lost reference of a control", "dashboard", (o) => o.references.pop(), "optionsListDataView"],
    ["a map", "search", (o) => (o["type"] = "map"), "type map"],
    [
      "rows left out of a table",
      "dashboard",
      (o) =>
        (o.attributes["panelsJSON"] = String(o.attributes["panelsJSON"]).replace(
          '"missingBucket":false',
          '"missingBucket":true',
        )),
      "missingBucket without otherBucket",
    ],
    [
      "a link that forgets the columns",
      "index-pattern",
      (o) => {
        const urlTemplate = "../app/discover#/view/events?_g=()&_a=(query:(query:'{{value}}'))";
        o.attributes["fieldFormatMap"] = JSON.stringify({
          "user.name": { id: "url", params: { urlTemplate } },
        });
      },
      "the link of user.name names no columns",
    ],
  ];
  test.each(cases)("%s", (_, type, change, told) => {
    expect(check(spoiled(kibana, type, "", change), RULES.kibana).join("\n")).toContain(told);
  });

  test("panels and controls of one id in two dashboards", () => {
    const objects = readObjects(kibana);
    const page = objects.find(({ type }) => type === "dashboard")!;
    const told = check([...objects, { ...page, id: "second" }], RULES.kibana);
    expect(told.length).toBe(13);
    expect(told[0]).toContain(`${page.id} and second both have`);
  });
});

test("neither file passes as the other", () => {
  expect(check(readObjects(FILES.opensearch), RULES.kibana).length).toBeGreaterThan(10);
  expect(check(readObjects(FILES.kibana), RULES.opensearch).length).toBeGreaterThan(5);
});
