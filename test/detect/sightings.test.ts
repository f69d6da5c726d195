// What workers tell of what events name: enough, however a tool's listings are spread over them.
import { expect, test } from "vitest";
import type { Event } from "../../src/core/generated/event.ts";
import { eventOf } from "../../src/core/event.ts";
import { FirstSeen } from "../../src/detect/first-seen.ts";
import { Sightings } from "../../src/detect/sightings.ts";
import { random } from "./correlations.ts";

const ORIGIN = { namespace: "default", host: "h", version: "1" };
let count = 0;
function definition(tool: string, hash: string): Event {
  return Object.assign(eventOf("tool-definition", ORIGIN), {
    "event.id": `e${count++}`,
    "tapline.server.name": "calc",
    "gen_ai.tool.name": tool,
    "tapline.tool.definition_hash": hash,
  });
}

/** Hashes before and after of each change; each batch is of one worker. */
function changesOf(batches: readonly { worker: number; events: readonly Event[] }[]): string[] {
  const workers = [0, 1, 2].map(() => new Sightings());
  const seen = new FirstSeen(ORIGIN);
  return batches.flatMap(({ worker, events }) => {
    for (const e of events) workers[worker]!.see(e);
    return seen
      .offer(workers[worker]!.take())
      .events.filter((e) => e["event.action"] === "tool-definition-changed")
      .map((e) => `${e["gen_ai.tool.name"]} ${e["tapline.change.before"]} ${e["tapline.change.after"]}`);
  });
}

test("a definition that changes, changes back and changes again is told each time, whichever worker reads it", () => {
  const hashes = ["good", "good", "bad", "good", "bad"];
  for (const workers of [
    [0, 0, 0, 0, 0],
    [0, 1, 0, 1, 0],
    [0, 1, 0, 1, 1],
  ])
    expect(
      changesOf(hashes.map((hash, i) => ({ worker: workers[i]!, events: [definition("add", hash)] }))),
    ).toEqual(["add good bad", "add bad good", "add good bad"]);
});

test("many workers tell the changes that one would tell", () => {
  let changes = 0;
  for (let seed = 0; seed < 200; seed++) {
    const below = random(seed);
    const batches = Array.from({ length: 20 }, () => ({
      worker: below(3),
      events: Array.from({ length: below(4) }, () => definition("ab"[below(2)]!, `h${below(3)}`)),
    }));
    const told = changesOf(batches);
    expect(told).toEqual(changesOf(batches.map(({ events }) => ({ worker: 0, events }))));
    changes += told.length;
  }
  expect(changes).toBeGreaterThan(1_000);
});

test("one batch tells a definition once as long as it stays, and names once for good", () => {
  const sightings = new Sightings();
  for (let i = 0; i < 100; i++) sightings.see(definition("add", "good"));
  expect(sightings.take().map(({ kind }) => kind)).toEqual(["definition", "server", "tool"]);
  sightings.see(definition("add", "good"));
  expect(sightings.take().map(({ kind }) => kind)).toEqual(["definition"]);
});
