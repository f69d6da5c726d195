// Checkpoints that a ledger is held against: its own, and those that were kept elsewhere, as files, directories of files
// or URLs. Only what the log's key signed is a claim.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { type Cosignature, type Witness, cosignaturesOf } from "./cosignature.ts";
import type { Verifier } from "./note.ts";
import type { Report } from "./report.ts";
import { fetchBounded, isUrl, readBounded } from "./tree-files.ts";

/** A checkpoint to hold the tree against, and what to call it. */
export interface Claim extends Checkpoint {
  readonly file: string;
  /** The signed note. */
  readonly text: string;
}

/** How exported checkpoints are named: by their size, so that names sort as they grew. */
export const CHECKPOINT_FILE = /\.checkpoint$/;

/** A checkpoint's text, or undefined when there is none at that place. */
export async function readText(place: string): Promise<string | undefined> {
  const bytes = isUrl(place)
    ? await fetchBounded(place, LIMITS.checkpoint_bytes)
    : await readBounded(place, LIMITS.checkpoint_bytes);
  return bytes === "too long" ? "" : bytes?.toString();
}

export function claimOf(text: string, file: string, verifier: Verifier, report: Report): Claim | undefined {
  const checkpoint = openCheckpoint(text, verifier);
  if (typeof checkpoint !== "string") return { ...checkpoint, file, text };
  report.wrong(`no valid checkpoint in ${file}: ${checkpoint}`, { file });
  return undefined;
}

/** The checkpoints at these places. What is none is a finding. */
export async function readClaims(
  places: readonly string[],
  verifier: Verifier,
  report: Report,
): Promise<Claim[]> {
  const claims: Claim[] = [];
  for (const place of places) {
    const files = isUrl(place) ? [place] : await filesOf(place);
    if (files.length === 0) report.wrong(`no checkpoint (*.checkpoint) in ${place}`, { file: place });
    for (const file of files) {
      const text = await readText(file);
      if (text === undefined) report.wrong(`no valid checkpoint in ${file}: there is no such file`, { file });
      const claim = text === undefined ? undefined : claimOf(text, file, verifier, report);
      if (claim !== undefined) claims.push(claim);
    }
  }
  return claims;
}

/** A file, or the checkpoints in a directory. */
async function filesOf(place: string): Promise<string[]> {
  try {
    if (!(await stat(place)).isDirectory()) return [place];
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    return [place];
  }
  const names = (await readdir(place)).filter((name) => CHECKPOINT_FILE.test(name));
  return names.toSorted().map((name) => join(place, name));
}

/** Two checkpoints of one size and different roots: whoever holds the key has shown two histories. */
export function findForks(claims: readonly Claim[], report: Report): void {
  const bySize = new Map<number, Claim>();
  for (const claim of claims) {
    const other = bySize.get(claim.size);
    if (other === undefined) bySize.set(claim.size, claim);
    else if (Buffer.compare(other.root, claim.root) !== 0)
      report.wrong(
        `two histories: ${other.file} and ${claim.file} are both signed for ${claim.size} entries, with different roots`,
        { file: claim.file },
      );
  }
}

export interface Witnessed {
  readonly size: number;
  readonly cosignatures: readonly Cosignature[];
}

/** The largest checkpoint with cosignatures of at least `quorum` witnesses. */
export function witnessedOf(
  claims: readonly Claim[],
  witnesses: readonly Witness[],
  quorum: number,
): Witnessed | undefined {
  for (const claim of claims.toSorted((a, b) => b.size - a.size)) {
    const cosignatures = cosignaturesOf(claim.text, claim, witnesses);
    if (cosignatures.length >= quorum) return { size: claim.size, cosignatures };
  }
  return undefined;
}
