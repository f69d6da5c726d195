// `tapline ledger verify`: checks a ledger in a directory or behind a URL, or one proof, and says from where it is wrong.
import { existsSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { readToken } from "../../core/bearer.ts";
import { createDigest } from "../../core/digest.ts";
import { TaplineError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { findDigestKey } from "../../keys.ts";
import { heldBy } from "../../anchoring.ts";
import type { Held } from "../../ledger/anchors/contract.ts";
import { readClaims, readText } from "../../ledger/claims.ts";
import { type Witness, parseWitness } from "../../ledger/cosignature.ts";
import { type Verifier, parseVerifiers } from "../../ledger/note.ts";
import { type CheckedProof, checkProof, looksLikeProof } from "../../ledger/proof-file.ts";
import { VKEY } from "../../ledger/paths.ts";
import { Report } from "../../ledger/report.ts";
import { isUrl, readBounded } from "../../ledger/tree-files.ts";
import { type Verification, verifyLedger } from "../../ledger/verify.ts";
import { Progress } from "../../progress.ts";
import { UsageError, readArgs, readConfig, readNumber } from "../usage.ts";

interface Asked {
  readonly vkeys: readonly string[];
  readonly checkpoints: readonly string[];
  /** Names of anchors of the configuration that are asked for what they hold. */
  readonly anchors: readonly string[];
  readonly config: string | undefined;
  readonly witnesses: readonly Witness[];
  readonly quorum: number;
  readonly witnessed_since_ms: number | undefined;
  readonly token: string | undefined;
  readonly json: boolean;
}

export async function verify(argv: readonly string[]): Promise<number> {
  const options = {
    config: { type: "string", short: "c" },
    vkey: { type: "string", multiple: true },
    checkpoint: { type: "string", multiple: true },
    anchor: { type: "string", multiple: true },
    witness: { type: "string", multiple: true },
    quorum: { type: "string" },
    "witnessed-since": { type: "string" },
    "token-file": { type: "string" },
    "token-env": { type: "string" },
    json: { type: "boolean" },
  } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  if (positionals.length > 1) throw new UsageError("one ledger or proof at a time");
  const place = positionals[0] ?? join((await readConfig(values.config)).state_dir, "ledger");
  const witnesses: Witness[] = [];
  for (const file of values.witness ?? []) witnesses.push(parseWitness(await textOf(file)));
  const quorum = readNumber(values.quorum, "--quorum") ?? witnesses.length;
  if (quorum > witnesses.length || (quorum === 0 && witnesses.length > 0))
    throw new UsageError(`--quorum is between 1 and the number of --witness (${witnesses.length})`);
  const asked: Asked = {
    vkeys: values.vkey ?? [],
    checkpoints: values.checkpoint ?? [],
    anchors: values.anchor ?? [],
    config: values.config,
    witnesses,
    quorum,
    witnessed_since_ms: readSince(values["witnessed-since"], witnesses.length),
    token: await readToken({ token_file: values["token-file"], token_env: values["token-env"] }),
    json: values.json === true,
  };
  if (isUrl(place)) {
    if (asked.vkeys.length === 0)
      throw new UsageError("a URL needs --vkey: the key is not the publisher's to tell");
    return printVerification(await checkLedger(place, asked), asked.json);
  }
  if (!existsSync(place)) {
    throw new TaplineError("NO_SUCH_PATH", `${place} does not exist`, {
      remedy: "name the directory or URL of a ledger, or a proof",
    });
  }
  if (statSync(place).isDirectory()) return printVerification(await checkLedger(place, asked), asked.json);
  return verifyProof(place, asked);
}

function readSince(text: string | undefined, witnesses: number): number | undefined {
  if (text === undefined) return undefined;
  const since_ms = /^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(since_ms) || witnesses === 0)
    throw new UsageError(
      "--witnessed-since takes a day or a time in UTC (2026-11-23T21:00Z), beside --witness",
    );
  return since_ms;
}

/** A text that has to be there. */
async function textOf(place: string): Promise<string> {
  const text = await readText(place);
  if (text === undefined) throw new TaplineError("NO_SUCH_PATH", `${place} does not exist`);
  return text;
}

/** The key of the log in these files, with those of before. */
async function keysIn(files: readonly string[]): Promise<Verifier> {
  const texts = await Promise.all(files.map(textOf));
  return parseVerifiers(texts.map((text) => text.trim()).join("\n"));
}

/** What anchors of the configuration hold of the ledger that the key is of. */
async function askAnchors({ anchors, config: file, vkeys }: Asked, place: string): Promise<Held[]> {
  if (anchors.length === 0) return [];
  const config = await readConfig(file);
  const { name: origin } = await keysIn(vkeys.length > 0 ? vkeys : [join(place, VKEY)]);
  const held: Held[] = [];
  for (const name of anchors) {
    if (!Object.hasOwn(config.anchors, name))
      throw new UsageError(`no anchor "${name}" in the configuration`);
    const found = await heldBy(config, name, origin);
    if (found === undefined)
      throw new UsageError(
        `what the anchor "${name}" holds are files: name their directory with --checkpoint`,
      );
    if (found.length === 0)
      throw new TaplineError("ANCHOR_FAILED", `the anchor ${name} holds no checkpoint of ${origin}`, {
        remedy: "check the anchor's options: another place, or another ledger",
      });
    held.push(...found);
  }
  return held;
}

async function checkLedger(place: string, asked: Asked): Promise<Verification> {
  const key = isUrl(place) ? undefined : await findDigestKey(dirname(resolve(place)));
  const progress = new Progress();
  let checked = 0;
  if (!asked.json) progress.start(() => `checked ${checked.toLocaleString("en-US")} entries`);
  try {
    const { vkeys, checkpoints, witnesses, quorum, witnessed_since_ms, token } = asked;
    return await verifyLedger(place, {
      vkeys,
      checkpoints,
      held: await askAnchors(asked, place),
      witnesses,
      quorum,
      witnessed_since_ms,
      token,
      digest: key === undefined ? undefined : createDigest(key),
      progress: (entries: number) => (checked = entries),
    });
  } finally {
    progress.stop();
  }
}

function printVerification(result: Verification, json: boolean): number {
  const { findings, unlisted, notes, wrong_from } = result;
  if (json) console.log(JSON.stringify(result));
  else {
    for (const finding of findings) console.log(`WRONG  ${finding.message}`);
    if (unlisted > 0) console.log(`WRONG  and ${unlisted.toLocaleString("en-US")} more`);
    for (const note of notes) console.log(`note   ${note}`);
    const from = wrong_from === undefined ? "" : `; not to be relied on from entry ${wrong_from} on`;
    console.log(
      `${findings.length === 0 ? "verified" : "NOT VERIFIED"}: ${whatWasChecked(result)}, ` +
        `${result.size.toLocaleString("en-US")} covered by a checkpoint${from}`,
    );
  }
  return findings.length === 0 ? 0 : 1;
}

/** Of how many entries what was looked at. */
function whatWasChecked({ entries, first, hashes_only }: Verification): string {
  const all = `${entries.toLocaleString("en-US")} entries`;
  if (hashes_only) return `hashes of ${all} (no entry was read: that needs a token)`;
  return first === 0 ? all : `${all}, those from ${first.toLocaleString("en-US")} on with their content`;
}

async function verifyProof(path: string, asked: Asked): Promise<number> {
  const file = await open(path);
  const head = await file.read(Buffer.alloc(64), 0, 64, 0);
  await file.close();
  if (!looksLikeProof(head.buffer.subarray(0, head.bytesRead)))
    throw new UsageError(`${path} is neither the directory of a ledger nor a tlog-proof`);
  if (asked.anchors.length > 0) throw new UsageError("--anchor is for a ledger, not for a proof");
  if (asked.vkeys.length === 0) throw new UsageError("a proof needs --vkey: it holds no key to be trusted");
  const bytes = await readBounded(path, LIMITS.proof_bytes);
  if (bytes === undefined || bytes === "too long")
    throw new UsageError(`${path} is longer than a proof can be`);
  const verifier = await keysIn(asked.vkeys);
  const checked = checkProof(bytes.toString(), { verifier, witnesses: asked.witnesses });
  const wrong = [...checked.wrong];
  const { checkpoint, cosignatures } = checked;
  if (checkpoint !== undefined && cosignatures.length < asked.quorum)
    wrong.push(
      `the checkpoint is signed by ${cosignatures.length} of the witnesses, and ${asked.quorum} are needed`,
    );
  const last_ms = Math.max(0, ...cosignatures.map(({ at_s }) => at_s * 1_000));
  if (asked.witnessed_since_ms !== undefined && last_ms < asked.witnessed_since_ms)
    wrong.push(`stale: no witness has signed since ${new Date(asked.witnessed_since_ms).toISOString()}`);
  const report = new Report(undefined);
  for (const claim of await readClaims(asked.checkpoints, verifier, report)) {
    if (checkpoint === undefined) continue;
    if (claim.size !== checkpoint.size)
      wrong.push(
        `${claim.file} covers ${claim.size} entries and the proof ${checkpoint.size}: whether one is the beginning of the ` +
          "other is told by verifying the ledger, not by a proof",
      );
    else if (Buffer.compare(claim.root, checkpoint.root) !== 0)
      wrong.push(`two histories: ${claim.file} and the proof are both signed for ${claim.size} entries`);
  }
  wrong.push(...report.findings.map((finding) => finding.message));
  return printProof(checked, wrong, asked.json);
}

function printProof(checked: CheckedProof, wrong: readonly string[], json: boolean): number {
  const { index, checkpoint, cosignatures, entry } = checked;
  const size = checkpoint?.size;
  if (json) {
    const text = wrong.length === 0 && entry !== undefined ? Buffer.from(entry).toString() : undefined;
    console.log(
      JSON.stringify({ wrong, index, size, origin: checkpoint?.origin, cosignatures, entry: text }),
    );
  } else {
    for (const message of wrong) console.log(`WRONG  ${message}`);
    for (const { witness, at_s } of cosignatures)
      console.log(`note   witnessed by ${witness} at ${new Date(at_s * 1_000).toISOString()}`);
    if (wrong.length > 0) console.log("NOT VERIFIED");
    else {
      console.log(Buffer.from(entry!).toString());
      console.log(`verified: this is entry ${index} of ${size} of ${checkpoint!.origin}`);
    }
  }
  return wrong.length === 0 ? 0 : 1;
}
