// Sinks read the ledger through this: fields that are ciphertext under a subject's key are opened on the way out. When the
// key is gone they stay as they are, so erasing the key erases the person everywhere that is filled from then on.
import { forEachEntry } from "./core/entry.ts";
import { LIMITS } from "./core/limits.ts";
import type { EntryBatch } from "./core/stage.ts";
import type { Readable } from "./deliver.ts";
import { SEALED, type Sealer } from "./normalise/seal.ts";

/** `ledger`, with sealed fields opened. Leaf hashes stay those of the entries in the ledger. */
export function withSealedOpen(ledger: Readable, sealer: Sealer): Readable {
  return {
    get durable() {
      return ledger.durable;
    },
    get first() {
      return ledger.first;
    },
    async read(from, max_entries, max_bytes) {
      const batch = await ledger.read(from, max_entries, max_bytes);
      return batch === undefined || !sealer.holds ? batch : opened(batch, sealer);
    },
    waitDurable: (beyond, signal, most_ms) => ledger.waitDurable(beyond, signal, most_ms),
  };
}

/** The batch with sealed fields opened. */
export function opened(batch: EntryBatch, sealer: Sealer): EntryBatch {
  const { run } = batch;
  if (Buffer.from(run.buffer, run.byteOffset, run.length).indexOf(SEALED) === -1) return batch;
  const parts: Uint8Array[] = [];
  forEachEntry(run, (start, end) => {
    const sealed = run.subarray(start, end);
    const plain = sealer.open(sealed);
    // Plaintext is shorter than its ciphertext unless it is full of escapes; an entry that would not fit stays sealed.
    const entry = plain.length <= LIMITS.entry_bytes ? plain : sealed;
    parts.push(Buffer.of(entry.length >>> 8, entry.length & 0xff), entry);
  });
  batch.release?.();
  return { ...batch, run: Buffer.concat(parts), release: undefined };
}
