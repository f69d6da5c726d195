// What the pipeline is put together from. Types only.
import type { Source } from "./core/stage.ts";
import type { Correlating } from "./correlating.ts";
import type { EngineResult } from "./engine.ts";
import type { Exchange } from "./exchange.ts";
import type { AlertNote } from "./detect/judge.ts";
import type { Lane } from "./lane.ts";
import type { Ledger } from "./ledger/log.ts";
import type { PolicyWatch } from "./policy-watch.ts";
import type { SharedBuffers } from "./core/shared-buffers.ts";
import type { SelfRecorder } from "./self.ts";
import type { Positions } from "./state.ts";
import type { Tally } from "./tally.ts";

export interface PipelineParts {
  readonly sources: ReadonlyMap<string, Source>;
  readonly lanes: readonly Lane[];
  readonly ledger: Ledger;
  readonly self: SelfRecorder;
  readonly positions: Positions;
  readonly tally: Tally;
  /** Runs in shared memory that the ledger has given back, on their way to the workers. */
  readonly free: SharedBuffers;
  readonly correlating: Correlating;
  /** Where correlations count across the collectors of a group. */
  readonly exchange?: Exchange | undefined;
  readonly policy: Pick<PolicyWatch, "take" | "recorded">;
  now(): number;
  /** Told once a batch, after it is durable. */
  onDurable(results: readonly EngineResult[]): void;
  onAlert(alert: AlertNote): void;
}
