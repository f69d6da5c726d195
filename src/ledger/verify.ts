// Verifies a ledger from its files: signature, entries, tiles, root, blobs, the log's tail, and that checkpoints saved
// elsewhere are prefixes. Reads only, may run beside the writer, and keeps one tile a level in memory.
import { join } from "node:path";
import { LIMITS } from "../core/limits.ts";
import { readIfThere } from "./bundles.ts";
import { checkTiles } from "./check-tiles.ts";
import { checkWal } from "./check-wal.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { type Verifier, parseVerifier } from "./note.ts";
import { CHECKPOINT, VKEY } from "./paths.ts";

export interface Finding {
  /** First entry concerned, where known: the ledger cannot be relied on from here. */
  readonly index: number | undefined;
  readonly file: string | undefined;
  readonly message: string;
}
export interface VerifyOptions {
  /** File with the verifier key; the one beside the ledger when not given. */
  readonly vkey?: string;
  /** Files with checkpoints of this ledger that were kept elsewhere. */
  readonly checkpoints?: readonly string[];
  /** Keyed digest that names blobs. Without it their presence and length are checked, and not their text. */
  readonly digest?: ((text: string) => string) | undefined;
  /** Called now and then with the number of entries checked. */
  progress?(entries: number): void;
}
export interface Verification {
  /** Empty when all is well. At most LIMITS.findings; `unlisted` counts the rest. */
  readonly findings: readonly Finding[];
  readonly unlisted: number;
  /** Not wrong, but worth knowing. */
  readonly notes: readonly string[];
  /** Entries in the ledger. */
  readonly entries: number;
  /** Entries covered by its checkpoint. */
  readonly size: number;
  /** First entry that is wrong, where known. */
  readonly wrong_from: number | undefined;
}

/** Where the checks put what they find. */
export class Report {
  readonly findings: Finding[] = [];
  readonly notes: string[] = [];
  unlisted = 0;
  /** Blobs looked at; their text too when there is a digest. */
  blobs = 0;
  readonly digest: ((text: string) => string) | undefined;
  wrongFrom: number | undefined;

  constructor(digest: ((text: string) => string) | undefined) {
    this.digest = digest;
  }

  wrong(message: string, place: { index?: number; file?: string } = {}): void {
    const { index, file } = place;
    if (index !== undefined) this.wrongFrom = Math.min(index, this.wrongFrom ?? index);
    if (this.findings.length === LIMITS.findings) this.unlisted++;
    else this.findings.push({ index, file, message });
  }
}

/** A checkpoint to hold the tree against, and what to call it. */
export interface Claim extends Checkpoint {
  readonly file: string;
}

/** Checks the ledger in `dir`. Throws only when files cannot be read; what is wrong with them is a finding. */
export async function verifyLedger(dir: string, options: VerifyOptions = {}): Promise<Verification> {
  const report = new Report(options.digest);
  const progress = (entries: number): void => options.progress?.(entries);
  const verifier = await readVerifier(options.vkey ?? join(dir, VKEY), report);
  const current = verifier && (await readClaim(join(dir, CHECKPOINT), verifier, report));
  const saved: Claim[] = [];
  for (const path of options.checkpoints ?? []) {
    const claim = verifier && (await readClaim(path, verifier, report));
    if (claim !== undefined) saved.push(claim);
  }
  const size = current?.size ?? 0;
  if (current !== undefined) {
    for (const claim of saved.filter((one) => one.size > size)) {
      report.wrong(`truncated: ${claim.file} covers ${claim.size} entries, the ledger's checkpoint ${size}`, {
        index: size,
        file: claim.file,
      });
    }
    await checkTiles(dir, current, saved, report, progress);
  }
  const end = await checkWal(dir, size, report);
  progress(end);
  if (report.blobs > 0) report.notes.push(saidOfBlobs(report));
  const { findings, unlisted, notes, wrongFrom } = report;
  return { findings, unlisted, notes, entries: end, size, wrong_from: wrongFrom };
}

function saidOfBlobs({ blobs, digest }: Report): string {
  return digest === undefined
    ? `${blobs} texts lie in blobs, which are there in their length; the text was not checked: it goes by a digest under the ` +
        "installation's key, which is not at hand"
    : `${blobs} texts lie in blobs: each checked against its keyed digest`;
}

async function readVerifier(path: string, report: Report): Promise<Verifier | undefined> {
  const text = await readIfThere(path);
  const verifier = text === undefined ? undefined : parseVerifierText(text.toString());
  if (verifier === undefined) report.wrong(`no Ed25519 verifier key in ${path}`, { file: path });
  return verifier;
}

function parseVerifierText(text: string): Verifier | undefined {
  try {
    return parseVerifier(text);
  } catch {
    return undefined;
  }
}

async function readClaim(path: string, verifier: Verifier, report: Report): Promise<Claim | undefined> {
  const text = await readIfThere(path);
  const checkpoint = text === undefined ? "there is no such file" : openCheckpoint(text.toString(), verifier);
  if (typeof checkpoint !== "string") return { ...checkpoint, file: path };
  report.wrong(`no valid checkpoint in ${path}: ${checkpoint}`, { file: path });
  return undefined;
}
