// JSON whose numbers are kept as written: what a double cannot hold (int64, 1e400) becomes text instead of another
// number. Slower than JSON.parse; used for records that the prefilter flagged.

/** The value of JSON text; numbers that would change are strings of their digits. Throws as JSON.parse does. */
export function parseExact(text: string): unknown {
  return JSON.parse(text, exact);
}

function exact(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || context?.source === undefined) return value;
  if (!Number.isFinite(value)) return context.source;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? context.source : value;
}
