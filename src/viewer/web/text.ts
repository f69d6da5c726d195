// Recorded text made safe to look at: what a reader cannot see, or what would reorder what stands beside it, becomes a mark
// with its code point. Escapes nothing: pages only ever make text nodes of it.

/** A run of plain text, or one character shown as a mark. */
export type Piece =
  | { readonly text: string; readonly mark?: undefined }
  | { readonly mark: string; readonly name: string; readonly text?: undefined };

const NAMES: Readonly<Record<number, string>> = {
  0x00: "null",
  0x07: "bell",
  0x08: "backspace",
  0x09: "tab",
  0x0a: "line feed",
  0x0d: "carriage return",
  0x1b: "escape",
  0x7f: "delete",
  0xad: "soft hyphen",
  0x61c: "Arabic letter mark",
  0x200b: "zero-width space",
  0x200c: "zero-width non-joiner",
  0x200d: "zero-width joiner",
  0x200e: "left-to-right mark",
  0x200f: "right-to-left mark",
  0x2028: "line separator",
  0x2029: "paragraph separator",
  0x202a: "left-to-right embedding",
  0x202b: "right-to-left embedding",
  0x202c: "end of embedding",
  0x202d: "left-to-right override",
  0x202e: "right-to-left override",
  0x2060: "word joiner",
  0x2066: "left-to-right isolate",
  0x2067: "right-to-left isolate",
  0x2068: "first-strong isolate",
  0x2069: "end of isolate",
  0xfeff: "byte order mark",
};

// Controls, format characters (bidi, zero width, tags), separators other than the space, fillers that have no ink,
// variation selectors, halves of surrogate pairs, private use; but not what only says how an emoji is drawn.
const UNSEEN = new RegExp(
  [
    String.raw`(?!(?<=\p{Extended_Pictographic}\ufe0f?)\u200d\p{Extended_Pictographic})[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]`,
    String.raw`[\u115f\u1160\u2800\u3164\uffa0\u034f\u180b-\u180f\ufe00-\ufe0d\u{e0100}-\u{e01ef}]`,
    String.raw`(?<![\p{Extended_Pictographic}#*0-9])[\ufe0e\ufe0f]`,
    String.raw`(?! )\p{Zs}`,
  ].join("|"),
  "u",
);
const EVERY = new RegExp(UNSEEN.source, "gu");

function nameOf(code: number): string {
  const known = NAMES[code];
  if (known !== undefined) return known;
  if (code >= 0xe0020 && code <= 0xe007e) return `tag character for ${String.fromCodePoint(code - 0xe0000)}`;
  if (code < 0x20 || (code >= 0x80 && code < 0xa0)) return "control character";
  if (code >= 0xd800 && code <= 0xdfff) return "half of a character";
  return "character without a shape of its own";
}

/** `lines` keeps line feeds and tabs, for blocks that show them. */
export function pieces(text: string, lines = false): readonly Piece[] {
  if (!UNSEEN.test(text)) return text === "" ? [] : [{ text }];
  const out: Piece[] = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(EVERY)) {
    if (lines && (found === "\n" || found === "\t")) continue;
    if (index > from) out.push({ text: text.slice(from, index) });
    from = index + found.length;
    const code = found.codePointAt(0)!;
    out.push({ mark: `U+${code.toString(16).toUpperCase().padStart(4, "0")}`, name: nameOf(code) });
  }
  if (from < text.length) out.push({ text: text.slice(from) });
  return out;
}

/** The same as one string, for places that hold no elements: titles, labels of charts. */
export const visible = (text: string, lines = false): string =>
  pieces(text, lines)
    .map((piece) => piece.text ?? `⟨${piece.mark}⟩`)
    .join("");

/** Cut at whole characters. */
export function cut(text: string, chars: number): string {
  if (text.length <= chars) return text;
  const end = /[\ud800-\udbff]/.test(text[chars - 1]!) ? chars - 1 : chars;
  return text.slice(0, end);
}
