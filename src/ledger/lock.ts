// One writer a ledger: its lock file, and what to say when another process holds it.
import { join } from "node:path";
import { TaplineError } from "../core/errors.ts";
import { takeLock } from "../core/lock.ts";
import { LOCK } from "./paths.ts";

/** Takes the ledger's lock and returns the function that gives it back. Throws LEDGER_LOCKED. */
export function lockLedger(dir: string): () => void {
  return takeLock(
    join(dir, LOCK),
    (pid) =>
      new TaplineError("LEDGER_LOCKED", `the ledger in ${dir} is in use by process ${pid}`, {
        remedy: "A ledger has one writer: stop the other process, or use another directory.",
      }),
  );
}
