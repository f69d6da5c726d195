// Correlations across the collectors of a group: whatever members come, go or die, and however often they repeat
// themselves, the alerts are those of one collector that reads everything. Seeds are told where it fails.
import { describe, expect, test } from "vitest";
import { parseConfig } from "../src/config.ts";
import { Correlations } from "../src/detect/correlate-thread.ts";
import { routesOf } from "../src/detect/exchange-routes.ts";
import { type Loaded, type TestEvent, base, batchesOf, load, random } from "./detect/correlations.ts";
import { Ledger, Member, ORIGIN, Topics, alertName } from "./exchange-group.ts";

const T0 = Date.UTC(2026, 0, 1);
const correlation = (title: string, body: string, more = ""): string =>
  `title: ${title}\nname: ${title.replaceAll(" ", "_")}\n${more}correlation: {${body}}\n---\n`;

const RULES = [
  base("a"),
  base("b"),
  base("c"),
  correlation(
    "count",
    "type: event_count, rules: [a], group-by: [user.name], timespan: 1m, condition: {gte: 4}",
  ),
  correlation(
    "values",
    "type: value_count, rules: [a, b], group-by: [user.name], timespan: 2m, condition: {gte: 4, field: gen_ai.tool.name}",
  ),
  correlation("pair", "type: temporal, rules: [a, b, c], group-by: [gen_ai.tool.name], timespan: 30s"),
  correlation("order", "type: temporal_ordered, rules: [a, b, c], group-by: [user.name], timespan: 20s"),
  correlation(
    "absent",
    'type: temporal, rules: [c, b], group-by: [user.name], timespan: 90s, condition: "c and not b"',
  ),
  correlation(
    "few",
    "type: event_count, rules: [b], group-by: [gen_ai.tool.name], timespan: 1m, condition: {eq: 0}",
  ),
  correlation(
    "session",
    "type: event_count, rules: [b], group-by: [gen_ai.conversation.id], timespan: 3m, condition: {gte: 4}",
  ),
  correlation("all", "type: event_count, rules: [c], timespan: 30s, condition: {gte: 8}"),
  correlation(
    "bursts",
    "type: event_count, rules: [c], group-by: [user.name], tapline.window: session, tapline.gap: 20s, timespan: 5m, condition: {gte: 5}",
  ),
  correlation(
    "inner",
    "type: event_count, rules: [a], group-by: [user.name, gen_ai.conversation.id], timespan: 1m, condition: {gte: 2}",
  ),
  correlation(
    "outer",
    "type: event_count, rules: [inner], group-by: [user.name], timespan: 3m, condition: {gte: 2}",
  ),
  correlation(
    "apart",
    "type: value_count, rules: [count], group-by: [gen_ai.tool.name], timespan: 5m, condition: {gte: 2, field: user.name}",
  ),
  correlation(
    "hushed",
    "type: event_count, rules: [b], group-by: [user.name], timespan: 1m, condition: {gte: 3}",
    "tapline.suppress: 10m\ntapline.suppress_by: [user.name]\n",
  ),
].join("");

const SESSIONS = 24;
const loaded: Loaded = load(RULES);

interface Options {
  readonly seed: number;
  readonly seconds: number;
  /** Events of the past. */
  readonly old: number;
  readonly partitions: readonly [events: number, matches: number];
}

function concerning(session: number, next: (max: number) => number) {
  return {
    session,
    k: "abc"[next(3)]!,
    "user.name": `user-${next(2)}`,
    "gen_ai.conversation.id": `session-${session}`,
    "gen_ai.tool.name": `tool-${next(4)}`,
    "tapline.stream": `host-${session % 5}`,
  };
}

/** A stream of events, by their arrival. Bursts and silences, so that windows fill and empty. */
function eventsOf({ seed, seconds, old }: Options): (TestEvent & { at: number; session: number })[] {
  const next = random(seed);
  const events: (TestEvent & { at: number; session: number })[] = [];
  // What hosts have of the days before, as they find it at their first start.
  for (let i = 0; i < old; i++) {
    const t = T0 - 86_400_000 + next(600_000);
    const about = { t, at: T0 + next(3_000), "event.id": `old-${i}`, "tapline.backfill": true };
    events.push({ ...concerning(next(SESSIONS), next), ...about });
  }
  let n = 0;
  for (let s = 0; s < seconds;) {
    s += next(4) === 0 ? 20 + next(100) : next(5);
    const burst = next(6) === 0 ? 6 : 1;
    for (let i = 0; i < burst; i++) {
      const session = next(SESSIONS);
      const t = T0 + s * 1_000 + next(1_000);
      const user = `user-${burst > 1 ? session % 2 : next(4)}`;
      const about = { t, at: t + next(6_000), "event.id": `event-${n++}`, "user.name": user };
      events.push({ ...concerning(session, next), ...about });
    }
  }
  return events.toSorted((x, y) => x.at - y.at);
}

/** Long enough for every window to end, and to read all that was told of it. */
const tailOf = ({ seconds }: Options): number => seconds + 1_000;

/** The alerts of one collector that reads everything as it arrives. */
function alone(options: Options): Map<string, string> {
  const correlations = new Correlations(loaded.set, { origin: ORIGIN, ruleset_hash: "set", started_ms: T0 });
  const events = eventsOf(options);
  const alerts = new Map<string, string>();
  let at = 0;
  for (let s = 0; s < tailOf(options); s++) {
    const now_ms = T0 + s * 1_000;
    const from = at;
    while (at < events.length && events[at]!.at <= now_ms) at++;
    const arrival = { now_ms, rested_ms: now_ms, first_index: 0 };
    const out = [];
    if (at > from) {
      const { batch } = batchesOf(loaded, events.slice(from, at), at - from, 0)[0]!;
      out.push(...correlations.push(batch, arrival).events);
    }
    out.push(...correlations.advance(now_ms, now_ms).events);
    for (const e of out) if (e["event.action"] === "rule-alert") alerts.set(alertName(e), e["rule.name"]!);
  }
  expect(correlations.correlator.counts.late, "nothing of these streams is late").toBe(0);
  return alerts;
}

interface Trouble {
  /** One in so many seconds, something happens to a member; 0: never. */
  readonly crash: number;
  readonly move: number;
  readonly refuse: number;
  /** The same, and the brokers take nothing for half a minute. */
  readonly outage: number;
}

interface Outcome {
  /** Each alert as often as it stands in a ledger. */
  readonly alerts: readonly string[];
  readonly ledgers: readonly Ledger[];
  readonly kills: number;
  readonly moves: number;
}

/** The same stream, read by members of a group. */
async function together(options: Options, members: number, trouble: Trouble): Promise<Outcome> {
  const next = random(options.seed + 1_000_003);
  const chance = (one_in: number): boolean => one_in > 0 && next(one_in) === 0;
  const topics = new Topics(...options.partitions);
  const ledgers = Array.from({ length: members }, () => new Ledger());
  const up = new Map<number, Member>();
  /** Members that are dead, and when their partitions go to others, and when they come back. */
  const dead = new Map<number, { readonly gone: readonly string[]; until: number; back: number }>();
  const events = eventsOf(options);
  const begin = (who: number): Member => {
    const member = new Member(loaded, topics, ledgers[who]!, T0);
    up.set(who, member);
    return member;
  };
  const free = new Set(topics.names);
  const give = (): void => {
    for (const name of free) {
      const alive = [...up.values()];
      if (alive.length === 0) return;
      alive[next(alive.length)]!.assign(name);
      free.delete(name);
    }
  };
  const outcome = { kills: 0, moves: 0 };
  let down_until = 0;
  let at = 0;
  for (let s = 0; s < tailOf(options); s++) {
    topics.now_ms = T0 + s * 1_000;
    const calm = s > options.seconds;
    if (chance(trouble.outage)) down_until = s + 30;
    topics.up = s >= down_until || calm;
    while (at < events.length && events[at]!.at <= topics.now_ms) {
      const { session, ...event } = events[at++]!;
      topics.events[session % topics.events.length]!.push({ ms: topics.now_ms, event });
    }
    if (s === 0) for (const who of ledgers.keys()) begin(who);
    for (const [who, state] of dead) {
      if (s !== state.until) continue;
      for (const name of state.gone) free.add(name);
      dead.set(who, { ...state, gone: [] });
    }
    for (const [who, { gone, back }] of dead) {
      if (s < back && !calm) continue;
      dead.delete(who);
      const member = begin(who);
      for (const name of gone) member.assign(name);
    }
    give();
    for (const [who, member] of up) {
      for (const name of member.owned.keys())
        for (let n = next(3); n > 0; n--) member.read(name, 1 + next(40));
      member.tick();
      if (calm) for (const name of member.owned.keys()) member.read(name, Number.POSITIVE_INFINITY);
      member.sends = chance(trouble.refuse) ? next(6) : Number.POSITIVE_INFINITY;
      // It dies between any two of these.
      const steps = calm ? 4 : chance(trouble.crash) ? next(4) : 4;
      if (steps > 0) member.sync();
      const sent = steps > 1 && (await member.publish());
      if (sent && steps > 2) member.settle();
      if (steps === 4) {
        if (chance(50)) member.takeSnapshot();
        continue;
      }
      outcome.kills++;
      up.delete(who);
      dead.set(who, { gone: [...member.owned.keys()], until: s + 30 + next(90), back: s + 5 + next(80) });
    }
    if (up.size > 1 && chance(trouble.move) && !calm) {
      const giver = [...up.values()].find(({ owned }) => owned.size > 0);
      const name = giver && [...giver.owned.keys()][next(giver.owned.size)];
      if (name !== undefined && (await giver!.revoke(name))) {
        outcome.moves++;
        free.add(name);
      }
    }
  }
  return { alerts: ledgers.flatMap((ledger) => ledger.alerts), ledgers, ...outcome };
}

const namesOf = (ids: Iterable<string>, names: ReadonlyMap<string, string>): string[] =>
  [...ids].map((id) => names.get(id) ?? `${id} of the group alone`).toSorted();

/** A window that moves is not told again. Of the past, repeats are told twice where they come before and after time is
 * known, by one collector as by many: under one id. */
function expectOnce(alerts: readonly string[]): void {
  const live = alerts.filter((name) => !name.endsWith(" of the past"));
  expect(live.length, "each once").toBe(new Set(live).size);
}

describe("a group and one collector alert alike", () => {
  test("the rules are of every kind, and some stand on others", () => {
    expect(loaded.problems).toEqual([]);
    const { set, routes } = routesOf(loaded.set);
    expect(set.nodes.map(({ shape }) => shape)).toEqual(loaded.set.nodes.map(({ shape }) => shape));
    const of = (name: string): string[] => {
      const { rule } = loaded.rules.rules.find((one) => one.rule.name === name)!;
      return routes.get(rule.hash)!.map(({ tag }) => (JSON.parse(tag) as [string, string[]])[1].join());
    };
    // By what they group, each once: of chains by what all of them do, and where there is none in one place.
    const [user, tool, session] = ["user.name", "gen_ai.tool.name", "gen_ai.conversation.id"];
    expect(of("a").toSorted()).toEqual(["", user, user, user, tool].toSorted());
    expect(of("b").toSorted()).toEqual([user, user, user, user, tool, tool, session].toSorted());
    expect(of("c").toSorted()).toEqual(["", user, user, user, tool].toSorted());
  });

  const isFull = process.env["TAPLINE_FULL"] !== undefined;
  const seeds = Array.from({ length: isFull ? 100 : 2 }, (_, i) => i + 1);
  const seconds = isFull ? 4_000 : 2_000;
  test.each(seeds)("seed %i: members that stay", async (seed) => {
    const options: Options = { seed, seconds: 1_500, old: 80, partitions: [4, 3] };
    const expected = alone(options);
    expect([...expected.keys()].filter((name) => name.endsWith(" of the past")).length).toBeGreaterThan(5);
    const { alerts } = await together(options, 3, { crash: 0, move: 0, refuse: 0, outage: 0 });
    expect(namesOf(new Set(alerts), expected)).toEqual(namesOf(expected.keys(), expected));
    expectOnce(alerts);
  });

  test.each(seeds)("seed %i: partitions move, and brokers refuse", async (seed) => {
    const options: Options = { seed, seconds, old: 80, partitions: [4, 3] };
    const expected = alone(options);
    expect(new Set(expected.values()).size, "rules that fire").toBeGreaterThan(6);
    const { alerts, moves } = await together(options, 3, { crash: 0, move: 20, refuse: 5, outage: 0 });
    expect(moves).toBeGreaterThan(20);
    expect(namesOf(new Set(alerts), expected)).toEqual(namesOf(expected.keys(), expected));
    expectOnce(alerts);
  });

  test.each(seeds)("seed %i: members die at any point, come back or are replaced", async (seed) => {
    const options: Options = { seed, seconds, old: 0, partitions: [5, 4] };
    const expected = alone(options);
    const { alerts, kills, ledgers } = await together(options, 4, {
      crash: 150,
      move: 60,
      refuse: 10,
      outage: 100,
    });
    expect(kills).toBeGreaterThan(seconds / 200);
    expect(namesOf(new Set(alerts), expected)).toEqual(namesOf(expected.keys(), expected));
    for (const ledger of ledgers) expect(new Set(ledger.alerts).size).toBe(ledger.alerts.length);
  });
});

test("one source shares matches, in a topic that holds nothing else", () => {
  const kafka = { type: "kafka", brokers: "k:9092", matches: "tapline-matches" };
  const config = (sources: object): string => JSON.stringify({ sources });
  expect(parseConfig(config({ a: kafka }), "c").sources["a"]).toMatchObject({ matches: "tapline-matches" });
  expect(() => parseConfig(config({ a: kafka, b: kafka }), "c")).toThrow("and a does: sources.b.matches");
  const same = { ...kafka, topics: ["tapline-matches"] };
  expect(() => parseConfig(config({ a: same }), "c")).toThrow("matches is a topic of its own");
});
