// Tables as XLSX and back, by write-excel-file and read-excel-file. Every cell is written as text, so that nothing is a formula.
import { readFile } from "node:fs/promises";
import { TaplineError, reasonOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { TableRow } from "./soa-table.ts";

/** `_x0041_` is how the format writes a character; a text that has it is written so that it is read back. */
const ESCAPE = /_x[0-9A-Fa-f]{4}_/g;

/** A text as the sheet has it. The reader trips over a cell with the name of a property of every object, unless it is
 * written another way. */
function escaped(text: string): string {
  if (!(text in {})) return text.replaceAll(ESCAPE, "_x005F$&");
  return `_x${text.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}_${text.slice(1)}`;
}

export async function xlsxOf(
  table: readonly (readonly string[])[],
  sheet: string,
  widths: readonly number[],
): Promise<Buffer> {
  const { default: writeXlsx } = await import("write-excel-file/node");
  const rows = table.map((row, i) =>
    row.map((text) =>
      text === ""
        ? null
        : {
            value: escaped(text),
            type: String,
            wrap: true,
            alignVertical: "top" as const,
            ...(i === 0 ? { fontWeight: "bold" as const } : {}),
          },
    ),
  );
  const columns = widths.map((width) => ({ width }));
  return await writeXlsx(rows, { sheet, columns, stickyRowsCount: 1, orientation: "landscape" }).toBuffer();
}

/** The first sheet. Throws FILE_INVALID, FILE_UNREADABLE. */
export async function readXlsx(path: string): Promise<TableRow[]> {
  const bytes = await bytesOf(path);
  const { readSheet } = await import("read-excel-file/node");
  try {
    // Its types say DateConstructor where it gives a Date.
    return (await readSheet(bytes, { trim: false })) as TableRow[];
  } catch (cause) {
    throw new TaplineError("FILE_INVALID", `${path} is no XLSX: ${reasonOf(cause)}`, {
      remedy: "save the table as CSV (UTF-8) or XLSX",
      cause,
    });
  }
}

async function bytesOf(path: string): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new TaplineError("FILE_UNREADABLE", `cannot read ${path}: ${reasonOf(cause)}`, {
      remedy: "check the path and its permissions",
      cause,
    });
  }
  if (bytes.length <= LIMITS.report_file_bytes) return bytes;
  throw new TaplineError("FILE_INVALID", `${path} is larger than ${LIMITS.report_file_bytes} bytes`);
}
