// The keys that the log had before, and when each signed, as the ledger's own entries and the last rotation say. Kept checkpoints and
// proofs may bear their signatures. Says nothing of a key that the ledger's directory does not know.
import { verifierText } from "../ledger/note.ts";
import type { Verifier } from "../ledger/note.ts";
import { readRotation } from "../ledger/rotation.ts";
import { isoOf } from "../viewer/times.ts";
import { type Asked, OURS, textAt, timeAt, timeColumn } from "./asked.ts";
import type { Integrity } from "./model.ts";

export async function earlierKeys(
  ledger_dir: string,
  { earlier = [] }: Verifier,
  asked: Asked,
): Promise<Integrity["earlier"]> {
  if (earlier.length === 0) return [];
  const ids = earlier.map(({ id }) => id.toString("hex"));
  const either = ids.map((id) => `'${id}'`).join(", ");
  const changes = await asked.rows(
    `${timeColumn("@timestamp")}, "tapline.change.before" AS before, "tapline.change.after" AS after`,
    `"event.action" = 'config-change' AND ${OURS}
      AND ("tapline.change.before" IN (${either}) OR "tapline.change.after" IN (${either}))`,
    `ORDER BY "event.sequence"`,
    { always: true },
  );
  const rotation = await readRotation(ledger_dir);
  return earlier.map((verifier, i) => {
    const id = ids[i]!;
    const times = (side: "before" | "after"): string[] =>
      changes.filter((row) => textAt(row, side) === id).map((row) => timeAt(row, "@timestamp"));
    // The end of an overlap is told by an entry when it has come; until then the rotation knows it.
    const ends = rotation?.from === id && rotation.until_ms > 0 ? isoOf(rotation.until_ms) : undefined;
    return {
      vkey: verifierText(verifier),
      from: times("after")[0] ?? null,
      until: ends ?? times("before").at(-1) ?? null,
    };
  });
}
