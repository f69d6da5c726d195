// The index of the present of incidents: its templates have the fields that the table gives it, and events have not.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FIELDS, PRESENT_FIELDS } from "../../src/core/generated/event.ts";

type Properties = Record<string, { readonly type?: string; readonly properties?: Properties }>;

/** Names and types of the leaves. */
function leaves(properties: Properties, above = ""): [string, string][] {
  return Object.entries(properties).flatMap(([name, one]) =>
    one.properties === undefined
      ? ([[above + name, one.type ?? ""]] as [string, string][])
      : leaves(one.properties, `${above}${name}.`),
  );
}

test.each(["elasticsearch", "opensearch"])("%s", (engine) => {
  const path = `mappings/generated/${engine}/index-tapline-incident-state.json`;
  const body = JSON.parse(readFileSync(path, "utf8")) as { mappings: { properties: Properties } };
  const found = new Map(leaves(body.mappings.properties));
  for (const [name, type] of Object.entries(PRESENT_FIELDS)) {
    expect([name, found.get(name)]).toEqual([name, type.replace("[]", "")]);
    expect(Object.keys(FIELDS)).not.toContain(name);
  }
  for (const name of ["tapline.incident.id", "tapline.incident.level"])
    expect(found.get(name)).toBe("keyword");
});
