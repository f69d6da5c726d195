// The generated templates, policies and Avro schema, read as a server would.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FIELDS } from "../../src/core/generated/event.ts";
import { templatesSource } from "../../scripts/gen/templates.ts";
import { lifecycleSource } from "../../scripts/gen/lifecycle.ts";
import { avroSource } from "../../scripts/gen/avro.ts";

type Tree = { [key: string]: Tree & { type?: string; properties?: Tree } };
interface Mappings {
  readonly dynamic: boolean;
  readonly properties: Tree;
}
const read = (path: string): never =>
  JSON.parse(readFileSync(`mappings/generated/${path}.json`, "utf8")) as never;
const elastic: { template: { mappings: Mappings }; _meta: { mapping_hash: string } } = read(
  "elasticsearch/component-tapline@mappings",
);
const open: { template: { mappings: Mappings }; _meta: { mapping_hash: string } } = read(
  "opensearch/index-logs-tapline",
);

function leaves(tree: Tree, above = ""): [string, Record<string, unknown>][] {
  return Object.entries(tree).flatMap(([key, node]) =>
    node.type === undefined ? leaves(node.properties!, `${above}${key}.`) : [[above + key, node]],
  );
}

test("generated files are what the generators make now", () => {
  for (const [path, text] of Object.entries({
    ...templatesSource(),
    ...lifecycleSource(),
    ...avroSource(),
  })) {
    expect(readFileSync(path, "utf8"), `${path}: run npm run gen`).toBe(text);
  }
});

test.each([
  ["elasticsearch", elastic.template.mappings],
  ["opensearch", open.template.mappings],
])("%s maps every field of the table, and nothing else", (_, mappings) => {
  expect(mappings.dynamic).toBe(false);
  expect(
    leaves(mappings.properties)
      .map(([name]) => name)
      .toSorted(),
  ).toEqual(Object.keys(FIELDS).toSorted());
});

test.each([
  ["elasticsearch", elastic.template.mappings, "flattened"],
  ["opensearch", open.template.mappings, "flat_object"],
])("%s gets only types that every target has", (_, mappings, object) => {
  const types = new Set(leaves(mappings.properties).map(([, leaf]) => leaf["type"]));
  expect(types).toEqual(new Set(["boolean", "date", "double", "ip", "keyword", "long", "text", object]));
  const text = JSON.stringify(mappings);
  for (const ban of ["nested", "analyzer", "normalizer", "wildcard", "constant_keyword"])
    expect(text).not.toContain(ban);
  for (const [name, leaf] of leaves(mappings.properties)) {
    const malformed =
      ["long", "double", "ip", "date"].includes(leaf["type"] as string) && name !== "@timestamp";
    expect(leaf["ignore_malformed"], name).toBe(malformed ? true : undefined);
    if (leaf["type"] === "keyword" && leaf["index"] !== false) expect(leaf["ignore_above"], name).toBe(8191);
  }
});

test("templates say which mapping they hold, and win over the built-in ones", () => {
  const index: { priority: number; index_patterns: string[]; _meta: { mapping_hash: string } } = read(
    "elasticsearch/index-logs-tapline",
  );
  const hash = createHash("sha256").update(JSON.stringify(elastic.template.mappings)).digest("hex");
  expect(index._meta.mapping_hash).toBe(`sha256:${hash}`);
  expect(open._meta.mapping_hash).not.toBe(elastic._meta.mapping_hash);
  expect(index).toMatchObject({ priority: 501, index_patterns: ["logs-tapline.*-*"], data_stream: {} });
  expect(open).toMatchObject({ priority: 501, index_patterns: ["logs-tapline.*-*"], data_stream: {} });
});

interface AvroRecord {
  readonly type: "record";
  readonly name: string;
  readonly fields: readonly {
    name: string;
    type: ["null", string | AvroRecord | { type: string }];
    default: null;
  }[];
}

test("the Avro schema has legal, unique names and one optional field for each of the table", () => {
  const names: string[] = [];
  const walk = (record: AvroRecord, above: string): string[] => {
    names.push(record.name);
    return record.fields.flatMap(({ name, type, default: none }) => {
      expect(name).toMatch(/^[A-Za-z_][A-Za-z0-9_]*$/);
      expect([type[0], none]).toEqual(["null", null]);
      const inner = type[1];
      const nested = typeof inner === "object" && inner.type === "record";
      return nested ? walk(inner as AvroRecord, `${above}${name}.`) : [above + name];
    });
  };
  const schema = JSON.parse(readFileSync("mappings/generated/event.avsc", "utf8")) as AvroRecord;
  expect(walk(schema, "").toSorted()).toEqual(
    Object.keys(FIELDS)
      .map((name) => name.replace("@", ""))
      .toSorted(),
  );
  expect(new Set(names).size).toBe(names.length);
});
