// Forks of Codex sessions, and sub-agents that begin as forks: their files start with a copy of the origin's history,
// headers and all, written anew with times of now. Calls, results and tokens of the copy are those of the origin, which
// all its forks share as their memory of what was recorded. What nobody else has told is recorded where it is found.
import { type Fields, asObject, asText } from "../format.ts";
import type { Session } from "../session.ts";

/** A session, and the first of its ancestors when it is a fork. */
interface Forked {
  readonly session: Session;
  readonly origin: Session | undefined;
}

function headerOf(value: unknown): Fields | undefined {
  const r = asObject(value);
  return r?.["type"] === "session_meta" ? asObject(r["payload"]) : undefined;
}

/** The first ancestor of the session `own` that the headers tell of: each header is followed by those that it copied. */
export function rootOf(head: readonly unknown[], own: string): string {
  let root = own;
  for (const value of head) {
    const header = headerOf(value);
    if (header === undefined || (root !== own && header["id"] === own)) continue;
    root = asText(header["forked_from_id"]) ?? asText(header["id"]) ?? root;
  }
  return root;
}

/** Whether this header is that of an ancestor, which was recorded before. */
export function isCopiedHeader({ session, origin }: Forked, id: string): boolean {
  if (id !== session.id) return origin?.knows(`meta:${id}`) === true;
  (origin ?? session).repeats(`meta:${id}`);
  return false;
}

/** Whether the call was told before, here or where it was copied from. */
export function isCallKnown({ session, origin }: Forked, id: string): boolean {
  const call = `call:${id}`;
  return session.knows(call) || origin?.repeats(call) === true || session.repeats(call);
}

/** Whether the result was told before, or belongs to a call of an ancestor: its own record tells what came of it. */
export function isResultKnown({ session, origin }: Forked, id: string): boolean {
  const result = `result:${id}`;
  if (session.repeats(result)) return true;
  if (origin === undefined) return false;
  if (session.knows(`call:${id}`)) {
    origin.repeats(result);
    return false;
  }
  return origin.knows(`call:${id}`) || origin.knows(result);
}

/** Whether these totals were counted before: they grow on from those of the origin. */
export function isTotalKnown({ session, origin }: Forked, total: string): boolean {
  return !session.countsUsage(total) || origin?.countsUsage(total) === false;
}
