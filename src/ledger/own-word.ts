// What an entry says as this ledger's own collector. What a mapping makes of somebody's records is no word of the collector's,
// and neither is what another collector said of its own ledger: that names where it was recorded first.

/** The group `tapline` of an entry in which the collector itself tells of `action`; undefined for any other entry. */
export function ownWord(entry: Uint8Array, action: string): Record<string, unknown> | undefined {
  interface Said {
    event?: { action?: unknown };
    tapline?: Record<string, unknown>;
  }
  try {
    const { event, tapline } = (JSON.parse(Buffer.from(entry).toString()) as Said | null) ?? {};
    const own = tapline?.["vantage"] === "self" && tapline["upstream"] === undefined;
    return own && event?.action === action ? tapline : undefined;
  } catch {
    return undefined;
  }
}
