// Runs what takes long in a process of its own at low priority, one task a process, so that neither its memory nor its
// time is the collector's.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Config } from "../config.ts";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { PruneAsk, PrunePlan } from "../ledger/prune-plan.ts";
import type { Incident } from "../incident/present.ts";

/** A checkpoint, with its root in base64. */
export interface Verified {
  readonly size: number;
  readonly root: string;
}

export type Task =
  | { readonly what: "ledger"; readonly dir: string; readonly since: Verified | undefined }
  | { readonly what: "incidents"; readonly config: Config }
  | { readonly what: "prune"; readonly dir: string; readonly ask: PruneAsk }
  | { readonly what: "blobs"; readonly dir: string; readonly from: number; readonly to: number };

export interface Answer {
  readonly failed?: string;
  readonly verified?: {
    readonly wrong: readonly string[];
    /** Up to where. */
    readonly at: Verified | undefined;
    readonly entries: number;
    readonly wrong_from: number | undefined;
  };
  readonly incidents?: readonly Incident[];
  readonly plan?: PrunePlan;
  /** That entries of the range name, and no later one. */
  readonly blobs?: readonly string[];
}

const CHILD = fileURLToPath(new URL("./child.ts", import.meta.url));

/** What the process answers. Throws CHECK_FAILED when it does not; ends it when `signal` aborts. */
export function slowly(task: Task, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = fork(CHILD, {
      execArgv: [`--max-old-space-size=${LIMITS.check_heap_mb}`],
      env: {}, // it needs nothing of ours, and secrets may be there
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    const failed = (why: string): void => reject(new TaplineError("CHECK_FAILED", why, { retry: true }));
    const end = (): void => void child.kill("SIGKILL");
    signal.addEventListener("abort", end, { once: true });
    child.on("message", (answer: Answer) => {
      if (answer.failed === undefined) resolve(answer);
      else failed(answer.failed);
    });
    child.on("error", (error) => failed(error.message));
    child.on("exit", (code, name) => {
      signal.removeEventListener("abort", end);
      failed(`the process of the check ended: ${name ?? `exit code ${code}`}`);
    });
    child.send(task, () => {}); // a process that is gone says so by its exit
    if (signal.aborted) end();
  });
}
