// How far event time has come, by streams that work, rest, lag or lie.
import fc from "fast-check";
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { Watermark, type WatermarkState } from "../../src/detect/watermark.ts";

const NOW = 1_000_000_000;
const LATE = 30_000;
const IDLE = LIMITS.correlation_idle_ms;

test("the slowest stream at work holds it; one that rests leaves, and when all rest the clock takes over", () => {
  const mark = new Watermark(LATE);
  expect(mark.at_ms).toBe(Number.NEGATIVE_INFINITY);
  mark.observe("a", NOW, NOW);
  mark.observe("b", NOW - 5_000, NOW);
  expect(mark.advance(NOW, NOW)).toBe(NOW - 5_000 - LATE);
  mark.observe("a", NOW + IDLE, NOW + IDLE);
  expect(mark.advance(NOW + IDLE, NOW + IDLE)).toBe(NOW + IDLE - LATE);
  expect(mark.advance(NOW + 10 * IDLE, NOW + 10 * IDLE)).toBe(NOW + 9 * IDLE - LATE);
});

test("a time ahead of the clock makes no other event late", () => {
  const mark = new Watermark(LATE);
  mark.observe("a", NOW + 86_400_000, NOW);
  expect(mark.advance(NOW, NOW)).toBe(NOW - LATE);
});

test("a stream that lags far behind holds it only so long", () => {
  const mark = new Watermark(LATE);
  mark.observe("a", NOW - 86_400_000, NOW);
  expect(mark.advance(NOW, NOW)).toBe(NOW - LIMITS.correlation_hold_ms - LATE);
});

test("it stands still until the sources have caught up", () => {
  const mark = new Watermark(LATE);
  mark.observe("a", NOW, NOW);
  mark.advance(NOW, NOW);
  expect(mark.advance(NOW + 86_400_000, null)).toBe(NOW - LATE);
});

test("what the collector has not come to read is no silence", () => {
  const mark = new Watermark(LATE);
  mark.observe("a", NOW, NOW);
  // Busy for two minutes with what it had read by then; the next of the stream is as old as that.
  expect(mark.advance(NOW + 120_000, NOW + 1_000)).toBe(NOW - LATE);
  mark.observe("a", NOW + 1_000, NOW + 120_000);
  expect(mark.advance(NOW + 125_000, NOW + 1_000)).toBe(NOW + 1_000 - LATE);
  expect(mark.advance(NOW + 131_000, NOW + 131_000)).toBe(NOW + 131_000 - IDLE - LATE);
});

test("streams that are remembered are bounded", () => {
  const mark = new Watermark(LATE);
  for (let i = 0; i <= LIMITS.correlation_streams; i++) mark.observe(`s${i}`, NOW, NOW);
  expect(mark.state().streams).toHaveLength(LIMITS.correlation_streams);
});

test("it never goes back, never passes the clock less the lateness, and survives JSON", () => {
  const step = fc.record({
    stream: fc.constantFrom("a", "b", "c"),
    lag: fc.integer({ min: -5_000, max: 60_000 }),
  });
  fc.assert(
    fc.property(fc.array(step), fc.array(fc.nat(20_000)), (steps, pauses) => {
      const whole = new Watermark(LATE);
      let cut = new Watermark(LATE);
      let now = NOW;
      let before = Number.NEGATIVE_INFINITY;
      for (const [i, { stream, lag }] of steps.entries()) {
        now += pauses[i] ?? 500;
        const at = whole.advance(now, now);
        expect(at).toBeGreaterThanOrEqual(before);
        expect(at).toBeLessThanOrEqual(now - LATE);
        before = at;
        expect(cut.advance(now, now)).toBe(at);
        whole.observe(stream, now - lag, now);
        cut.observe(stream, now - lag, now);
        cut = new Watermark(LATE, JSON.parse(JSON.stringify(cut.state())) as WatermarkState);
      }
    }),
  );
});
