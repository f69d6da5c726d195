// The chain of a spool: every line begins with its number and the digest of the line before, the first of a segment
// also with the stream and the process that writes it, the last has `close` and ends with its own digest. Writer and reader share this file, so
// that they cannot differ. Whoever can write the files can make a chain anew: it shows what was lost, not who lied.
import { hash } from "node:crypto";

/** Who writes a stream, as the first line of each segment says. */
export interface SpoolHead {
  readonly stream: string;
  readonly segment: number;
  readonly pid: number;
  /** Start of the process, as core/lock.ts has it. */
  readonly start: string;
  readonly host: string;
  /** Process ids mean nothing outside of their namespace. */
  readonly ns: string;
}

/** Names of streams that are chained; others need not be. */
const CHAINED = /^[a-z]+-\d+-[0-9a-f]{16}$/;

export function isChained(stream: string): boolean {
  return CHAINED.test(stream);
}

/** 128 bits as 32 hex digits, over the bytes of a line without its end. */
export function lineDigest(line: string | Uint8Array): string {
  return hash("sha256", line, "hex").slice(0, 32);
}

/** `record`, the text of a JSON object that has something in it, as line `n` of a chain. No line end. */
export function chained(
  record: string,
  n: number,
  prev: string,
  head: SpoolHead | undefined,
  close: boolean,
): string {
  const spool = head === undefined ? "" : `"spool":${JSON.stringify(head)},`;
  const line = `{"n":${n},"prev":"${prev}",${spool}${close ? '"close":true,' : ""}${record.slice(1)}`;
  return close ? `${line.slice(0, -1)},"sum":"${lineDigest(line.slice(0, -1))}"}` : line;
}

const SUM_BYTES = ',"sum":"0123456789abcdef0123456789abcdef"}'.length;

/** Whether the last line of a stream is as it was written: no line after it says so. */
export function isLast(line: Buffer): boolean {
  const end = line.length - SUM_BYTES;
  return end > 0 && line.toString("latin1", end) === `,"sum":"${lineDigest(line.subarray(0, end))}"}`;
}

const START = /^\{"n":(\d{1,15}),"prev":"([0-9a-f]{32}|)",(?:"spool":(\{[^{}]{1,2000}\}),)?("close":true,)?/;
/** More than the start of any line takes. */
export const START_BYTES = 2_200;

export interface ChainStart {
  readonly n: number;
  readonly prev: string;
  readonly head: SpoolHead | undefined;
  readonly close: boolean;
}

/** What the start of a line says of the chain; undefined when it says nothing. */
export function chainStart(text: string): ChainStart | undefined {
  const m = START.exec(text);
  if (m === null) return undefined;
  let head: SpoolHead | undefined;
  if (m[3] !== undefined) {
    try {
      head = JSON.parse(m[3]) as SpoolHead;
    } catch {
      return undefined;
    }
  }
  return { n: Number(m[1]), prev: m[2]!, head, close: m[4] !== undefined };
}
