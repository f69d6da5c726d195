// The windows of a correlation judged literally: every window over all events, with nothing remembered between two.
// Slow, independent of src/detect/window*.ts, and of the order of arrival.
import type { Correlation } from "../../src/detect/correlation-parse.ts";
import type { TestEvent } from "./correlations.ts";

interface One {
  readonly t: number;
  readonly slot: number;
  readonly value: unknown;
  readonly id: string;
}

/** Titles, groups and places on the grid (as `nameOf`) of all alerts, when no more events come. `origin` is added to
 * the times of events. Rules are detections of the field `k`; no chains. */
export function expected(
  rules: readonly Correlation[],
  events: readonly TestEvent[],
  origin: number,
): string[] {
  return rules.flatMap((rule) => {
    const groups = new Map<string, One[]>();
    for (const event of events) {
      for (const [slot, name] of rule.rules.entries()) {
        if (event["k"] !== name) continue;
        const group = rule.group_by.map((f) => event[rule.aliases[f]?.[name] ?? f]);
        if (group.some((v) => v === undefined || v === null)) continue;
        const key = group.length === 1 ? String(group[0]).toLowerCase() : JSON.stringify(group).toLowerCase();
        const one = {
          t: origin + event.t,
          slot,
          value: event[rule.fields[0]!],
          id: String(event["event.id"]),
        };
        groups.set(key, [...(groups.get(key) ?? []), one]);
      }
    }
    return [...groups].flatMap(([key, all]) => {
      const grids = new Set(windows(rule, all).map((start) => grid(rule, start)));
      return [...grids].map((g) => JSON.stringify([rule.title, key, g]));
    });
  });
}

function grid(rule: Correlation, start: number): number {
  return rule.window === "session" ? start : Math.floor(start / rule.span_ms) * rule.span_ms;
}

/** Starts of the windows that meet the condition. */
function windows(rule: Correlation, all: readonly One[]): number[] {
  const span = rule.span_ms;
  const times = [...new Set(all.map((e) => e.t))].sort((a, b) => a - b);
  const inside = (from: number, to: number): One[] => all.filter((e) => e.t >= from && e.t <= to);
  const { condition } = rule;
  if (rule.window === "session") {
    const sessions: number[][] = [];
    for (const t of times) {
      const open = sessions.at(-1);
      if (open !== undefined && t - open.at(-1)! <= rule.gap_ms && t - open[0]! <= span) open.push(t);
      else sessions.push([t]);
    }
    // Any prefix of a session counts where more events cannot undo the condition; else the whole alone.
    return sessions
      .filter((s) => {
        const lasting =
          condition.kind === "rules"
            ? condition.clauses.some(
                (c) => c.without.length === 0 && meets(rule, inside(s[0]!, s.at(-1)!), [c]),
              )
            : false;
        return lasting || meets(rule, inside(s[0]!, s.at(-1)!));
      })
      .map((s) => s[0]!);
  }
  if (rule.window === "tumbling") {
    const cells = new Set(times.map((t) => Math.floor(t / span)));
    // The first empty cell after one with events is a silence.
    for (const cell of Array.from(cells)) if (!cells.has(cell + 1)) cells.add(cell + 1);
    return [...cells].map((c) => c * span).filter((start) => meets(rule, inside(start, start + span - 1)));
  }
  if (condition.kind === "number") {
    const silences = times.map((t) => t + 1).filter((start) => inside(start, start + span).length === 0);
    const starts = [...times.map((t) => t - span), ...silences];
    return starts.filter((start) => meets(rule, inside(start, start + span)));
  }
  return condition.clauses.flatMap((clause) => {
    if (clause.without.length === 0) {
      return times.map((t) => t - span).filter((start) => meets(rule, inside(start, start + span), [clause]));
    }
    const openers = all.filter((e) => clause.with.includes(e.slot)).map((e) => e.t);
    return openers.filter((start) => meets(rule, inside(start, start + span), [clause]));
  });
}

type Clauses = Extract<Correlation["condition"], { kind: "rules" }>["clauses"];

function meets(rule: Correlation, window: readonly One[], clauses?: Clauses): boolean {
  const { condition } = rule;
  if (condition.kind === "rules") {
    return (clauses ?? condition.clauses).some(
      (c) =>
        c.with.every((slot) => window.some((e) => e.slot === slot)) &&
        !c.without.some((slot) => window.some((e) => e.slot === slot)) &&
        (rule.type === "temporal" || inOrder(window, c.with)),
    );
  }
  const n = number(rule, window);
  return n !== undefined && condition.tests.every(({ op, value }) => compare(op, n, value));
}

function compare(op: string, a: number, b: number): boolean {
  const results: Record<string, boolean> = {
    lt: a < b,
    lte: a <= b,
    gt: a > b,
    gte: a >= b,
    eq: a === b,
    neq: a !== b,
  };
  return results[op]!;
}

function number(rule: Correlation, window: readonly One[]): number | undefined {
  const numbers = window
    .map((e) => e.value)
    .filter((v) => typeof v === "number")
    .sort((a, b) => a - b);
  const sum = numbers.reduce((a, b) => a + b, 0);
  const texts = window.flatMap((e) => (e.value === undefined ? [] : [String(e.value).toLowerCase()]));
  const slots = [...new Set(window.map((e) => e.slot))].sort((a, b) => a - b);
  if (rule.type === "event_count") return new Set(window.map((e) => e.id)).size;
  if (rule.type === "value_count") return new Set(texts).size;
  if (rule.type === "temporal") return slots.length;
  if (rule.type === "temporal_ordered") {
    const tests = rule.condition.kind === "number" ? rule.condition.tests : [];
    if (tests.every((t) => t.op === "gt" || t.op === "gte")) {
      return Math.max(0, ...subsets(slots).map((s) => (inOrder(window, s) ? s.length : 0)));
    }
    return inOrder(window, slots) ? slots.length : undefined;
  }
  if (numbers.length === 0) return undefined;
  if (rule.type === "value_sum") return sum;
  if (rule.type === "value_avg") return sum / numbers.length;
  const at = ((numbers.length - 1) * rule.percentile) / 100;
  const [low, high] = [numbers[Math.floor(at)]!, numbers[Math.ceil(at)]!];
  return low + (high - low) * (at - Math.floor(at));
}

function subsets(slots: readonly number[]): number[][] {
  if (slots.length === 0) return [[]];
  const rest = subsets(slots.slice(1));
  return [...rest, ...rest.map((s) => [slots[0]!, ...s])];
}

/** Whether some choice of one event each is strictly in order of time. */
function inOrder(
  window: readonly One[],
  slots: readonly number[],
  after = Number.NEGATIVE_INFINITY,
): boolean {
  if (slots.length === 0) return true;
  return window.some((e) => e.slot === slots[0] && e.t > after && inOrder(window, slots.slice(1), e.t));
}
