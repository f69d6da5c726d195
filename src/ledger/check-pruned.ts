// The part of verification that looks at what retention removed: the ledger itself has to say so, in an entry that is
// signed. Bundles that are missing without it are missing.
import { TaplineError } from "../core/errors.ts";
import { offsetOf } from "./frame.ts";
import { TILE_WIDTH } from "./merkle.ts";
import { tilePath } from "./paths.ts";
import { type Pruned, readPruned, tellsOfPrune } from "./pruned.ts";
import type { Report } from "./report.ts";
import { type TreeFiles, readTile } from "./tree-files.ts";

/** What the ledger says was pruned; a file that says nothing is a finding. */
export async function prunedOf(files: TreeFiles, report: Report): Promise<Pruned | undefined> {
  try {
    return await readPruned(files);
  } catch (error) {
    if (!(error instanceof TaplineError) || error.code !== "LEDGER_CORRUPT") throw error;
    report.wrong(error.message, { index: 0 });
    return undefined;
  }
}

/** To be called after the tiles were checked, so that the entry is the one that was signed. */
export async function checkPruned(
  files: TreeFiles,
  { first, entry, from }: Pruned,
  size: number,
  entries: boolean,
  report: Report,
): Promise<void> {
  const said = `entries before ${first} were removed by retention; their hashes are there`;
  if (!entries) {
    report.notes.push(
      `${said}. Entry ${entry}, which is to tell of it, was not looked at: this needs a token`,
    );
    return;
  }
  if (!(await tells(files, entry, first, size))) {
    const message = `entries before ${first} are missing, and entry ${entry} does not say that they were removed`;
    report.wrong(message, { index: 0, file: tilePath("entries", 0) });
    return;
  }
  const how =
    from < first ? ". The removal is under way, or was cut short: the collector goes on with it" : "";
  report.notes.push(`${said}, and entry ${entry} says so${how}`);
}

async function tells(files: TreeFiles, entry: number, first: number, size: number): Promise<boolean> {
  if (entry >= size) return false;
  const index = Math.floor(entry / TILE_WIDTH);
  const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
  const bundle = await readTile(files, "entries", index, width);
  if (typeof bundle === "string") return false;
  const start = offsetOf(bundle.bytes, entry % TILE_WIDTH);
  if (start + 2 > bundle.bytes.length) return false;
  const length = bundle.bytes.readUInt16BE(start);
  return tellsOfPrune(bundle.bytes.subarray(start + 2, start + 2 + length), first);
}
