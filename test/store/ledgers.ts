// A ledger in memory with the interface of the ledger's reader, and documents for it.
import { serialise } from "../../src/core/generated/event.ts";
import type { EntryBatch } from "../../src/core/stage.ts";
import type { EntryReader } from "../../src/store/entries.ts";
import { batchOf, toolCall } from "../sinks/batches.ts";

export const documentAt = (n: number): string => serialise(toolCall("store", n));

/** A reader over these entries; more may be pushed. */
export function memoryLedger(entries: string[]): EntryReader {
  return {
    size: () => entries.length,
    first: () => 0,
    erased: () => [],
    read(from, max_entries, max_bytes): EntryBatch | undefined {
      let bytes = 0;
      let end = from;
      while (end < entries.length && end - from < max_entries && (end === from || bytes < max_bytes)) {
        bytes += Buffer.byteLength(entries[end++]!);
      }
      return end > from ? batchOf(entries.slice(from, end), from) : undefined;
    },
  };
}

export function documents(count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, i) => documentAt(first + i));
}
