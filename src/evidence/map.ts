// The map of controls: the one place that says what an event can show of a control, and the question that finds such events.
// Reports, the viewer's pages of controls and the dashboard of control coverage all take it from here. Asks nothing itself.
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { CONTROLS, CROSSWALK } from "../paths.ts";
import { type Term, parseQuery } from "../viewer/query.ts";
import type { Strength } from "./model.ts";

export const CONTROL_ID = /^A\.\d+(?:\.\d+)+$/;
const id = z.string().regex(CONTROL_ID);
const query = z
  .string()
  .refine((text) => typeof parseQuery(text) !== "string", "cannot be read as a question");
const controlShape = z
  .strictObject({
    title: z.string(),
    satisfied_by: z.string(),
    evidence: z.enum(["direct", "supporting", "none"]),
    /** Events that are the evidence, and events that support it, in the search language (viewer/query.ts). */
    direct: query.optional(),
    supporting: query.optional(),
    shows: z.string(),
  })
  .refine((c) => (c.evidence === "direct") === (c.direct !== undefined), "direct evidence has a question")
  .refine((c) => (c.evidence === "none") === (c.supporting === undefined), "no evidence has no question");

const controlsSchema = z.strictObject({
  map_version: z.string(),
  framework: z.string(),
  groups: z.record(z.string(), z.string()),
  controls: z.record(id, controlShape),
});
export type Control = z.output<typeof controlShape>;
export type ControlMap = z.output<typeof controlsSchema>;

const load = (path: string): unknown => parse(readFileSync(path, "utf8"));

export const readControls = (): ControlMap => controlsSchema.parse(load(CONTROLS));

/** The question behind the evidence of a strength, or undefined: then no event is evidence so. */
export function termsOf(control: Pick<Control, Strength>, strength: Strength): Term[] | undefined {
  const text = control[strength];
  return text === undefined ? undefined : (parseQuery(text) as Term[]);
}

/** Where it is, how sure that is, and who says so. */
const mapping = z.tuple([z.string(), z.enum(["high", "medium", "low"]), z.array(z.string()).min(1)]);
const crosswalkSchema = z.strictObject({
  sources: z.record(z.string(), z.string()),
  mappings: z.record(id, z.strictObject({ nist_ai_rmf: z.array(mapping), eu_ai_act: z.array(mapping) })),
});
export type Crosswalk = z.output<typeof crosswalkSchema>;

export const readCrosswalk = (): Crosswalk => crosswalkSchema.parse(load(CROSSWALK));

/** Places that are sure and that two sources name. */
export const confirmed = (list: Crosswalk["mappings"][string]["nist_ai_rmf"]): string[] =>
  list
    .filter(([, confidence, sources]) => confidence === "high" && sources.length >= 2)
    .map(([name]) => name);
