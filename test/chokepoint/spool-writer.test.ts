// The spool writer against the source that reads it: what it writes arrives, and what is removed, cut, edited or swapped
// afterwards is a gap.
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SpoolWriter } from "../../src/chokepoint/spool-writer.ts";
import spool from "../../src/sources/spool.ts";
import { Bench, maker, removeDir, tempDir } from "../sources/harness.ts";

let dir: string;
let at: string;
let bench: Bench;
beforeEach(() => {
  dir = tempDir();
  at = join(dir, "spool");
  bench = new Bench(maker(spool as never, { type: "spool", poll_ms: 10 }), dir);
});
afterEach(async () => {
  await bench.source?.close();
  removeDir(dir);
});

const writer = (segment_bytes?: number, durability: "process" | "disk" = "process"): SpoolWriter =>
  new SpoolWriter({ dir: at, kind: "mcp", durability, segment_bytes });
const segments = (): string[] =>
  fs.readdirSync(at).toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));
const record = (i: number): string => JSON.stringify({ i, text: "é".repeat(i % 40) });
const values = (): number[] => bench.texts.map((text) => (JSON.parse(text) as { i: number }).i);
const reasons = (): string[] => bench.gaps.map((gap) => gap.reason);

function fill(count: number, segment_bytes: number, end = true): void {
  const out = writer(segment_bytes);
  for (let i = 0; i < count; i++) {
    if (end && i === count - 1) out.end(record(i));
    else out.append(record(i));
  }
}

/** Rewrites the lines of all segments together and puts them back. */
function change(edit: (lines: string[]) => string[]): void {
  for (const name of segments()) {
    const path = join(at, name);
    const lines = fs.readFileSync(path, "utf8").split("\n").slice(0, -1);
    fs.writeFileSync(
      path,
      edit(lines)
        .map((line) => `${line}\n`)
        .join(""),
    );
  }
}

describe("what is written arrives", () => {
  test.each(["process", "disk"] as const)(
    "in order, over segments, closed, deleted when durable; durability %s",
    async (durability) => {
      const out = writer(500, durability);
      for (let i = 0; i < 40; i++) out.append(record(i));
      out.end(record(40));
      out.end(record(41)); // once only
      expect(segments().length).toBeGreaterThan(3);
      await bench.open();
      await bench.rest();
      expect(values()).toEqual(Array.from({ length: 41 }, (_, i) => i));
      expect([bench.gaps, segments()]).toEqual([[], []]);
    },
  );

  test("a line is there when append returns, and is read while the stream goes on", async () => {
    const out = writer();
    await bench.open();
    for (let i = 0; i < 3; i++) {
      out.append(record(i));
      expect(fs.readFileSync(join(at, segments()[0]!), "utf8").split("\n")).toHaveLength(i + 2);
    }
    await bench.rest();
    await bench.crash();
    out.append(record(3));
    await bench.rest();
    out.end(record(4));
    await bench.rest();
    expect([values(), bench.gaps, segments()]).toEqual([[0, 1, 2, 3, 4], [], []]);
  });

  test("directory 0700, files 0600; an open directory and a link are refused", () => {
    fill(2, 1_000);
    expect(fs.statSync(at).mode & 0o777).toBe(0o700);
    expect(fs.statSync(join(at, segments()[0]!)).mode & 0o777).toBe(0o600);
    fs.chmodSync(at, 0o755);
    expect(() => writer()).toThrow(expect.objectContaining({ code: "SPOOL_UNSAFE" }) as Error);
    fs.chmodSync(at, 0o700);
    fs.symlinkSync(at, join(dir, "link"));
    expect(() => new SpoolWriter({ dir: join(dir, "link"), kind: "mcp", durability: "process" })).toThrow(
      expect.objectContaining({ code: "SPOOL_UNSAFE" }) as Error,
    );
  });
});

describe("what cannot be written is told, and leaves nothing", () => {
  test("a directory that went away", () => {
    const out = writer(10);
    out.append(record(0));
    fs.rmSync(at, { recursive: true });
    expect(() => out.append(record(1))).toThrow(
      expect.objectContaining({ code: "SPOOL_UNWRITABLE", retry: true }) as Error,
    );
    fs.mkdirSync(at, { mode: 0o700 });
    out.append(record(2)); // and it goes on when there is room again
    expect(segments()).toHaveLength(1);
  });

  test("a file that may grow no further: the part of the line that fitted is taken back", async () => {
    const script = `
      process.on("SIGXFSZ", () => {});
      const { SpoolWriter } = await import("${join(process.cwd(), "src/chokepoint/spool-writer.ts")}");
      const out = new SpoolWriter({ dir: ${JSON.stringify(at)}, kind: "mcp", durability: "process" });
      out.append(JSON.stringify({ i: 0 }));
      try { out.append(JSON.stringify({ i: 1, text: "x".repeat(9000) })); } catch (error) { console.log(error.code); }
      out.end(JSON.stringify({ i: 2 }));`;
    const ran = spawnSync(
      "bash",
      ["-c", 'ulimit -f 4; exec "$0" --input-type=module -e "$1"', process.execPath, script],
      { encoding: "utf8" },
    );
    expect([ran.stdout, ran.stderr]).toEqual(["SPOOL_FULL\n", ""]);
    await bench.open();
    await bench.rest();
    expect([values(), bench.gaps]).toEqual([[0, 2], []]);
  });
});

describe("what was done to a spool is a gap", () => {
  test("a line edited, removed, added, swapped: one gap each", async () => {
    const edits: [string, (lines: string[]) => string[]][] = [
      ["spool_edited", (l) => l.map((line) => line.replace('"i":5,', '"i":6,'))],
      ["spool_cut", (l) => l.toSpliced(4, 1)],
      ["spool_edited", (l) => l.toSpliced(4, 0, l[3]!)],
      ["spool_edited", (l) => l.toSpliced(4, 0, '{"i":99}')],
      ["spool_edited", (l) => l.map((line, i) => (i === 0 ? line.replace("mcp-", "mcq-") : line))],
    ];
    for (const [reason, edit] of edits) {
      fill(10, 100_000);
      change(edit);
      await bench.open();
      await bench.rest();
      await bench.source.close();
      expect([reason, reasons()]).toEqual([reason, [reason]]);
      bench.gaps.length = 0;
    }
  });

  test("the end cut off a closed stream, and a stream whose writer was killed", async () => {
    fill(10, 100_000);
    change((lines) => lines.slice(0, -1));
    await bench.open();
    await bench.rest();
    expect(reasons()).toEqual(["spool_unclosed"]);
    const script = `
      const { SpoolWriter } = await import("${join(process.cwd(), "src/chokepoint/spool-writer.ts")}");
      const out = new SpoolWriter({ dir: ${JSON.stringify(at)}, kind: "mcp", durability: "process" });
      out.append('{"i":77}');
      process.kill(process.pid, "SIGKILL");`;
    spawnSync(process.execPath, ["--input-type=module", "-e", script]);
    await bench.rest(5_500);
    expect(values()).toContain(77);
    expect([reasons(), segments()]).toEqual([["spool_unclosed", "spool_unclosed"], []]);
  });

  test("a stream whose writer lives stays open, however long it is silent", async () => {
    const out = writer();
    out.append(record(0));
    await bench.open();
    await bench.rest(5_500);
    expect([bench.gaps, segments().length]).toEqual([[], 1]);
    out.end(record(1));
  });

  test("segments removed are one gap, told by number; also after a restart", async () => {
    fill(40, 400);
    fs.unlinkSync(join(at, segments()[2]!));
    await bench.open();
    await bench.rest();
    expect(reasons()).toEqual(["spool_cut"]);
  });

  test("any one byte changed anywhere is at least one gap, wherever reading was interrupted", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (where, delta, crash) => {
          fs.rmSync(at, { recursive: true, force: true });
          bench.gaps.length = 0;
          bench.positions.clear();
          fill(12, 600);
          const names = segments();
          const path = join(at, names[where % names.length]!);
          const bytes = fs.readFileSync(path);
          // The last byte of all is the end of the last line, which proves nothing by being there.
          const last = path.endsWith(".done") ? 1 : 0;
          const place = (where >> 8) % (bytes.length - last);
          bytes[place] = (bytes[place]! + delta) % 256;
          fs.writeFileSync(path, bytes);
          await bench.open();
          if (crash) {
            await bench.read();
            bench.settle();
            await bench.crash();
          }
          await bench.rest(30);
          await bench.source.close();
          expect(bench.gaps.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: process.env["TAPLINE_FULL"] === "1" ? 200 : 25 },
    );
  }, 60_000);
});
