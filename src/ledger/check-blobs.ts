// The part of verification that looks at blobs: texts too long for their entries, which name them by a keyed digest.
import { isUtf8 } from "node:buffer";
import { forEachEntry } from "../core/entry.ts";
import { blobBytes, readBlob, validDigest } from "./blobs.ts";
import type { Report } from "./report.ts";

const BLOB = Buffer.from('"blob":{');

/** Checks that the blobs that entries name are there, in their length, and hold the text they are named after. Their
 * digests are keyed: only who has the key can check the text. */
export async function checkBlobs(dir: string, run: Buffer, first: number, report: Report): Promise<void> {
  if (!run.includes(BLOB)) return;
  for (let at = 0, index = first; at < run.length; index++) {
    const end = at + 2 + run.readUInt16BE(at);
    const entry = run.subarray(at + 2, end);
    at = end;
    const blob = entry.includes(BLOB) ? blobOf(entry) : undefined;
    if (blob === undefined) continue;
    const { digests, bytes } = blob;
    if (!Array.isArray(digests) || !Array.isArray(bytes) || digests.length !== bytes.length) {
      report.wrong(`entry ${index} does not name its blobs properly`, { index });
      continue;
    }
    for (let i = 0; i < digests.length; i++) {
      const digest: unknown = digests[i];
      const found = validDigest(digest) ? await blobBytes(dir, digest) : undefined;
      report.blobs++;
      if (found === bytes[i] && (await sameText(dir, digest as string, report))) continue;
      if (found === undefined && index < (report.excused.get(digest as string) ?? -1)) {
        report.erased++;
        continue;
      }
      const state =
        found === undefined
          ? "is missing"
          : found === bytes[i]
            ? "does not hold the text that it is named after"
            : `has ${found} bytes, not ${String(bytes[i])}`;
      report.wrong(`blob ${String(digest)} of entry ${index} ${state}`, { index });
    }
  }
}

/** Digests of the blobs that the entries of a run name. */
export function blobsNamed(run: Uint8Array): string[] {
  const bytes = Buffer.from(run.buffer, run.byteOffset, run.length);
  if (!bytes.includes(BLOB)) return [];
  const found: string[] = [];
  forEachEntry(bytes, (start, end) => {
    const entry = bytes.subarray(start, end);
    const digests = entry.includes(BLOB) ? blobOf(entry)?.digests : undefined;
    if (Array.isArray(digests)) found.push(...digests.filter(validDigest));
  });
  return found;
}

async function sameText(dir: string, name: string, { digest }: Report): Promise<boolean> {
  if (digest === undefined) return true;
  const text = await readBlob(dir, name);
  return text !== undefined && isUtf8(text) && digest(text.toString()) === name;
}

/** `tapline.blob` of an entry, when it is a document that has one. */
function blobOf(entry: Buffer): { digests?: unknown; bytes?: unknown } | undefined {
  try {
    const document = JSON.parse(entry.toString()) as { tapline?: { blob?: object } } | null;
    return document?.tapline?.blob;
  } catch {
    return undefined;
  }
}
