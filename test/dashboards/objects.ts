// Reads a file of saved objects as a front end would: lines, JSON within strings, and what each panel asks of which fields.
import { readFileSync } from "node:fs";

export interface SavedObject {
  readonly id: string;
  readonly type: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly references: readonly { readonly name: string; readonly type: string; readonly id: string }[];
  readonly [key: string]: unknown;
}

export const FILES = {
  opensearch: "dashboards/generated/opensearch-dashboards.ndjson",
  kibana: "dashboards/generated/kibana.ndjson",
} as const;

export const readObjects = (path: string): SavedObject[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as SavedObject);

export const parse = (text: unknown): never => JSON.parse(String(text)) as never;

export interface Grid {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
  readonly i: string;
}
export interface DashboardPanel {
  readonly type?: string;
  readonly title?: string;
  readonly gridData: Grid;
  readonly panelIndex: string;
  readonly panelRefName?: string;
  readonly embeddableConfig: Readonly<Record<string, unknown>>;
}
export interface ClassicAgg {
  readonly id: string;
  readonly type: string;
  readonly schema: string;
  readonly params: {
    readonly field?: string;
    readonly size?: number;
    readonly orderBy?: string;
    readonly order?: string;
    readonly percents?: readonly number[];
    readonly missingBucket?: boolean;
    readonly filters?: readonly { readonly input: { readonly query: string }; readonly label: string }[];
  };
}
export interface VisState {
  readonly title: string;
  readonly type: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly aggs: readonly ClassicAgg[];
}
export interface LensColumn {
  readonly operationType: string;
  readonly sourceField?: string;
  readonly isBucketed: boolean;
  readonly dataType: string;
  readonly params?: {
    readonly size?: number;
    readonly missingBucket?: boolean;
    readonly otherBucket?: boolean;
    readonly percentile?: number;
    readonly orderBy?: { readonly columnId: string };
    readonly orderDirection?: string;
    readonly filters?: readonly { readonly input: { readonly query: string }; readonly label: string }[];
  };
}
export interface LensState {
  readonly visualization: Readonly<Record<string, unknown>>;
  readonly query: { readonly query: string };
  readonly datasourceStates: {
    readonly formBased: {
      readonly layers: Readonly<
        Record<
          string,
          {
            readonly columns: Readonly<Record<string, LensColumn>>;
            readonly columnOrder: readonly string[];
          }
        >
      >;
    };
  };
}

export const ofType = (objects: readonly SavedObject[], type: string): SavedObject[] =>
  objects.filter((object) => object.type === type);
export const panelsOf = (dashboard: SavedObject): DashboardPanel[] =>
  parse(dashboard.attributes["panelsJSON"]);
export const visStateOf = (object: SavedObject): VisState => parse(object.attributes["visState"]);

interface Source {
  readonly query: { readonly query: string; readonly language: string };
  readonly filter: readonly unknown[];
  readonly indexRefName?: string;
}
export function sourceOf(object: SavedObject): Source {
  const { searchSourceJSON } = object.attributes["kibanaSavedObjectMeta"] as { searchSourceJSON: string };
  return parse(searchSourceJSON);
}
export const lensOf = (panel: DashboardPanel): LensState =>
  (panel.embeddableConfig["attributes"] as { state: LensState }).state;
