// Checks the chain of spool streams (core/spool-chain.ts): numbers, digests, the place of each segment, the close at the
// end. Breaks are told once each, then the chain is taken up where it goes on. Streams of other names have no chain.
import type { Gap } from "../core/stage.ts";
import { runs } from "../core/lock.ts";
import { processSpace } from "../core/pid-namespace.ts";
import {
  START_BYTES,
  type ChainStart,
  chainStart,
  isChained,
  isLast,
  lineDigest,
} from "../core/spool-chain.ts";

/** Where a chain stands; travels in the position of its newest segment. */
export interface Chain {
  readonly segment: number;
  /** Number of the next line. */
  readonly n: number;
  readonly prev: string;
  readonly closed: boolean;
  /** The writer, where this machine can say whether it runs. */
  readonly pid?: number | undefined;
  readonly start?: string | undefined;
}

export interface Break {
  readonly reason: Gap["reason"];
  readonly offset: number;
}

const NEWLINE = 10;
const SPACE = processSpace();

/** The next state of a chain and its breaks, after the whole lines in `bytes`, which begin at `offset` of segment
 * `segment`. `forgiven` breaks were told already. */
export function follow(
  chain: Chain | undefined,
  stream: string,
  segment: number,
  bytes: Buffer,
  offset: number,
  forgiven: number,
): { readonly chain: Chain | undefined; readonly breaks: readonly Break[] } {
  if (!isChained(stream)) return { chain: undefined, breaks: [] };
  const breaks: Break[] = [];
  let state = chain;
  let told = forgiven;
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, start);
    const stop = end < 0 ? bytes.length : end;
    const first = offset + start === 0;
    const line = chainStart(bytes.toString("latin1", start, Math.min(stop, start + START_BYTES)));
    // Missing segments are told by their numbers.
    const skipped = first && segment !== (state?.segment ?? 0) + 1;
    const misplaced = line !== undefined && first && !isAt(line, stream, segment);
    let reason: Gap["reason"] | undefined;
    if (line === undefined || misplaced) reason = end < 0 ? "spool_cut" : "spool_edited";
    else if (!skipped) reason = wrong(state, line);
    if (line?.close === true && !isLast(bytes.subarray(start, stop))) reason ??= "spool_edited";
    if (reason !== undefined && told-- <= 0) breaks.push({ reason, offset: offset + start });
    state = after(state, line, segment, lineDigest(bytes.subarray(start, stop)));
    // Of a line that was changed, nothing follows.
    if (line === undefined || misplaced) state = { ...state, n: -1 };
    start = stop + 1;
  }
  return { chain: state, breaks };
}

/** Whether the first line of a segment says that it is that. */
function isAt({ head }: ChainStart, stream: string, segment: number): boolean {
  return head?.stream === stream && head.segment === segment;
}

/** What is wrong with a line, if anything. After one that could not be read anything goes on. */
function wrong(state: Chain | undefined, line: ChainStart): Gap["reason"] | undefined {
  const n = state?.n ?? 0;
  if (n < 0) return undefined;
  if (line.n > n) return "spool_cut";
  return line.n < n || line.prev !== (state?.prev ?? "") || state?.closed === true
    ? "spool_edited"
    : undefined;
}

function after(
  state: Chain | undefined,
  line: ChainStart | undefined,
  segment: number,
  digest: string,
): Chain {
  const head = line?.head;
  const here = head !== undefined && head.host === SPACE.host && head.ns === SPACE.ns;
  return {
    segment,
    n: (line?.n ?? 0) + 1,
    prev: digest,
    closed: line?.close === true,
    pid: head === undefined ? state?.pid : here ? head.pid : undefined,
    start: head === undefined ? state?.start : here ? head.start : undefined,
  };
}

/** Whether the process that writes the stream is known to be gone. */
export function writerGone({ pid, start }: Chain): boolean {
  return pid !== undefined && start !== undefined && !runs(pid, start);
}
