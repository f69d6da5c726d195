// Where a sink stands in the ledger, and what became of the entries before: what its cursor file holds.

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
