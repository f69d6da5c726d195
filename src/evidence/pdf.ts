// The sheets as a PDF, by pdfkit: text and tables, one control a page, bookmarks, page numbers. No links, no forms, no scripts.
// What the font has no shape for is shown by its code point, as what cannot be seen is.
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { createRequire } from "node:module";
import { visible } from "../viewer/web/text.ts";
import type { Block, Cell, Sheet, Table, Tone } from "./blocks.ts";

type Document = PDFKit.PDFDocument;

const MARGIN = 42;
const FOOT = 30;
const SIZE = 8;
const PAD = 3;
const COLOURS: Readonly<Record<Tone, string>> = { gap: "#9c1c1c", good: "#1c6b3a", dim: "#4a5768" };
const INK = "#16202c";
const RULE = "#c8d0da";
const HEAD = "#eef2f6";

const font = (name: string): string =>
  createRequire(import.meta.url).resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`);

/** Writes the file; durable enough for a pack, whose manifest names its digest. */
export async function writePdf(path: string, sheets: readonly Sheet[], made_at: string): Promise<void> {
  const { default: PDFDocument } = await import("pdfkit");
  const doc = new PDFDocument({
    size: "A4",
    margins: { top: MARGIN, left: MARGIN, right: MARGIN, bottom: MARGIN + FOOT },
    bufferPages: true,
    lang: "en",
    displayTitle: true,
    autoFirstPage: false,
    info: {
      Title: sheets[0]!.title,
      Creator: "Tapline",
      CreationDate: new Date(made_at),
      ModDate: new Date(made_at),
    },
  });
  doc.registerFont("regular", font("DejaVuSansCondensed"));
  doc.registerFont("bold", font("DejaVuSansCondensed-Bold"));
  doc.registerFont("mono", font("DejaVuSansMono"));
  const file = createWriteStream(path, { mode: 0o600 });
  const written = once(file, "finish");
  doc.pipe(file);
  const pages = new Pages(doc);
  for (const sheet of sheets) pages.sheet(sheet);
  pages.number(sheets[0]!.title);
  doc.end();
  await written;
}

class Pages {
  readonly #doc: Document;
  readonly #width: number;

  constructor(doc: Document) {
    this.#doc = doc;
    this.#width = 595.28 - 2 * MARGIN;
  }

  sheet({ title, blocks }: Sheet): void {
    const doc = this.#doc;
    doc.addPage();
    doc.outline.addItem(this.#text(title));
    this.#use("bold", 13).text(this.#text(title), MARGIN, doc.y, { width: this.#width });
    doc.moveDown(0.4);
    for (const block of blocks) this.#block(block);
  }

  /** Numbers every page, when all are there. */
  number(title: string): void {
    const doc = this.#doc;
    const { start, count } = doc.bufferedPageRange();
    for (let i = 0; i < count; i++) {
      doc.switchToPage(start + i);
      const y = doc.page.height - MARGIN - 12;
      // Below the margin: without this the text would begin another page.
      doc.page.margins.bottom = 0;
      this.#use("regular", 7, "#4a5768");
      doc.text(title, MARGIN, y, { width: this.#width, lineBreak: false });
      doc.text(`${i + 1} / ${count}`, MARGIN, y, { width: this.#width, align: "right", lineBreak: false });
    }
  }

  #block(block: Block): void {
    const doc = this.#doc;
    switch (block.kind) {
      case "heading":
        this.#room(48);
        doc.moveDown(0.6);
        this.#use("bold", 10).text(this.#text(block.text), MARGIN, doc.y, { width: this.#width });
        doc.moveDown(0.25);
        return;
      case "text":
        this.#use("regular", SIZE, block.tone === undefined ? INK : COLOURS[block.tone]);
        doc.text(this.#text(block.text), MARGIN, doc.y, { width: this.#width });
        doc.moveDown(0.4);
        return;
      case "list":
        for (const item of block.items) {
          this.#use("regular", SIZE).text(this.#text(`•  ${item}`), MARGIN, doc.y, { width: this.#width });
          doc.moveDown(0.3);
        }
        return;
      case "facts":
        for (const [name, cell] of block.rows) this.#row([{ text: name, tone: "dim" }, cell], [24, 76], []);
        doc.y += PAD;
        return;
      case "table":
      default:
        this.#table(block);
    }
  }

  #table({ head, rows, widths, numbers = [] }: Table): void {
    const heads = head.map((text): Cell => text);
    this.#room(40);
    this.#row(heads, widths, numbers, "head");
    for (const row of rows) {
      if (this.#heightOf(row, widths) > this.#left()) {
        this.#doc.addPage();
        this.#row(heads, widths, numbers, "head");
      }
      this.#row(row, widths, numbers, "ruled");
    }
    this.#doc.y += 2 * PAD;
  }

  #row(
    cells: readonly Cell[],
    widths: readonly number[],
    numbers: readonly number[],
    style?: "head" | "ruled",
  ): void {
    const doc = this.#doc;
    const height = this.#heightOf(cells, widths, style === "head");
    this.#room(Math.min(height, 600));
    const y = doc.y;
    if (style === "head") doc.rect(MARGIN, y, this.#width, height).fill(HEAD);
    let x = MARGIN;
    for (const [i, cell] of cells.entries()) {
      const width = (this.#width * widths[i]!) / 100;
      this.#cell(cell, style === "head");
      doc.text(this.#textOf(cell), x + PAD, y + PAD / 2, {
        width: width - 2 * PAD,
        height: height + 1,
        align: numbers.includes(i) ? "right" : "left",
      });
      x += width;
    }
    doc.y = y + height;
    if (style === "ruled")
      doc
        .moveTo(MARGIN, doc.y)
        .lineTo(MARGIN + this.#width, doc.y)
        .lineWidth(0.4)
        .stroke(RULE);
  }

  #heightOf(cells: readonly Cell[], widths: readonly number[], head = false): number {
    let height = SIZE;
    for (const [i, cell] of cells.entries()) {
      this.#cell(cell, head);
      const width = (this.#width * widths[i]!) / 100 - 2 * PAD;
      height = Math.max(height, this.#doc.heightOfString(this.#textOf(cell) || " ", { width }));
    }
    return height + PAD;
  }

  #cell(cell: Cell, head: boolean): void {
    if (typeof cell === "string") this.#use(head ? "bold" : "regular", SIZE);
    else
      this.#use(
        cell.mono === true ? "mono" : cell.tone === "gap" ? "bold" : "regular",
        SIZE,
        cell.tone && COLOURS[cell.tone],
      );
  }

  #textOf(cell: Cell): string {
    return this.#text(typeof cell === "string" ? cell : cell.text);
  }

  #use(name: string, size: number, colour: string = INK): Document {
    return this.#doc.font(name).fontSize(size).fillColor(colour);
  }

  #left(): number {
    return this.#doc.page.height - this.#doc.page.margins.bottom - this.#doc.y;
  }

  #room(height: number): void {
    if (height > this.#left()) this.#doc.addPage();
  }

  /** With everything in it that can be drawn, and the rest by its code point. */
  #text(text: string): string {
    // pdfkit keeps the font that fontkit read where its types do not say so.
    const { font: shapes } = (
      this.#doc as unknown as { _font: { font: { hasGlyphForCodePoint(code: number): boolean } } }
    )._font;
    let out = "";
    for (const character of visible(text)) {
      const code = character.codePointAt(0)!;
      out +=
        code < 0x7f || shapes.hasGlyphForCodePoint(code)
          ? character
          : `⟨U+${code.toString(16).toUpperCase()}⟩`;
    }
    return out;
  }
}
