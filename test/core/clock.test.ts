// The clock of waits: forth with the system's, never back.
import { expect, test } from "vitest";
import { steadyClock } from "../../src/core/clock.ts";

test("goes on from where it stood when the system's clock is set back, and forth when that is set forth", () => {
  let system = 1_000;
  const clock = steadyClock(() => system);
  const told: number[] = [];
  for (const now of [1_000, 1_010, 500, 510, 520, 5_000, 4_000, 4_001]) {
    system = now;
    told.push(clock());
  }
  // Back by 510, then by 1,000 more: what passes after each is what passed.
  expect(told).toEqual([1_000, 1_010, 1_010, 1_020, 1_030, 5_510, 5_510, 5_511]);
});
