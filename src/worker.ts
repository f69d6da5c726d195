// One worker thread: raw batches in, entries out. Messages arrive and leave in order; the only I/O is loading rules.
import { parentPort, workerData } from "node:worker_threads";
import assert from "node:assert";
import { type EngineOptions, type EngineResult, openEngine } from "./engine.ts";
import type { Work } from "./normalise/index.ts";
import type { SessionState } from "./normalise/session.ts";

export type ToWorker =
  | { readonly type: "batch"; readonly seq: number; readonly work: Work }
  | { readonly type: "state" }
  | { readonly type: "restore"; readonly sessions: readonly [string, SessionState][] };
export type FromWorker =
  | {
      readonly type: "ready";
      readonly ruleset: string;
      readonly rules: number;
      readonly problems: readonly string[];
    }
  | { readonly type: "result"; readonly seq: number; readonly result: EngineResult }
  | { readonly type: "state"; readonly sessions: readonly [string, SessionState][] };

const port = parentPort;
assert(port !== null, "worker.ts runs in a worker thread");
const { engine, problems } = await openEngine(workerData as EngineOptions);

function send(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port!.postMessage(message, transfer);
}

port.on("message", (message: ToWorker) => {
  if (message.type === "batch") {
    const result = engine.process(message.work);
    // Gives the input's memory back now, not at some later collection: batches come faster than those.
    (message.work.buffer.buffer as ArrayBuffer).transfer(0);
    send({ type: "result", seq: message.seq, result }, [result.run.buffer, result.hashes.buffer]);
  } else if (message.type === "state") {
    const sessions = [...engine.normaliser.state().sessions];
    send({ type: "state", sessions });
  } else engine.normaliser.restore({ sessions: message.sessions });
});
send({ type: "ready", ruleset: engine.rules.hash, rules: engine.rules.rules.length, problems });
