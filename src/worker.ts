// One worker thread: raw batches in, entries out. Messages arrive and leave in order; no I/O.
import { parentPort, workerData } from "node:worker_threads";
import assert from "node:assert";
import { LIMITS } from "./core/limits.ts";
import { SharedBuffers, transferable } from "./core/shared-buffers.ts";
import { retrace } from "./detect/flow-retrace.ts";
import {
  type EngineOptions,
  type EngineResult,
  type LaneState,
  type Rules,
  compile,
  openEngine,
} from "./engine.ts";
import type { LaneText } from "./state.ts";
import type { Work } from "./normalise/index.ts";

export type ToWorker =
  | {
      readonly type: "batch";
      readonly seq: number;
      readonly work: Work;
      /** Memory of a run that nobody reads any more. */
      readonly free: Uint8Array | undefined;
    }
  | { readonly type: "state" }
  | { readonly type: "rules"; readonly rules: Rules }
  | { readonly type: "restore"; readonly state: LaneState }
  | { readonly type: "retrace"; readonly run: Uint8Array };
export type FromWorker =
  | { readonly type: "ready" }
  | { readonly type: "result"; readonly seq: number; readonly result: EngineResult }
  | { readonly type: "retraced" }
  | { readonly type: "state"; readonly state: LaneText };

const port = parentPort;
assert(port !== null, "worker.ts runs in a worker thread");
const buffers = new SharedBuffers(LIMITS.run_buffer_bytes);
const { engine } = openEngine(workerData as EngineOptions, buffers);

function send(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port!.postMessage(message, transfer);
}

const itemsOf = (list: readonly unknown[]): string => JSON.stringify(list).slice(1, -1);

port.on("message", (message: ToWorker) => {
  if (message.type === "batch") {
    if (message.free !== undefined) buffers.give(message.free);
    const result = engine.process(message.work);
    // Gives private memory back now, not at some later collection: batches come faster than those.
    const { buffer } = message.work.buffer;
    if (buffer instanceof ArrayBuffer) buffer.transfer(0);
    send({ type: "result", seq: message.seq, result }, transferable(result.run, result.hashes));
  } else if (message.type === "state") {
    const { sessions, flow } = engine.state();
    send({ type: "state", state: { sessions: itemsOf(sessions), flow: itemsOf(flow) } });
  } else if (message.type === "rules") {
    engine.use(compile(message.rules));
    engine.know(message.rules.policy);
  } else if (message.type === "restore") engine.restore(message.state);
  else {
    retrace(engine.flow, message.run);
    send({ type: "retraced" });
  }
});
send({ type: "ready" });
