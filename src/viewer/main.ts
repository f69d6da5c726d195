// The viewer's process: opens the store and the ledger for reading, and the server. Ends with its parent, whose memory it
// does not share. Started by start.ts, which sends what it needs as the first message.
import assert from "node:assert";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { reasonOf, systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { openReader } from "../ledger/reader.ts";
import { Context, type Place } from "./context.ts";
import type { Secrets } from "./guard.ts";
import { Rules } from "./rules.ts";
import { openServer } from "./server.ts";
import { Warmth } from "./warm.ts";

export interface Order {
  readonly place: Place;
  readonly rules: readonly string[];
  readonly port: number;
  /** When the port is taken, any other will do. */
  readonly any_port: boolean;
  readonly assets_dir: string;
  readonly secrets: Secrets;
  /** Of the whole process: beyond it, it ends, and is started again. */
  readonly most_mb: number;
}

export type Said =
  | { readonly type: "ready"; readonly port: number }
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "warn"; readonly message: string };

function tell(said: Said): void {
  if (process.connected) process.send!(said);
}

/** DuckDB and the heap have bounds of their own; this is one of all that the process has. */
function watchMemory(most_mb: number): void {
  const timer = setInterval(() => {
    const mb = Math.round(process.memoryUsage.rss() / 1_048_576);
    if (mb <= most_mb || !process.connected) return;
    clearInterval(timer);
    const message = `viewer: its process has ${mb} MB of memory, and may have ${most_mb}`;
    process.send!({ type: "warn", message } satisfies Said, () => process.exit(1));
  }, LIMITS.viewer_memory_ms);
}

async function serve(order: Order): Promise<void> {
  watchMemory(order.most_mb);
  const context = await Context.open(order.place, openReader(order.place.ledger_dir), new Rules(order.rules));
  const onBug = (error: unknown): void => tell({ type: "warn", message: `viewer: ${reasonOf(error)}` });
  const options = { context, assets_dir: order.assets_dir, secrets: order.secrets, onBug };
  const taken = (error: unknown): boolean => systemCode(error) === "EADDRINUSE" && order.any_port;
  const viewer = await openServer({ ...options, port: order.port }).catch((error: unknown) => {
    if (taken(error)) return openServer({ ...options, port: 0 });
    throw error;
  });
  tell({ type: "ready", port: viewer.port });
  const kept = join(order.place.state_dir, "viewer");
  await new Warmth(context.database, context.figures, kept, () => context.readAhead()).run();
}

assert(process.send !== undefined, "started by start.ts");
process.umask(0o077);
// Ctrl-C reaches the whole process group; the parent decides.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
process.on("disconnect", () => process.exit());
process.on("error", () => process.exit(0));
// The collector comes first.
setPriority(process.pid, constants.priority.PRIORITY_BELOW_NORMAL);
process.once("message", (order: Order) => {
  serve(order).catch((error: unknown) => {
    tell({ type: "failed", message: reasonOf(error) });
    process.exitCode = 1;
    process.disconnect();
  });
});
