// The state of correlations as JSON and back. A correlation whose rules or fields changed starts empty; all others go
// on where they were, so that neither a restart nor a new rule set loses a window or fires one twice.
import { LIMITS } from "../core/limits.ts";
import type { CorrelationSet } from "./correlate-join.ts";
import type { ExtractValue } from "./correlate-extract.ts";
import { Correlator } from "./correlate.ts";
import { measureOf } from "./correlate-group.ts";
import { BACKFILL, LIVE, type NodeCounts, type NodeState } from "./correlate-node.ts";
import { Watermark, type WatermarkState } from "./watermark.ts";
import { Series } from "./window.ts";

/** `[time, id, slot, place of its values, index, events behind it]`. */
type RowState = readonly [number, string, number, number, number, (readonly (readonly [string, number])[])?];

interface SeriesState {
  readonly key: string;
  readonly group: readonly string[];
  readonly fired: readonly number[];
  readonly judged_ms: number | null;
  readonly last_ms: number;
  readonly grown: boolean;
  readonly values: readonly (readonly ExtractValue[])[];
  readonly rows: readonly RowState[];
}

interface NodeStateJson {
  readonly shape: string;
  readonly counts: NodeCounts;
  readonly told: readonly [number, number, number | null];
  readonly live: readonly SeriesState[];
  readonly backfill: readonly SeriesState[];
}

export interface CorrelatorState {
  readonly mark: WatermarkState;
  readonly live_from_ms: number | null;
  readonly backfill_ms: number | null;
  readonly backfill_heard_ms: number | null;
  readonly counts: Correlator["counts"];
  readonly buried: readonly string[];
  readonly nodes: readonly NodeStateJson[];
}

const finite = (n: number): number | null => (Number.isFinite(n) ? n : null);

/** All state, for a snapshot; JSON gives it back. */
export function stateOf(correlator: Correlator): CorrelatorState {
  const { time, nodes, told, buried, counts } = correlator;
  return {
    mark: time.mark.state(),
    live_from_ms: finite(time.live_from_ms),
    backfill_ms: finite(time.backfill_ms),
    backfill_heard_ms: finite(time.backfill_heard_ms),
    counts: { ...counts },
    buried: [...buried],
    nodes: nodes.map((node, i) => ({
      shape: node.node.shape,
      counts: { ...node.counts },
      told: [told[i]!.keys, told[i]!.rows, finite(told[i]!.at_ms)],
      live: [...node.lines[LIVE].all()].map(writeSeries),
      backfill: [...node.lines[BACKFILL].all()].map(writeSeries),
    })),
  };
}

/** A correlator for a rule set, with what of an earlier state is still good for it. */
export function openCorrelator(
  set: CorrelationSet,
  options: {
    readonly lateness_ms?: number | undefined;
    /** Start of the collector; records flagged as backfill from before its first start are never live. */
    readonly started_ms?: number;
    readonly state?: CorrelatorState | undefined;
  } = {},
): Correlator {
  const { state } = options;
  const never = Number.NEGATIVE_INFINITY;
  const correlator = new Correlator(set, {
    mark: new Watermark(options.lateness_ms ?? LIMITS.correlation_lateness_ms, state?.mark),
    live_from_ms: state?.live_from_ms ?? options.started_ms ?? Number.POSITIVE_INFINITY,
    backfill_ms: state?.backfill_ms ?? never,
    backfill_heard_ms: state?.backfill_heard_ms ?? never,
  });
  if (state === undefined) return correlator;
  Object.assign(correlator.counts, state.counts);
  for (const place of state.buried) correlator.buried.add(place);
  const known = new Map(state.nodes.map((node) => [node.shape, node]));
  for (const [i, node] of correlator.nodes.entries()) {
    const old = known.get(node.node.shape);
    if (old === undefined) continue;
    Object.assign(node.counts, old.counts);
    const [keys, rows, at_ms] = old.told;
    correlator.told[i] = { keys, rows, at_ms: at_ms ?? never };
    for (const series of old.live) node.restored(LIVE, readSeries(series, node));
    for (const series of old.backfill) node.restored(BACKFILL, readSeries(series, node));
  }
  return correlator;
}

function writeSeries(series: Series): SeriesState {
  const values: (readonly ExtractValue[])[] = [];
  const places = new Map<string, number>();
  const rows = series.rows.map((row): RowState => {
    const text = JSON.stringify(row.values);
    let at = places.get(text);
    if (at === undefined) {
      places.set(text, (at = values.length));
      values.push(row.values);
    }
    const own = [row.time_ms, row.id, row.slot, at, row.index] as const;
    return row.from === undefined ? own : [...own, row.from.map((e) => [e.event, e.index] as const)];
  });
  const { key, group, fired, grown, last_ms } = series;
  return { key, group, fired: [...fired], judged_ms: finite(series.judged_ms), last_ms, grown, values, rows };
}

function readSeries(state: SeriesState, { node }: NodeState): Series {
  const series = new Series(state.key, state.group);
  series.fired = [...state.fired];
  series.judged_ms = state.judged_ms ?? Number.NEGATIVE_INFINITY;
  series.last_ms = state.last_ms;
  series.grown = state.grown;
  for (const [time_ms, id, slot, at, index, behind] of state.rows) {
    const values = state.values[at]!;
    const measure = measureOf(node.rule.type, node.slots[slot]!, values);
    const from = behind?.map(([event, place]) => ({ event, index: place }));
    series.insert({ time_ms, id, slot, index, values, measure, from });
  }
  series.dirty_from = Number.POSITIVE_INFINITY;
  series.dirty_to = Number.NEGATIVE_INFINITY;
  return series;
}
