// A worker of the bench that does what other collectors do and no more: the product's normaliser and rules, without
// redaction, flow, joins and ledger. The names of conditions that match go into a list of the event, as with the others.
// Case a only parses; in b and c the events go unwritten, as the others' do.
import { parentPort, workerData } from "node:worker_threads";
import { LIMITS } from "../../../src/core/limits.ts";
import { SharedBuffers, transferable } from "../../../src/core/shared-buffers.ts";
import type { Work } from "../../../src/normalise/index.ts";
import { prefilter } from "../../../src/normalise/prefilter.ts";
import { parseRecord } from "../../../src/normalise/text-json.ts";
import { Documents } from "./documents.ts";
import { markingNormaliser } from "./marker.ts";
import { type Case, isSent } from "./work.ts";

export interface ToWorker {
  readonly work: Work;
  /** Memory of a run that nobody reads any more. */
  readonly free: Uint8Array | undefined;
}
export interface FromWorker {
  readonly records: number;
  readonly run?: Uint8Array;
  readonly hashes?: Uint8Array;
  readonly count?: number;
}

const { of } = workerData as { of: Case };
const port = parentPort!;
const buffers = new SharedBuffers(LIMITS.run_buffer_bytes);
const documents = new Documents(buffers);
const normaliser = markingNormaliser(of, isSent(of) ? (e) => documents.add(e) : () => {});

/** Lines as the normaliser cuts and parses them, and nothing else. */
function parse({ buffer, segments }: Work): number {
  let records = 0;
  for (const { start, end } of segments) {
    const bytes = Buffer.from(buffer.buffer, buffer.byteOffset + start, end - start);
    const text = bytes.toString("latin1");
    for (let at = 0; at < bytes.length; records++) {
      const next = bytes.indexOf(10, at);
      const flags = prefilter(bytes, at, next);
      parseRecord(text.slice(at, next), flags !== 0);
      at = next + 1;
    }
  }
  return records;
}

port.on("message", ({ work, free }: ToWorker) => {
  if (free !== undefined) buffers.give(free);
  if (of === "a") return port.postMessage({ records: parse(work) } satisfies FromWorker);
  const { counts } = normaliser.process(work);
  if (!isSent(of)) return port.postMessage({ records: counts.read } satisfies FromWorker);
  const { run, hashes, count } = documents.take();
  const message: FromWorker = { records: counts.read, run, hashes, count };
  return port.postMessage(message, transferable(run, hashes));
});
