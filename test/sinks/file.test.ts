// The file and null sinks: documents equal those of a parser, each entry once, whatever a crash leaves behind.
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { EntryBatch, Sink } from "../../src/core/stage.ts";
import file from "../../src/sinks/file.ts";
import none from "../../src/sinks/null.ts";
import { sinkContract } from "../contract/sink.ts";
import { expected, series } from "./batches.ts";

const signal = new AbortController().signal;
let dir: string;
let path: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tapline-file-"));
  path = join(dir, "sub", "events.ndjson");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function opened(at = path): Promise<Sink> {
  const sink: Sink = file.create({ type: "file", path: at });
  await sink.open(signal);
  return sink;
}
const read = (at = path): unknown[] => {
  const text = readFileSync(at, "utf8");
  expect(text === "" || text.endsWith("\n")).toBe(true);
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown);
};
const documentsOf = (...batches: EntryBatch[]): unknown[] =>
  batches.flatMap(expected).map((one) => one.document);
const fate = (created: number, existing = 0): unknown => ({ created, existing, dead: [], filtered: 0 });

test("a line is the entry with its index and hash", async () => {
  const batches = [series("f", 7), series("f", 1000, 7)];
  const sink = await opened();
  const results = await Promise.all(batches.map((batch) => sink.write(batch, false, signal)));
  expect(results).toEqual([fate(7), fate(1000)]);
  expect(read()).toEqual(documentsOf(...batches));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await sink.close();
  await sink.close();
});

test("after a restart only what is missing is written", async () => {
  let sink = await opened();
  await sink.write(series("f", 10), false, signal);
  await sink.close();
  sink = await opened();
  expect(await sink.write(series("f", 10), true, signal)).toEqual(fate(0, 10));
  expect(await sink.write(series("f", 10, 5), true, signal)).toEqual(fate(5, 5));
  expect(read()).toEqual(documentsOf(series("f", 15)));
  await sink.close();
});

test("a file cut anywhere is completed", async () => {
  const batch = series("f", 4);
  const whole = documentsOf(batch);
  let sink = await opened();
  await sink.write(batch, false, signal);
  await sink.close();
  const bytes = readFileSync(path);
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length), async (length) => {
      writeFileSync(path, bytes.subarray(0, length));
      sink = await opened();
      const { created, existing } = await sink.write(batch, true, signal);
      expect(created + existing).toBe(4);
      expect(read()).toEqual(whole);
      await sink.close();
    }),
    { numRuns: 60, examples: [[0], [1], [20], [bytes.length - 1], [bytes.length]] },
  );
});

test("a file that is not ours is refused and not changed", async () => {
  const other = join(dir, "other");
  for (const text of ["hello", "hello\n", '{"a":1}\n', '{"a":1}\n{"@time', "x".repeat(600_000)]) {
    writeFileSync(other, text);
    await expect(opened(other)).rejects.toMatchObject({ code: "FILE_FOREIGN", retry: false });
    expect(readFileSync(other, "utf8")).toBe(text);
  }
  await expect(opened(dir)).rejects.toMatchObject({ code: "FILE_NOT_REGULAR" });
  await expect(opened("/dev/null")).rejects.toMatchObject({ code: "FILE_NOT_REGULAR" });
});

test("a file moved away, deleted or cut while open is replaced, and nothing is written twice", async () => {
  const sink = await opened();
  await sink.write(series("f", 3), false, signal);
  renameSync(path, `${path}.1`);
  expect(await sink.write(series("f", 3, 2), true, signal)).toEqual(fate(2, 1));
  expect([...read(`${path}.1`), ...read()]).toEqual(documentsOf(series("f", 5)));
  rmSync(path);
  await sink.write(series("f", 2, 5), false, signal);
  expect(read()).toEqual(documentsOf(series("f", 2, 5)));
  truncateSync(path, 0);
  await sink.write(series("f", 2, 7), false, signal);
  expect(read()).toEqual(documentsOf(series("f", 2, 7)));
  appendFileSync(path, "somebody else\n");
  await expect(sink.write(series("f", 1, 9), false, signal)).rejects.toMatchObject({ code: "FILE_FOREIGN" });
  await sink.close();
});

test("a write that fails says so and succeeds later", async () => {
  const sink = await opened();
  await sink.write(series("f", 2), false, signal);
  rmSync(join(dir, "sub"), { recursive: true });
  writeFileSync(join(dir, "sub"), "in the way");
  await expect(sink.write(series("f", 2, 2), false, signal)).rejects.toMatchObject({
    code: "FILE_OPEN",
    retry: true,
  });
  rmSync(join(dir, "sub"));
  expect(await sink.write(series("f", 2, 2), true, signal)).toEqual(fate(2));
  await sink.close();
});

test("null counts", async () => {
  const sink: Sink = none.create();
  await sink.open(signal);
  expect(await sink.write(series("n", 5), false, signal)).toEqual(fate(5));
  await sink.close();
});

sinkContract("null", async () => ({ sink: none.create(), stored: undefined, end: async () => {} }));
sinkContract("file", async () => {
  const own = mkdtempSync(join(tmpdir(), "tapline-contract-"));
  const at = join(own, "events.ndjson");
  return {
    sink: file.create({ type: "file", path: at }),
    stored: async () =>
      (read(at) as { event: { id: string } }[]).map((document) => ({
        id: document.event.id,
        document,
      })),
    end: async () => rmSync(own, { recursive: true }),
  };
});

test("a file has one writer; the lock of one that died is taken over", async () => {
  const sink = await opened();
  await sink.write(series("l", 3), false, signal);
  await expect(opened()).rejects.toMatchObject({ code: "FILE_LOCKED", retry: true });
  await sink.close();
  writeFileSync(`${path}.lock`, "4194305 1 dead\n");
  const next = await opened();
  expect(await next.write(series("l", 4), false, signal)).toEqual(fate(1, 3));
  await next.close();
  expect(() => statSync(`${path}.lock`)).toThrow("ENOENT");
});
