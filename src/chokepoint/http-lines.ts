// An answer that says it is JSON and is a message a line: the revisions of MCP know no such thing, but servers send it, and
// whoever waits for its end waits for ever. Cuts and joins, decides nothing.
import { LineCutter, type Part } from "./lines.ts";

export const NEWLINE = 10;

export interface Line {
  readonly line: Buffer;
  /** A piece of one that is longer than the bound. */
  readonly long: boolean;
}

/** Whether the first line of an answer is a whole message, and not the beginning of one that is set out in lines. */
export function isMessage(line: Buffer): boolean {
  const text = line.toString("utf8").trim();
  if (!/^[{[][^]*[}\]]$/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The lines of `first` and of what comes after it, with their line ends. */
export async function* inLines(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  let ready: Line[] = [];
  const cutter = new LineCutter((line: Buffer, part: Part) => {
    if (line.length > 0) ready.push({ line, long: part !== "whole" });
  });
  const take = (): Line[] => {
    const all = ready;
    ready = [];
    return all;
  };
  cutter.push(first);
  yield* take();
  for await (const chunk of rest) {
    cutter.push(chunk);
    yield* take();
  }
  cutter.end();
  yield* take();
}

/** The answers of a batch, and those of our own beside them. */
export function joined(text: string | undefined, own: readonly string[]): string {
  const theirs =
    text
      ?.trim()
      .replace(/^\[([\s\S]*)\]$/, "$1")
      .trim() ?? "";
  return `[${[...(theirs === "" ? [] : [theirs]), ...own].join()}]`;
}
