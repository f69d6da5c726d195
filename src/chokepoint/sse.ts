// Cuts a stream of server-sent events into events, each with its bytes as they came. Line ends may be LF, CR LF or CR.
// Holds one event; a longer one than the bound comes in pieces.
import { LIMITS } from "../core/limits.ts";
import { Pieces } from "./pieces.ts";

export interface SseEvent {
  /** As it came, the blank line included. */
  readonly raw: Buffer;
  /** `event:`, undefined for the default. */
  readonly name: string | undefined;
  /** The lines of `data:` together; undefined when there are none, or nothing in them. */
  readonly data: string | undefined;
}

const NEWLINE = 10;
const RETURN = 13;

export class SseCutter {
  readonly #each: (event: SseEvent) => void;
  readonly #long: (bytes: Buffer) => void;
  readonly #max: number;
  readonly #held = new Pieces();
  /** Bytes of the line in hand, line ends left out. */
  #line = 0;
  #after_return = false;
  #blank_after_return = false;

  /** `long` gets what is held when an event exceeds the bound; the cutter is of no use then. */
  constructor(
    each: (event: SseEvent) => void,
    long: (bytes: Buffer) => void,
    max: number = LIMITS.sse_event_bytes,
  ) {
    this.#each = each;
    this.#long = long;
    this.#max = max;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let i = 0; i < chunk.length; i++) {
      const c = chunk[i]!;
      if (this.#blank_after_return) {
        // The blank line ended with CR: an LF after it is part of its end.
        this.#blank_after_return = false;
        const to = c === NEWLINE ? i + 1 : i;
        this.#cut(chunk.subarray(from, to));
        from = to;
        this.#after_return = false;
        if (c === NEWLINE) continue;
      }
      if (c !== NEWLINE && c !== RETURN) {
        this.#line++;
        this.#after_return = false;
        continue;
      }
      if (c === NEWLINE && this.#after_return) {
        this.#after_return = false;
        continue;
      }
      this.#after_return = c === RETURN;
      const blank = this.#line === 0;
      this.#line = 0;
      if (!blank) continue;
      if (c === RETURN) this.#blank_after_return = true;
      else {
        this.#cut(chunk.subarray(from, i + 1));
        from = i + 1;
      }
    }
    if (this.#blank_after_return) {
      // Whether an LF follows is not worth a wait.
      this.#blank_after_return = false;
      this.#cut(chunk.subarray(from));
    } else if (from < chunk.length) this.#hold(chunk.subarray(from));
  }

  /** What came after the last event, as an event. */
  end(): void {
    if (this.#held.bytes > 0) this.#each(eventOf(this.#held.take()));
  }

  #hold(bytes: Buffer): void {
    this.#held.push(bytes);
    if (this.#held.bytes > this.#max) this.#long(this.#held.take());
  }

  #cut(bytes: Buffer): void {
    this.#held.push(bytes);
    this.#each(eventOf(this.#held.take()));
  }
}

function eventOf(raw: Buffer): SseEvent {
  let name: string | undefined;
  const data: string[] = [];
  for (const line of raw
    .toString("utf8")
    .replace(/^\ufeff/, "")
    .split(/\r\n|\n|\r/)) {
    if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
    else if (line === "data") data.push("");
    else if (line.startsWith("event:")) name = line.slice(6).trim();
  }
  const text = data.join("\n");
  return { raw, name, data: text.trim() === "" ? undefined : text };
}

/** The event with other data. */
export function withData({ raw }: SseEvent, data: string): string {
  const lines = raw.toString("utf8").split(/\r\n|\n|\r/);
  const kept = lines.filter((line) => line !== "" && !/^data(:|$)/.test(line));
  return `${[...kept, ...data.split("\n").map((line) => `data: ${line}`)].join("\n")}\n\n`;
}

/** A message as an event. */
export function eventText(message: string): string {
  return `event: message\ndata: ${message}\n\n`;
}
