// CSV of RFC 4180 that a spreadsheet cannot take for formulas. Pure.

/** What a spreadsheet takes for the begin of a formula, in narrow and wide form, also behind spaces. */
const FORMULA = /^[\s\u0000]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20|%]/u;

export const isFormula = (text: string): boolean => FORMULA.test(text);

type Value = string | number | boolean | null | undefined;

/** One cell. A text that could be a formula begins with an apostrophe, which shows it as text. */
export function cell(value: Value | readonly Value[]): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const text = typeof value === "string" ? value : value.map(String).join("; ");
  const safe = isFormula(text) ? `'${text}` : text;
  // NUL ends a text for some readers.
  return `"${safe.replaceAll("\u0000", "\ufffd").replaceAll('"', '""')}"`;
}

export function csvRow(values: readonly (Value | readonly Value[])[]): string {
  return `${values.map(cell).join(",")}\r\n`;
}
