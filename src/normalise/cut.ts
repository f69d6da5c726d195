// Texts of which only the beginning is kept. They are cut after redaction: the beginning of a secret that the cut went
// through would be known for none.
import type { Event } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";

/** Lists a field in tapline.data.truncated. */
export function markTruncated(e: Event, field: string): void {
  const cut = e["tapline.data.truncated"] ?? [];
  if (!cut.includes(field)) e["tapline.data.truncated"] = [...cut, field];
}

export function cutTexts(e: Event): void {
  const message = e["error.message"];
  // Without a result it may be nowhere else.
  const isCopy = e["gen_ai.tool.call.result"] !== undefined;
  if (isCopy && message !== undefined && message.length > LIMITS.error_chars) {
    e["error.message"] = message.slice(0, LIMITS.error_chars);
    markTruncated(e, "error.message");
  }
  const query = e["tapline.data.query"];
  if (query !== undefined && query.length > LIMITS.query_chars) {
    e["tapline.data.query"] = query.slice(0, LIMITS.query_chars);
    markTruncated(e, "tapline.data.query");
  }
}

const NUL = "\0";

/** The text without its secrets, and without the beginning of one that goes on in `beyond`, of which nothing is left
 * behind its last secret: it may end within another. Text that shows them only
 * without NUL, as UTF-16 does, goes on without NUL. */
export function redactCut(text: string, beyond: string, redactText: (text: string) => string): string {
  if (text.includes(NUL)) {
    const bare = (text + beyond).replaceAll(NUL, "");
    if (redactText(bare) !== bare)
      return redactCut(text.replaceAll(NUL, ""), beyond.replaceAll(NUL, ""), redactText);
  }
  const redacted = redactText(text + beyond);
  let same = 0;
  while (same < beyond.length && redacted.at(-1 - same) === beyond.at(-1 - same)) same++;
  return redacted.slice(0, redacted.length - same);
}
