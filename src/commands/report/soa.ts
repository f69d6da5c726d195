// `tapline report soa`: a first statement of applicability, and its exchange with spreadsheets.
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { extname } from "node:path";
import { isMap, parseDocument } from "yaml";
import { TaplineError, reasonOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { csvOf, readCsv } from "../../evidence/csv.ts";
import type { SoaRow } from "../../evidence/model.ts";
import { type TableRow, WIDTHS, readTable, tableOf } from "../../evidence/soa-table.ts";
import { firstSoa, parseSoa, readSoa } from "../../evidence/soa.ts";
import { readXlsx, xlsxOf } from "../../evidence/xlsx.ts";
import { textOfFile } from "../../evidence/yaml-file.ts";
import { placeFile } from "../../ledger/files.ts";
import { UsageError, readArgs, readConfig } from "../usage.ts";

export async function soa([name = "", ...rest]: readonly string[]): Promise<number> {
  switch (name) {
    case "init":
      return await init(rest);
    case "export":
      return await exportTable(rest);
    case "import":
      return await importTable(rest);
    default:
      throw new UsageError("say what: soa init, soa export, soa import");
  }
}

async function init(argv: readonly string[]): Promise<number> {
  const { positionals } = readArgs(argv, { options: {}, allowPositionals: true });
  if (positionals.length > 1) throw new UsageError("one file at a time");
  const path = positionals[0] ?? "soa.yml";
  await writeNew(path, firstSoa());
  console.log(`a statement of applicability to fill in: ${path}`);
  return 0;
}

async function writeNew(path: string, data: string | Buffer): Promise<void> {
  try {
    await writeFile(path, data, { flag: "wx" });
  } catch (cause) {
    throw new TaplineError("OUT_UNWRITABLE", `cannot write ${path}: ${reasonOf(cause)}`, {
      remedy: "name a new file: none is written over",
      cause,
    });
  }
}

const OPTIONS = {
  config: { type: "string", short: "c" },
  soa: { type: "string" },
} as const;

async function placeOf(values: { soa?: string; config?: string }): Promise<string> {
  const path = values.soa ?? (await readConfig(values.config)).soa;
  if (path !== undefined) return path;
  throw new UsageError("--soa is needed: the configuration names no statement of applicability");
}

const kindOf = (path: string): "csv" | "xlsx" => {
  const kind = extname(path).toLowerCase().slice(1);
  if (kind === "csv" || kind === "xlsx") return kind;
  throw new UsageError(`a table is a file .csv or .xlsx, not ${path}`);
};

async function exportTable(argv: readonly string[]): Promise<number> {
  const { values } = readArgs(argv, { options: { ...OPTIONS, out: { type: "string" } } });
  if (values.out === undefined) throw new UsageError("--out is needed: FILE.csv or FILE.xlsx");
  const kind = kindOf(values.out);
  const table = tableOf((await readSoa(await placeOf(values))).rows);
  await writeNew(values.out, kind === "csv" ? csvOf(table) : await xlsxOf(table, "SoA", WIDTHS));
  console.log(`${table.length - 1} controls in ${values.out}`);
  return 0;
}

async function importTable(argv: readonly string[]): Promise<number> {
  const { values, positionals } = readArgs(argv, { options: OPTIONS, allowPositionals: true });
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw new UsageError("name one table, .csv or .xlsx");
  const kind = kindOf(file);
  const place = await placeOf(values);
  const table: TableRow[] =
    kind === "csv" ? await readCsv(await textOfFile(file), file) : await readXlsx(file);
  const { rows, problems } = readTable(table);
  if (problems.length > 0)
    throw new TaplineError(
      "FILE_INVALID",
      problems
        .slice(0, LIMITS.report_problems)
        .map((problem) => `${file}: ${problem}`)
        .join("\n"),
      { remedy: "nothing was imported: correct the table, and import it again" },
    );
  const text = withRows(existsSync(place) ? await textOfFile(place) : firstSoa(), place, rows);
  parseSoa(text, place);
  await placeFile(place, [Buffer.from(text)], { sync: true });
  console.log(`${rows.size} controls of ${file} in ${place}`);
  return 0;
}

/** The file with these rows in it: comments and what the table does not hold stay. */
function withRows(source: string, path: string, rows: ReadonlyMap<string, SoaRow>): string {
  const document = parseDocument(source, { schema: "core" });
  if (document.errors.length > 0 || !isMap(document.contents))
    throw new TaplineError(
      "FILE_INVALID",
      `${path} is not YAML with keys: ${document.errors[0]?.message ?? ""}`,
      {
        remedy: "correct it, or name another file with --soa",
      },
    );
  for (const [id, row] of rows) {
    for (const [key, value] of Object.entries(row)) {
      const at = ["controls", id, key];
      if (value !== undefined) document.setIn(at, value);
      else if (document.hasIn(at)) document.deleteIn(at);
    }
  }
  return document.toString({ lineWidth: 120 });
}
