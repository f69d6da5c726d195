// Progress for people: one line rewritten in place on a terminal, a plain line now and then elsewhere.

const TERMINAL_MS = 200;
const PLAIN_MS = 2_000;

export class Progress {
  readonly #terminal = process.stdout.isTTY;
  #text: (() => string) | undefined;
  #shown = "";
  #timer: NodeJS.Timeout | undefined;

  /** Shows `text()` as it changes, until `stop`. */
  start(text: () => string): void {
    this.#text = text;
    this.#timer = setInterval(() => this.#show(), this.#terminal ? TERMINAL_MS : PLAIN_MS);
    this.#timer.unref();
  }

  #show(): void {
    const text = this.#text?.() ?? "";
    if (text === this.#shown) return;
    this.#shown = text;
    process.stdout.write(this.#terminal ? `\r\u001b[K${text}` : `${text}\n`);
  }

  /** A line that stays. Text of strangers is in it: control characters are not printed. */
  line(text: string): void {
    // oxlint-disable-next-line no-control-regex
    const safe = text.replaceAll(
      /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g,
      "\u00b7",
    );
    process.stdout.write(this.#terminal ? `\r\u001b[K${safe}\n${this.#shown}` : `${safe}\n`);
  }

  /** Ends with the last text as a line that stays. */
  stop(): void {
    clearInterval(this.#timer);
    if (this.#text === undefined) return;
    const text = this.#text();
    if (this.#terminal) process.stdout.write(`\r\u001b[K${text}\n`);
    else if (text !== this.#shown) process.stdout.write(`${text}\n`);
  }
}
