// Lines that keep coming at a rate, and the file of a sink in which they have to turn up: how long each takes, and that every
// entry is in the file once, in order.
import { appendFileSync, closeSync, existsSync, openSync, readSync } from "node:fs";

const TURN_MS = 40;
const LOOK_MS = 20;
const CHUNK_BYTES = 1 << 20;
const SESSIONS = 5;
const SEQUENCE = /,"sequence":(\d+),"hash":"sha256:[0-9a-f]{64}"\}\}$/;
const TAIL_BYTES = 128;
const CALL = /"(call|fresh)-(\d+)"/;

/** A call as the proxy for MCP writes it. */
export function callLine(id: string, n: number): string {
  const params = { name: "write", arguments: { n }, _meta: { "claudecode/toolUseId": id } };
  const msg = { jsonrpc: "2.0", id, method: "tools/call", params };
  const session = `${id[0]}${n % SESSIONS}`;
  return `${JSON.stringify({ ts: new Date().toISOString(), dir: "c2s", session, server: { name: "ops" }, msg })}\n`;
}

/** Writes `fresh-0`, `fresh-1`, … into a file until it is stopped. */
export class Feed {
  /** When each line was written. */
  readonly sent_ms: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(path: string, rate: number) {
    const began = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      const due = Math.floor(((now - began) * rate) / 1_000);
      let text = "";
      while (this.sent_ms.length < due) {
        text += callLine(`fresh-${this.sent_ms.length}`, this.sent_ms.length);
        this.sent_ms.push(now);
      }
      if (text !== "") appendFileSync(path, text);
    }, TURN_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Follows the file of a sink. */
export class Tail {
  /** Entries seen, each where it has to be. */
  entries = 0;
  /** Lines whose place is not the one after the line before. */
  readonly misplaced: string[] = [];
  /** When each fresh call was seen; how often. */
  readonly seen_ms: number[] = [];
  readonly fresh_times: number[] = [];
  /** How often each call of the backlog was seen. */
  readonly times: Uint8Array;
  readonly #path: string;
  readonly #buffer = Buffer.alloc(CHUNK_BYTES);
  #rest: Buffer = Buffer.alloc(0);
  #file: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string, calls: number) {
    this.#path = path;
    this.times = new Uint8Array(calls);
    this.#look();
  }

  /** Reads one chunk, and at once the next where there is more: others have their turn between them. */
  #look(): void {
    if (this.#file === undefined && existsSync(this.#path)) this.#file = openSync(this.#path, "r");
    const length = this.#file === undefined ? 0 : readSync(this.#file, this.#buffer);
    if (length > 0) this.#take(Buffer.concat([this.#rest, this.#buffer.subarray(0, length)]));
    this.#timer = setTimeout(() => this.#look(), length === 0 ? LOOK_MS : 0);
  }

  #take(bytes: Buffer): void {
    const now = performance.now();
    let from = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      this.#line(bytes.toString("latin1", from, end), now);
      from = end + 1;
    }
    this.#rest = bytes.subarray(from);
  }

  #line(line: string, now: number): void {
    const sequence = SEQUENCE.exec(line.slice(-TAIL_BYTES))?.[1];
    if (Number(sequence) !== this.entries && this.misplaced.length < 5)
      this.misplaced.push(`${sequence} in place of ${this.entries}`);
    this.entries++;
    if (!line.includes('"action":"tool-call"')) return;
    const [, kind, text] = CALL.exec(line) ?? [];
    const n = Number(text);
    if (kind === "call") this.times[n]!++;
    if (kind !== "fresh") return;
    this.seen_ms[n] ??= now;
    this.fresh_times[n] = (this.fresh_times[n] ?? 0) + 1;
  }

  stop(): void {
    clearTimeout(this.#timer);
    if (this.#file !== undefined) closeSync(this.#file);
  }
}
