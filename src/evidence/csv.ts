// Tables as CSV (RFC 4180) and back. What a spreadsheet could take for a formula begins with an apostrophe there, and so does
// what begins with an apostrophe, so that reading gives back what was written.
import { TaplineError, reasonOf } from "../core/errors.ts";
import { csvRow, isFormula } from "../viewer/csv.ts";

const guarded = (text: string): boolean => text.startsWith("'") || isFormula(text);

export function csvOf(table: readonly (readonly string[])[]): string {
  return table.map((row) => csvRow(row.map((text) => (text.startsWith("'") ? `'${text}` : text)))).join("");
}

/** Throws FILE_INVALID. */
export async function readCsv(text: string, path: string): Promise<string[][]> {
  const { parse } = await import("csv-parse/sync");
  try {
    const rows = parse(text, { bom: true, relax_column_count: true, delimiter: [",", ";", "\t"] });
    return rows.map((row) =>
      row.map((cell) => (cell.startsWith("'") && guarded(cell.slice(1)) ? cell.slice(1) : cell)),
    );
  } catch (cause) {
    throw new TaplineError("FILE_INVALID", `${path} is no CSV: ${reasonOf(cause)}`, {
      remedy: "save the table as CSV (UTF-8) or XLSX",
      cause,
    });
  }
}
