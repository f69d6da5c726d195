// Reads the tables in mappings/ and checks their shape: for the generators, for dashboards, and for the viewer's process.
import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { CONTROL_ID } from "../../src/evidence/map.ts";

const types = [
  "keyword",
  "keyword[]",
  "long",
  "long[]",
  "double",
  "boolean",
  "date",
  "ip",
  "text",
  "wildcard",
  "constant",
  "object",
  "stored",
] as const;
export type FieldType = (typeof types)[number];
const row = z.tuple([z.enum(types), z.enum(["ecs", "ecs-next", "otel", "tapline"]), z.string()]);
const fieldsSchema = z.strictObject({
  version: z.literal(1),
  ecs: z.string(),
  fields: z.record(z.string(), row),
  sink_fields: z.record(z.string(), row),
  present_fields: z.record(z.string(), row),
});
export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly from: string;
  readonly about: string;
}
const toFields = (rows: Record<string, [FieldType, string, string]>): Field[] =>
  Object.entries(rows).map(([name, [type, from, about]]) => ({ name, type, from, about }));

const ROOT = new URL("../../", import.meta.url);
const load = (path: string): unknown => parse(readFileSync(new URL(path, ROOT), "utf8"));

export interface FieldTable {
  readonly ecs: string;
  readonly fields: readonly Field[];
  readonly sinkFields: readonly Field[];
  /** Of the index of the present of incidents, beside those of events. */
  readonly presentFields: readonly Field[];
}

export function readFields(): FieldTable {
  const table = fieldsSchema.parse(load("mappings/fields.yml"));
  return {
    ecs: table.ecs,
    fields: toFields(table.fields),
    sinkFields: toFields(table.sink_fields),
    presentFields: toFields(table.present_fields),
  };
}

const id = z.string().regex(CONTROL_ID);
const classesSchema = z.record(
  z.string(),
  z.tuple([
    z.enum(["activity", "decision", "inventory", "alert", "incident", "integrity", "audit"]),
    z.enum(["event", "alert", "state", "pipeline_error"]),
    z.array(z.string()),
    z.array(z.string()),
    z.array(id),
    z.array(id),
    z.array(id).optional(),
  ]),
);
export const readClasses = () => classesSchema.parse(load("mappings/classes.yml"));

/** Content hash of the tables that decide what an event looks like. */
export function mappingHash(): string {
  const names = ["fields", "classes", "controls", "crosswalk"];
  return `sha256:${hash("sha256", names.map((name) => readFileSync(`mappings/${name}.yml`, "utf8")).join("\u0000"))}`;
}

/** The section "Terms" of docs/dashboards.md, so that there is one text of it: Markdown. */
export function readTerms(): string {
  const page = readFileSync(new URL("docs/dashboards.md", ROOT), "utf8");
  const text = /^## Terms\n([\s\S]*?)(?=^## )/m.exec(page)?.[1]?.trim();
  if (text === undefined) throw new Error("docs/dashboards.md: no section Terms with one after it");
  return text;
}
