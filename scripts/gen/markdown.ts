// Markdown tables for the reference. Knows nothing of what is in them.

/** Text as a table's cell: no line end, no cell border, nothing outside code that reads as HTML. */
function cell(text: string): string {
  const parts = text
    .replaceAll(/\s*\n\s*/g, " ")
    .replaceAll("|", "\\|")
    .split("`");
  return parts.map((part, i) => (i % 2 === 0 ? part.replaceAll("<", "&lt;") : part)).join("`");
}

function line(cells: readonly string[]): string {
  return `| ${cells.map(cell).join(" | ")} |`;
}

export const code = (text: string): string => (text === "" ? "" : `\`${text}\``);

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}
