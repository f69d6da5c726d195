// What the sheets of a report are made of: plain blocks of text and tables, which the page and the PDF each write out in their own
// way. Knows nothing of either.
import { LIMITS } from "../core/limits.ts";
import { n } from "../core/words.ts";
import { cut } from "../viewer/web/text.ts";
import type { ControlReport, ControlResult, Count } from "./model.ts";

export type Tone = "gap" | "good" | "dim";
export type Cell =
  | string
  | {
      readonly text: string;
      /** A sheet of this document, `#A.6.2.6`, or a file of the pack. Never anything recorded. */
      readonly to?: string;
      readonly tone?: Tone;
      readonly mono?: true;
    };

export interface Table {
  readonly kind: "table";
  readonly head: readonly string[];
  /** Share of the width, one a column. */
  readonly widths: readonly number[];
  readonly rows: readonly (readonly Cell[])[];
  /** Columns of numbers. */
  readonly numbers?: readonly number[];
}
export type Block =
  | { readonly kind: "heading"; readonly text: string }
  | { readonly kind: "text"; readonly text: string; readonly tone?: Tone }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "facts"; readonly rows: readonly (readonly [string, Cell])[] }
  | Table;

/** What stands on pages of its own. */
export interface Sheet {
  /** Unique; letters, digits, dots and dashes. */
  readonly id: string;
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** Recorded text, bounded. */
export const foreign = (text: string, chars: number = LIMITS.report_text_chars): string =>
  text.length <= chars ? text : `${cut(text, chars)}…`;
/** A row of a list. */
export const nameOf = ({ name, more }: Count): string =>
  more === undefined ? foreign(name) : `and ${n(more)} more`;
export const countsOf = (all: readonly Count[]): string =>
  all.map((one) => `${nameOf(one)}${one.more === undefined ? "" : ":"} ${n(one.events)}`).join(", ");
export const orDash = (text: string | null | undefined): string =>
  text === null || text === undefined || text === "" ? "–" : text;

/** To the second, in columns that are told to be UTC. */
export const moment = (time: string | null): string =>
  time === null || time === "" ? "–" : time.slice(0, 19).replace("T", " ");

export const EVIDENCE: Readonly<Record<ControlReport["evidence"], string>> = {
  direct: "direct: the events are the evidence",
  supporting: "supporting: beside a document or process, never in its place",
  none: "not collected here: no event speaks to it",
};
export const RESULT: Readonly<Record<ControlResult, { readonly text: string; readonly tone?: Tone }>> = {
  gap: { text: "GAP", tone: "gap" },
  evidence: { text: "events recorded", tone: "good" },
  document: { text: "document named" },
  nothing: { text: "nothing recorded, nothing claimed", tone: "dim" },
  "not-applicable": { text: "not applicable", tone: "dim" },
};

export function statedOf({ soa }: ControlReport): string {
  if (soa === undefined) return "–";
  if (!soa.applicable) return "not applicable";
  return soa.planned_for === undefined ? (soa.status ?? "–") : `planned for ${soa.planned_for}`;
}
