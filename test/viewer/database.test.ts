// What the viewer knows of a store's files while these are replaced.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { serialise } from "../../src/core/generated/event.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { Erased } from "../../src/ledger/erased.ts";
import { SEALED } from "../../src/normalise/seal.ts";
import { StoreWriter } from "../../src/store/writer.ts";
import type { Ask } from "../../src/viewer/asks.ts";
import { Database } from "../../src/viewer/database.ts";
import { Figures } from "../../src/viewer/figures.ts";
import { RareRows } from "../../src/viewer/find.ts";
import { ALWAYS } from "../../src/viewer/times.ts";
import { memoryLedger } from "../store/ledgers.ts";
import { BEGIN_MS, aid, madeEvents } from "./made.ts";

const { signal } = new AbortController();

test("nothing that is remembered of a file outlives the rows of a person who was erased", async () => {
  const dir = mkdtempSync(join(tmpdir(), "tapline-database-"));
  const subject = "ab".repeat(16);
  // The first twenty are theirs, and the oldest.
  const events = madeEvents(40).map((event, i) => ({
    ...event,
    "@timestamp": new Date(BEGIN_MS + i * 3_600_000).toISOString(),
    "user.name": i < 20 ? `${SEALED}${subject}:${"x".repeat(40)}]` : "bob",
  }));
  const erased: Erased[] = [];
  const ledger = { ...memoryLedger(events.map((event) => serialise(event))), erased: () => erased };
  const writer = new StoreWriter({ dir, ledger, memory_mb: 256, now: Date.now, warn: () => {} });
  await writer.write(0, 40);
  await aid(dir, ledger);
  const database = await Database.open({ dir, ledger, memory_mb: 256 });
  const figures = new Figures(database);
  const alerts = new RareRows(
    database,
    ["event.sequence", "user.name"],
    `"event.action" = 'rule-alert'`,
    100,
  );
  const ask: Ask = {
    where: [],
    by: [{ kind: "value", field: "user.name" }],
    measures: [{ op: "count" }],
  };
  const seen = async () => {
    const view = await database.view();
    const [partials] = await figures.ask({ view, span: ALWAYS, terms: [], signal }, [ask]);
    const rows = await alerts.rows(view, signal);
    return {
      users: partials!.flatMap(({ groups }) => groups.map(({ cells }) => cells[0])),
      alerts: rows.length,
      from: view.parts[0]!.times.from,
      stays: view.parts[0]!.stays,
    };
  };
  const alertsOf = (first: number): number =>
    events.slice(first).filter((event) => event["event.action"] === "rule-alert").length;
  const before = await seen();
  expect(before.users.toSorted()).toEqual([20, 20]);
  expect(before).toMatchObject({ alerts: alertsOf(0), from: BEGIN_MS, stays: true });
  erased.push({ entry: 40, subject });
  await writer.tidy();
  await aid(dir, ledger);
  await sleep(LIMITS.viewer_refresh_ms + 50);
  const after = { users: [20], alerts: alertsOf(20), from: BEGIN_MS + 20 * 3_600_000, stays: true };
  expect(await seen()).toEqual(after);
  database.close();
  writer.close();
  rmSync(dir, { recursive: true });
}, 60_000);
