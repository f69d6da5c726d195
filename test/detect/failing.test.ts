// Rules that throw are told by name at once, and then with their number, once a minute.
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { Failing } from "../../src/detect/failing.ts";

test("the first time at once, then how often in the minute", () => {
  const failing = new Failing();
  const failure = { id: "r", title: "R", count: 2, reason: "too deep" };
  expect(failing.due(0)).toEqual([]);
  failing.add(failure);
  expect(failing.due(0)).toEqual([failure]);
  failing.add(failure);
  failing.add({ ...failure, count: 5, reason: "again" });
  failing.add({ ...failure, id: "other" });
  expect(failing.due(1_000)).toEqual([{ ...failure, id: "other" }]);
  expect(failing.due(LIMITS.eviction_report_ms)).toEqual([{ ...failure, count: 7 }]);
  expect(failing.due(LIMITS.eviction_report_ms * 5)).toEqual([]);
  expect(failure.count).toBe(2);
});
