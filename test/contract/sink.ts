// What every Sink must do, whatever it writes to. A sink's test calls this with a fresh instance a test.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TaplineError } from "../../src/core/errors.ts";
import type { Sink, WriteResult } from "../../src/core/stage.ts";
import { type Expected, expected, series as calls } from "../sinks/batches.ts";

export interface SinkUnderTest {
  /** Not opened. */
  readonly sink: Sink;
  /** Makes entries that the sink takes; tool calls when it takes every one. */
  readonly series?: typeof calls;
  /** True for a sink that cannot tell what is there: its readers drop repeats by id, as `stored` does. */
  readonly repeats?: boolean;
  /** What is stored now, in any order; undefined for a sink that stores nothing. */
  stored: (() => Promise<readonly Pick<Expected, "id" | "document">[]>) | undefined;
  /** Takes down what was built for the test. Called after `sink.close()`. */
  end(): Promise<void>;
}

const fates = (r: WriteResult): number => r.created + r.existing + r.dead.length + r.filtered;

export function sinkContract(name: string, build: () => Promise<SinkUnderTest>): void {
  describe(`${name} keeps the contract of a sink`, () => {
    let under: SinkUnderTest;
    const never = new AbortController().signal;
    beforeEach(async () => {
      under = await build();
    });
    afterEach(async () => {
      await under.sink.close();
      await under.end();
    });
    const series: typeof calls = (...which) => (under.series ?? calls)(...which);
    const stored = async () =>
      (await under.stored!())
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .map(({ id, document }) => ({ id, document }));

    test("close is safe without open, and twice", async () => {
      await under.sink.close();
      await under.sink.open(never);
      await under.sink.close();
      await under.sink.close();
    });

    test("every entry of a batch has one fate, and is stored as it must look", async () => {
      await under.sink.open(never);
      const batch = series("one", 300, 1_000);
      const result = await under.sink.write(batch, false, never);
      expect(result).toEqual({ created: 300, existing: 0, dead: [], filtered: 0 });
      if (under.stored === undefined) return;
      expect(await stored()).toEqual(expected(batch).map(({ id, document }) => ({ id, document })));
    });

    test("a write may begin before an earlier one ends", async () => {
      await under.sink.open(never);
      const batches = [series("two", 200, 0), series("two", 200, 200), series("two", 200, 400)];
      const results = await Promise.all(batches.map((batch) => under.sink.write(batch, false, never)));
      expect(results.map((result) => result.created)).toEqual([200, 200, 200]);
      if (under.stored !== undefined) expect((await stored()).length).toBe(600);
    });

    test("what is sent again is stored once", async () => {
      await under.sink.open(never);
      await under.sink.write(series("three", 100, 0), false, never);
      await under.sink.close();
      await under.sink.open(never);
      const again = await under.sink.write(series("three", 150, 0), true, never);
      expect(fates(again)).toBe(150);
      if (under.stored === undefined) return;
      if (under.repeats !== true) expect(again).toMatchObject({ created: 50, existing: 100 });
      expect((await stored()).length).toBe(150);
    });

    test("a write that is stopped rejects with an error to retry, or has settled every entry", async () => {
      await under.sink.open(never);
      const result = await under.sink
        .write(series("four", 50), false, AbortSignal.abort())
        .catch((e: unknown) => e);
      if (result instanceof Error) {
        expect(result).toBeInstanceOf(TaplineError);
        expect((result as TaplineError).retry).toBe(true);
      } else expect(fates(result as WriteResult)).toBe(50);
    });
  });
}
