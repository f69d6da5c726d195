// One event: its entry as it stands in the ledger, the proof that it is there, and the events that belong with it.
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { parseVerifier } from "../ledger/note.ts";
import { openCheckpoint } from "../ledger/checkpoint.ts";
import { VKEY } from "../ledger/paths.ts";
import { parseProof } from "../ledger/proof-file.ts";
import { proveEntry } from "../ledger/prove.ts";
import { leafHashOf } from "../core/entry.ts";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { EventDetail, EventRow, Proof, Relation } from "./api.ts";
import type { Context } from "./context.ts";
import { type View, mayHold } from "./database.ts";
import { eventsWhere, rowsAt } from "./find.ts";
import { FIELDS_OF_ROW, type Row, columnsOf, rowOf, textOf } from "./rows.ts";
import type { Parameters } from "./where.ts";

/** Events that belong together are not further apart. */
const NEAR_MS = 86_400_000;
const JOINS = [
  ...FIELDS_OF_ROW,
  "gen_ai.tool.call.id",
  "tapline.alert.event_ids",
  "tapline.cause.event_id",
] as const;

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

/** The proof of an entry, or why there is none. Throws when the ledger contradicts itself. */
export async function proofOf(context: Context, index: number): Promise<Proof | string> {
  const { ledger, place } = context;
  try {
    const text = await proveEntry(place.ledger_dir, ledger, index);
    const proof = parseProof(text);
    if (typeof proof === "string") return proof;
    const vkey = (await readFile(join(place.ledger_dir, VKEY), "utf8")).trim();
    const checkpoint = openCheckpoint(proof.checkpoint, parseVerifier(vkey));
    if (typeof checkpoint === "string") return checkpoint;
    return {
      origin: checkpoint.origin,
      index,
      size: checkpoint.size,
      path: proof.path.map(base64),
      leaf: base64(leafHashOf(proof.entry!)),
      root: base64(checkpoint.root),
      checkpoint: proof.checkpoint,
      vkey,
      // proveEntry gives no proof that it did not check.
      checked: true,
    };
  } catch (error) {
    if (error instanceof TaplineError && error.code !== "LEDGER_CORRUPT") return error.message;
    if ((error as { code?: string }).code === "ENOENT") return "the ledger is not on this machine";
    throw error;
  }
}

/** The entry's bytes from the ledger; those of the store when the ledger does not hold it any more. */
export async function entryOf({ ledger }: Context, index: number, stored: string): Promise<Buffer> {
  const batch = await ledger.read(index, 1, LIMITS.entry_bytes + 2).catch(() => undefined);
  return Buffer.from(batch === undefined ? stored : batch.run.subarray(2));
}

/** Undefined when there is no such event. */
export async function detailOf(
  context: Context,
  view: View,
  index: number,
  signal: AbortSignal,
): Promise<EventDetail | undefined> {
  const { database } = context;
  const columns = `${columnsOf(JOINS)}, "event.hash", entry`;
  const [row] = await rowsAt(database, view, [index], columns, signal);
  if (row === undefined) return undefined;
  const proof = await proofOf(context, index);
  return {
    event: rowOf(row, FIELDS_OF_ROW),
    entry: (await entryOf(context, index, textOf(row["entry"]))).toString("utf8"),
    hash: textOf(row["event.hash"]).replace("sha256:", ""),
    proof: typeof proof === "string" ? null : proof,
    unproven: typeof proof === "string" ? proof : null,
    ...(await relatedTo(context, view, row, signal)),
  };
}

const listOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

/** Ids that an event names, by what they are to it. */
function namedBy(row: Row): Map<string, Relation> {
  const named = new Map<string, Relation>();
  for (const id of listOf(row["tapline.alert.event_ids"])) named.set(id, "evidence");
  for (const field of ["tapline.flow.from_event", "tapline.provenance.source_event"])
    if (textOf(row[field]) !== "") named.set(textOf(row[field]), "source");
  if (textOf(row["tapline.cause.event_id"]) !== "") named.set(textOf(row["tapline.cause.event_id"]), "cause");
  return named;
}

async function relatedTo(
  context: Context,
  view: View,
  row: Row,
  signal: AbortSignal,
): Promise<Pick<EventDetail, "related" | "related_cut">> {
  const id = textOf(row["event.id"]);
  const ms = Number(row["@timestamp"]);
  const named = namedBy(row);
  const call_key = textOf(row["tapline.call_key"]);
  const call_id = textOf(row["gen_ai.tool.call.id"]);
  const session = textOf(row["gen_ai.conversation.id"]);
  const condition = (p: Parameters): string => {
    const any = [
      `("event.action" = 'rule-alert' AND list_contains("tapline.alert.event_ids", ${p.add(id)}))`,
    ];
    if (named.size > 0) any.push(`"event.id" IN (${[...named.keys()].map((one) => p.add(one)).join(", ")})`);
    if (call_key !== "") any.push(`"tapline.call_key" = ${p.add(call_key)}`);
    if (call_id !== "" && session !== "")
      any.push(
        `("gen_ai.tool.call.id" = ${p.add(call_id)} AND "gen_ai.conversation.id" = ${p.add(session)})`,
      );
    return `"event.sequence" <> ${Number(row["event.sequence"])} AND (${any.join(" OR ")})`;
  };
  const span = { from: ms - NEAR_MS, to: ms + NEAR_MS };
  const parts = view.parts.filter((part) => mayHold(part, span));
  const most = LIMITS.viewer_related;
  const found = await eventsWhere(context.database, parts, condition, JOINS, most + 1, signal);
  const related = found.slice(0, most).map(({ row: other, event }) => ({
    relation: named.get(event.id) ?? relationOf(event, listOf(other["tapline.alert.event_ids"]).includes(id)),
    event,
  }));
  return { related, related_cut: found.length > most };
}

function relationOf(event: EventRow, rests: boolean): Relation {
  if (event.action === "rule-alert" && rests) return "alert";
  if (event.action === "tool-result") return "result";
  if (event.action === "tool-call-decision") return "decision";
  return event.action === "tool-call" ? "call" : "observation";
}
