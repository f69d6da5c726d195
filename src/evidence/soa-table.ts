// The statement of applicability as a table of texts and back, for spreadsheets: which columns, what their cells may say, and
// what is wrong with a table, all of it at once. Pure: knows neither files nor spreadsheets.
import { LIMITS } from "../core/limits.ts";
import { closest } from "../core/suggest.ts";
import { readControls } from "./map.ts";
import { STATUSES, type SoaRow, type SoaStatus } from "./model.ts";
import { CONTROL_IDS, contradictions, isDay } from "./soa.ts";

const { controls } = readControls();

/** What a spreadsheet gives for a cell. */
export type CellValue = string | number | boolean | Date | null | undefined;
export type TableRow = readonly CellValue[];

/** Name of the column by the key of a row; the last is told and not read. */
const HEADS = {
  control: "Control",
  title: "Title",
  applicable: "Applicable",
  justification: "Justification",
  status: "Status",
  planned_for: "Planned for",
  owner: "Owner",
  reference: "Reference",
  last_review: "Last review",
  evidence: "Events are",
} as const;
type Column = keyof typeof HEADS;
const COLUMNS = Object.keys(HEADS) as Column[];
const READ = COLUMNS.filter((column) => column !== "title" && column !== "evidence");
/** Characters wide, in a spreadsheet. */
export const WIDTHS = [10, 38, 11, 50, 17, 13, 20, 30, 13, 20] as const;

/** Head and a row for each control; of one that the statement lacks, only what the map knows. */
export function tableOf(rows: ReadonlyMap<string, SoaRow>): string[][] {
  const body = CONTROL_IDS.map((id) => {
    const { title, evidence } = controls[id]!;
    const shown = evidence === "none" ? "not collected here" : `${evidence} evidence`;
    const row = rows.get(id);
    if (row === undefined) return [id, title, "", "", "", "", "", "", "", shown];
    const { applicable, justification, status, planned_for, owner, reference, last_review } = row;
    const stated = [applicable ? "yes" : "no", justification, said(status), planned_for ?? ""];
    return [id, title, ...stated, owner, reference, last_review ?? "", shown];
  });
  return [Object.values(HEADS), ...body];
}

const said = (status: SoaStatus | undefined): string => status?.replaceAll("-", " ") ?? "";

const YES: ReadonlyMap<string, boolean> = new Map([
  ["yes", true],
  ["y", true],
  ["true", true],
  ["no", false],
  ["n", false],
  ["false", false],
]);
const OTHER_WORDS: ReadonlyMap<string, SoaStatus> = new Map([
  ["partially-implemented", "partial"],
  ["not-started", "not-implemented"],
]);

export interface TableRead {
  readonly rows: ReadonlyMap<string, SoaRow>;
  /** Each with the row that it is in, the first being 1. */
  readonly problems: readonly string[];
}

export function readTable(table: readonly TableRow[]): TableRead {
  const [head = [], ...body] = table;
  const problems: string[] = [];
  const places = placesOf(head, problems);
  const rows = new Map<string, SoaRow>();
  for (const [i, cells] of body.entries()) {
    const say = (message: string): number => problems.push(`row ${i + 2}: ${message}`);
    const at = (column: Column): CellValue => cells[places.get(column) ?? -1];
    const id = textOf(at("control")).trim();
    if (READ.every((column) => textOf(at(column)).trim() === "")) continue;
    if (!CONTROL_IDS.includes(id)) {
      const near = closest(id, CONTROL_IDS);
      say(
        `"${id.slice(0, 40)}" is no control of Annex A${near === undefined ? "" : `; did you mean ${near}?`}`,
      );
    } else if (rows.has(id)) say(`${id} is in a row before this one, too`);
    else if (READ.slice(1).some((column) => textOf(at(column)).trim() !== "")) {
      const row = rowOf(at, (message) => say(`${id}: ${message}`));
      for (const { key, message } of contradictions(row)) say(`${id}: ${HEADS[key]} ${message}`);
      rows.set(id, row);
    }
  }
  return { rows, problems };
}

function placesOf(head: TableRow, problems: string[]): Map<Column, number> {
  const names = head.map((name) => textOf(name).trim().toLowerCase());
  const places = new Map<Column, number>();
  for (const column of READ) {
    const place = names.indexOf(HEADS[column].toLowerCase());
    if (place >= 0) places.set(column, place);
    else problems.push(`row 1: there is no column "${HEADS[column]}"`);
  }
  return places;
}

function rowOf(at: (column: Column) => CellValue, say: (message: string) => void): SoaRow {
  const applicable = YES.get(textOf(at("applicable")).trim().toLowerCase());
  if (applicable === undefined) say(`${HEADS.applicable} is yes or no`);
  const text = (column: "justification" | "owner" | "reference"): string => {
    const value = textOf(at(column)).replaceAll("\r\n", "\n");
    if (value.length > LIMITS.report_note_chars)
      say(`${HEADS[column]} is longer than ${LIMITS.report_note_chars} characters`);
    return value;
  };
  const day = (column: "planned_for" | "last_review"): string | undefined => {
    const value = textOf(at(column)).trim();
    if (value === "") return undefined;
    if (!isDay(value)) say(`${HEADS[column]} is a day such as 2026-11-28, not "${value.slice(0, 40)}"`);
    return value;
  };
  return {
    applicable: applicable ?? true,
    justification: text("justification"),
    status: statusOf(textOf(at("status")), say),
    planned_for: day("planned_for"),
    owner: text("owner"),
    reference: text("reference"),
    last_review: day("last_review"),
  };
}

function statusOf(text: string, say: (message: string) => void): SoaStatus | undefined {
  const word = text
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, "-");
  if (word === "") return undefined;
  const status = STATUSES.find((one) => one === word) ?? OTHER_WORDS.get(word);
  if (status === undefined)
    say(`${HEADS.status} is one of ${STATUSES.map(said).join(", ")}, not "${text.slice(0, 40)}"`);
  return status ?? "not-implemented";
}

/** A cell as text. Spreadsheets keep days as the midnight of UTC. */
function textOf(value: CellValue): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "" : value.toISOString().slice(0, 10);
  return String(value);
}
