// Dead letters on a real file system: order, repeats, the bound, a line cut short.
import { appendFile, chmod, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDeadLetters } from "../../src/sinks/dead-letters.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "tapline-dlq-"));
});
afterEach(async () => {
  await chmod(join(dir, "dlq"), 0o700).catch(() => {});
  await rm(dir, { recursive: true });
});
const letter = (index: number, reason = "mapping") => ({ index, id: `id-${index}`, status: 400, reason });
const now = (): number => Date.UTC(2026, 0, 2);
const at = "2026-01-02T00:00:00.000Z";

test("letters are appended as NDJSON that only the owner reads, and listed in ledger order", async () => {
  const letters = openDeadLetters(dir, "search", { now });
  expect(await letters.list()).toEqual([]);
  await letters.append([letter(9), letter(10, 'a "quoted"\nreason')]);
  await letters.append([]);
  await openDeadLetters(dir, "search", { now }).append([letter(3)]);
  expect(letters.path).toBe(join(dir, "dlq", "search.ndjson"));
  expect((await stat(letters.path)).mode & 0o777).toBe(0o600);
  const lines = (await readFile(letters.path, "utf8")).trimEnd().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { index: number }).index)).toEqual([9, 10, 3]);
  const kept = await letters.list();
  expect(kept.map((l) => l.index)).toEqual([3, 9, 10]);
  expect(kept[2]).toEqual({ at, ...letter(10, 'a "quoted"\nreason') });
});

test("a letter that was written twice is listed once, the newest", async () => {
  const letters = openDeadLetters(dir, "s", { now });
  await letters.append([letter(1, "first")]);
  await letters.append([letter(1, "second")]);
  expect(await letters.list()).toEqual([{ at, ...letter(1, "second") }]);
});

test("at the bound it refuses and keeps what it has", async () => {
  const letters = openDeadLetters(dir, "s", { now, max_bytes: 200 });
  await letters.append([letter(1)]);
  const before = await readFile(letters.path, "utf8");
  await expect(letters.append([letter(2), letter(3)])).rejects.toMatchObject({
    code: "DLQ_FULL",
    retry: true,
  });
  expect(await readFile(letters.path, "utf8")).toBe(before);
});

test("a line cut short by a crash spoils no other", async () => {
  const letters = openDeadLetters(dir, "s", { now });
  await letters.append([letter(1)]);
  await appendFile(letters.path, '{"at":"2026-01-02T00:00:00.000Z","ind');
  await letters.append([letter(2)]);
  expect((await letters.list()).map((l) => l.index)).toEqual([1, 2]);
});

test("a directory that cannot be written is an error to retry", async () => {
  const letters = openDeadLetters(join(dir, "file"), "s", { now });
  await appendFile(join(dir, "file"), "");
  await expect(letters.append([letter(1)])).rejects.toMatchObject({ code: "DLQ_UNWRITABLE", retry: true });
});
