// Foreign text in sentences of ours: on one line, bounded, and with nothing in it that is not seen.
import { LIMITS } from "./limits.ts";

// Control and format characters can forge lines, hide text or drive a terminal; quotes can end a quotation.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\ufe00-\ufe0f]+/gu;

/** Foreign text, quoted for a sentence. */
export function said(value: string, at: number): string {
  const cut = excerpt(value, at, LIMITS.reason_chars);
  return `"${plain(cut).replaceAll('"', "'").trim()}"`;
}

/** The text on one line, with nothing in it that is not seen. */
export function plain(text: string): string {
  return text.replace(UNSAFE, " ");
}

/** At most `chars` of a text around the place of a match, with `…` where it was cut. */
export function excerpt(value: string, at: number, chars: number): string {
  if (value.length <= chars) return value;
  const start = Math.max(0, Math.min(at - Math.floor(chars / 4), value.length - chars));
  const cut = value.slice(start, start + chars).toWellFormed();
  return (start > 0 ? "…" : "") + cut + (start + chars < value.length ? "…" : "");
}
