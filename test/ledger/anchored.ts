// What tests of anchors share: an anchor of a type, ledgers that grow, and the attacks that each has to tell.
import { cpSync } from "node:fs";
import { join } from "node:path";
import type { Anchor } from "../../src/ledger/anchors/contract.ts";
import { ANCHORS } from "../../src/ledger/anchors/index.ts";
import { readPublished } from "../../src/ledger/published.ts";
import { leafHashes } from "../../src/ledger/recover.ts";
import { appendEntries, newDir, openLedger, runOf } from "./helpers.ts";

export const never = new AbortController().signal;

export function anchorOf(
  type: keyof typeof ANCHORS,
  options: object,
  ledger_dir: string,
  dir = newDir(),
): Anchor {
  const { config, create } = ANCHORS[type];
  return (create as (o: unknown, c: object) => Anchor)(config.parse({ type, ...options }), {
    name: "test",
    ledger_dir,
    dir,
  });
}

/** Grows the ledger in a directory to a size, with a checkpoint there. */
export async function grow(dir: string, size: number, origin?: string): Promise<void> {
  const { ledger } = await openLedger(dir, origin === undefined ? {} : { origin });
  appendEntries(ledger, size - ledger.size);
  await ledger.close();
}
/** Another history of the same key. */
export async function rewritten(dir: string, size: number, origin?: string): Promise<string> {
  const copy = newDir();
  for (const file of ["ledger.key", "ledger.vkey"]) cpSync(join(dir, file), join(copy, file));
  const { ledger } = await openLedger(copy, origin === undefined ? {} : { origin });
  const run = runOf(Array.from({ length: size }, (_, i) => Buffer.from(`{"forged":${i}}`)));
  ledger.append({ run, count: size, hashes: leafHashes(run), header: "{}" });
  await ledger.close();
  return copy;
}
export const take = async (anchor: Anchor, dir: string): Promise<string> =>
  anchor.take((await readPublished(dir))!, never);

export const KINDS = ["cut off", "rewritten"] as const;
/** Grown in two steps, and the state of the first put back, or another history made. */
export async function attacked(
  kind: (typeof KINDS)[number],
  each: (dir: string) => Promise<unknown>,
  origin?: string,
): Promise<string> {
  const dir = newDir();
  await grow(dir, 300, origin);
  await each(dir);
  const backup = newDir();
  cpSync(dir, backup, { recursive: true });
  await grow(dir, 700, origin);
  await each(dir);
  return kind === "cut off" ? backup : rewritten(dir, 900, origin);
}
