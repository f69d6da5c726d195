// What the viewer leaves out for its bounds, and that it says so.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serialise } from "../../src/core/generated/event.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { Alerts } from "../../src/viewer/alerts.ts";
import type { Context } from "../../src/viewer/context.ts";
import type { Database } from "../../src/viewer/database.ts";
import { detailOf } from "../../src/viewer/detail.ts";
import { sendExport } from "../../src/viewer/exports.ts";
import { Incidents } from "../../src/viewer/incidents.ts";
import type { Request } from "../../src/viewer/request.ts";
import { ALWAYS } from "../../src/viewer/times.ts";
import { readQuery } from "../../src/viewer/where.ts";
import { memoryLedger } from "../store/ledgers.ts";
import { BEGIN_MS, madeEvents, openMade } from "./made.ts";

const USUAL = { ...LIMITS };
const EVENTS = madeEvents(400).map((event, i) => ({
  ...event,
  "@timestamp": new Date(BEGIN_MS + i * 60_000).toISOString(),
  "tapline.call_key": i < 8 ? "key" : `key ${Math.floor(i / 3)}`,
}));
const ALERTS = EVENTS.flatMap((event, i) => (event["event.action"] === "rule-alert" ? [i] : []));
const { signal } = new AbortController();
const state_dir = mkdtempSync(join(tmpdir(), "tapline-bounds-"));
let database: Database;
beforeAll(async () => {
  Object.assign(LIMITS, { viewer_alerts: 20, viewer_related: 5 });
  database = await openMade(EVENTS, [150, 300]);
});
afterAll(() => {
  Object.assign(LIMITS, USUAL);
  rmSync(state_dir, { recursive: true });
});

test("the queue of alerts says when older ones of the period are not in it, and only then", async () => {
  const alerts = new Alerts(database, new Incidents(database));
  const view = await database.view();
  const list = (span: typeof ALWAYS, q = "") =>
    alerts.list({ view, span, terms: readQuery(q), signal }, { limit: 500 });
  const all = await list(ALWAYS);
  expect(ALERTS.length).toBeGreaterThan(40);
  expect(all.alerts.map(({ event }) => event.index)).toEqual(ALERTS.slice(-20).toReversed());
  expect([all.counts.open, all.of_newest]).toEqual([20, 20]);
  const from = BEGIN_MS + ALERTS.at(-20)! * 60_000;
  expect(await list({ from, to: ALWAYS.to })).toMatchObject({ of_newest: null, counts: { open: 20 } });
  expect(await list({ from: from - 86_400_000, to: from })).toMatchObject({ of_newest: 20, alerts: [] });
  // Nobody is told of older ones that would not have been asked for.
  expect(await list(ALWAYS, `event.id:e${ALERTS.at(-1)!}`)).toMatchObject({ of_newest: null });
  expect(await list(ALWAYS, `event.id:e${ALERTS[0]!}`)).toMatchObject({ of_newest: 20, alerts: [] });
});

test("a table of alerts that are not all ends with a line that says so", async () => {
  const context = { database, alerts: new Alerts(database, new Incidents(database)), place: { state_dir } };
  const table = async (from?: string): Promise<string[]> => {
    let text = "";
    const response = new Writable({
      write(chunk: Buffer, _, done) {
        text += chunk.toString();
        done();
      },
    });
    Object.assign(response, { writeHead: () => response });
    const request = { response, signal, user: { name: "ann" } } as unknown as Request;
    await sendExport(context as unknown as Context, request, { what: "alerts", from });
    return text.trim().split("\r\n");
  };
  const cut = await table();
  expect(cut).toHaveLength(1 + 20 + 1);
  expect(cut.at(-1)).toMatch(/^"cut: of the newest 20 alerts/);
  expect(await table(EVENTS[ALERTS.at(-20)!]!["@timestamp"])).toHaveLength(1 + 20);
});

test("an event with more related ones than are shown says that there are more", async () => {
  const held = memoryLedger(EVENTS.map((event) => serialise(event)));
  const ledger = { read: async (...asked: Parameters<typeof held.read>) => held.read(...asked) };
  const context = { database, ledger, place: { state_dir, ledger_dir: join(state_dir, "none") } };
  const view = await database.view();
  const related = async (index: number) => {
    const detail = (await detailOf(context as unknown as Context, view, index, signal))!;
    return [detail.related.length, detail.related_cut];
  };
  expect(await related(0)).toEqual([5, true]);
  expect(await related(30)).toEqual([2, false]);
});
