// Reading in another process, beside the writer.
import { readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openReader } from "../../src/ledger/reader.ts";
import { appendEntries, newDir, openLedger, readAll, textsUpTo } from "./helpers.ts";

test("a reader sees an empty ledger, then every entry written, from bundles and from the log", async () => {
  const dir = newDir();
  const reader = openReader(dir);
  expect(await reader.size()).toBe(0);
  expect(await reader.read(0, 10, 1_000)).toBeUndefined();
  expect(await reader.checkpoint()).toBeUndefined();
  const { ledger } = await openLedger(dir);
  let total = 0;
  for (const count of [1, 3, 0, 300, 40, 600]) {
    appendEntries(ledger, count);
    await ledger.commit();
    total += count;
    expect(await reader.size()).toBe(total);
    expect(await readAll(reader)).toEqual(textsUpTo(total));
    expect(await readAll(reader, total - 1, 1, 1)).toEqual(textsUpTo(total, total - 1));
  }
  for (const [entries, bytes] of [
    [1, 1_000],
    [7, 100],
    [1_000, 1],
  ] as const) {
    expect(await readAll(reader, 0, entries, bytes)).toEqual(textsUpTo(total));
  }
  await ledger.publish();
  expect(await reader.checkpoint()).toMatchObject({ size: total, origin: "test.example/ledger" });
  await ledger.close();
  await reader.close();
});

test("many small frames are read as one batch", async () => {
  const dir = newDir();
  const { ledger } = await openLedger(dir);
  for (let i = 0; i < 100; i++) appendEntries(ledger, 1);
  await ledger.commit();
  const reader = openReader(dir);
  expect((await reader.read(3, 1_000, 1_000_000))?.count).toBe(97);
  expect((await ledger.read(3, 1_000, 1_000_000))?.count).toBe(97);
  await reader.close();
  await ledger.close();
});

test("a reader follows a writer that cut the end off and wrote something else there", async () => {
  const dir = newDir();
  const first = await openLedger(dir);
  appendEntries(first.ledger, 10);
  await first.ledger.commit();
  await first.ledger.publish();
  const wal = join(dir, "wal", "00000000000000000000.wal");
  const whole = statSync(wal).size;
  appendEntries(first.ledger, 20);
  await first.ledger.commit();
  const reader = openReader(dir);
  expect(await reader.size()).toBe(30);
  const checkpoint = readFileSync(join(dir, "checkpoint"));
  await first.ledger.close();
  truncateSync(wal, whole + 5); // as a crash before the second commit would have left it
  const { writeFileSync } = await import("node:fs");
  writeFileSync(join(dir, "checkpoint"), checkpoint);
  const second = await openLedger(dir);
  for (let i = 0; i < 40; i++) appendEntries(second.ledger, 1);
  await second.ledger.commit();
  await readAll(reader, 0); // may find the old places once, never wrong entries
  expect(await readAll(reader)).toEqual(textsUpTo(50));
  expect(await reader.size()).toBe(50);
  await reader.close();
  await second.ledger.close();
});
