// A start after many sessions: what workers are given stays within what they hold.
import { expect, test } from "vitest";
import { LIMITS } from "../src/core/limits.ts";
import type { SessionState } from "../src/normalise/session.ts";
import { openEngine } from "../src/engine.ts";
import { type RecoverParts, recover } from "../src/recover.ts";

type Sessions = [string, SessionState][];
const sessions = (from: number, count: number): Sessions =>
  Array.from({ length: count }, (_, i) => [`s${from + i}`, { last_time: "2026-11-30T10:00:00.000Z" }]);

test("sessions of the frames after a snapshot are no more than the workers held, the newest of them", async () => {
  const given: Sessions[] = [];
  const lane = {
    restore: (state: { sessions: Sessions }) => void given.push(state.sessions),
    retrace: () => Promise.resolve(),
  };
  const frame = (from: number) => ({
    header: { positions: {}, tally: {}, sessions: sessions(from, 500) },
    count: 500,
    first: from,
    run: new Uint8Array(),
  });
  const nothing = { apply() {}, replay() {}, resume() {} };
  await recover({
    recovered: {
      snapshot: { index: 1, state: { version: 1, sessions: sessions(0, LIMITS.sessions), positions: {} } },
      async *frames() {
        for (let i = 0; i < 10; i++) yield frame(LIMITS.sessions + i * 500);
      },
    },
    key: "00".repeat(32),
    lanes: [lane],
    first_seen: nothing,
    policy: nothing,
    oversight: nothing,
    incidents: nothing,
    openCorrelations: () => nothing,
  } as unknown as RecoverParts);
  const [, last] = given;
  expect(last!.map(([id]) => id)).toEqual(sessions(5_000, LIMITS.sessions).map(([id]) => id));
});

test("a worker that is given more sessions than it holds keeps the newest, and says how many it dropped", () => {
  const { engine } = openEngine({
    origin: { namespace: "default", host: "h", version: "0" },
    key: "00".repeat(32),
    started: "2026-11-30T10:00:00.000Z",
    rules: { parsed: { rules: [], filters: [], correlations: [], problems: [] }, placeholders: {} },
    subject_keys: undefined,
  });
  engine.restore({ sessions: sessions(0, LIMITS.sessions + 10), flow: [] });
  expect(engine.state().sessions.map(([id]) => id)).toEqual(sessions(10, LIMITS.sessions).map(([id]) => id));
  expect(engine.normaliser.scope.evicted).toBe(10);
});
