// Ledgers for tests: small entries, temporary directories, an independent count of what should be in them.
import { mkdtempSync, readdirSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { Ledger, type LedgerOptions } from "../../src/ledger/log.ts";
import { leafHashes } from "../../src/ledger/recover.ts";
import type { LedgerReader } from "../../src/ledger/reader.ts";

export const ORIGIN = "test.example/ledger";

/** A directory that goes away with the test. */
export function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "tapline-ledger-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Opens a ledger whose timer never fires, unless the test says otherwise. */
export function openLedger(
  dir: string,
  options: Partial<LedgerOptions> = {},
): ReturnType<typeof Ledger.open> {
  return Ledger.open({ dir, origin: ORIGIN, log: () => undefined, checkpoint_ms: 1_000_000, ...options });
}

export function runOf(entries: readonly Uint8Array[]): Buffer {
  const parts = entries.flatMap((entry) => [Buffer.of(entry.length >> 8, entry.length & 255), entry]);
  return Buffer.concat(parts);
}

const entryText = (index: number): string => `{"n":${index},"text":"${"x".repeat(index % 97)}"}`;

/** Appends entries number `size` to `size + count - 1` in one frame. */
export function appendEntries(ledger: Ledger, count: number, header: Record<string, unknown> = {}): void {
  const from = ledger.size;
  const run = runOf(Array.from({ length: count }, (_, i) => Buffer.from(entryText(from + i))));
  ledger.append({ run, count, hashes: leafHashes(run), header: JSON.stringify(header) });
}

/** Reads all entries from `from` on as text, checking that batches follow each other and hashes fit. */
export async function readAll(
  source: Pick<Ledger | LedgerReader, "read">,
  from = 0,
  maxEntries = 1_000,
  maxBytes = 50_000,
): Promise<string[]> {
  const texts: string[] = [];
  for (;;) {
    const batch = await source.read(from + texts.length, maxEntries, maxBytes);
    if (batch === undefined) return texts;
    if (batch.first !== from + texts.length || batch.count === 0)
      throw new Error("batches follow each other");
    if (batch.count > maxEntries) throw new Error("too many entries");
    if (batch.count > 1 && batch.run.length > maxBytes) throw new Error("too many bytes");
    if (!Buffer.from(batch.hashes).equals(leafHashes(Buffer.from(batch.run)))) throw new Error("hashes fit");
    const before = texts.length;
    for (let at = 0; at < batch.run.length;) {
      const end = at + 2 + ((batch.run[at]! << 8) | batch.run[at + 1]!);
      texts.push(Buffer.from(batch.run.subarray(at + 2, end)).toString());
      at = end;
    }
    if (texts.length - before !== batch.count) throw new Error("count is right");
  }
}

export const textsUpTo = (count: number, from = 0): string[] =>
  Array.from({ length: count - from }, (_, i) => entryText(from + i));

/** What a killed process leaves at this moment: a copy of its files, with nobody holding the lock. */
export async function crashed(dir: string): Promise<string> {
  for (;;) {
    const copy = newDir();
    try {
      await cp(dir, copy, { recursive: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      continue; // a temporary file got its name while it was being copied
    }
    await rm(join(copy, "lock"), { force: true });
    return copy;
  }
}

export const walOf = (dir: string): string[] => readdirSync(join(dir, "wal")).toSorted();
