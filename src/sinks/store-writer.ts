// The store's process: takes ranges from its parent, writes them, tidies up when it has nothing else to do. Ends
// with its parent. Started by sinks/store.ts with: store directory, ledger directory, memory in MiB.
import assert from "node:assert";
import { TaplineError, reasonOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { openReader } from "../ledger/reader.ts";
import { StoreWriter, type Written } from "../store/writer.ts";

export interface Ask {
  readonly id: number;
  readonly first: number;
  readonly end: number;
}

export type Answer =
  | { readonly type: "ready" }
  | { readonly type: "warn"; readonly message: string }
  | ({ readonly type: "written"; readonly id: number } & Written)
  | {
      readonly type: "failed";
      readonly id: number;
      readonly code: string;
      readonly message: string;
      readonly retry: boolean;
      readonly remedy: string | undefined;
    };

function answer(message: Answer): void {
  if (process.connected) process.send!(message);
}

function failure(id: number, error: unknown): Answer {
  const known = error instanceof TaplineError;
  return {
    type: "failed",
    id,
    code: known ? error.code : "STORE_BUG",
    message: reasonOf(error),
    retry: known ? error.retry : true,
    remedy: known ? error.remedy : undefined,
  };
}

async function main(dir: string, ledgerDir: string, memoryMb: number): Promise<void> {
  process.umask(0o077);
  // Ctrl-C reaches the whole process group, but the parent has a last range to write.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});
  process.on("disconnect", () => process.exit(0));
  // A parent that was killed is noticed by a message that cannot be sent, too.
  process.on("error", () => process.exit(0));
  const ledger = openReader(ledgerDir);
  const warn = (message: string): void => answer({ type: "warn", message });
  const writer = new StoreWriter({ dir, ledger, memory_mb: memoryMb, now: Date.now, warn });

  let waiting = 0;
  let tail = Promise.resolve();
  const tidy = async (): Promise<void> => {
    if (waiting === 0 && (await writer.tidy())) await tidy();
  };
  const write = async ({ id, first, end }: Ask): Promise<void> => {
    waiting--;
    try {
      answer({ type: "written", id, ...(await writer.write(first, end)) });
    } catch (error) {
      answer(failure(id, error));
    }
    await tidy();
  };
  process.on("message", (ask: Ask) => {
    waiting++;
    tail = tail.then(() => write(ask));
  });
  setInterval(() => {
    tail = tail.then(tidy);
  }, LIMITS.store_grace_ms);
  answer({ type: "ready" });
}

const [dir, ledgerDir, memoryMb] = process.argv.slice(2);
assert(
  dir !== undefined && ledgerDir !== undefined && process.send !== undefined,
  "started by the store sink",
);
await main(dir, ledgerDir, Number(memoryMb));
