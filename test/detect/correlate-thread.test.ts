// The ordering thread's calls, made again from what frames keep.
import { expect, test } from "vitest";
import { eventOf } from "../../src/core/event.ts";
import { serialise } from "../../src/core/generated/event.ts";
import {
  type CorrelationHeader,
  Correlations,
  type CorrelationsState,
} from "../../src/detect/correlate-thread.ts";
import { offerOf } from "../../src/detect/suppress.ts";
import { type Loaded, base, batchesOf, load } from "./correlations.ts";

const ORIGIN = Date.UTC(2026, 0, 1);
const loaded: Loaded = load(`${base("a")}title: three
tapline.suppress: 1h
tapline.suppress_by: [user.name]
correlation: {type: event_count, rules: [a], group-by: gen_ai.conversation.id, timespan: 1m, condition: {gte: 3}}
---
title: quiet
correlation: {type: event_count, rules: [a], group-by: user.name, timespan: 5m, condition: {eq: 0}}
`);
const options = {
  origin: { namespace: "default", host: "h", version: "1" },
  ruleset_hash: "set",
  started_ms: ORIGIN,
};

test("frames made again after a crash give the state of the moment; alerts are told once, repeats in a summary", () => {
  expect(loaded.problems).toEqual([]);
  const frames: string[] = [];
  const told: string[] = [];
  let snapshot = "";
  const first = new Correlations(loaded.set, options);
  const keep = ({ events, header }: ReturnType<Correlations["push"]>): void => {
    for (const e of events) expect(() => serialise(e)).not.toThrow();
    told.push(
      ...events.map((e) => `${e["event.action"]} ${e["rule.name"]} ${e["gen_ai.conversation.id"] ?? "-"}`),
    );
    if (header !== undefined) frames.push(JSON.stringify(header));
  };
  for (let i = 0; i < 40; i++) {
    const t = i * 1_000;
    const event = { t, k: "a", "event.id": `e${i}`, "user.name": "ann", "tapline.stream": "s" };
    const events = [{ ...event, "gen_ai.conversation.id": `s${i % 4}` }];
    keep(
      first.push(batchesOf(loaded, events, 1, ORIGIN)[0]!.batch, {
        now_ms: ORIGIN + t,
        rested_ms: ORIGIN + t,
        first_index: i,
      }),
    );
    if (i === 20) {
      snapshot = JSON.stringify(first.state());
      frames.length = 0;
    }
  }
  for (let s = 45; s < 4_000; s += 5) keep(first.advance(ORIGIN + s * 1_000, ORIGIN + s * 1_000));
  expect(told).toEqual(["rule-alert three s0", "rule-alert quiet -", "alert-suppressed three -"]);
  const again = new Correlations(loaded.set, {
    ...options,
    state: JSON.parse(snapshot) as CorrelationsState,
  });
  for (const [i, frame] of frames.entries()) again.replay(JSON.parse(frame) as CorrelationHeader, 21 + i);
  for (const node of again.correlator.nodes) expect(node.lines[0].size).toBe(0);
  expect(again.suppressor.state()).toEqual(first.suppressor.state());
  expect(again.advance(ORIGIN + 4_000_000, ORIGIN + 4_000_000).events).toEqual([]);
});

test("alerts on single events: repeats are counted, late ones told as they are, and frames made again agree", () => {
  const rules = load(base("a").replace("title:", "tapline.suppress: 1m\ntitle:"));
  expect([rules.problems, rules.set.suppresses]).toEqual([[], true]);
  const first = new Correlations(rules.set, options);
  const again = new Correlations(rules.set, options);
  const told: string[] = [];
  for (const [i, t] of [0, 10, 70, 20, 200, 30, 190].entries()) {
    const alert = eventOf("rule-alert", options.origin);
    Object.assign(alert, { "event.id": `own ${t}`, "rule.id": "a", "rule.version": "1" });
    const time_ms = ORIGIN + t * 1_000;
    const events = [{ t: t * 1_000, k: "a", "tapline.stream": "s" }];
    const { batch } = batchesOf(rules, events, 1, ORIGIN)[0]!;
    const held = [{ alert, offer: offerOf(alert, { window_ms: 60_000, by: [] }, time_ms), entry: 0 }];
    const now_ms = ORIGIN + Math.max(t, i < 4 ? 70 : 200) * 1_000;
    // Time passes in between, of which nothing is kept when nothing comes of it.
    const { events: summaries, header: passed } = first.advance(now_ms, now_ms);
    if (passed !== undefined) again.replay(JSON.parse(JSON.stringify(passed)) as CorrelationHeader, -1);
    const { events: out, header } = first.push(batch, { now_ms, rested_ms: now_ms, first_index: i }, held);
    again.replay(JSON.parse(JSON.stringify(header)) as CorrelationHeader, i);
    expect(again.suppressor.state()).toEqual(first.suppressor.state());
    for (const e of [...summaries, ...out])
      told.push(e["event.action"] === "rule-alert" ? `${t}` : `${e["tapline.alert.count"]} more`);
    if (out.length > 0) expect(alert["event.id"]).toBe(t === 30 ? "own 30" : held[0]!.offer.alert);
  }
  expect(told).toEqual(["0", "70", "2 more", "200", "30"]);
});

test("without correlations nothing is kept", () => {
  const empty = load(base("a"));
  const correlations = new Correlations(empty.set, options);
  const { batch } = batchesOf(empty, [{ t: 0, k: "a" }], 1, ORIGIN)[0]!;
  expect(correlations.push(batch, { now_ms: ORIGIN, rested_ms: ORIGIN, first_index: 0 })).toEqual({
    events: [],
    header: undefined,
  });
});
