// The sheets as one page that needs no script, loads nothing, and prints one control a page. Its policy forbids everything but
// its own style, so that nothing which slipped through could act; and nothing slips through: every text is escaped, and what
// a reader could not see is shown by its code point.
import { hash } from "node:crypto";
import { visible } from "../viewer/web/text.ts";
import type { Block, Cell, Sheet } from "./blocks.ts";
import { CONTROL_ID } from "./map.ts";

const STYLE = `
:root{color-scheme:light}
*{box-sizing:border-box}
body{font:14px/1.45 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;color:#16202c;background:#fff;margin:0 auto;max-width:1080px;padding:24px}
header{border-bottom:2px solid #16202c;margin-bottom:16px;padding-bottom:8px}
header p,nav{color:#4a5768;margin:4px 0}
nav ul{list-style:none;padding:0;margin:6px 0;max-width:none;display:flex;flex-wrap:wrap;gap:2px 18px}
section{border-top:1px solid #c8d0da;padding-top:12px;margin-top:28px}
h1{font-size:24px;margin:0}
h2{font-size:19px;margin:0 0 8px}
h3{font-size:15px;margin:18px 0 6px}
p,ul{margin:6px 0;max-width:78ch}
dl{display:grid;grid-template-columns:minmax(150px,22%) 1fr;gap:2px 12px;margin:6px 0}
dt{color:#4a5768}
dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;margin:8px 0;table-layout:fixed}
th,td{text-align:left;vertical-align:top;padding:3px 6px;border-bottom:1px solid #dde3ea;overflow-wrap:anywhere}
th{background:#eef2f6;border-bottom:1px solid #97a3b2;font-weight:600}
.number{text-align:right;font-variant-numeric:tabular-nums}
.mono{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:12px}
.gap{color:#9c1c1c;font-weight:600}
.good{color:#1c6b3a}
.dim{color:#4a5768}
a{color:#1d4f91}
@media print{
@page{size:A4;margin:14mm 12mm 16mm;@bottom-left{content:"Tapline evidence report";font:9px sans-serif;color:#4a5768}@bottom-right{content:counter(page) " / " counter(pages);font:9px sans-serif;color:#4a5768}}
body{font-size:10.5px;max-width:none;padding:0}
nav{display:none}
section{break-before:page;border-top:0;margin-top:0;padding-top:0}
section:first-of-type{break-before:auto}
tr,dl>div{break-inside:avoid}
thead{display:table-header-group}
h2,h3{break-after:avoid}
a{color:inherit;text-decoration:none}
}
${Array.from({ length: 100 }, (_, i) => `.w${i + 1}{width:${i + 1}%}`).join("")}
`;

const escaped = (text: string): string =>
  visible(text).replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Places that a document may lead to: its own sheets, and files that the pack names itself. */
const PLACE = /^(?:#[\w.-]+|[\w.-]+(?:\/[\w.-]+)*)$/;

function cellHtml(cell: Cell): string {
  if (typeof cell === "string") return `<bdi>${escaped(cell)}</bdi>`;
  const { text, to, tone, mono } = cell;
  const classes = [tone, mono === true ? "mono" : undefined].filter((one) => one !== undefined);
  const attribute = classes.length === 0 ? "" : ` class="${classes.join(" ")}"`;
  const inner = `<bdi${attribute}>${escaped(text)}</bdi>`;
  return to !== undefined && PLACE.test(to) ? `<a href="${to}">${inner}</a>` : inner;
}

function blockHtml(block: Block): string {
  switch (block.kind) {
    case "heading":
      return `<h3>${escaped(block.text)}</h3>`;
    case "text":
      return `<p${block.tone === undefined ? "" : ` class="${block.tone}"`}>${escaped(block.text)}</p>`;
    case "list":
      return `<ul>${block.items.map((item) => `<li>${escaped(item)}</li>`).join("")}</ul>`;
    case "facts":
      return `<dl>${block.rows.map(([name, cell]) => `<dt>${escaped(name)}</dt><dd>${cellHtml(cell)}</dd>`).join("")}</dl>`;
    case "table":
    default: {
      const number = (i: number): string => (block.numbers?.includes(i) === true ? ` class="number"` : "");
      const columns = block.widths.map((width) => `<col class="w${width}">`).join("");
      const head = block.head.map((name, i) => `<th scope="col"${number(i)}>${escaped(name)}</th>`).join("");
      const rows = block.rows
        .map((row) => `<tr>${row.map((cell, i) => `<td${number(i)}>${cellHtml(cell)}</td>`).join("")}</tr>`)
        .join("\n");
      return `<table><colgroup>${columns}</colgroup><thead><tr>${head}</tr></thead><tbody>\n${rows}\n</tbody></table>`;
    }
  }
}

/** The document, a piece at a time. Controls are found from the table of the first sheet, so that findings are seen at once. */
export function* htmlOf(sheets: readonly Sheet[]): Generator<string> {
  const [first, ...rest] = sheets as [Sheet, ...Sheet[]];
  const style = hash("sha256", STYLE, "base64");
  const policy = `default-src 'none'; style-src 'sha256-${style}'; base-uri 'none'; form-action 'none'`;
  yield `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<title>${escaped(first.title)}</title><style>${STYLE}</style></head>
<body><header><h1>${escaped(first.title)}</h1>
<p>The files of this pack: <a href="VERIFY.md">VERIFY.md</a>, <a href="report.pdf">report.pdf</a>, <a href="events.csv">events.csv</a>, <a href="events.ndjson">events.ndjson</a>, <a href="report.json">report.json</a>, <a href="oscal/assessment-results.json">oscal/assessment-results.json</a>, <a href="manifest.json">manifest.json</a></p></header>
<nav aria-label="Sheets"><ul>${rest
    .filter(({ id }) => !CONTROL_ID.test(id))
    .map(({ id, title }) => `<li><a href="#${id}">${escaped(title)}</a></li>`)
    .join("")}</ul></nav>
<main>
`;
  for (const [i, { id, title, blocks }] of sheets.entries()) {
    yield `<section id="${id}"${i === 0 ? ` aria-label="Summary"` : ""}>${i === 0 ? "" : `<h2>${escaped(title)}</h2>`}\n`;
    for (const block of blocks) yield `${blockHtml(block)}\n`;
    yield "</section>\n";
  }
  yield "</main></body></html>\n";
}
