// Random histories of files against an oracle: every whole line is handed over exactly once among settled batches,
// but for bytes that were truncated or deleted unread, and those have a gap that was told after the loss.
import fc from "fast-check";
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { keyOf } from "../../src/sources/identity.ts";
import { FollowSource } from "../../src/sources/source.ts";
import { Bench, removeDir, tempDir, testRouter } from "./harness.ts";

const FULL = process.env["TAPLINE_FULL"] === "1";
const GRACE_MS = 60;

type Op =
  | {
      readonly op: "line" | "partial";
      readonly file: number;
      readonly length: number;
      readonly count: number;
    }
  | { readonly op: "rename" | "copytruncate" | "recreate" | "delete" | "pack"; readonly file: number }
  | { readonly op: "read" | "settle" | "crash" | "rescan" };

const file = fc.integer({ min: 0, max: 1 });
const lengths = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 40 }) },
  fc.integer({ min: 0, max: 3_000 }),
);
const count = fc.integer({ min: 1, max: 5 });
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ op: fc.constant("line" as const), file, length: lengths, count }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("partial" as const), file, length: lengths, count }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constantFrom("rename" as const, "rename", "copytruncate", "recreate", "delete", "pack"),
      file,
    }),
  },
  { weight: 6, arbitrary: fc.record({ op: fc.constantFrom("read" as const, "settle", "rescan") }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("crash" as const) }) },
);

/** The files, and what became of every line. */
class World {
  readonly dir = tempDir();
  readonly bench: Bench;
  #next = 0;
  readonly lines = new Map<string, string>();
  /** Bytes after the last line end, by path. */
  readonly partial = new Map<string, string>();
  /** Lines that were in a file when it was destroyed, and how many gaps had been told; -1: never seen. */
  readonly risks: { readonly lines: readonly string[]; gaps: number; readonly durable: boolean }[] = [];

  constructor() {
    const options = {
      include: [join(this.dir, "*.log*")],
      exclude: [],
      roots: [],
      start: "beginning" as const,
      follow: true,
      poll_ms: 0,
      grace_ms: GRACE_MS,
    };
    const capture = { arguments: "full", results: "full", messages: "full", identity: "full" } as const;
    const common = { source: "test", format: undefined, session: undefined, options: undefined, capture };
    const make = (context: never) => new FollowSource(options, common, context);
    this.bench = new Bench(make as never, this.dir, testRouter());
  }

  path(n: number): string {
    return join(this.dir, `${n === 0 ? "a" : "b"}.log`);
  }

  line(n: number, length: number): void {
    const path = this.path(n);
    const start = this.partial.get(path) ?? "";
    const text = `${start}line ${this.#next++} ${"x".repeat(length)}\n`;
    fs.appendFileSync(path, text.slice(start.length));
    this.partial.delete(path);
    this.lines.set(text, path);
  }

  part(n: number, length: number): void {
    const path = this.path(n);
    const text = `part ${this.#next++} ${"y".repeat(length)}`;
    fs.appendFileSync(path, text);
    this.partial.set(path, (this.partial.get(path) ?? "") + text);
  }

  move(from: string, to: string): void {
    if (!fs.existsSync(from)) return;
    fs.renameSync(from, to);
    const partial = this.partial.get(from);
    this.partial.delete(from);
    if (partial !== undefined) this.partial.set(to, partial);
    for (const [text, path] of this.lines) if (path === from) this.lines.set(text, to);
  }

  /** Whether the source has ever seen the file with something in it: of others nobody can tell. */
  seen(path: string): { seen: boolean; durable: boolean } {
    const key = keyOf(fs.statSync(path));
    const marks = [...this.bench.positions.values()] as unknown as {
      dev: number;
      ino: number;
      birth_ms: number;
    }[];
    const durable = marks.some((mark) => keyOf({ ...mark, birthtimeMs: mark.birth_ms }) === key);
    const tail = [...(this.bench.source as FollowSource).tails].find((t) => t.key === key);
    return { seen: durable || (tail !== undefined && (tail.size > 0 || tail.recorded)), durable };
  }

  destroy(path: string, { seen, durable }: { seen: boolean; durable: boolean }): void {
    const lines = [...this.lines].filter(([, at]) => at === path).map(([text]) => text);
    this.risks.push({ lines, gaps: seen ? this.bench.gaps.length : -1, durable });
    this.partial.delete(path);
    for (const text of lines) this.lines.set(text, "");
  }

  /** x.log → x.log.1 → x.log.2 …, packed ones too. */
  shift(n: number): void {
    for (let i = 12; i >= 1; i--) {
      this.move(`${this.path(n)}.${i}`, `${this.path(n)}.${i + 1}`);
      this.move(`${this.path(n)}.${i}.gz`, `${this.path(n)}.${i + 1}.gz`);
    }
  }

  pack(n: number): void {
    const path = `${this.path(n)}.1`;
    if (!fs.existsSync(path)) return;
    const stats = fs.statSync(path);
    fs.writeFileSync(`${path}.gz`, gzipSync(fs.readFileSync(path)));
    fs.utimesSync(`${path}.gz`, stats.atime, stats.mtime);
    fs.unlinkSync(path);
    for (const [text, at] of this.lines) if (at === path) this.lines.set(text, `${path}.gz`);
  }

  async run(step: Op): Promise<void> {
    if (step.op === "line") for (let i = 0; i < step.count; i++) this.line(step.file, step.length);
    else if (step.op === "partial") this.part(step.file, step.length);
    else if (step.op === "pack") this.pack(step.file);
    else if (step.op === "read") await this.bench.read();
    else if (step.op === "settle") this.bench.settle();
    else if (step.op === "crash") await this.#crash();
    else if (step.op === "rescan") await sleep(12);
    else if ("file" in step) this.#rotate(step.op, step.file, this.path(step.file));
  }

  /** What the source had seen and the ledger had not is forgotten with it. */
  async #crash(): Promise<void> {
    for (const risk of this.risks) if (!risk.durable) risk.gaps = -1;
    await this.bench.crash();
  }

  #rotate(how: string, n: number, path: string): void {
    if (!fs.existsSync(path)) return;
    if (how === "rename") {
      this.shift(n);
      this.move(path, `${path}.1`);
    } else if (how === "copytruncate") {
      this.shift(n);
      const seen = this.seen(path);
      fs.copyFileSync(path, `${path}.1`);
      fs.truncateSync(path, 0);
      this.destroy(path, seen);
    } else {
      const seen = this.seen(path);
      fs.unlinkSync(path);
      this.destroy(path, seen);
      if (how === "recreate") this.line(n, 10);
    }
  }

  check(): void {
    const seen = new Map<string, number>();
    for (const { text } of this.bench.records) seen.set(text, (seen.get(text) ?? 0) + 1);
    const twice = [...seen].filter(([, times]) => times > 1).map(([text]) => text);
    expect(twice, "handed over twice").toEqual([]);
    const missing = new Set([...this.lines.keys()].filter((text) => !seen.has(text)));
    for (const { lines, gaps } of this.risks) {
      const lost = lines.filter((text) => missing.delete(text));
      if (lost.length > 0) expect(this.bench.gaps.length, `a gap for ${lost.join()}`).toBeGreaterThan(gaps);
    }
    expect([...missing], "lost").toEqual([]);
    const strange = [...seen.keys()].filter((text) => text.endsWith("\n") && !this.lines.has(text));
    expect(strange, "never written").toEqual([]);
  }
}

test(
  "every line exactly once, or a gap",
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 5, maxLength: 60 }), async (ops) => {
        const world = new World();
        try {
          await world.bench.open();
          for (const step of ops) await world.run(step);
          await world.bench.rest(GRACE_MS * 4);
          world.check();
        } finally {
          await world.bench.source.close();
          removeDir(world.dir);
        }
      }),
      { numRuns: FULL ? 1_000 : 30, ...(process.env["SEED"] ? { seed: Number(process.env["SEED"]) } : {}) },
    );
  },
  FULL ? 3_600_000 : 120_000,
);
