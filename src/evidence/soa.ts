// The organisation's statement of applicability: what the file may say, reading it, and a first one to fill in. What it says is
// the organisation's word: nothing here judges it.
import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { readControls } from "./map.ts";
import { STATUSES, type SoaHead, type SoaRow } from "./model.ts";
import { type FileRead, parseFile, textOfFile } from "./yaml-file.ts";

const { controls } = readControls();
export const CONTROL_IDS = Object.keys(controls);

/** Lines and tabs are text; what cannot be in a spreadsheet is not: it would be lost on the way, silently. U+FFFD stands where
 * an encoding was misread. */
const NO_TEXT = /(?![\t\n])\p{Cc}|\p{Noncharacter_Code_Point}|\ufffd/u;
const text = z
  .string()
  .max(LIMITS.report_note_chars)
  .refine(
    (value) => value.isWellFormed() && !NO_TEXT.test(value),
    "a text without control characters and characters that were misread",
  )
  .default("");
export const DAY = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;
export const isDay = (value: string): boolean =>
  DAY.test(value) && new Date(`${value}T00:00:00Z`).toISOString().startsWith(value);
const day = z.string().refine(isDay, "a day, such as 2026-11-28");

const fields = z.strictObject({
  applicable: z.boolean("true or false"),
  justification: text,
  status: z.enum(STATUSES, `one of ${STATUSES.join(", ")}`).optional(),
  planned_for: day.optional(),
  owner: text,
  reference: text,
  last_review: day.optional(),
});
type Fields = z.output<typeof fields>;

/** What a row says that does not go together, by key. */
export function contradictions(one: Fields): { key: keyof Fields; message: string }[] {
  const wrong: { key: keyof Fields; message: string }[] = [];
  const say = (key: keyof Fields, message: string) => wrong.push({ key, message });
  if (one.applicable && one.status === undefined)
    say("status", `is missing: what applies has one of ${STATUSES.join(", ")}`);
  if (!one.applicable && one.status !== undefined) say("status", "what does not apply has no status");
  if (one.status === "planned" && one.planned_for === undefined)
    say("planned_for", "is missing: what is planned has a day");
  if (one.status !== "planned" && one.planned_for !== undefined)
    say("planned_for", "only what is planned has this day");
  if (!one.applicable && one.justification.trim() === "")
    say("justification", "is missing: what does not apply has a reason");
  return wrong;
}

// Rows that are sound in themselves are looked at even where others are not: every problem is told at once.
const row = fields.superRefine((one, context) => {
  for (const { key, message } of contradictions(one))
    context.addIssue({ code: "custom", path: [key], message });
});

const schema = z.strictObject({
  organisation: text,
  scope: text,
  version: z.union([z.string(), z.number()]).default("").transform(String),
  approved_by: text,
  approved_on: z.union([day, z.literal("")]).default(""),
  controls: z.record(
    z.string().refine((id) => CONTROL_IDS.includes(id), "no control of Annex A"),
    row,
  ),
});
export type SoaFile = z.output<typeof schema>;

export interface Soa {
  readonly head: SoaHead;
  readonly rows: ReadonlyMap<string, SoaRow>;
}

const ROW_KEYS = Object.keys(fields.shape);
const keysAt = (path: readonly PropertyKey[]): readonly string[] => {
  if (path.length === 0) return Object.keys(schema.shape);
  return path.length === 1 ? CONTROL_IDS : ROW_KEYS;
};

/** Throws FILE_INVALID with every problem. */
export function parseSoa(source: string, path: string): FileRead<SoaFile> {
  return parseFile(source, path, schema, keysAt);
}

/** Throws FILE_UNREADABLE, FILE_INVALID. */
export async function readSoa(path: string): Promise<Soa> {
  const { value, digest } = parseSoa(await textOfFile(path), path);
  const { controls: rows, ...head } = value;
  return { head: { ...head, digest }, rows: new Map(Object.entries(rows)) };
}

/** A statement with every control and nothing decided but what the map knows, to be filled in. */
export function firstSoa(): string {
  const lines = Object.entries(controls).map(
    ([id, { title, evidence }]) =>
      `  ${id}: # ${title}; ${evidence === "none" ? "not collected here: its evidence is a document" : `events are ${evidence} evidence`}
    applicable: true
    justification: ""
    status: not-implemented
    owner: ""
    reference: ""`,
  );
  return `# Statement of applicability: ISO/IEC 42001:2023 Annex A, ids and titles.
#   applicable     true or false; with false, justification says why and there is no status
#   status         ${STATUSES.join(" | ")}
#   planned_for    with planned: the day by which, such as 2027-03-31
#   owner          who answers for it
#   reference      where the document or process is
#   last_review    the day of the last review
organisation: ""
scope: ""
version: "0.1"
approved_by: ""
approved_on: ""
controls:
${lines.join("\n")}
`;
}
