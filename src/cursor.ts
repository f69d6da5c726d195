// Where a sink stands in the ledger, and what became of the entries before: what its cursor file holds, and the file.
import { readFile } from "node:fs/promises";
import { TaplineError, reasonOf, systemCode } from "./core/errors.ts";
import { placeFile } from "./ledger/files.ts";

const START_OVER = "move the file away; the sink then starts at entry 0 and leaves out what is there";

/** in ledger = created + existing + dead + filtered + pruned + pending, always: pending is what is left. */
export interface Cursor {
  acked: number;
  /** Entries up to here may have been written: looked up before they are sent again. */
  sending: number;
  created: number;
  existing: number;
  dead: number;
  filtered: number;
  /** Removed by retention before the sink could have them; cursors of before have none. */
  pruned: number;
}

/** Throws when the text is not a whole cursor. */
export function parseCursor(text: string): Cursor {
  const read = { pruned: 0, ...(JSON.parse(text) as Omit<Cursor, "pruned">) };
  const { acked, sending, created, existing, dead, filtered, pruned } = read;
  const cursor = { acked, sending, created, existing, dead, filtered, pruned };
  for (const count of Object.values(cursor)) {
    if (!Number.isSafeInteger(count) || count < 0) throw new Error("not a cursor");
  }
  return cursor;
}

/** What retention removed before a sink was there, or before its cursor was lost, is none that it could get. */
export function skipPruned(cursor: Cursor, first: number): void {
  if (cursor.acked >= first) return;
  cursor.pruned += first - cursor.acked;
  cursor.acked = first;
}

/** What the file holds, undefined when there is none. Throws CURSOR_UNREADABLE, and CURSOR_AHEAD for one that stands
 * beyond the `durable` entries of the ledger. */
export async function readCursor(path: string, durable: number): Promise<Cursor | undefined> {
  let cursor: Cursor;
  try {
    cursor = parseCursor(await readFile(path, "utf8"));
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return undefined;
    throw new TaplineError("CURSOR_UNREADABLE", `cannot read ${path}: ${reasonOf(cause)}`, {
      remedy: START_OVER,
      cause,
    });
  }
  if (cursor.acked <= durable) return cursor;
  const what = `${path} stands at entry ${cursor.acked}, but the ledger has ${durable}: it is not this ledger's`;
  throw new TaplineError("CURSOR_AHEAD", what, { remedy: START_OVER });
}

/** Resolves when it is on disk. Throws CURSOR_UNWRITABLE. */
export async function writeCursor(path: string, cursor: Cursor): Promise<void> {
  try {
    // With its directory: else a power cut brings back the cursor of before, which does not know that more was sent.
    await placeFile(path, [Buffer.from(JSON.stringify(cursor))], { sync: true, mode: 0o600 });
  } catch (cause) {
    throw new TaplineError("CURSOR_UNWRITABLE", `cannot write ${path}: ${reasonOf(cause)}`, {
      retry: true,
      cause,
    });
  }
}
