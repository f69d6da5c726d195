// Tapline's own entrant for the work that all do: the product's file source, mapping by configuration, Sigma rules and
// `_bulk` sink, put together here without redaction, flow, joins and ledger. No way to run the product. Says `done` and waits.
import { Worker } from "node:worker_threads";
import { parseArgs } from "node:util";
import { LIMITS } from "../../../src/core/limits.ts";
import { SharedBuffers, transferable } from "../../../src/core/shared-buffers.ts";
import type {
  Component,
  Context,
  RawBatch,
  Router,
  Sink,
  SinkContext,
  Source,
} from "../../../src/core/stage.ts";
import elasticsearch from "../../../src/sinks/elasticsearch.ts";
import file from "../../../src/sources/file.ts";
import type { FromWorker, ToWorker } from "./tapline-worker.ts";
import { type Case, isSent, mapping } from "./work.ts";

const { values } = parseArgs({
  options: {
    case: { type: "string" },
    input: { type: "string" },
    url: { type: "string", default: "" },
  },
});
const of = values.case as Case;
const context: Context = { name: "bench", state_dir: "", origin: "bench", now: Date.now, log: () => {} };

function make<T, C extends Context>(component: Component<never, T, C>, config: object): T {
  const parsed = (component.config as unknown as { parse(input: unknown): never }).parse(config);
  return component.create(parsed, context as C);
}

const source = make<Source, Context>(file as never, {
  type: "file",
  include: [values.input!],
  follow: false,
  format: "json",
  options: mapping(false),
});
// One file is the work of one worker.
const router: Router = {
  lanes: 1,
  probe: () => ({ format: "json", session: undefined }),
  laneOf: () => 0,
  sessionIn: () => undefined,
};
const sink = isSent(of)
  ? make<Sink, SinkContext>(elasticsearch as never, { type: "elasticsearch", url: values.url })
  : undefined;

const stop = new AbortController().signal;
const free = new SharedBuffers(LIMITS.run_buffer_bytes);
/** Batches with the worker, in its order. */
const under_way: RawBatch[] = [];
/** Batches that are being sent. */
let sending = 0;
let first = 0;
let wake: () => void = () => {};

async function send({ run, hashes, count }: Required<FromWorker>): Promise<void> {
  const batch = { first, run, hashes, count };
  first += count;
  sending++;
  await sink!.write(batch, false, stop);
  free.give(run);
  sending--;
  wake();
}

const worker = new Worker(new URL("./tapline-worker.ts", import.meta.url), {
  workerData: { of },
  resourceLimits: { maxYoungGenerationSizeMb: LIMITS.worker_young_mb },
});
worker.on("message", (message: FromWorker) => {
  source.settle(under_way.shift()!);
  if (message.run !== undefined) void send(message as Required<FromWorker>);
  wake();
});

await sink?.open(stop);
await source.open(new Map(), router);
while (!source.drained) {
  const batch = await source.read(0);
  if (batch !== undefined) {
    under_way.push(batch);
    const { buffer, segments, streams } = batch;
    const work = { buffer, segments, streams, now_ms: Date.now() };
    const message: ToWorker = { work, free: free.spare() };
    worker.postMessage(message, transferable(buffer));
  }
  while (!isFree()) await settledOne();
}
while (sending + under_way.length > 0) await settledOne();

function isFree(): boolean {
  return under_way.length < LIMITS.lanes_in_flight && sending < LIMITS.sink_batches_in_flight * 2;
}

function settledOne(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  wake = resolve;
  return promise;
}
console.log("done");
setInterval(() => {}, 60_000);
