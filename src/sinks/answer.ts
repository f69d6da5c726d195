// Reads a server's answer to a bulk request: every item gets one fate. Knows no client; sends nothing.
import { LIMITS } from "../core/limits.ts";
import { TaplineError } from "../core/errors.ts";
import type { DeadLetter } from "../core/stage.ts";
import { type BulkBody, itemOf } from "./bulk.ts";
import type { Answer } from "./connection.ts";

/** Filters an answer to what is read here. A clean answer is counted, never parsed. */
export const ANSWER_FILTER =
  "took,errors,items.*._id,items.*.status,items.*.error.type,items.*.error.reason,items.*.failure_store";

export interface Fates {
  created: number;
  existing: number;
  readonly dead: DeadLetter[];
  /** Items that the server put off: to be sent again, alone. */
  readonly retry: number[];
  /** Items whose index is missing. */
  readonly missing: number[];
}

interface Item {
  readonly _id?: unknown;
  readonly status?: unknown;
  readonly error?: { readonly type?: string; readonly reason?: string };
  readonly failure_store?: unknown;
}

const CLEAN = /^\{(?:"took":\d+,)?"errors":false,(?:"took":\d+,)?"items":\[/;
const CREATED = '"status":201';

/** Fates of the items of `body` from the answer to it. Throws SINK_ANSWER (retry) when it does not account for
 * every item: cut off, not JSON, or another number of items than was sent. */
export function readAnswer(body: BulkBody, text: string): Fates {
  const fates: Fates = { created: 0, existing: 0, dead: [], retry: [], missing: [] };
  if (isClean(text, body.items)) {
    fates.created = body.items;
    return fates;
  }
  const items = parse(text);
  if (items === undefined) throw bad("is not a bulk answer");
  if (items.length !== body.items) throw bad(`has ${items.length} items, ${body.items} were sent`);
  const byId = inOrder(body, items) ? undefined : new Map(items.map((item) => [item._id, item]));
  for (let i = 0; i < body.items; i++) {
    const { id } = itemOf(body, i);
    const item = byId === undefined ? items[i] : byId.get(id);
    if (item === undefined) throw bad("leaves out an item that was sent");
    settle(fates, body, i, id, item);
  }
  return fates;
}

/** True when the server says that nothing failed and gives as many 201 as items were sent. */
function isClean(text: string, items: number): boolean {
  if (!CLEAN.test(text) || !text.endsWith("]}") || text.includes('"failure_store"')) return false;
  let count = 0;
  for (let at = text.indexOf(CREATED); at >= 0; at = text.indexOf(CREATED, at + CREATED.length)) count++;
  return count === items;
}

function parse(text: string): Item[] | undefined {
  let answer: { items?: unknown };
  try {
    answer = JSON.parse(text) as { items?: unknown };
  } catch {
    return undefined;
  }
  if (!Array.isArray(answer?.items)) return undefined;
  const items = answer.items as { create?: Item }[];
  return items.every((item) => typeof item?.create?.status === "number")
    ? items.map((i) => i.create!)
    : undefined;
}

function inOrder(body: BulkBody, items: readonly Item[]): boolean {
  for (let i = 0; i < items.length; i++) if (items[i]!._id !== itemOf(body, i).id) return false;
  return true;
}

function settle(fates: Fates, body: BulkBody, i: number, id: string, item: Item): void {
  const status = item.status as number;
  const reason = `${item.error?.type ?? ""}: ${item.error?.reason ?? ""}`;
  const letter = (text: string): DeadLetter => ({
    index: body.indexes[i]!,
    id,
    status,
    reason: text.slice(0, LIMITS.dead_letter_reason_chars),
  });
  if (status === 200 || status === 201) {
    // Elasticsearch answers 201 for a document it put aside, where no search of the stream finds it.
    if (item.failure_store === "used") fates.dead.push(letter("kept in the failure store, not searchable"));
    else fates.created++;
  } else if (status === 409) fates.existing++;
  else if (status === 429 || status >= 500) fates.retry.push(i);
  else if (status === 401 || status === 403) throw refused(status, reason);
  else if (status === 404) fates.missing.push(i);
  else fates.dead.push(letter(reason));
}

function bad(what: string): TaplineError {
  return new TaplineError("SINK_ANSWER", `the server's answer ${what}`, {
    retry: true,
    remedy: "a proxy between Tapline and the server may be at fault",
  });
}

/** The server does not let us write. Nothing is dropped: the entries wait in the ledger. */
export function refused(status: number, reason: string): TaplineError {
  const what = status === 401 ? "does not accept the credentials" : "does not allow the write";
  return new TaplineError(
    status === 401 ? "SINK_UNAUTHORIZED" : "SINK_FORBIDDEN",
    `the server ${what}: ${reason}`,
    {
      retry: true,
      remedy: "check user, role and index blocks; entries are kept in the ledger until then",
    },
  );
}

/** The error for an answer that is none of those that were expected. */
export function failure(answer: Answer, remedy = "see the server's log"): TaplineError {
  if (answer.status === 401 || answer.status === 403) return refused(answer.status, excerpt(answer));
  return new TaplineError("SINK_FAILED", `the server answered ${answer.status}: ${excerpt(answer)}`, {
    retry: true,
    remedy,
  });
}

/** The reason in an answer of the server, else how the answer begins. For messages. */
export function excerpt(answer: Answer): string {
  let reason: unknown;
  try {
    const { error } = JSON.parse(answer.text) as { error?: { type?: string; reason?: string } | string };
    reason = typeof error === "string" ? error : error?.reason;
  } catch {
    // A page of a proxy, say.
  }
  return (typeof reason === "string" ? reason : answer.text).slice(0, LIMITS.dead_letter_reason_chars);
}
