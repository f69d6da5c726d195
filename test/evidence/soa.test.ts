// The statement of applicability: what it may say, every problem at once, and its way through spreadsheets and back, with
// Python's csv and openpyxl as other readers.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { TaplineError } from "../../src/core/errors.ts";
import { csvOf, readCsv } from "../../src/evidence/csv.ts";
import { STATUSES, type SoaRow } from "../../src/evidence/model.ts";
import { WIDTHS, readTable, tableOf } from "../../src/evidence/soa-table.ts";
import { CONTROL_IDS, contradictions, firstSoa, parseSoa } from "../../src/evidence/soa.ts";
import { readXlsx, xlsxOf } from "../../src/evidence/xlsx.ts";
import { newHome, tapline } from "../commands/tapline.ts";
import { OPENPYXL, python } from "../python.ts";
import { newDir } from "./world.ts";

function problems(text: string): string[] {
  try {
    parseSoa(text, "soa.yml");
  } catch (error) {
    expect(error).toBeInstanceOf(TaplineError);
    return (error as TaplineError).message.split("\n");
  }
  return [];
}

test("a first statement has every control and is sound", () => {
  const { controls } = parseSoa(firstSoa(), "soa.yml").value;
  expect(Object.keys(controls)).toEqual(CONTROL_IDS);
  expect(WIDTHS.length).toBe(tableOf(new Map())[0]!.length);
});

test("every problem is told at once, with its line and what was meant", () => {
  const text = `organisation: X
scpoe: y
controls:
  A.6.2.9: {applicable: true, status: implemented}
  A.2.2: {applicable: maybe, status: done}
  A.2.3: {applicable: true, status: planned}
  A.2.4: {applicable: false}
  A.3.2: {applicable: true, status: partial, planned_for: 2027-01-01}
  A.3.3: {applicable: true, status: planned, planned_for: 2027-02-30}
  A.4.2: {applicable: true}
`;
  const told = problems(text);
  const at = (line: number): string => told.filter((one) => one.startsWith(`soa.yml:${line}:`)).join("\n");
  expect(at(2)).toMatch(/scpoe.*"scope"/);
  expect(at(4)).toMatch(/A\.6\.2\.9: no control of Annex A; did you mean A\.6\.2\./);
  expect(at(5)).toMatch(/applicable: true or false\n.*status: one of implemented/);
  expect(at(6)).toMatch(/planned_for: is missing/);
  expect(at(7)).toMatch(/justification: is missing/);
  expect(at(8)).toMatch(/planned_for: only/);
  expect(at(9)).toMatch(/planned_for: a day/);
  expect(at(10)).toMatch(/status: is missing/);
  expect(told.length).toBe(9);
  expect(problems("controls: {a: b\n")[0]).toMatch(/^soa\.yml:\d+: /);
  for (const bad of ["\\u0007", "\\uFFFD", "\\uFFFF", "\\U0001FFFE"])
    expect(problems(`organisation: "a${bad}"\ncontrols: {}\n`), bad).toEqual([
      expect.stringContaining("organisation: a text without control characters"),
    ]);
  expect(problems("- a\n").length).toBe(1);
  expect(problems("a: &a [*a]\ncontrols: {}\n").length).toBeGreaterThan(0);
});

const ugly = fc.oneof(
  fc.constantFrom(
    "=1+1",
    "'=1+1",
    "''",
    "'",
    "+4",
    "-",
    "@SUM(A1)",
    '"q", "r"',
    "a\nb\n",
    "\tx",
    "|x",
    "%",
    "_x0041_",
    "_x005F_",
    "<a>&amp;",
    " x ",
    "valueOf",
    "__proto__",
  ),
  fc.string({ unit: "grapheme", maxLength: 40 }),
);
/** What the statement allows as a text. */
const text = ugly.filter(
  (one) =>
    one.isWellFormed() && !/(?![\t\n])\p{Cc}/u.test(one) && !/\p{Noncharacter_Code_Point}|\ufffd/u.test(one),
);
const day = fc
  .date({ min: new Date("1990-01-01"), max: new Date("2090-01-01"), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
const row: fc.Arbitrary<SoaRow> = fc
  .record({
    applicable: fc.boolean(),
    justification: text,
    status: fc.constantFrom(...STATUSES),
    planned_for: day,
    owner: text,
    reference: text,
    last_review: fc.option(day, { nil: undefined }),
  })
  .map((one) => ({
    ...one,
    status: one.applicable ? one.status : undefined,
    planned_for: one.applicable && one.status === "planned" ? one.planned_for : undefined,
    justification: one.applicable || one.justification.trim() !== "" ? one.justification : "no such data",
  }));
const rows = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...CONTROL_IDS), row), { selector: ([id]) => id, maxLength: 6 })
  .map((list) => new Map(list));

const plainly = (map: ReadonlyMap<string, SoaRow>): unknown =>
  CONTROL_IDS.flatMap((id) =>
    map.has(id) ? [[id, { planned_for: undefined, last_review: undefined, ...map.get(id)! }]] : [],
  );

test("through CSV and back, nothing is lost, and no cell is a formula", async () => {
  await fc.assert(
    fc.asyncProperty(rows, async (map) => {
      for (const one of map.values()) expect(contradictions(one)).toEqual([]);
      const csv = csvOf(tableOf(map));
      const read = readTable(await readCsv(csv, "soa.csv"));
      expect(read.problems).toEqual([]);
      expect(plainly(read.rows)).toEqual(plainly(map));
      for (const cell of csv.matchAll(/(?:^|,)"((?:[^"]|"")*)"/gm))
        expect(cell[1]).not.toMatch(/^\s*[=+\-@|%]/);
    }),
    { numRuns: 150 },
  );
});

test("through XLSX and back, nothing is lost", async () => {
  const path = join(newDir(), "soa.xlsx");
  await fc.assert(
    fc.asyncProperty(rows, async (map) => {
      writeFileSync(path, await xlsxOf(tableOf(map), "SoA", WIDTHS));
      const read = readTable(await readXlsx(path));
      expect(read.problems).toEqual([]);
      expect(plainly(read.rows)).toEqual(plainly(map));
    }),
    { numRuns: 25 },
  );
});

const READ_BOTH = `
import csv, datetime, json, sys, openpyxl
book = openpyxl.load_workbook(sys.argv[1])
sheet = book.active
kinds = {cell.data_type for line in sheet.iter_rows() for cell in line if cell.value is not None}
xlsx = [["" if v is None else v for v in line] for line in sheet.iter_rows(values_only=True)]
table = list(csv.reader(open(sys.argv[2], newline="", encoding="utf-8")))
print(json.dumps({"kinds": sorted(kinds), "xlsx": xlsx, "csv": table}))
sheet["C3"], sheet["D3"], sheet["E3"], sheet["F3"] = "Yes", "=danger", "Planned", datetime.date(2027, 3, 31)
sheet["I3"] = datetime.datetime(2026, 10, 1)
sheet["C4"], sheet["D4"], sheet["E4"] = False, "we train nothing", None
book.save(sys.argv[3])
`;

test("openpyxl reads what was written and nothing as a formula, and what it writes is read", async (context) => {
  const interpreter = python(OPENPYXL);
  if (interpreter === undefined) {
    context.skip();
    return;
  }
  const home = newHome();
  const place = (name: string): string => join(home, name);
  writeFileSync(place("soa.yml"), firstSoa().replace('owner: ""', `owner: "=HYPERLINK(\\"x\\")"`));
  for (const kind of ["xlsx", "csv"]) {
    const args = ["report", "soa", "export", "--soa", place("soa.yml"), "--out", place(`soa.${kind}`)];
    expect((await tapline(home, args)).code).toBe(0);
  }
  const out = execFileSync(interpreter, [
    "-c",
    READ_BOTH,
    place("soa.xlsx"),
    place("soa.csv"),
    place("edited.xlsx"),
  ]);
  const seen = JSON.parse(out.toString()) as { kinds: string[]; xlsx: string[][]; csv: string[][] };
  const table = tableOf(
    new Map(Object.entries(parseSoa(readFileSync(place("soa.yml"), "utf8"), "soa.yml").value.controls)),
  );
  expect(seen.xlsx).toEqual(table);
  expect(table[1]![6]).toMatch(/^=HYPERLINK/);
  expect(seen.kinds).toEqual(["s"]);
  expect(seen.csv).toEqual(
    table.map((line) => line.map((cell) => (cell.startsWith("=") ? `'${cell}` : cell))),
  );
  // openpyxl writes a text that begins with = as a formula; without a value it is an empty cell.
  const back = await tapline(home, [
    "report",
    "soa",
    "import",
    place("edited.xlsx"),
    "--soa",
    place("soa.yml"),
  ]);
  expect([back.code, back.stderr]).toEqual([0, ""]);
  const { controls } = parseSoa(readFileSync(place("soa.yml"), "utf8"), "soa.yml").value;
  expect(controls["A.2.3"]).toMatchObject({
    applicable: true,
    status: "planned",
    planned_for: "2027-03-31",
    last_review: "2026-10-01",
  });
  expect(controls["A.2.4"]).toMatchObject({ applicable: false, justification: "we train nothing" });
  expect(controls["A.2.4"]!.status).toBeUndefined();
  expect(readFileSync(place("soa.yml"), "utf8")).toContain("# AI policy; not collected here");
});

test("a table with problems changes nothing and names each with its row", async () => {
  const home = newHome();
  const soa = join(home, "soa.yml");
  writeFileSync(soa, firstSoa());
  const table = tableOf(new Map());
  table[1]!.splice(2, 3, "constructor", "", "toString");
  table[2]!.splice(0, 1, "A.2.33");
  table[3]!.splice(2, 4, "yes", "", "planned", "31.3.2027");
  writeFileSync(join(home, "soa.csv"), csvOf(table));
  const { code, stderr } = await tapline(home, [
    "report",
    "soa",
    "import",
    join(home, "soa.csv"),
    "--soa",
    soa,
  ]);
  expect(code).toBe(2);
  for (const said of [
    /row 2: A\.2\.2: Applicable is yes or no/,
    /row 2: .*Status is one of/,
    /row 3: "A\.2\.33" is no control.*A\.2\.3/,
    /row 4: .*Planned for is a day/,
  ])
    expect(stderr).toMatch(said);
  expect(readFileSync(soa, "utf8")).toBe(firstSoa());
  // Semicolons and a byte order mark, as spreadsheets of some countries save it.
  const semicolons = `\ufeff${csvOf(
    tableOf(
      new Map([
        ["A.2.2", { applicable: true, justification: "a, b", status: "partial", owner: "", reference: "" }],
      ]),
    ),
  )
    .replaceAll('","', '";"')
    .replaceAll(",,", ";;")}`;
  const read = readTable(await readCsv(semicolons, "soa.csv"));
  expect([read.problems, read.rows.get("A.2.2")?.justification]).toEqual([[], "a, b"]);
});
