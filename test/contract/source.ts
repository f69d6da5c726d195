// What every Source that has positions must do. A source's test calls this with its component and with a way to
// write streams for it.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Component, Source } from "../../src/core/stage.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { Bench, maker, removeDir, tempDir, testContext } from "../sources/harness.ts";

export interface SourceUnderTest {
  readonly component: Component<never, Source>;
  /** Configuration for a directory; `follow` as the source means it. */
  config(dir: string, follow: boolean): object;
  /** Called before each test. */
  prepare?(dir: string): Promise<void>;
  /** Adds text to the n-th stream. */
  write(dir: string, n: number, text: string): void | Promise<void>;
  /** True where a record is a message: none comes in parts, offsets count messages, and who reads shares where it is. */
  readonly messages?: boolean;
}

const line = (n: number, length = 0): string => `{"n":${n},"pad":"${"x".repeat(length)}"}\n`;

export function sourceContract(name: string, under: SourceUnderTest): void {
  describe(`${name} keeps the contract of a source`, () => {
    let dir: string;
    const benches: Bench[] = [];
    beforeEach(async () => {
      dir = tempDir();
      await under.prepare?.(dir);
    });
    afterEach(async () => {
      for (const bench of benches.splice(0)) await bench.source.close();
      removeDir(dir);
    });
    const bench = (follow: boolean): Bench => {
      const made = new Bench(maker(under.component, under.config(dir, follow)), dir);
      benches.push(made);
      return made;
    };

    test("all streams in order, each record once, then drained", async () => {
      const expected: string[][] = [];
      for (let stream = 1; stream <= 5; stream++) {
        const lines = Array.from({ length: 2_000 }, (_, i) => line(stream * 1e6 + i, i % 997));
        await under.write(dir, stream, lines.join(""));
        expected.push(lines);
      }
      const b = await (await bench(false).open()).drain();
      const by_stream = Map.groupBy(b.records, (record) => record.stream);
      const got = [...by_stream.values()].map((records) => records.map((record) => record.text));
      expect(got.toSorted((x, y) => (x[0]! < y[0]! ? -1 : 1))).toEqual(expected);
      for (const records of by_stream.values()) {
        let offset = 0;
        for (const record of records) {
          expect(record.offset).toBe(offset);
          offset += under.messages === true ? 1 : record.text.length;
        }
      }
      expect(b.source.drained).toBe(true);
      expect(b.gaps).toEqual([]);
    });

    test("a batch's buffer is its own and can be transferred", async () => {
      await under.write(dir, 1, line(1, 100));
      const b = await bench(false).open();
      while (!(await b.read())) await b.source.wait(AbortSignal.timeout(1_000));
      b.settle();
      const { buffer } = b.batches[0]!;
      expect(buffer.buffer.byteLength).toBeLessThanOrEqual(LIMITS.batch_bytes);
      expect(() =>
        structuredClone(buffer.buffer, { transfer: [buffer.buffer as ArrayBuffer] }),
      ).not.toThrow();
      expect(buffer.length).toBe(0);
    });

    test("many streams share a batch, a large one leaves room for the others", async () => {
      await under.write(dir, 1, line(0, 1_000).repeat(5_000));
      for (let stream = 2; stream <= 40; stream++) await under.write(dir, stream, line(stream));
      const b = await (await bench(false).open()).drain();
      const shared = Math.max(...b.batches.map((batch) => batch.segments.length));
      expect(shared).toBeGreaterThan(5);
      // Which of them come first is the broker's choice where records are messages.
      if (under.messages === true) return;
      const small = b.batches.findLastIndex((batch) => batch.segments.some((s) => s.end - s.start < 100));
      expect(small).toBeLessThan(4);
    });

    test("what was not settled comes again with the same ids, what was settled does not", async () => {
      for (let stream = 1; stream <= 3; stream++) await under.write(dir, stream, line(stream).repeat(10));
      const b = await bench(false).open();
      await b.read();
      const before = b.batches.length;
      await b.crash();
      await b.drain();
      expect(before).toBe(0);
      expect(b.records.length).toBe(30);
      const ids = new Set(b.records.map((record) => record.stream));
      expect(ids.size).toBe(3);
      if (under.messages === true) return;
      const again = await (await bench(false).open()).drain();
      expect(new Set(again.records.map((record) => record.stream))).toEqual(ids);
      await under.write(dir, 2, line(99));
      await b.crash();
      await b.drain();
      expect(b.texts.slice(30)).toEqual([line(99)]);
    });

    test.skipIf(under.messages)(
      "follows what is added later; a line that is not complete waits",
      async () => {
        await under.write(dir, 1, line(1) + '{"n":');
        const b = await (await bench(true).open()).rest();
        expect(b.texts).toEqual([line(1)]);
        await under.write(dir, 1, "2}\n");
        await under.write(dir, 2, line(3));
        await b.rest();
        expect(b.texts.toSorted()).toEqual([line(1), '{"n":2}\n', line(3)].toSorted());
        expect(b.source.drained).toBe(false);
      },
    );

    test.skipIf(under.messages)(
      "a line over the limit is a gap with its head, its neighbours are kept",
      async () => {
        const long = LIMITS.line_bytes + 4_000_000;
        await under.write(dir, 1, line(1) + "y".repeat(long) + "\n" + line(2));
        await under.write(dir, 2, line(3) + "z".repeat(LIMITS.line_bytes - 1) + "\n" + line(4));
        const b = await (await bench(false).open()).drain();
        expect(b.texts.map((text) => text.slice(0, 10)).toSorted()).toEqual(
          [line(1), line(2), line(3), line(4), "zzzzzzzzzz"].map((text) => text.slice(0, 10)).toSorted(),
        );
        expect(b.gaps).toMatchObject([{ reason: "line_too_long", offset: line(1).length, bytes: long + 1 }]);
        expect(Buffer.from(b.gaps[0]!.head!).toString()).toBe("y".repeat(LIMITS.raw_bytes));
      },
    );

    test("wait ends when it is told to, close is safe without open and twice", async () => {
      const b = await bench(true).open();
      await b.rest(30);
      const stop = new AbortController();
      const waited = b.source.wait(stop.signal);
      stop.abort();
      await waited;
      await b.source.close();
      await b.source.close();
      await maker(under.component, under.config(dir, true))(testContext(dir)).close();
    });
  });
}
