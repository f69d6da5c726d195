// The collector's own events: whatever they copy, each becomes an entry.
import { expect, test } from "vitest";
import { forEachEntry } from "../src/core/entry.ts";
import { eventOf } from "../src/core/event.ts";
import { LIMITS } from "../src/core/limits.ts";
import { SelfRecorder } from "../src/self.ts";

const ORIGIN = { namespace: "default", host: "h", version: "1" };

test.each([
  ["a text", { "gen_ai.tool.description": "é".repeat(100_000) }],
  [
    "many texts",
    { "gen_ai.tool.description": "x".repeat(40_000), "process.command_line": "y".repeat(40_000) },
  ],
  ["a list", { "user.roles": Array.from({ length: 9_000 }, (_, i) => `role ${i}`) }],
  ["an object", { "tapline.alert.evidence": { deep: "z".repeat(70_000) } }],
])("%s too large for an entry is cut, and the event is kept", (_, fields) => {
  const self = new SelfRecorder(ORIGIN, 0, () => 0, String);
  self.write(Object.assign(eventOf("first-seen", ORIGIN), { "event.id": "e" }, fields));
  const { run, count } = self.take();
  expect(count).toBe(1);
  forEachEntry(run, (start, end) => {
    expect(end - start).toBeLessThanOrEqual(LIMITS.entry_bytes);
    const text = Buffer.from(run.buffer, run.byteOffset + start, end - start).toString();
    const { event, tapline } = JSON.parse(text) as { event: { id: string }; tapline: { data: object } };
    expect(event.id).toBe("e");
    expect(tapline.data).toEqual({ truncated: [Object.keys(fields)[0], ...Object.keys(fields).slice(1)] });
  });
});
