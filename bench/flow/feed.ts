// Writes records to files that a collector follows, at a steady rate, with probes among them: calls that fire an alert at
// once, each with a number by which its alert is known. Lines are made beforehand, so that making them costs no time, and get
// the time at which they are written: with old times they would be history, which collectors judge apart. What the clock has
// missed is written in the next turn.
import { appendFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Generator } from "../generate.ts";

const TURN_MS = 10;
const LINES = 16_384;
const FILES = 2;
const ROTATE_BYTES = 256 << 20;
/** With what every line begins. */
const TIME = '{"ts":"2026-11-01T00:00:00.003Z';

/** The rule that a probe fires. */
export const PROBE_RULE = [
  "title: Probe",
  "id: 7f0c1f5e-6c0f-4d0b-9a43-0f5d9d8f7a11",
  "status: test",
  "logsource: {product: tapline, category: tool-call}",
  "detection:",
  "  selection: {gen_ai.tool.call.arguments.query|contains: bench-probe}",
  "  condition: selection",
  "level: high",
  "",
].join("\n");

function probe(number: number): string {
  const at = new Date().toISOString();
  return `{"ts":"${at}","dir":"c2s","conn":"probe","session":"sess-probe","user":"probe-${number}","server":{"name":"fetch","version":"0.4.0","command":"uvx mcp-server-fetch","transport":"stdio"},"msg":{"jsonrpc":"2.0","id":"probe-${number}","method":"tools/call","params":{"name":"fetch","arguments":{"query":"bench-probe"}}}}\n`;
}

export class Feed {
  /** Number of a probe → when its line had been written. */
  readonly sent = new Map<number, number>();
  lines = 0;
  /** Most that the writer was behind its clock, ms. */
  late_ms = 0;
  readonly #dir: string;
  readonly #made: readonly (readonly string[])[];
  readonly #sizes: number[] = Array.from({ length: FILES }, () => 0);
  #probes = 0;

  constructor(dir: string) {
    this.#dir = dir;
    this.#made = Array.from({ length: FILES }, (_, file) => {
      const generator = new Generator(file + 1);
      return Array.from({ length: LINES }, () => `${generator.line(file * 8).slice(TIME.length)}\n`);
    });
  }

  /** Writes `count` lines, in turn to each file. */
  write(count: number): void {
    const head = `{"ts":"${new Date().toISOString()}`;
    for (let file = 0; file < FILES && count > 0; file++) {
      const share = Math.ceil(count / (FILES - file));
      let text = "";
      for (let i = 0; i < share; i++) text += head + this.#made[file]![(this.lines + i) % LINES]!;
      this.#append(file, text);
      this.lines += share;
      count -= share;
    }
  }

  probe(): void {
    const number = this.#probes++;
    this.#append(0, probe(number));
    this.sent.set(number, performance.now());
    this.lines++;
  }

  /** Files grow, and are replaced as by a program that turns its logs: the last one is kept. */
  #append(file: number, text: string): void {
    const path = join(this.#dir, `feed-${file}.jsonl`);
    if (this.#sizes[file]! > ROTATE_BYTES) {
      rmSync(`${path}.1`, { force: true });
      renameSync(path, `${path}.1`);
      this.#sizes[file] = 0;
    }
    appendFileSync(path, text);
    this.#sizes[file]! += text.length;
  }

  /** Writes at a rate until the time is over or `signal` aborts. */
  async run(rate: number, probes_s: number, seconds: number, signal?: AbortSignal): Promise<void> {
    const started = performance.now();
    let due = 0;
    let due_probes = 0;
    for (;;) {
      const now_ms = performance.now() - started;
      if (now_ms >= seconds * 1_000 || signal?.aborted === true) return;
      const wanted = Math.floor((now_ms * (rate - probes_s)) / 1_000);
      this.late_ms = Math.max(this.late_ms, ((wanted - due) * 1_000) / rate - TURN_MS);
      this.write(wanted - due);
      due = wanted;
      for (; due_probes < Math.floor((now_ms * probes_s) / 1_000); due_probes++) this.probe();
      await sleep(TURN_MS - ((performance.now() - started) % TURN_MS));
    }
  }
}
