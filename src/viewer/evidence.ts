// Entries with what is needed to check them without us: their bytes, their paths in the tree of one signed checkpoint, and
// the key of its signature. Every path is checked before anybody gets it. Recorded before it is sent.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { leafHashOf } from "../core/entry.ts";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { type Checkpoint, openCheckpoint } from "../ledger/checkpoint.ts";
import { parseVerifier } from "../ledger/note.ts";
import { CHECKPOINT, VKEY } from "../ledger/paths.ts";
import { inclusionPath, rootByInclusion } from "../ledger/proof.ts";
import { filesIn } from "../ledger/tree-files.ts";
import { TreeHashes } from "../ledger/tree-hashes.ts";
import { parseBody } from "./actions.ts";
import type { EvidencePack } from "./api.ts";
import type { Context } from "./context.ts";
import { entryOf } from "./detail.ts";
import { rowsAt } from "./find.ts";
import { recordExport } from "./exports.ts";
import type { Request } from "./request.ts";
import { textOf } from "./rows.ts";
import { notFound, sendJson } from "./send.ts";
import { isoOf } from "./times.ts";

const schema = z.strictObject({
  indexes: z.array(z.int().min(0)).min(1).max(LIMITS.viewer_evidence),
});
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

export async function sendEvidence(context: Context, request: Request, body: unknown): Promise<void> {
  const { indexes } = parseBody(schema, body);
  const view = await context.database.view();
  const wanted = [...new Set(indexes)].toSorted((a, b) => a - b);
  if (wanted.some((index) => index >= view.end)) throw notFound("entry");
  const { ledger_dir } = context.place;
  const vkey = (await readFile(join(ledger_dir, VKEY), "utf8").catch(() => "")).trim();
  const note = vkey === "" ? null : await readFile(join(ledger_dir, CHECKPOINT), "utf8").catch(() => null);
  const checkpoint = note === null ? undefined : openCheckpoint(note, parseVerifier(vkey));
  if (typeof checkpoint === "string") throw corrupt(`its checkpoint is not valid: ${checkpoint}`);
  recordExport(context, request.user, "evidence", { indexes: wanted });
  // One tree for all of them, whatever is published meanwhile.
  const tree = checkpoint === undefined ? undefined : new TreeHashes(filesIn(ledger_dir), checkpoint.size);
  const rows = await rowsAt(context.database, view, wanted, `"event.sequence", entry`, request.signal);
  const stored = new Map(rows.map((row) => [Number(row["event.sequence"]), textOf(row["entry"])]));
  const entries: EvidencePack["entries"][number][] = [];
  for (const index of wanted) {
    if (request.signal.aborted) return;
    const bytes = await entryOf(context, index, stored.get(index) ?? "");
    const path = await pathOf(index, bytes, checkpoint, tree);
    const entry = bytes.toString("utf8");
    entries.push({ index, entry, leaf: base64(leafHashOf(bytes)), path: path?.map(base64) ?? null });
  }
  const made_at = isoOf(Date.now());
  const origin = checkpoint?.origin ?? "";
  const pack: EvidencePack = {
    format: "tapline-evidence-1",
    made_at,
    origin,
    vkey,
    checkpoint: note,
    entries,
  };
  request.response.setHeader("Content-Disposition", `attachment; filename="tapline-evidence.json"`);
  sendJson(request.response, 200, pack);
}

/** Undefined when the checkpoint does not cover the entry. */
async function pathOf(
  index: number,
  entry: Uint8Array,
  checkpoint: Checkpoint | undefined,
  tree: TreeHashes | undefined,
): Promise<Uint8Array[] | undefined> {
  if (checkpoint === undefined || tree === undefined || index >= checkpoint.size) return undefined;
  const path = await inclusionPath(index, checkpoint.size, tree.subtree);
  const root = rootByInclusion(leafHashOf(entry), index, checkpoint.size, path);
  if (root !== undefined && Buffer.compare(root, checkpoint.root) === 0) return path;
  throw corrupt(`entry ${index} is not in the tree that its checkpoint signs`);
}

function corrupt(why: string): TaplineError {
  return new TaplineError("LEDGER_CORRUPT", `the ledger contradicts itself: ${why}`, {
    remedy: "run `tapline ledger verify`",
  });
}
