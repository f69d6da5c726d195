// Makes mappings/generated/event.avsc: a document as nested Avro records, every field optional. Avro names have no
// "@", so @timestamp is `timestamp`; objects are JSON text, since Avro has no free objects.
import { type Field, type FieldType, readFields } from "./tables.ts";

type Schema = string | { readonly [key: string]: unknown };

const time = { type: "long", logicalType: "timestamp-millis" };
const list = (items: string): Schema => ({ type: "array", items });
const types: Record<FieldType, Schema> = {
  keyword: "string",
  "keyword[]": list("string"),
  long: "long",
  "long[]": list("long"),
  double: "double",
  boolean: "boolean",
  date: time,
  ip: "string",
  text: "string",
  wildcard: "string",
  constant: "string",
  object: "string",
  stored: "string",
};

interface Node {
  readonly children: Map<string, Node | Field>;
}

function tree(fields: readonly Field[]): Node {
  const root: Node = { children: new Map() };
  for (const field of fields) {
    let at = root;
    const path = field.name.replace("@", "").split(".");
    for (const key of path.slice(0, -1)) {
      let next = at.children.get(key) as Node | undefined;
      if (next === undefined) at.children.set(key, (next = { children: new Map() }));
      at = next;
    }
    at.children.set(path.at(-1)!, field);
  }
  return root;
}

// Record names must be unique in a schema, so each is its path.
function record(node: Node, name: string): Schema {
  const fields = [...node.children].map(([key, child]) => {
    const leaf = !("children" in child);
    const type = leaf ? types[child.type] : record(child, `${name}_${key}`);
    return { name: key, type: ["null", type], default: null, ...(leaf ? { doc: child.about } : {}) };
  });
  return { type: "record", name, fields };
}

export function avroSource(): Record<string, string> {
  const { fields, sinkFields } = readFields();
  const schema = record(tree([...fields, ...sinkFields]), "event") as { [key: string]: unknown };
  const text = JSON.stringify({ ...schema, namespace: "tapline" }, null, 2);
  return { "mappings/generated/event.avsc": `${text}\n` };
}
