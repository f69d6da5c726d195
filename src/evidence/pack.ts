// Writes an evidence pack: pages, PDF, sample, proofs, checkpoints, OSCAL, instructions and manifest, in a directory that appears when
// all of it is there. Names of files are made here and never of anything recorded.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, mkdir, mkdtemp, open, readFile, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { TaplineError, reasonOf, systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { Signer } from "../ledger/note.ts";
import { CHECKPOINT, COSIGNED, padded } from "../ledger/paths.ts";
import { parseProof } from "../ledger/proof-file.ts";
import { csvRow } from "../viewer/csv.ts";
import { sheetsOf } from "./document.ts";
import { htmlOf } from "./html.ts";
import { MANIFEST, MANIFEST_NOTE, manifestNote, manifestText } from "./manifest.ts";
import { readControls, readCrosswalk } from "./map.ts";
import type { Pack, PackFile, SampledEvent } from "./model.ts";
import { oscalOf } from "./oscal.ts";
import { writePdf } from "./pdf.ts";
import type { Made } from "./report.ts";
import { verifyText } from "./verify-text.ts";

export interface PackOptions {
  readonly signer: Signer | undefined;
  /** Files of the organisation that the report was made with, by name in the pack. */
  readonly attached: ReadonlyMap<string, string>;
}

/** Writes the pack. Throws OUT_NOT_EMPTY, OUT_UNWRITABLE. */
export async function writePack(dir: string, made: Made, options: PackOptions): Promise<Pack> {
  const target = resolve(dir);
  await refuseFull(target);
  const work = await makeWork(target);
  try {
    const writer = new Writer(work);
    const pack = await fill(writer, made, options);
    await rename(work, target);
    return pack;
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    throw error;
  }
}

async function refuseFull(target: string): Promise<void> {
  const names = await readdir(target).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return [];
    throw unwritable(target, error);
  });
  if (names.length > 0)
    throw new TaplineError("OUT_NOT_EMPTY", `${target} is there and not empty`, {
      remedy: "name a new directory: a pack is never written over another",
    });
}

async function makeWork(target: string): Promise<string> {
  try {
    await mkdir(dirname(target), { recursive: true });
    return await mkdtemp(join(dirname(target), `.${basename(target)}-`));
  } catch (error) {
    throw unwritable(target, error);
  }
}

const unwritable = (target: string, cause: unknown): TaplineError =>
  new TaplineError("OUT_UNWRITABLE", `cannot write ${target}: ${reasonOf(cause)}`, {
    remedy: "name a directory that can be written",
    cause,
  });

/** Files below the directory, each with its digest. */
class Writer {
  readonly dir: string;
  readonly files: PackFile[] = [];

  constructor(dir: string) {
    this.dir = dir;
  }

  /** Writes pieces one after the other. */
  async write(
    path: string,
    pieces: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
  ): Promise<void> {
    const full = join(this.dir, path);
    await mkdir(dirname(full), { recursive: true, mode: 0o700 });
    const digest = createHash("sha256");
    const file = await open(full, "wx", 0o600);
    let bytes = 0;
    try {
      for await (const piece of pieces) {
        const buffer = typeof piece === "string" ? Buffer.from(piece) : piece;
        digest.update(buffer);
        await file.writeFile(buffer);
        bytes += buffer.length;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    this.files.push({ path, sha256: digest.digest("hex"), bytes });
  }

  /** Takes in a file that somebody else wrote there. */
  async take(path: string): Promise<void> {
    const digest = createHash("sha256");
    for await (const chunk of createReadStream(join(this.dir, path)) as AsyncIterable<Buffer>)
      digest.update(chunk);
    await chmod(join(this.dir, path), 0o600);
    const { size } = await stat(join(this.dir, path));
    this.files.push({ path, sha256: digest.digest("hex"), bytes: size });
  }
}

async function fill(writer: Writer, made: Made, { signer, attached }: PackOptions): Promise<Pack> {
  const { report } = made;
  await writeProofs(writer, made);
  await writeCheckpoints(writer, made);
  await writer.write("report.json", [`${JSON.stringify(report, undefined, 1)}\n`]);
  const sheets = sheetsOf(report);
  await writer.write("index.html", htmlOf(sheets));
  await writePdf(join(writer.dir, "report.pdf"), sheets, report.made_at);
  await writer.take("report.pdf");
  await writer.write("events.csv", csvOf(made));
  await writer.write("VERIFY.md", [verifyText(report, signer !== undefined)]);
  for (const [name, text] of attached) await writer.write(name, [text]);
  const written = { report, files: [...writer.files] };
  for (const { path, text } of oscalOf(written, readControls(), readCrosswalk()))
    await writer.write(path, [text]);
  const pack: Pack = { report, files: [...writer.files] };
  const manifest = manifestText(pack);
  await writer.write(MANIFEST, [manifest]);
  if (signer !== undefined) await writer.write(MANIFEST_NOTE, [await manifestNote(manifest, signer)]);
  return pack;
}

/** A proof of each drawn event, and the entries as they stand in the ledger. */
async function writeProofs(writer: Writer, { report, prover }: Made): Promise<void> {
  const { events } = report.sample;
  for (const { index, proof } of events) await writer.write(proof, [await prover.prove(index)]);
  await writer.write("events.ndjson", entriesOf(writer.dir, report.sample.events));
}

async function* entriesOf(dir: string, events: readonly SampledEvent[]): AsyncGenerator<string> {
  for (const { index, hash: leaf, proof } of events) {
    const read = parseProof(await readFile(join(dir, proof), "utf8"));
    if (typeof read === "string" || read.entry === undefined)
      throw new Error(`${proof} was written a moment ago`);
    // The entry is JSON, and stays as it was recorded to the last byte.
    yield `{"index":${index},"hash":${JSON.stringify(leaf)},"proof":${JSON.stringify(proof)},"entry":${Buffer.from(read.entry).toString()}}\n`;
  }
}

async function writeCheckpoints(writer: Writer, { prover, older, witnesses, report }: Made): Promise<void> {
  const { own, cosigned } = prover;
  await writer.write("checkpoints/log.vkey", [`${report.integrity.vkey}\n`]);
  const { earlier } = report.integrity;
  if (earlier.length > 0) await writer.write("checkpoints/log-earlier.vkeys", [`${earlier.join("\n")}\n`]);
  if (own !== undefined) await writer.write(`checkpoints/${CHECKPOINT}`, [own.text]);
  if (cosigned !== undefined) await writer.write(`checkpoints/${COSIGNED}`, [cosigned.text]);
  if (witnesses.length > 0) await writer.write("checkpoints/witnesses.vkeys", [`${witnesses.join("\n")}\n`]);
  for (const { size, text, stamp } of older) {
    await writer.write(`checkpoints/${padded(size)}.checkpoint`, [text]);
    if (stamp !== undefined) await writer.write(`checkpoints/${padded(size)}.tsr`, [stamp]);
  }
}

const COLUMNS = [
  "entry",
  "time (UTC)",
  "controls",
  "class",
  "agent",
  "server",
  "tool",
  "user",
  "outcome",
  "message",
  "leaf hash",
  "proof",
  "witnesses",
] as const;

function* csvOf({ report }: Made): Generator<string> {
  const controls = new Map<number, string[]>();
  for (const { id, sample } of report.controls)
    for (const index of sample) controls.set(index, [...(controls.get(index) ?? []), id]);
  yield csvRow(COLUMNS);
  for (const event of report.sample.events) {
    const { index, time, action, agent, server, tool, user, outcome, message } = event;
    const about = [index, time, controls.get(index) ?? [], action, agent, server, tool, user, outcome];
    yield csvRow([
      ...about,
      message.slice(0, LIMITS.report_note_chars),
      event.hash,
      event.proof,
      event.witnesses,
    ]);
  }
}
