// Dashboards in the contract of api.ts.
import type { EventRow } from "./api-events.ts";
import type { Head, Problem, Time } from "./api.ts";

export interface DashboardList {
  readonly dashboards: readonly DashboardInfo[];
}
export interface DashboardInfo {
  readonly id: string;
  readonly title: string;
  /** For navigation. */
  readonly short: string;
  readonly about: string;
}
export interface DashboardLayout extends DashboardInfo {
  /** Default period. */
  readonly from: string;
  readonly filters: readonly { readonly field: string; readonly label: string }[];
  /** What is shown, what it is evidence for, what is not collected here. */
  readonly shows: string;
  readonly rows: readonly { readonly height: number; readonly panels: readonly PanelLayout[] }[];
}

interface Framed {
  readonly id: string;
  readonly title: string;
  /** Columns of 48. */
  readonly width: number;
  /** The panel's own condition in the search language: with the page's it leads to its events. */
  readonly q: string;
}
export interface MetricLayout {
  readonly label: string;
  readonly unit: Unit;
  /** The figure is an estimate, within 1 in 100. */
  readonly about: boolean;
}
/** How to write a figure: a plain number, bytes, nanoseconds, a time (ISO 8601 text). */
export type Unit = "number" | "bytes" | "ns" | "time";
export interface ByLayout {
  readonly label: string;
  /** Null when the buckets are conditions and not values of a field. */
  readonly field: string | null;
  /** Colours of values that are known beforehand: on white, 3 : 1 or more, apart in greys. */
  readonly colours: Readonly<Record<string, string>> | null;
}
export type PanelLayout =
  /** Markdown of ours (paragraphs, bold, tables, links): the one text that may be shown as markup. */
  | (Framed & { readonly kind: "text"; readonly text: string })
  | (Framed & { readonly kind: "number"; readonly metric: MetricLayout })
  | (Framed & { readonly kind: "time"; readonly metric: MetricLayout; readonly by: ByLayout | null })
  | (Framed & { readonly kind: "heat"; readonly metric: MetricLayout; readonly by: ByLayout })
  | (Framed & {
      readonly kind: "bar";
      readonly metric: MetricLayout;
      readonly by: ByLayout;
      readonly stack: ByLayout | null;
    })
  | (Framed & {
      readonly kind: "table";
      readonly by: readonly ByLayout[];
      readonly metrics: readonly MetricLayout[];
    })
  | (Framed & { readonly kind: "events"; readonly columns: readonly string[] });

/** A dashboard's figures: `begin` first, then panels as they are ready, `end` last. */
export type DashboardLine =
  | { readonly type: "begin"; readonly header: ExhibitHeader }
  | { readonly type: "panel"; readonly data: PanelData }
  | { readonly type: "problem"; readonly panel: string; readonly problem: Problem }
  | { readonly type: "end"; readonly took_ms: number };

/** What an exhibit says of itself. */
export interface ExhibitHeader {
  readonly host: string;
  readonly from: Time;
  readonly to: Time;
  /** Minutes east of UTC at which days begin. */
  readonly tz: number;
  readonly q: string;
  readonly asked_at: Time;
  readonly head: Head;
  /** Entries [0, shown) were asked: those of the files and those read from the ledger. */
  readonly shown: number;
}

/** A number; a time for the unit `time`; null for nothing to measure. */
export type Figure = number | string | null;
/** Value of a bucket; the label of a condition. */
export type Key = string | number | boolean;

export type PanelData = Figures & {
  /** Of some files only the largest groups were kept: rare values are missing, and sums over them are too small. */
  readonly cut?: true;
};
type Figures =
  | { readonly id: string; readonly kind: "number"; readonly value: Figure }
  | {
      readonly id: string;
      readonly kind: "time" | "heat";
      /** Width of a bucket. */
      readonly step_ms: number;
      /** Begin of each bucket, ms since 1970; none is left out. */
      readonly times: readonly number[];
      /** One without a key when the panel is not split; else the largest first, and `other` for the rest. */
      readonly series: readonly {
        readonly key: Key | null;
        readonly other: boolean;
        readonly values: readonly Figure[];
      }[];
    }
  | {
      readonly id: string;
      readonly kind: "bar";
      readonly bars: readonly {
        readonly key: Key;
        readonly value: Figure;
        readonly parts: readonly { readonly key: Key; readonly value: Figure }[];
      }[];
      /** Buckets beyond the largest that are shown. */
      readonly more: number;
    }
  | {
      readonly id: string;
      readonly kind: "table";
      readonly rows: readonly { readonly keys: readonly Key[]; readonly values: readonly Figure[] }[];
      readonly more: number;
    }
  | { readonly id: string; readonly kind: "events"; readonly events: readonly EventRow[] };
