// The file source against what happens to files: one test a row of the matrix of troubles.
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Source } from "../../src/core/stage.ts";
import { LIMITS } from "../../src/core/limits.ts";
import file from "../../src/sources/file.ts";
import { sourceContract } from "../contract/source.ts";
import { Bench, maker, removeDir, tempDir } from "./harness.ts";

const component = file as never;
const settings = { type: "file", poll_ms: 10, grace_ms: 60 };

sourceContract("file", {
  component,
  config: (dir, follow) => ({ ...settings, include: [join(dir, "*.jsonl")], follow }),
  write: (dir, n, text) => fs.appendFileSync(join(dir, `s${n}.jsonl`), text),
});

let dir: string;
let log: string;
let bench: Bench;
const benches: Bench[] = [];
beforeEach(() => {
  dir = tempDir();
  log = join(dir, "a.log");
});
afterEach(async () => {
  for (const b of benches.splice(0)) await b.source.close();
  removeDir(dir);
});

async function start(config: { follow?: boolean } & Record<string, unknown> = {}): Promise<Bench> {
  bench = new Bench(maker(component, { ...settings, include: [log], ...config }), dir);
  benches.push(bench);
  await bench.open();
  return config.follow === false ? bench.drain() : bench.rest(50);
}
const append = (text: string, path = log): void => fs.appendFileSync(path, text);
const lines = (from: number, count: number): string =>
  Array.from({ length: count }, (_, i) => `line ${from + i} of the log\n`).join("");
const wide = (from: number, count: number): string =>
  lines(from, count).replaceAll(" of", "-".repeat(100) + " of");
const split = (text: string): string[] => text.split(/(?<=\n)/).filter((s) => s !== "");
const source = (): Source & { counts: Record<string, number> } => bench.source as never;

describe("rotation", () => {
  test.each(["a.log", "a.log*"])("by renaming, once and ten times between looks (%s)", async (pattern) => {
    append(lines(0, 5));
    await start({ include: [join(dir, pattern)] });
    append(lines(5, 2));
    for (let turn = 0; turn < 10; turn++) {
      for (let i = 10; i >= 1; i--)
        if (fs.existsSync(`${log}.${i}`)) fs.renameSync(`${log}.${i}`, `${log}.${i + 1}`);
      fs.renameSync(log, `${log}.1`);
      append(lines(7 + turn * 3, 3));
    }
    await bench.rest();
    expect(bench.texts.toSorted()).toEqual(split(lines(0, 37)).toSorted());
    expect(bench.gaps).toEqual([]);
    expect(new Set(bench.records.map((r) => r.stream)).size).toBe(11);
  });

  test("while the collector was down, with unread lines left behind", async () => {
    append(lines(0, 5));
    await start();
    await bench.source.close();
    append(lines(5, 5));
    fs.renameSync(log, `${log}.1`);
    append(lines(10, 5));
    await (await bench.open()).rest();
    expect(bench.texts).toEqual(expect.arrayContaining(split(lines(0, 15))));
    expect(bench.texts.length).toBe(15);
    expect(bench.gaps).toEqual([]);
  });

  test("late writes to the renamed file are read, its last line without newline after a while", async () => {
    append(lines(0, 2));
    await start({ grace_ms: 60_000 });
    fs.renameSync(log, `${log}.1`);
    append(lines(2, 1));
    append("late\nno newline", `${log}.1`);
    await bench.rest();
    expect(bench.texts).not.toContain("no newline");
    bench.ahead_ms = 60_000;
    await bench.rest();
    expect(bench.texts.toSorted()).toEqual([...split(lines(0, 3)), "late\n", "no newline"].toSorted());
  });

  test.each([
    ["gz", gzipSync],
    ["zst", zstdCompressSync],
  ] as const)("packed by %s, partly read: goes on where it was", async (ending, pack) => {
    append(lines(0, 50));
    await start({ include: [join(dir, "a.log*")] });
    await bench.source.close();
    append(lines(50, 50));
    fs.writeFileSync(`${log}.1.${ending}`, pack(fs.readFileSync(log)));
    fs.unlinkSync(log);
    append(lines(100, 5));
    await (await bench.open()).rest(250);
    expect(bench.texts.toSorted()).toEqual(split(lines(0, 105)).toSorted());
    expect(bench.gaps).toEqual([]);
    await bench.crash();
    fs.renameSync(`${log}.1.${ending}`, `${log}.2.${ending}`);
    await bench.rest();
    expect(bench.texts.length).toBe(105);
    expect(new Set(bench.records.map((r) => r.stream)).size).toBe(2);
  });

  test("packed files that were never read are read whole; a broken one is a gap", async () => {
    fs.writeFileSync(`${log}.1.gz`, gzipSync(lines(0, 5_000)));
    fs.writeFileSync(`${log}.2.gz`, gzipSync(lines(5_000, 5_000)).subarray(0, 8_000));
    fs.writeFileSync(`${log}.3.gz`, "no gzip at all, but long enough to be one\n");
    await start({ include: [join(dir, "*.gz")], follow: false });
    expect(bench.texts).toEqual(expect.arrayContaining(split(lines(0, 5_000))));
    expect(bench.gaps.map((gap) => gap.reason)).toEqual(["unreadable", "unreadable"]);
    expect(source().counts["broken"]).toBe(2);
    expect(source().drained).toBe(true);
  });

  test("copytruncate: the copy holds what was not read, nothing is read twice", async () => {
    append(lines(0, 20));
    await start({ include: [join(dir, "a.log*")] });
    append(lines(20, 20));
    fs.copyFileSync(log, `${log}.1`);
    fs.truncateSync(log);
    append(lines(40, 3));
    await bench.rest(200);
    expect(bench.texts.toSorted()).toEqual(split(lines(0, 43)).toSorted());
    expect(bench.gaps).toMatchObject([{ reason: "truncated", bytes: 0 }]);
  });

  test("copytruncate with lag and the copy gone: a gap with the bytes", async () => {
    append(lines(0, 20));
    await start();
    await bench.source.close();
    append(lines(20, 20));
    await bench.open(); // sees the size, and reads nothing
    fs.truncateSync(log);
    append(lines(50, 1));
    await bench.rest();
    expect(bench.texts).toEqual(split(lines(0, 20) + lines(50, 1)));
    expect(bench.gaps).toMatchObject([{ reason: "truncated", bytes: lines(20, 20).length }]);
    expect(source().counts["truncated"]).toBe(1);
  });
});

describe("identity", () => {
  test.each([true, false])(
    "truncated and rewritten longer than before (collector running: %s)",
    async (running) => {
      append(lines(0, 10));
      await start();
      if (!running) await bench.source.close();
      fs.writeFileSync(log, lines(100, 40));
      if (!running) await bench.open();
      await bench.rest();
      expect(bench.texts).toEqual(split(lines(0, 10) + lines(100, 40)));
      expect(bench.gaps).toMatchObject([{ reason: "truncated" }]);
      expect(new Set(bench.records.map((r) => r.stream)).size).toBe(2);
    },
  );

  test("rewritten with the same size", async () => {
    append(lines(100, 10));
    await start();
    await sleep(20);
    fs.writeFileSync(log, lines(200, 10));
    await bench.rest();
    expect(bench.texts).toEqual(split(lines(100, 10) + lines(200, 10)));
  });

  test("a rewrite with the same first line, across a crash, has an id of its own", async () => {
    append(`header\n${lines(0, 5)}`);
    await start();
    for (let turn = 1; turn <= 3; turn++) {
      fs.writeFileSync(log, `header\n${lines(turn * 10, 2)}`);
      await bench.crash();
      await bench.rest();
    }
    expect(bench.texts.filter((text) => text === "header\n").length).toBe(4);
    expect(new Set(bench.records.map((r) => r.stream)).size).toBe(4);
    expect(bench.positions.size).toBe(1);
  });

  test("deleted while it is open: read to the end, no gap; then a new file of the same name", async () => {
    append(lines(0, 5));
    await start();
    const fd = fs.openSync(log, "a");
    fs.unlinkSync(log);
    fs.writeSync(fd, lines(5, 5) + "no newline");
    await sleep(20);
    append(lines(10, 5));
    await bench.rest(200);
    fs.closeSync(fd);
    expect(bench.texts.toSorted()).toEqual([...split(lines(0, 15)), "no newline"].toSorted());
    expect(bench.gaps).toEqual([]);
    expect(bench.positions.size).toBe(1);
  });

  test("deleted and recreated while the collector was down, at the same inode if the system likes", async () => {
    append(lines(0, 5));
    await start();
    await bench.source.close();
    fs.unlinkSync(log);
    append(lines(10, 50));
    await (await bench.open()).rest(200);
    expect(bench.texts).toEqual(split(lines(0, 5) + lines(10, 50)));
    expect(bench.gaps).toMatchObject([{ reason: "vanished", bytes: undefined }]);
  });

  test("two files with the same first KiB are two streams", async () => {
    const head = lines(0, 100);
    append(head + "one\n");
    append(head + "two\n", join(dir, "b.log"));
    await start({ include: [join(dir, "*.log")] });
    expect(bench.records.length).toBe(202);
    expect(new Set(bench.records.map((r) => r.stream)).size).toBe(2);
  });

  test("hard links, symbolic links and two patterns lead to one stream", async () => {
    append(lines(0, 3));
    fs.linkSync(log, join(dir, "b.log"));
    fs.symlinkSync(log, join(dir, "c.log"));
    await start({ include: [join(dir, "*.log"), join(dir, "a.*"), log] });
    fs.unlinkSync(log);
    append(lines(3, 1), join(dir, "b.log"));
    await bench.rest();
    expect(bench.texts).toEqual(split(lines(0, 4)));
  });

  test("a position that is none of ours is left out, a format that was found is kept", async () => {
    append(lines(0, 1));
    await start();
    bench.positions.set("broken", { path: 7 });
    append(lines(1, 1));
    await bench.crash();
    await bench.rest();
    expect(bench.texts).toEqual(split(lines(0, 2)));
    expect(bench.warnings.length).toBe(1);
    expect(bench.batches.at(-1)!.streams).toMatchObject([{ format: "lines", source: "test", path: log }]);
  });
});

describe("links and places", () => {
  test("a symbolic link that is swapped: the old file to its end, then the new one", async () => {
    const one = join(dir, "one.txt");
    const two = join(dir, "two.txt");
    append(lines(0, 3), one);
    fs.symlinkSync(one, log);
    await start();
    append(lines(3, 2), one);
    append(lines(5, 2), two);
    fs.symlinkSync(two, `${log}.new`);
    fs.renameSync(`${log}.new`, log);
    await bench.rest(200);
    expect(bench.texts.toSorted()).toEqual(split(lines(0, 7)).toSorted());
  });

  test("a link out of the roots is refused, unless its target is named as a root; so is a swap later on", async () => {
    const other = tempDir();
    const real = join(other, "secret.txt");
    try {
      append(lines(0, 1), real);
      fs.symlinkSync(real, log);
      await start();
      expect([bench.texts, source().counts["refused"], bench.warnings.length]).toEqual([[], 1, 1]);
      fs.unlinkSync(log);
      append(lines(5, 1));
      await bench.rest(50);
      fs.unlinkSync(log);
      fs.symlinkSync(real, log);
      await bench.rest();
      expect(bench.texts).toEqual(split(lines(5, 1)));
      await start({ roots: [other] });
      expect(bench.texts).toEqual(split(lines(0, 1)));
    } finally {
      removeDir(other);
    }
  });

  test("a loop of links, a pipe, a socket, a device, a directory: refused once each, nothing hangs", async () => {
    fs.symlinkSync(join(dir, "y.log"), join(dir, "x.log"));
    fs.symlinkSync(join(dir, "x.log"), join(dir, "y.log"));
    execFileSync("mkfifo", [join(dir, "pipe.log")]);
    fs.symlinkSync("/dev/zero", join(dir, "zero.log"));
    fs.mkdirSync(join(dir, "dir.log"));
    fs.mkdirSync(join(dir, "deep"));
    fs.symlinkSync("..", join(dir, "deep", "up"));
    append(lines(0, 1));
    await start({ include: [join(dir, "*.log"), join(dir, "**", "*.log")] });
    await bench.rest();
    expect(bench.texts).toEqual(split(lines(0, 1)));
    expect(source().counts["refused"]! + source().counts["denied"]!).toBe(4);
    expect(bench.warnings.length).toBe(4);
  });

  test("a directory that is removed and comes again", async () => {
    const sub = join(dir, "sub");
    fs.mkdirSync(sub);
    append(lines(0, 2), join(sub, "a.log"));
    await start({ include: [join(dir, "**", "*.log")] });
    fs.rmSync(sub, { recursive: true });
    await bench.rest(60);
    fs.mkdirSync(sub);
    append(lines(2, 2), join(sub, "a.log"));
    await bench.rest();
    expect(bench.texts).toEqual(split(lines(0, 4)));
  });

  test("a base that is away when the collector starts loses no position", async () => {
    const sub = join(dir, "sub");
    fs.mkdirSync(sub);
    append(lines(0, 2), join(sub, "a.log"));
    await start({ include: [join(sub, "*.log")] });
    fs.renameSync(sub, join(dir, "away"));
    await bench.crash();
    await bench.rest(150);
    fs.renameSync(join(dir, "away"), sub);
    append(lines(2, 1), join(sub, "a.log"));
    await bench.rest();
    expect([bench.texts, bench.gaps]).toEqual([split(lines(0, 3)), []]);
  });

  test("permission denied, then granted", async () => {
    append(lines(0, 2));
    fs.chmodSync(log, 0);
    const root = process.geteuid!() === 0;
    if (root) process.seteuid!(65_534);
    try {
      if (root) execFileSync("true");
      await start();
      expect([bench.texts, source().counts["denied"]! > 0, bench.warnings.length]).toEqual([[], true, 1]);
    } finally {
      if (root) process.seteuid!(0);
    }
    fs.chmodSync(log, 0o600);
    await bench.rest();
    expect(bench.texts).toEqual(split(lines(0, 2)));
  });
});

describe("content", () => {
  test("bytes pass as they are: CRLF, lone CR, U+2028, broken UTF-8; a BOM at the start is left out", async () => {
    const rest = Buffer.concat([Buffer.from("b\rc\r\n\u2028é\n\n"), Buffer.from([0xff, 0xfe, 0x0a])]);
    fs.writeFileSync(log, Buffer.concat([Buffer.from("\ufeffa\r\n"), rest]));
    await start();
    const bytes = bench.batches.flatMap((b) =>
      b.segments.map((s) => Buffer.from(b.buffer.subarray(s.start, s.end))),
    );
    expect(Buffer.concat(bytes)).toEqual(Buffer.concat([Buffer.from("a\r\n"), rest]));
    expect(bench.records[0]!.offset).toBe(3);
    await bench.crash();
    append("after\n");
    await bench.rest();
    expect(bench.texts.at(-1)).toBe("after\n");
    expect(bench.gaps).toEqual([]);
  });

  test("holes are gaps: at the start, between lines, as large as several batches", async () => {
    const hole = LIMITS.batch_bytes * 3;
    append(lines(0, 2));
    fs.truncateSync(log, lines(0, 2).length + hole);
    append(lines(2, 2) + "\0".repeat(100) + lines(4, 1) + "x\0\0\0\0\0\0\0\0\0\0y\n\0\0z\n");
    await start();
    expect(bench.texts).toEqual([...split(lines(0, 5)), `x${"\0".repeat(10)}y\n`, "\0\0z\n"]);
    expect(bench.gaps).toMatchObject([
      { reason: "unreadable", offset: lines(0, 2).length, bytes: hole },
      { reason: "unreadable", bytes: 100 },
    ]);
    expect(source().counts["hole_bytes"]).toBe(hole + 100);
  });

  test("no newline for ever: handed over when the file is read once, waits when it is followed", async () => {
    append("whole\nhalf");
    await start();
    expect(bench.texts).toEqual(["whole\n"]);
    await start({ follow: false });
    expect(bench.texts).toEqual(["whole\n", "half"]);
    expect(source().drained).toBe(true);
  });

  test("100 MB without a line end: bounded memory, then a gap with all its bytes", async () => {
    const part = Buffer.alloc(10_000_000, "x");
    append("first\n");
    await start();
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 10; i++) {
      fs.appendFileSync(log, part);
      await bench.rest(20);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(3 * LIMITS.line_bytes);
    }
    expect(bench.gaps).toEqual([]);
    append("\nlast\n");
    await bench.rest();
    expect(bench.texts).toEqual(["first\n", "last\n"]);
    expect(bench.gaps).toMatchObject([{ reason: "line_too_long", offset: 6, bytes: 100_000_001 }]);
  });

  test("a long line that comes in pieces is one batch of its own", async () => {
    append("first\n");
    await start();
    const text = "y".repeat(1_500_000);
    for (let i = 0; i < 4; i++) {
      append(text);
      await bench.rest(20);
    }
    append("\nlast\n");
    await bench.rest();
    expect(bench.texts.map((t) => t.length)).toEqual([6, 6_000_001, 5]);
  });
});

describe("objects over several lines", () => {
  const block = (n: number, text = ""): string => `${JSON.stringify({ n, text, list: [n, n] }, null, 2)}\n`;
  /** Whole blocks are handed over, each once and in order: segments begin and end where blocks do. Batches that were
   * settled have given their memory back, so their bytes are told by the bench. `left_out` went as gaps. */
  const expectBlocks = (blocks: readonly string[], left_out: readonly string[] = []): void => {
    expect(bench.texts.join("")).toBe(blocks.filter((text) => !left_out.includes(text)).join(""));
    const ends = new Set([0]);
    let at = 0;
    for (const text of blocks) ends.add((at += Buffer.byteLength(text)));
    for (const batch of bench.batches) {
      for (const { offset, start: from, end } of batch.segments) {
        expect(ends, `a segment begins at ${offset}`).toContain(offset);
        expect(ends, `a segment ends at ${offset + end - from}`).toContain(offset + end - from);
      }
      for (const info of batch.streams) expect(info.framing).toBe("block");
    }
  };

  test("are handed over whole, written piece by piece, over a crash, with lines among them", async () => {
    const blocks = [block(0), block(1), '{"a":1}\n', block(2, "}\n{\n"), block(3)];
    const text = blocks.join("");
    append(text.slice(0, 30));
    await start();
    expect(bench.batches).toEqual([]);
    for (let at = 30; at < text.length; at += 17) {
      append(text.slice(at, at + 17));
      await bench.rest(10);
      if (at === 30 + 17 * 4) await bench.crash();
    }
    await bench.rest();
    expectBlocks(blocks);
    expect(bench.gaps).toEqual([]);
  });

  test("longer than a batch are one each; longer than a record may be, a gap", async () => {
    const blocks = [block(0), block(1, "x".repeat(3_000_000)), block(2)];
    append(blocks[0]! + blocks[1]!.slice(0, 1_500_000));
    await start();
    append(blocks[1]!.slice(1_500_000) + blocks[2]!);
    await bench.rest();
    expectBlocks(blocks);
    const long = block(3, "y".repeat(LIMITS.line_bytes));
    append(long + block(4));
    await bench.rest();
    expectBlocks([...blocks, long, block(4)], [long]);
    expect(bench.gaps).toMatchObject([{ reason: "line_too_long", bytes: long.length }]);
  });

  test("of a packed file too; one that never ends is handed over at its end", async () => {
    const blocks = Array.from({ length: 200 }, (_, n) => block(n, "z".repeat(20_000)));
    const torn = block(9).slice(0, 20);
    fs.writeFileSync(`${log}.gz`, gzipSync(blocks.join("") + torn));
    await start({ include: [`${log}.gz`], follow: false });
    expectBlocks([...blocks, torn]);
  });

  test("with a hole among them: what is before it is kept, the hole is a gap", async () => {
    append(block(0) + '{\n  "a":\n' + "\0".repeat(64) + "  1\n}\n" + block(1));
    await start();
    expect(bench.texts.join("")).toBe(`${block(0)}{\n  "a":\n  1\n}\n${block(1)}`);
    expect(bench.gaps).toMatchObject([{ reason: "unreadable", bytes: 64 }]);
  });
});

describe("options", () => {
  test("start: end leaves out what was there on the first run, and only then", async () => {
    append(lines(0, 3) + "begun ");
    await start({ start: "end" });
    append("and ended\n", log);
    append(lines(3, 1), join(dir, "a.log.other"));
    await bench.rest();
    expect(bench.texts).toEqual(["begun and ended\n"]);
    await bench.source.close();
    append(lines(4, 1));
    await (await bench.open()).rest();
    expect(bench.texts).toEqual(["begun and ended\n", ...split(lines(4, 1))]);
  });

  test("format, session and capture of the configuration reach the stream", async () => {
    append(lines(0, 1));
    await start({ format: "json", session: "s1", options: { a: 1 }, capture: { results: "hashed" } });
    expect(bench.batches[0]!.streams).toMatchObject([
      {
        format: "json",
        session: "s1",
        options: { a: 1 },
        capture: { results: "hashed", messages: "redacted" },
      },
    ]);
  });

  test("exclude, and a wrong key", async () => {
    append(lines(0, 1));
    append(lines(1, 1), join(dir, "b.log"));
    await start({ include: [join(dir, "*.log")], exclude: [join(dir, "b*")] });
    expect(bench.texts).toEqual(split(lines(0, 1)));
    expect(() => maker(component, { ...settings, include: ["x"], incldue: [] })).toThrow(/incldue/);
  });
});

describe("scale", () => {
  test("10,000 files with few descriptors; looks are cheap when they rest", async () => {
    for (let i = 0; i < 10_000; i++) fs.writeFileSync(join(dir, `${i}.log`), lines(i, 1));
    bench = new Bench(maker(component, { ...settings, include: [join(dir, "*.log")], poll_ms: 100 }), dir);
    benches.push(bench);
    await bench.open();
    const until = async (records: number): Promise<void> => {
      const deadline = Date.now() + 60_000;
      while (bench.records.length < records && Date.now() < deadline) {
        if (!(await bench.read())) await bench.source.wait(AbortSignal.timeout(1_000));
        bench.settle();
      }
    };
    await until(10_000);
    expect(bench.records.length).toBe(10_000);
    expect(fs.readdirSync("/proc/self/fd").length).toBeLessThan(LIMITS.files_open + 100);
    await sleep(1_500); // until the directory's time says that it rests
    await bench.read();
    const [cpu, began] = [process.cpuUsage(), performance.now()];
    for (let i = 0; i < 15; i++) {
      await bench.source.wait(AbortSignal.timeout(1_000));
      await bench.read();
    }
    const used = process.cpuUsage(cpu);
    expect((used.user + used.system) / 1_000 / (performance.now() - began)).toBeLessThan(0.2);
    append(lines(10_000, 1), join(dir, "4711.log"));
    append(lines(10_001, 1), join(dir, "new.log"));
    await until(10_002);
    expect(bench.texts.slice(10_000).toSorted()).toEqual(split(lines(10_000, 2)));
    await bench.crash();
    append(lines(10_002, 1), join(dir, "9999.log"));
    await until(10_003);
    expect([bench.records.length, bench.gaps.length]).toEqual([10_003, 0]);
  }, 300_000);

  test("few descriptors left in the process: files take turns, nothing is lost", () => {
    for (let i = 0; i < 300; i++) append(lines(i, 2), join(dir, `${i}.log`));
    const script = `
      const { Bench, maker } = await import("./test/sources/harness.ts");
      const { default: file } = await import("./src/sources/file.ts");
      const config = { type: "file", include: ["${dir}/*.log"], follow: false };
      const bench = new Bench(maker(file, config), "${dir}");
      await (await bench.open()).drain();
      console.log(bench.records.length, bench.gaps.length, bench.source.counts.files_evicted > 0);
      await bench.source.close();`;
    const args = ["-c", 'ulimit -n 60 && exec "$0" --input-type=module -e "$1"', process.execPath, script];
    expect(execFileSync("bash", args, { encoding: "utf8" }).trim()).toBe("600 0 true");
  });

  test("a file that shrinks before it has a lane: its gap goes with any, and the worker of its lane is told of it", async () => {
    const names = Array.from({ length: 8 }, (_, i) => join(dir, `shrinks-${i}.log`));
    for (const name of names) append(lines(0, 3), name);
    bench = new Bench(maker(component, { ...settings, include: [join(dir, "shrinks-*.log")] }), dir);
    benches.push(bench);
    await (await bench.open()).rest();
    for (const name of names) append(wide(3, 100), name);
    // Looked at in full when it opens, and shorter when it is read first.
    await bench.crash();
    for (const name of names) fs.truncateSync(name, (lines(0, 3) + wide(3, 50)).length);
    await bench.rest();
    expect(bench.gaps.map(({ reason }) => reason)).toEqual(names.map(() => "truncated"));
    expect(bench.texts.toSorted()).toEqual(
      names.flatMap(() => [...split(lines(0, 3)), ...split(wide(3, 50))]).toSorted(),
    );
  });

  test("a file that shrinks and grows while it is read loses nothing silently", async () => {
    append(wide(0, 50_000));
    bench = new Bench(maker(component, { ...settings, include: [log] }), dir);
    benches.push(bench);
    await bench.open();
    await bench.read();
    fs.truncateSync(log, wide(0, 40_000).length);
    await bench.rest();
    expect(bench.texts).toEqual(split(wide(0, 40_000)));
    expect(bench.gaps).toMatchObject([{ reason: "truncated", bytes: wide(40_000, 10_000).length }]);
  });
});
