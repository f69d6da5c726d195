// Files that are another one by their numbers and the same by their content (a restart of the machine, another mount, a copy
// that is put in their place): what was read is not read again, and what is another file is.
import * as fs from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import file from "../../src/sources/file.ts";
import { Bench, maker, removeDir, tempDir } from "./harness.ts";

let dir: string;
let log: string;
let bench: Bench;
beforeEach(() => {
  dir = tempDir();
  log = join(dir, "a.log");
});
afterEach(async () => {
  await bench.source.close();
  removeDir(dir);
});

const lines = (from: number, count: number): string =>
  Array.from({ length: count }, (_, i) => `line ${from + i} of the log\n`).join("");
const split = (text: string): string[] => text.split(/(?<=\n)/).filter((s) => s !== "");

/** What the ledger knows now speaks of other numbers than the file system does. */
function renumber(change: (mark: Record<string, number>) => void): void {
  for (const position of bench.positions.values()) change(position as unknown as Record<string, number>);
}
const elsewhere = (mark: Record<string, number>): void => void (mark["dev"]! += 7);
const unborn = (mark: Record<string, number>): void => {
  mark["birth_ms"] = 0;
  mark["ino"]! += 7;
};

describe.each([true, false])("follow: %s", (follow) => {
  const rest = (): Promise<Bench> => (follow ? bench.rest() : bench.drain());
  const open = async (names = "a.log*"): Promise<void> => {
    const settings = { type: "file", poll_ms: 10, grace_ms: 60, follow, include: [join(dir, names)] };
    bench = new Bench(maker(file as never, settings), dir);
    await bench.open();
    await rest();
  };
  const again = async (): Promise<void> => {
    await bench.source.close();
    await bench.open();
    await rest();
  };

  test.each([
    ["device", elsewhere],
    ["inode, where births are not known", unborn],
  ])("another %s: the stream goes on, twice", async (_, change) => {
    fs.writeFileSync(log, lines(0, 5));
    await open();
    for (let turn = 0; turn < 2; turn++) {
      renumber(change);
      fs.appendFileSync(log, lines(5 + turn * 5, 5));
      await again();
    }
    expect(bench.texts).toEqual(split(lines(0, 15)));
    expect(new Set(bench.records.map((r) => r.stream)).size).toBe(1);
    expect(bench.gaps).toEqual([]);
    expect(bench.positions.size).toBe(1);
  });

  test("nothing came since: nothing is read, and the new numbers are known", async () => {
    fs.writeFileSync(log, lines(0, 5));
    await open();
    renumber(elsewhere);
    await again();
    await again();
    expect(bench.texts).toEqual(split(lines(0, 5)));
    const { dev } = fs.statSync(log);
    expect([...bench.positions.values()]).toMatchObject([{ dev }]);
  });

  test("a packed file and a renamed one beside it", async () => {
    fs.writeFileSync(`${log}.2.gz`, gzipSync(lines(0, 5)));
    fs.writeFileSync(`${log}.1`, lines(5, 5));
    fs.writeFileSync(log, lines(10, 5));
    await open();
    renumber(elsewhere);
    fs.appendFileSync(log, lines(15, 5));
    await again();
    expect(bench.texts.toSorted()).toEqual(split(lines(0, 20)).toSorted());
    expect(bench.gaps).toEqual([]);
    expect(bench.positions.size).toBe(3);
  });

  test("another content: read from its beginning, and a gap for what is gone", async () => {
    fs.writeFileSync(log, lines(0, 5));
    await open();
    renumber(elsewhere);
    fs.writeFileSync(log, lines(50, 20));
    await again();
    if (follow) await bench.rest(200);
    expect(bench.texts).toEqual(split(lines(0, 5) + lines(50, 20)));
    expect(bench.gaps).toMatchObject([{ reason: "vanished" }]);
  });
});

describe("put in its place", () => {
  const replace = (text: string): void => {
    fs.writeFileSync(`${log}.new`, text);
    fs.renameSync(`${log}.new`, log);
  };
  beforeEach(async () => {
    const settings = { type: "file", poll_ms: 10, grace_ms: 60, include: [log] };
    fs.writeFileSync(log, lines(0, 200));
    bench = new Bench(maker(file as never, settings), dir);
    await (await bench.open()).rest();
  });

  test.each([0, 5])(
    "a copy with what came since, while it runs and while it does not: %i more lines",
    async (more) => {
      let count = 200;
      for (const running of [true, false, true, false]) {
        if (!running) await bench.source.close();
        replace(lines(0, (count += more)));
        if (!running) await bench.open();
        await bench.rest(200);
      }
      expect(bench.texts).toEqual(split(lines(0, count)));
      expect(bench.gaps).toEqual([]);
      expect(bench.positions.size).toBe(1);
    },
  );

  test("a copy of an earlier state: what was unread is read where it still is", async () => {
    const writer = fs.openSync(log, "a");
    replace(lines(0, 200));
    fs.writeSync(writer, lines(200, 5));
    fs.closeSync(writer);
    fs.appendFileSync(log, lines(300, 5));
    await bench.rest(300);
    expect(bench.texts).toEqual(expect.arrayContaining(split(lines(200, 5) + lines(300, 5))));
  });

  test("another end, another beginning: another file", async () => {
    replace(lines(0, 199) + lines(400, 2));
    await bench.rest(200);
    replace(lines(500, 1) + lines(1, 198) + lines(400, 2));
    await bench.rest(200);
    expect(bench.texts.length).toBe(200 + 201 + 201);
    expect(bench.positions.size).toBe(1);
  });
});
