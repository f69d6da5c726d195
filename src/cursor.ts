// Where a sink stands in the ledger, and what became of the entries before: what its cursor file holds.

/** in ledger = created + existing + dead + filtered + pending, always: pending is what is left. */
export interface Cursor {
  acked: number;
  /** Entries up to here may have been written: looked up before they are sent again. */
  sending: number;
  created: number;
  existing: number;
  dead: number;
  filtered: number;
}

/** Throws when the text is not a whole cursor. */
export function parseCursor(text: string): Cursor {
  const { acked, sending, created, existing, dead, filtered } = JSON.parse(text) as Cursor;
  const cursor = { acked, sending, created, existing, dead, filtered };
  for (const count of Object.values(cursor)) {
    if (!Number.isSafeInteger(count) || count < 0) throw new Error("not a cursor");
  }
  return cursor;
}
