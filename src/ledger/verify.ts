// Verifies a ledger from its files or over HTTP: signature, entries, tiles, root, blobs, the log's tail, that checkpoints
// saved elsewhere are prefixes, and what witnesses signed. Reads only, may run beside the writer, and keeps one tile a
// level in memory.
import { LIMITS } from "../core/limits.ts";
import { checkTiles, startOf } from "./check-tiles.ts";
import { checkPruned, prunedOf } from "./check-pruned.ts";
import type { Held } from "./anchors/contract.ts";
import { checkWal } from "./check-wal.ts";
import {
  type Claim,
  type Witnessed,
  claimOf,
  findForks,
  readClaims,
  readText,
  witnessedOf,
} from "./claims.ts";
import type { Witness } from "./cosignature.ts";
import { excused } from "./erased.ts";
import { type Verifier, parseVerifiers } from "./note.ts";
import { CHECKPOINT, COSIGNED, OLD_VKEY, VKEY } from "./paths.ts";
import { openReader } from "./reader.ts";
import { type Finding, Report } from "./report.ts";
import { type TreeFiles, filesAt, filesIn, isUrl } from "./tree-files.ts";

export interface VerifyOptions {
  /** Files with verifier keys, one a line: the first has to have signed the ledger's checkpoint, the others may have signed
   * what was kept from before. Those beside the ledger when not given. */
  readonly vkeys?: readonly string[];
  /** Checkpoints of this ledger that were kept elsewhere: files, directories, URLs. */
  readonly checkpoints?: readonly string[];
  /** Texts of such, where no file system shows them. */
  readonly held?: readonly Held[];
  readonly witnesses?: readonly Witness[];
  /** How many of the witnesses have to have signed; all of them when not given. */
  readonly quorum?: number | undefined;
  /** When they have to have signed last, ms since 1970: an older signature may be from before entries were cut off. */
  readonly witnessed_since_ms?: number | undefined;
  /** For entries behind a URL. Without it their hashes are checked, and not the entries. */
  readonly token?: string | undefined;
  /** Where an earlier verification ended: what lies before is not gone through again, and has to be the same still. For a
   * directory. */
  readonly since?: { readonly size: number; readonly root: string } | undefined;
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
  /** The first that retention has not removed: before it hashes alone were checked. */
  readonly first: number;
  /** Entries covered by its checkpoint, and the root that it signed, base64; none without a checkpoint. */
  readonly size: number;
  readonly root: string | undefined;
  /** First entry that is wrong, where known. */
  readonly wrong_from: number | undefined;
  /** Hashes alone were checked, and no entry was read: the ledger is behind a URL, and there was no token. */
  readonly hashes_only: boolean;
}

/** Checks the ledger in a directory or behind a URL. Throws only when files cannot be read; what is wrong with them is a
 * finding. */
export async function verifyLedger(place: string, options: VerifyOptions = {}): Promise<Verification> {
  const report = new Report(options.digest);
  const files = isUrl(place) ? filesAt(place, options.token) : filesIn(place);
  const verifier = await readVerifier(files, options.vkeys ?? [], report);
  const current = verifier && (await ownClaim(files, CHECKPOINT, { ...verifier, earlier: [] }, report));
  const size = current?.size ?? 0;
  const pruned = await prunedOf(files, report);
  const first = pruned?.first ?? 0;
  const entries = files.dir !== undefined || options.token !== undefined;
  if (verifier !== undefined && current !== undefined) {
    const kept = await readClaims(options.checkpoints ?? [], verifier, report);
    for (const held of options.held ?? []) {
      const claim = claimOf(held.text, held.place, verifier, report);
      if (claim !== undefined) kept.push(claim);
    }
    const cosigned = await ownClaim(files, COSIGNED, verifier, report);
    const saved = cosigned === undefined ? kept : [...kept, cosigned];
    findTruncation(saved, size, report);
    findForks([current, ...saved], report);
    const progress = (checked: number): void => options.progress?.(checked);
    await excuse(files, first, size, report);
    const start = await startOf(files, options.since?.size, current.size);
    const before = options.since === undefined ? [] : [claimBefore(options.since, current)];
    findTruncation(before, size, report);
    await checkTiles({
      files,
      entries,
      current,
      saved: [...saved, ...before],
      report,
      progress,
      start,
      kept: first,
    });
    if (pruned !== undefined) await checkPruned(files, pruned, current.size, entries, report);
    if (!entries) report.notes.push("hashes were checked, and not the entries: these need a token");
    sayWhatIsHeld(current, kept, saved, options, report);
  }
  const end = files.dir === undefined ? size : await checkWal(files.dir, size, report);
  options.progress?.(end);
  if (report.blobs > 0) report.notes.push(saidOfBlobs(report));
  if (report.erased > 0)
    report.notes.push(`${report.erased} of them were erased with the person they belong to, as entries say`);
  const { findings, unlisted, notes, wrongFrom } = report;
  return {
    findings,
    unlisted,
    notes,
    entries: end,
    first,
    size,
    root: current && Buffer.from(current.root).toString("base64"),
    wrong_from: wrongFrom,
    hashes_only: !entries,
  };
}

/** What an earlier verification found signed, as a checkpoint to hold the tree against. */
function claimBefore({ size, root }: NonNullable<VerifyOptions["since"]>, current: Claim): Claim {
  const file = "the checkpoint of the verification before";
  return { origin: current.origin, size, root: Buffer.from(root, "base64"), file, text: "" };
}

/** Blobs of persons that were erased are gone. What tells of it are entries, which are checked like any other. */
async function excuse({ dir }: TreeFiles, first: number, size: number, report: Report): Promise<void> {
  if (dir === undefined) return;
  const reader = openReader(dir);
  try {
    report.excused = await excused(dir, reader, first, size);
  } finally {
    await reader.close();
  }
}

function findTruncation(saved: readonly Claim[], size: number, report: Report): void {
  for (const claim of saved.filter((one) => one.size > size)) {
    report.wrong(`truncated: ${claim.file} covers ${claim.size} entries, the ledger's checkpoint ${size}`, {
      index: size,
      file: claim.file,
    });
  }
}

/** What stands behind the ledger beside its own checkpoint, and up to where. */
function sayWhatIsHeld(
  current: Claim,
  kept: readonly Claim[],
  saved: readonly Claim[],
  { witnesses = [], quorum = witnesses.length, witnessed_since_ms: since_ms = 0 }: VerifyOptions,
  report: Report,
): void {
  let held = Math.max(0, ...kept.map((claim) => claim.size));
  if (witnesses.length > 0) {
    const witnessed = witnessedOf([current, ...saved], witnesses, quorum);
    if (witnessed === undefined) {
      const names = witnesses.map((witness) => witness.name).join(", ");
      report.wrong(`no checkpoint is signed by ${quorum} of the witnesses ${names}`, { index: 0 });
    } else {
      held = Math.max(held, witnessed.size);
      sayWitnessed(witnessed, since_ms, report);
    }
  }
  if (held >= current.size) return;
  const which = held === 0 ? "all entries" : `entries from ${held} on`;
  report.notes.push(
    `${which} rest on the key alone, as far as is known here: who holds it could have rewritten or cut them, and no ` +
      "checkpoint that was kept elsewhere says otherwise",
  );
}

function sayWitnessed({ size, cosignatures }: Witnessed, since_ms: number, report: Report): void {
  const said = cosignatures.map(
    ({ witness, at_s }) => `${witness} at ${new Date(at_s * 1_000).toISOString()}`,
  );
  report.notes.push(`witnessed: the first ${size} entries, by ${said.join(", ")}`);
  const last_ms = Math.max(...cosignatures.map(({ at_s }) => at_s * 1_000));
  if (last_ms < since_ms)
    report.wrong(
      `stale: no witness has signed since ${new Date(since_ms).toISOString()}: what came after ${size} entries may have been cut off`,
      { index: size },
    );
}

function saidOfBlobs({ blobs, digest }: Report): string {
  return digest === undefined
    ? `${blobs} texts lie in blobs, which are there in their length; the text was not checked: it goes by a digest under the ` +
        "installation's key, which is not at hand"
    : `${blobs} texts lie in blobs: each checked against its keyed digest`;
}

async function readVerifier(
  files: TreeFiles,
  named: readonly string[],
  report: Report,
): Promise<Verifier | undefined> {
  const own = [VKEY, OLD_VKEY];
  const texts =
    named.length > 0
      ? await Promise.all(named.map(readText))
      : await Promise.all(own.map((name) => files.read(name, LIMITS.checkpoint_bytes)));
  const missing = named.find((_, i) => texts[i] === undefined);
  const text = texts
    .map((one) => (one === undefined ? "" : one.toString().trim()))
    .filter((one) => one !== "");
  const verifier = missing !== undefined || text.length === 0 ? undefined : parsed(text.join("\n"));
  const path = missing ?? named[0] ?? `${files.place}/${VKEY}`;
  if (verifier === undefined) report.wrong(`no Ed25519 verifier key in ${path}`, { file: path });
  return verifier;
}

function parsed(text: string): Verifier | undefined {
  try {
    return parseVerifiers(text);
  } catch {
    return undefined;
  }
}

/** A checkpoint that lies with the ledger. Without its own a ledger covers nothing; others may be missing. */
async function ownClaim(
  files: TreeFiles,
  name: string,
  verifier: Verifier,
  report: Report,
): Promise<Claim | undefined> {
  const file = `${files.place}/${name}`;
  const bytes = await files.read(name, LIMITS.checkpoint_bytes);
  if (bytes !== undefined)
    return claimOf(bytes === "too long" ? "" : bytes.toString(), file, verifier, report);
  if (name === CHECKPOINT) report.wrong(`no valid checkpoint in ${file}: there is no such file`, { file });
  return undefined;
}
