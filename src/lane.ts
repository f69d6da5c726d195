// The main thread's end of one worker. Results come back in the order in which batches were posted.
import { dirname } from "node:path";
import { getCompileCacheDir } from "node:module";
import { Worker } from "node:worker_threads";
import { crc32 } from "node:zlib";
import { TaplineError } from "./core/errors.ts";
import { LIMITS } from "./core/limits.ts";
import { transferable } from "./core/shared-buffers.ts";
import type { RawBatch } from "./core/stage.ts";
import type { EngineOptions, EngineResult, LaneState, Rules } from "./engine.ts";
import type { LaneText } from "./state.ts";
import type { FromWorker, ToWorker } from "./worker.ts";

/** The lane of a session: the same for the same number of lanes, whatever the order of arrival. */
export function laneOf(session: string, lanes: number): number {
  return crc32(session) % lanes;
}

/** Where this thread keeps compiled code, for a worker, which does not inherit it. Node's own answer ends in a directory of
 * the version. */
function compileCache(): NodeJS.ProcessEnv {
  const dir = getCompileCacheDir();
  return dir === undefined ? {} : { NODE_COMPILE_CACHE: dirname(dir) };
}

export interface LaneEvents {
  result(seq: number, result: EngineResult): void;
  /** The worker died: a program error. */
  failed(error: Error): void;
}

export class Lane {
  readonly #worker: Worker;
  readonly #events: LaneEvents;
  readonly #states: ((state: LaneText) => void)[] = [];
  readonly #retraced: PromiseWithResolvers<void>[] = [];
  #in_flight = 0;
  /** State of sessions and of flow that the worker has dropped since a bound bit, as it last said. */
  evicted = 0;
  /** Values whose answers by rules it has forgotten, the same. */
  values_replaced = 0;
  #closing = false;
  /** When the worker has its rules. */
  readonly ready: Promise<void>;

  constructor(options: EngineOptions, events: LaneEvents) {
    this.#events = events;
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), {
      workerData: options,
      resourceLimits: { maxYoungGenerationSizeMb: LIMITS.worker_young_mb },
      env: { ...process.env, ...compileCache() },
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#worker.on("message", (message: FromWorker) => {
      if (message.type === "result") {
        this.evicted = message.result.evicted;
        this.values_replaced = message.result.values_replaced;
        events.result(message.seq, message.result);
      } else if (message.type === "state") this.#states.shift()!(message.state);
      else if (message.type === "retraced") this.#retraced.shift()!.resolve();
      else resolve();
    });
    this.#worker.on("error", (cause) => {
      const error = new TaplineError("WORKER_FAILED", `a worker stopped: ${(cause as Error).message}`, {
        cause,
      });
      reject(error);
      for (const waiting of this.#retraced.splice(0)) waiting.reject(error);
      if (!this.#closing) this.#events.failed(error);
    });
  }

  /** One batch fewer is under way: it is durable. */
  release(): void {
    this.#in_flight--;
  }

  /** Whether another batch may be posted: only so many may be read and not yet durable. */
  get free(): boolean {
    return this.#in_flight < LIMITS.lanes_in_flight;
  }

  /** `free` is memory of a run that the worker may use again. */
  post(seq: number, batch: RawBatch, now_ms: number, free: Uint8Array | undefined): void {
    this.#in_flight++;
    const { buffer, segments, streams, positions } = batch;
    const ended = Object.keys(positions).filter((id) => positions[id] === null);
    const work = { buffer, segments, streams, ended, now_ms };
    this.#send({ type: "batch", seq, work, free }, transferable(buffer));
  }

  /** State after all batches posted so far. */
  state(): Promise<LaneText> {
    const { promise, resolve } = Promise.withResolvers<LaneText>();
    this.#states.push(resolve);
    this.#send({ type: "state" });
    return promise;
  }

  restore(state: LaneState): void {
    this.#send({ type: "restore", state });
  }

  /** Follows the sessions of recorded entries again. */
  retrace(run: Uint8Array): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#retraced.push(done);
    const own = new Uint8Array(run);
    this.#send({ type: "retrace", run: own }, [own.buffer]);
    return done.promise;
  }

  /** Batches posted from now on meet these rules. */
  use(rules: Rules): void {
    this.#send({ type: "rules", rules });
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#worker.terminate();
  }

  #send(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}
