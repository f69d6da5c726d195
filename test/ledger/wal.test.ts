// Write-ahead segments: round trip, every torn end, every flipped bit.
import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Frame } from "../../src/ledger/frame.ts";
import { newHead } from "../../src/ledger/frame.ts";
import { SegmentReader, WalWriter, listSegments } from "../../src/ledger/wal.ts";
import { newDir, runOf } from "./helpers.ts";

/** Three groups: 1, 2 and 2 frames, the fourth without entries. Returns the segment and where frames end. */
async function writeSegment(dir: string): Promise<{ path: string; ends: number[]; groups: number[] }> {
  const wal = await WalWriter.create(dir, 7);
  let first = 7;
  let number = 3;
  let at = 0;
  const ends: number[] = [];
  const groups: number[] = [];
  for (const counts of [[2], [1, 3], [0, 2]]) {
    groups.push(at);
    const frames = counts.map((count) => {
      const run = runOf(Array.from({ length: count }, (_, i) => Buffer.from(`{"entry":${first + i}}`)));
      const frame = {
        number: number++,
        first,
        count,
        head: newHead(JSON.stringify({ at: { file: first } })),
        run,
      };
      first += count;
      at += frame.head.length + run.length;
      ends.push(at);
      return frame;
    });
    await wal.write(frames);
  }
  await wal.close();
  const path = (await listSegments(dir))[0]!.path;
  expect(readFileSync(path).length).toBe(at);
  return { path, ends, groups };
}

async function readFile(path: string): Promise<{ frames: Frame[]; torn: boolean; offset: number }> {
  const reader = await SegmentReader.open(path, false);
  const frames: Frame[] = [];
  try {
    for (let frame = await reader.next(); frame !== undefined; frame = await reader.next())
      frames.push(frame);
  } finally {
    await reader.close();
  }
  return { frames, torn: reader.torn, offset: reader.offset };
}

describe("a write-ahead segment", () => {
  test("gives back what was written", async () => {
    const { path, ends } = await writeSegment(newDir());
    const { frames, torn, offset } = await readFile(path);
    expect(basename(path)).toBe("00000000000000000007.wal");
    expect({ torn, offset }).toEqual({ torn: false, offset: ends.at(-1) });
    expect(frames.map((f) => [f.number, f.first, f.count])).toEqual([
      [3, 7, 2],
      [4, 9, 1],
      [5, 10, 3],
      [6, 13, 0],
      [7, 13, 2],
    ]);
    expect(frames[2]!.header).toEqual({ at: { file: 10 } });
    expect(Buffer.from(frames[0]!.run)).toEqual(
      runOf([Buffer.from('{"entry":7}'), Buffer.from('{"entry":8}')]),
    );
  });

  test("cut at every byte, keeps exactly the whole frames", async () => {
    const { path, ends } = await writeSegment(newDir());
    const whole = readFileSync(path);
    const copy = join(dirname(path), "copy");
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(copy, whole.subarray(0, length));
      const { frames, torn, offset } = await readFile(copy);
      const expected = ends.filter((end) => end <= length);
      expect(frames.length).toBe(expected.length);
      expect(offset).toBe(expected.at(-1) ?? 0);
      expect(torn).toBe(length > offset);
    }
  });

  test("with any byte changed, is refused where it was durable and cut where it was not acknowledged", async () => {
    const { path, ends, groups } = await writeSegment(newDir());
    const whole = readFileSync(path);
    const before = await readFile(path);
    const copy = join(dirname(path), "copy");
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at]! ^= 1 << (at % 8);
      writeFileSync(copy, changed);
      const frame = ends.findIndex((end) => at < end);
      if (at < groups.at(-1)!) {
        await expect(readFile(copy)).rejects.toMatchObject({ code: "LEDGER_CORRUPT" });
        continue;
      }
      const { frames, torn, offset } = await readFile(copy);
      expect(frames).toEqual(before.frames.slice(0, frame));
      expect({ torn, offset }).toEqual({ torn: true, offset: ends[frame - 1] });
    }
  });

  test("pages of the last write that reached the disk out of order are a torn end, not damage", async () => {
    const { path, ends } = await writeSegment(newDir());
    const bytes = readFileSync(path);
    bytes.fill(0, ends[2], ends[3]);
    writeFileSync(path, bytes);
    const { frames, torn } = await readFile(path);
    expect({ frames: frames.length, torn }).toEqual({ frames: 3, torn: true });
  });

  test("a frame that a writer finishes while it is looked at is no damage", async () => {
    const { path, ends } = await writeSegment(newDir());
    const whole = readFileSync(path);
    // The pages of the third frame are not there yet, and nothing follows.
    writeFileSync(path, Buffer.from(whole.subarray(0, ends[2])).fill(0, ends[1]! + 60));
    const reader = await SegmentReader.open(path, false);
    expect((await reader.next())?.first).toBe(7);
    expect((await reader.next())?.first).toBe(9);
    writeFileSync(path, whole);
    expect([(await reader.next())?.first, (await reader.next())?.first, reader.torn]).toEqual([
      10,
      13,
      false,
    ]);
    await reader.close();
  });

  test("of a later version is refused, not cut", async () => {
    const { path } = await writeSegment(newDir());
    const { crc32 } = await import("node:zlib");
    const bytes = readFileSync(path);
    bytes.writeUInt32BE(2, 4);
    bytes.writeUInt32BE(crc32(bytes.subarray(12, 52), crc32(bytes.subarray(0, 8))), 8);
    writeFileSync(path, bytes);
    await expect(readFile(path)).rejects.toMatchObject({ code: "LEDGER_NEWER" });
  });

  test("being written is read up to its last whole frame, and on when there is more", async () => {
    const { path, ends } = await writeSegment(newDir());
    const copy = join(dirname(path), "live");
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(path, copy);
    truncateSync(copy, ends[1]! + 20);
    const reader = await SegmentReader.open(copy, true);
    expect((await reader.next())?.first).toBe(7);
    expect((await reader.next())?.first).toBe(9);
    expect(await reader.next()).toBeUndefined();
    copyFileSync(path, copy);
    expect((await reader.next())?.first).toBe(10);
    await reader.close();
  });
});
