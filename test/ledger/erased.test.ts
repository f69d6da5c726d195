// The file `erased`, and what an entry has to be for blobs to be excused by it.
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { takeLock } from "../../src/core/lock.ts";
import { removeBlobs } from "../../src/erasure.ts";
import { PendingBlobs, readBlob } from "../../src/ledger/blobs.ts";
import { addErased, erasedIn, erasureOf } from "../../src/ledger/erased.ts";
import { openReader } from "../../src/ledger/reader.ts";
import { newDir, openLedger } from "./helpers.ts";
import { UPSTREAM, append, digestOf, ownText } from "./pruning.ts";

const ANN = "a".repeat(32);

test("only this ledger's own entry tells of an erasure", () => {
  const tapline = { vantage: "self", erasure: { subject: ANN, blobs: ["0123abcd", "../../etc"] } };
  const told = (group: object, action = "subject-erasure") =>
    erasureOf(Buffer.from(JSON.stringify({ event: { action }, tapline: group })));
  expect(told(tapline)).toEqual({ subject: ANN, blobs: ["0123abcd"] });
  expect(told({ ...tapline, vantage: "transcript" })).toBeUndefined();
  expect(told({ ...tapline, upstream: UPSTREAM })).toBeUndefined();
  expect(told(tapline, "tool-call")).toBeUndefined();
  expect(told({ ...tapline, erasure: null })).toBeUndefined();
  expect(erasureOf(Buffer.from("null"))).toBeUndefined();
});

test("erasures at once are all listed, and one that nobody ends is told", async () => {
  const dir = newDir();
  const all = Array.from({ length: 8 }, (_, i) => ({ entry: i, subject: `${i}`.repeat(32) }));
  await Promise.all(all.map((one) => addErased(dir, [one])));
  const listed = await erasedIn(dir);
  expect(listed.toSorted((a, b) => a.entry - b.entry)).toEqual(all);

  const release = takeLock(join(dir, "erased.lock"), () => new Error("nobody has it"));
  const { erased_wait_ms } = LIMITS;
  Object.assign(LIMITS, { erased_wait_ms: 100 });
  onTestFinished(() => void Object.assign(LIMITS, { erased_wait_ms }));
  await expect(addErased(dir, [{ entry: 9, subject: ANN }])).rejects.toMatchObject({ code: "ERASED_BUSY" });
  release();
  expect(await erasedIn(dir)).toEqual(listed);
});

test("a blob that is recorded again while an erasure removes it is there with its entry", async () => {
  expect.assertions(3);
  const dir = newDir();
  const { ledger } = await openLedger(dir);
  await append(ledger, 10);
  const digest = digestOf(ownText(7));
  const reader = openReader(dir);
  const since = await reader.size();
  const blobs = new PendingBlobs(dir);
  blobs.put(digest, Buffer.from(ownText(7)));
  // The blob is there when the commit looks; the erasure looks for entries that name it when there is none yet.
  await blobs.take()(async () => {
    expect(await removeBlobs(dir, [digest], reader, since)).toBe(1);
    expect(await readBlob(dir, digest)).toBeUndefined();
  });
  expect((await readBlob(dir, digest))?.toString()).toBe(ownText(7));
  await reader.close();
  await ledger.close();
});
