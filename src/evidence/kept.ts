// Checkpoints of the ledger that were kept elsewhere, and the keys of its witnesses, as the configuration names them: what goes
// into a pack beside the newest checkpoint. Takes nothing that the log's own key did not sign.
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Config } from "../config.ts";
import { systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { openCheckpoint } from "../ledger/checkpoint.ts";
import { CHECKPOINT_FILE } from "../ledger/claims.ts";
import { type Witness, parseWitness } from "../ledger/cosignature.ts";
import type { Verifier } from "../ledger/note.ts";
import { readBounded } from "../ledger/tree-files.ts";

export interface KeptCheckpoint {
  /** Entries that it covers. */
  readonly size: number;
  /** The signed note. */
  readonly text: string;
  /** The answer of a timestamping authority over the note. */
  readonly stamp: Buffer | undefined;
}

interface Anchored {
  readonly type: string;
  readonly dir?: string;
  readonly witnesses?: readonly { readonly vkey: string }[];
}

const anchorsOf = ({ anchors }: { anchors: Readonly<Record<string, Anchored>> }): [string, Anchored][] =>
  Object.entries(anchors);

/** Keys of the witnesses of the configuration, each once. */
export function witnessesOf(config: Config): { vkey: string; witness: Witness }[] {
  const vkeys = anchorsOf(config).flatMap(([, { witnesses = [] }]) =>
    witnesses.map(({ vkey }) => vkey.trim()),
  );
  return [...new Set(vkeys)].map((vkey) => ({ vkey, witness: parseWitness(vkey) }));
}

/** Where anchors keep checkpoints on this machine. */
function placesOf(config: Config): string[] {
  return anchorsOf(config).flatMap(([name, { type, dir }]) => {
    if (type === "directory" && dir !== undefined) return [dir];
    if (type === "git" && dir !== undefined) return [join(dir, "checkpoints")];
    return type === "timestamp" ? [join(config.state_dir, "anchors", name)] : [];
  });
}

/** The newest of them by size, at most `report_checkpoints`; a stamped one before another of its size. */
export async function keptCheckpoints(config: Config, verifier: Verifier): Promise<KeptCheckpoint[]> {
  const bySize = new Map<number, KeptCheckpoint>();
  for (const dir of placesOf(config)) {
    const names = await namesIn(dir);
    for (const name of names.slice(-LIMITS.report_checkpoints)) {
      const bytes = await readBounded(join(dir, name), LIMITS.checkpoint_bytes);
      if (bytes === undefined || bytes === "too long") continue;
      const text = bytes.toString();
      const opened = openCheckpoint(text, verifier);
      if (typeof opened === "string") continue;
      const stamp = await readBounded(
        join(dir, name.replace(/checkpoint$/, "tsr")),
        LIMITS.anchor_answer_bytes,
      );
      const known = bySize.get(opened.size);
      const kept = { size: opened.size, text, stamp: Buffer.isBuffer(stamp) ? stamp : undefined };
      if (known === undefined || known.stamp === undefined) bySize.set(opened.size, kept);
    }
  }
  return [...bySize.values()].toSorted((a, b) => a.size - b.size).slice(-LIMITS.report_checkpoints);
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir))
      .map((name) => basename(name))
      .filter((name) => CHECKPOINT_FILE.test(name))
      .toSorted();
  } catch (error) {
    // A mount that is not there now is told by the anchor's own trouble.
    if (systemCode(error) !== undefined) return [];
    throw error;
  }
}
