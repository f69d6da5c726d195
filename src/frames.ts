// Frames as the pipeline appends them: entries of a batch or the collector's own, and the header of what becomes durable
// with them. Decides neither when nor in which order.
import type { Told } from "./correlating-parts.ts";
import type { RawBatch } from "./core/stage.ts";
import { joinRuns } from "./core/run.ts";
import type { EngineResult } from "./engine.ts";
import type { PipelineParts } from "./pipeline-parts.ts";
import { type FrameHeader, applyPositions } from "./state.ts";
import { addTo, skippedSum, withLeftOut } from "./tally.ts";

/** Whether nothing came of a batch but that others told something: read again, nothing would come of it again. So the
 * ledger does not grow by the clocks of others. */
function saysNothing(batch: RawBatch, result: EngineResult, told: Told): boolean {
  const { merged, skipped } = batch.left_out ?? { merged: 0, skipped: {} };
  return (
    batch.told !== undefined &&
    batch.told.length > 0 &&
    batch.segments.length === 0 &&
    batch.gaps.length === 0 &&
    batch.streams.length === 0 &&
    merged === 0 &&
    skipped["match"] === skippedSum({ skipped }) &&
    result.count === 0 &&
    Object.values(told).every((of) => of === undefined || of === 0)
  );
}

/** Appends a batch, what became of it, and what the collector recorded beside it. */
export function appendBatch(
  parts: PipelineParts,
  source: string,
  batch: RawBatch,
  result: EngineResult,
  told: Told,
): void {
  const { ledger, tally } = parts;
  if (parts.self.out.count === 0 && saysNothing(batch, result, told)) return;
  const positions = { [source]: batch.positions };
  applyPositions(parts.positions, positions);
  for (const blob of result.blobs) ledger.putBlob(blob.digest, blob.bytes);
  const own = parts.self.take();
  const delta = {
    ...withLeftOut(result.counts, batch.left_out),
    events: result.count + own.count,
    alerts: (result.actions["rule-alert"] ?? 0) + told.alerts,
    gaps: batch.gaps.length,
  };
  addTo(tally, delta);
  const { alerts: _, header: correlation, ...kept } = told;
  const policy = parts.policy.take();
  const header: FrameHeader = { positions, tally: delta, correlation, policy, ...kept };
  const joined = joinRuns(result, own);
  if (joined.run !== result.run) parts.free.give(result.run);
  // The worker has written the sessions' changes as JSON: they go in as they are.
  const text = `${JSON.stringify(header).slice(0, -1)},"sessions":${result.sessions}}`;
  ledger.append({ ...joined, header: text });
}

/** Appends a frame that no batch is in. False where there is nothing. */
export function appendOwn(parts: PipelineParts, told: Told): boolean {
  const own = parts.self.take();
  if (own.count === 0) return false;
  const { alerts, header: correlation, ...kept } = told;
  const [tally, policy] = [{ alerts, events: own.count }, parts.policy.take()];
  const header: FrameHeader = { positions: {}, tally, correlation, policy, ...kept };
  addTo(parts.tally, tally);
  parts.ledger.append({ ...own, header: JSON.stringify(header) });
  return true;
}
