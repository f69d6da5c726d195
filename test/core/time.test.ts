// Times: the canonical form, offsets, leap seconds, what must be refused, and agreement with Date.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fromEpoch, parseTime, toMs } from "../../src/core/time.ts";

test.each([
  ["2026-11-23T10:00:00.123Z", "2026-11-23T10:00:00.123Z"],
  ["2026-11-23T10:00:00Z", "2026-11-23T10:00:00.000Z"],
  ["2026-11-23T10:00:00.123456789Z", "2026-11-23T10:00:00.123Z"],
  ["2026-11-23T10:00:00.123+14:00", "2026-11-22T20:00:00.123Z"],
  ["2026-11-23 10:00:00-0530", "2026-11-23T15:30:00.000Z"],
  ["2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z"],
  ["2024-02-29T00:00:00.000Z", "2024-02-29T00:00:00.000Z"],
  ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"],
  ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
])("reads %s", (text, canonical) => {
  expect(parseTime(text)).toBe(canonical);
});

test.each([
  "2026-11-23T10:00:00.123", // no zone: never local time
  "2026-11-23",
  "2023-02-29T00:00:00.000Z",
  "2026-02-30T00:00:00.000Z",
  "2026-04-31T00:00:00.000Z",
  "2026-13-01T00:00:00Z",
  "2026-11-23T24:00:00Z",
  "2026-11-23T10:60:00Z",
  "now",
  "",
  "9999-12-31T23:59:59.999-01:00",
])("refuses %s", (text) => {
  expect(parseTime(text)).toBeUndefined();
});

test("agrees with Date on every instant it can write", () => {
  const instant = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });
  fc.assert(
    fc.property(instant, (ms) => parseTime(new Date(ms).toISOString()) === new Date(ms).toISOString()),
  );
});

test("tells seconds, milliseconds, microseconds and nanoseconds apart", () => {
  const at = Date.UTC(2026, 10, 23, 10);
  const text = new Date(at).toISOString();
  expect([at / 1e3, at, at * 1e3, at * 1e6].map(fromEpoch)).toEqual([text, text, text, text]);
  expect([Number.NaN, Infinity, -Infinity, 1e300].map(fromEpoch)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test("reads canonical times back, whichever day came before", () => {
  const instant = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });
  const near = fc.integer({ min: 0, max: 3 * 86_400_000 });
  fc.assert(
    fc.property(fc.array(fc.oneof(instant, near)), (times) =>
      times.every((ms) => toMs(new Date(ms).toISOString()) === ms),
    ),
  );
  expect(toMs("")).toBeNaN();
});
