// Where matches go when collectors of a group share the work of correlations: which values of a match say whose windows
// it counts in, so that every window is one collector's. Correlations that stand on each other stay together: they share
// the fields by which all of them group, and where there are none one collector has all their windows. Moves nothing.
import { hash } from "node:crypto";
import { LIMITS } from "../core/limits.ts";
import type { CorrelationNode, CorrelationSet, NodeSlot } from "./correlate-join.ts";

/** One way in which matches of a rule are shared: by the values at these places. */
export interface Route {
  /** Names the correlations that get them, the fields, and the rule: a slot's `source` in the set of whoever judges. */
  readonly tag: string;
  /** The correlations alone: matches with one of these and the same values go to the same place. */
  readonly family: string;
  readonly places: readonly number[];
}

export interface Routed {
  /** The set for whoever judges windows: its slots take matches by tag. */
  readonly set: CorrelationSet;
  /** By content hash of the rule. */
  readonly routes: ReadonlyMap<string, readonly Route[]>;
  /** How far back matches can still matter, ms. */
  readonly back_ms: number;
}

/** Numbers in groups that grow together. */
class Groups {
  readonly #parents: number[] = [];

  find(n: number): number {
    let root = n;
    for (let up = this.#parents[root]; up !== undefined; up = this.#parents[root]) root = up;
    return root;
  }

  join(a: number, b: number): void {
    const [one, other] = [this.find(a), this.find(b)];
    if (one !== other) this.#parents[Math.max(one, other)] = Math.min(one, other);
  }
}

export function routesOf(set: CorrelationSet): Routed {
  const { nodes } = set;
  const families = new Groups();
  const fields = new Groups();
  // The fields that any node groups by, numbered through.
  const first = nodes.map((_, at) => nodes.slice(0, at).reduce((sum, n) => sum + n.rule.group_by.length, 0));
  for (const [at, { slots }] of nodes.entries()) {
    for (const slot of slots) {
      if (typeof slot.source !== "number") continue;
      families.join(at, slot.source);
      for (const [i, j] of innerGroups(slot)) fields.join(first[at]! + i, first[slot.source]! + j);
    }
  }
  const members = Map.groupBy(nodes.keys(), (at) => families.find(at));
  const routes = new Map<string, Route[]>();
  const tagged: CorrelationNode[] = [...nodes];
  for (const places of members.values()) {
    const family = familyOf(places.map((at) => nodes[at]!));
    const keys = keysOf(nodes, places, (at, i) => fields.find(first[at]! + i));
    for (const at of places) {
      const slots = nodes[at]!.slots.map((slot) => {
        if (typeof slot.source !== "string") return slot;
        const route = routeOf(slot, slot.source, family, keys.get(at)!);
        const known = routes.get(slot.source) ?? [];
        if (!known.some(({ tag }) => tag === route.tag)) routes.set(slot.source, [...known, route]);
        return { ...slot, source: route.tag };
      });
      tagged[at] = { ...nodes[at]!, slots };
    }
  }
  return { set: { ...set, nodes: tagged }, routes, back_ms: backOf(nodes) };
}

/** Which of a node's fields is which of its inner node's, where a slot stands on one. */
function innerGroups(slot: NodeSlot): (readonly [own: number, inner: number])[] {
  return slot.group.flatMap((place, i) => {
    const origin = slot.origins[place];
    return typeof origin === "object" && "group" in origin ? [[i, origin.group] as const] : [];
  });
}

/** Of each node of a family, the fields by which all of them group, in one order. */
function keysOf(
  nodes: readonly CorrelationNode[],
  members: readonly number[],
  classOf: (at: number, i: number) => number,
): Map<number, number[]> {
  const keys = new Map(members.map((at) => [at, [] as number[]]));
  // The order of nodes is that of files, which may differ between collectors; that of shapes is not.
  const least = members.reduce((a, b) => (nodes[b]!.shape < nodes[a]!.shape ? b : a));
  for (const own of nodes[least]!.rule.group_by.keys()) {
    const wanted = classOf(least, own);
    const found = members.map((at) =>
      [...nodes[at]!.rule.group_by.keys()].filter((i) => classOf(at, i) === wanted),
    );
    if (found.some((of) => of.length !== 1)) continue;
    const at_all = members.every((at, m) =>
      nodes[at]!.slots.every(
        (slot) => typeof slot.source === "string" || innerGroups(slot).some(([i]) => i === found[m]![0]),
      ),
    );
    if (!at_all) continue;
    for (const [m, at] of members.entries()) keys.get(at)!.push(found[m]![0]!);
  }
  return keys;
}

function familyOf(nodes: readonly CorrelationNode[]): string {
  const shapes = nodes.map(({ shape }) => shape).toSorted();
  return hash("sha256", shapes.join(), "hex").slice(0, 16);
}

function routeOf(slot: NodeSlot, rule: string, family: string, keys: readonly number[]): Route {
  const places = keys.map((i) => slot.group[i]!);
  const names = places.map((place) => slot.fields[place]!);
  return { tag: JSON.stringify([family, names, rule]), family, places };
}

/** Three windows of a correlation, and of those below it: what fired at the end of the first still stands for its place
 * on the grid. Besides, for as long as the watermark may stand, and repeats are suppressed. */
function backOf(nodes: readonly CorrelationNode[]): number {
  const backs: number[] = [];
  let longest = 0;
  let suppressed = 0;
  // Inner ones come first.
  for (const { rule, slots } of nodes) {
    let below = 0;
    for (const { source } of slots) if (typeof source === "number") below = Math.max(below, backs[source]!);
    const back = below + 3 * (rule.span_ms + rule.gap_ms);
    backs.push(back);
    longest = Math.max(longest, back);
    suppressed = Math.max(suppressed, rule.suppress?.window_ms ?? 0);
  }
  return longest + suppressed + LIMITS.correlation_hold_ms + 2 * LIMITS.correlation_lateness_ms;
}
