// Makes src/core/generated/event.ts: the Event type, its constructor, the serialiser and the field list.
// The serialiser is one straight-line function: a group's opening is its first separator, so that no string
// is cut or copied, and absent groups cost one comparison a field. Blocks of fields that a class of events has in
// common are written once and remembered.
import { SAFE, read, tsType, write } from "./event-field.ts";
import { type Field, readFields } from "./tables.ts";

/** Neighbours that are equal for all events of a class: remembered by the first, checked against the rest. */
const BLOCKS = [
  ["data_stream", "ecs", "host", "observer"],
  ["tapline.control"],
  ["event.kind", "event.category", "event.type", "event.action", "event.module"],
];

/** Groups that few events have, and the field without which they have none of it: one look for all. */
const RARE = new Map([
  ["tapline.incident", "tapline.incident.transition"],
  ["tapline.triage", "tapline.triage.transition"],
  ["tapline.export", "tapline.export.kind"],
  ["tapline.upstream", "tapline.upstream.origin"],
]);

/** Groups with at most so many fields are looked at before their opening is made: making it takes longer than the looks,
 * and most events have few of the groups. */
const LOOKED_AT_MAX = 12;

interface Group {
  readonly key: string;
  readonly path: string;
  readonly variable: string;
  readonly children: (Group | (Field & { key: string }))[];
}

function tree(fields: readonly Field[]): Group {
  const root: Group = { key: "", path: "", variable: "g0", children: [] };
  let count = 0;
  for (const field of fields) {
    let at = root;
    const path = field.name.startsWith("@") ? [field.name] : field.name.split(".");
    for (const key of path.slice(0, -1)) {
      let next = at.children.find((c): c is Group => "children" in c && c.key === key);
      if (next === undefined) {
        next = { key, path: [at.path, key].filter(Boolean).join("."), variable: `g${++count}`, children: [] };
        at.children.push(next);
      }
      at = next;
    }
    at.children.push({ ...field, key: path[path.length - 1]! });
  }
  return root;
}

type Child = Group["children"][number];
const pathOf = (child: Child): string => ("children" in child ? child.path : child.name);

const leaves = (child: Child): Field[] => ("children" in child ? child.children.flatMap(leaves) : [child]);

/** Keys from a group down to its only field. */
function keysOf(child: Child): string[] {
  return "children" in child ? [child.key, ...keysOf(child.children[0]!)] : [child.key];
}

/** What is true when the event has anything of a group, where it pays to ask. */
function lookFor(group: Group): string | undefined {
  const rare = RARE.get(group.path);
  if (rare !== undefined) return `e[${JSON.stringify(rare)}] !== undefined`;
  const fields = leaves(group);
  const blocks = BLOCKS.flat().some((path) => path.startsWith(`${group.path}.`));
  if (fields.length > LOOKED_AT_MAX || blocks) return undefined;
  return fields.map((field) => `${read(field)} !== undefined`).join(" || ");
}

function emit(group: Group, children: readonly Child[], above: readonly string[], out: string[]): void {
  for (let i = 0; i < children.length; i++) {
    const child = children[i]!;
    const block = BLOCKS.findIndex(([first]) => first === pathOf(child));
    if (block !== -1 && above.length > 0) {
      const length = BLOCKS[block]!.length;
      if (BLOCKS[block]!.some((path, at) => pathOf(children[i + at]!) !== path))
        throw new Error("a block is not together");
      const marks = above.map((v) => `${v} = ","`).join("; ");
      out.push(`  const b${block} = block${block}(e);`);
      out.push(`  if (b${block} !== "") { s += ${group.variable} + b${block}; ${marks}; }`);
      i += length - 1;
    } else if ("children" in child && leaves(child).length === 1) {
      const marks = above.map((v) => `${v} = ","`).join("; ");
      const field = leaves(child)[0]!;
      const text = write(keysOf(child), field, group.variable);
      out.push(`  if (${read(field)} !== undefined) { s += ${text}; ${marks}; }`);
    } else if ("children" in child) {
      const look = lookFor(child);
      if (look !== undefined) out.push(`  if (${look}) {`);
      out.push(`  let ${child.variable} = ${group.variable} + ${JSON.stringify(`"${child.key}":{`)};`);
      emit(child, child.children, [...above, child.variable], out);
      out.push(`  if (${child.variable} === ",") s += "}";`);
      if (look !== undefined) out.push("  }");
    } else {
      const marks = above.map((v) => `${v} = ","`).join("; ");
      const text = write([child.key], child, group.variable);
      out.push(`  if (${read(child)} !== undefined) { s += ${text}; ${marks}; }`);
    }
  }
}

/** A function that writes a block, or takes it from memory when it is the same as before. */
function blockSource(root: Group, place: number): string {
  const find = (group: Group): Child[] =>
    group.children.flatMap((child): Child[] => {
      if (BLOCKS[place]!.includes(pathOf(child))) return [child];
      return "children" in child ? find(child) : [];
    });
  const children = find(root);
  const fields = children.flatMap(leaves);
  const body: string[] = [];
  emitBlock(children, body);
  const same = fields.map((field) => `m[${JSON.stringify(field.name)}] === ${read(field)}`).join(" && ");
  const key = fields.find((field) =>
    ["data_stream.dataset", "tapline.control.iso42001", "event.action"].includes(field.name),
  )!;
  return `const blocks${place} = new Map<unknown, { readonly of: Event; readonly text: string }>();
function block${place}(e: Event): string {
  const known = blocks${place}.get(${read(key)});
  if (known !== undefined) {
    const m = known.of;
    if (${same}) return known.text;
  }
  let s = "";
  let g = "";
${body.join("\n")}
  if (blocks${place}.size >= BLOCKS_MAX) blocks${place}.clear();
  const of = newEvent();
${fields.map((field) => `  of[${JSON.stringify(field.name)}] = ${read(field)} as never;`).join("\n")}
  blocks${place}.set(${read(key)}, { of, text: s });
  return s;
}
`;
}

function emitBlock(children: readonly Child[], out: string[]): void {
  const top: Group = { key: "", path: "", variable: "g", children: [] };
  for (const child of children) {
    if (!("children" in child)) emitLeaf(child, out);
    else {
      out.push(`  let ${child.variable} = g + ${JSON.stringify(`"${child.key}":{`)};`);
      emit(child, child.children, [top.variable, child.variable], out);
      out.push(`  if (${child.variable} === ",") s += "}";`);
    }
  }
}

function emitLeaf(field: Field & { key: string }, out: string[]): void {
  out.push(`  if (${read(field)} !== undefined) { s += ${write([field.key], field, "g")}; g = ","; }`);
}

export function eventSource(): Record<string, string> {
  const { ecs, fields, sinkFields, presentFields } = readFields();
  if (!fields[fields.length - 1]!.name.startsWith("event."))
    throw new Error("fields.yml: event.* must come last");
  const body: string[] = [];
  const root = tree(fields);
  emit(root, root.children, ["g0"], body);
  const kinds = [...fields, ...sinkFields].map(
    (f) => `  ${JSON.stringify(f.name)}: ${JSON.stringify(f.type)},`,
  );
  const text = `// Generated by \`npm run gen\` from mappings/fields.yml. Do not edit.
import { type Json, quotedAfter, strings } from "../text.ts";

export const ECS_VERSION = ${JSON.stringify(ecs)};
/** Every field that a document can have, with its type in the table. */
export const FIELDS = {
${kinds.join("\n")}
} as const;
export type FieldName = keyof typeof FIELDS;
/** Of the index of the present of incidents alone. */
export const PRESENT_FIELDS = {
${presentFields.map((f) => `  ${JSON.stringify(f.name)}: ${JSON.stringify(f.type)},`).join("\n")}
} as const;

/** Fields written without a look at their characters: only Tapline itself sets them. */
export const SAFE: readonly string[] = ${JSON.stringify([...SAFE])};
/** Groups of fields that are written only where the event has the field named with them. */
export const RARE: readonly (readonly [string, FieldName])[] = ${JSON.stringify([...RARE])};

/** One normalised event: every key always there, in one order, so that all events share one shape. */
export interface Event {
${fields.map((f) => `  ${JSON.stringify(f.name)}: ${tsType[f.type]} | undefined;`).join("\n")}
}

// A class, because its fields are stored inline: an object literal of this size is copied by the runtime, which
// takes eight times as long.
class EventFields implements Event {
${fields.map((f) => `  ${JSON.stringify(f.name)} = undefined;`).join("\n")}
}

export function newEvent(): Event {
  return new EventFields();
}

const BLOCKS_MAX = 256;
${BLOCKS.map((_, place) => blockSource(root, place)).join("")}
/** The event as one JSON document, nested, keys in table order, \`event\` last. */
export function serialise(e: Event): string {
  let s = "";
  let g0 = "{";
${body.join("\n")}
  return s + "}";
}
`;
  return { "src/core/generated/event.ts": text };
}
