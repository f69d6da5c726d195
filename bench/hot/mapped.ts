// CPU time of mapping by configuration and Sigma rules on one thread, without redaction, flow, joins and files: the worker
// of bench/flow/peers on records in memory. What is mapped goes unwritten in b and c, and into a run in d.  node bench/hot/mapped.ts [rounds]
import { LIMITS } from "../../src/core/limits.ts";
import { SharedBuffers } from "../../src/core/shared-buffers.ts";
import type { Capture, StreamInfo } from "../../src/core/stage.ts";
import { Documents } from "../flow/peers/documents.ts";
import { markingNormaliser } from "../flow/peers/marker.ts";
import { type Case, conditionsOf, mapping } from "../flow/peers/work.ts";
import { Generator } from "../generate.ts";

const RECORDS = 720;
const rounds = Number(process.argv[2] ?? 20);
const capture: Capture = {
  arguments: "redacted",
  results: "redacted",
  messages: "redacted",
  identity: "full",
};
const stream: StreamInfo = {
  id: "bench",
  source: "bench",
  path: "/bench.jsonl",
  format: "json",
  session: undefined,
  options: mapping(false),
  capture,
  modified_ms: 0,
};

// New texts in every batch, as in life: 16 batches before the first comes again.
const generator = new Generator(1);
const batches = Array.from({ length: 16 }, () =>
  Buffer.from(Array.from({ length: RECORDS }, () => `${generator.line(0)}\n`).join("")),
);

for (const name of ["b", "c", "d"] satisfies Case[]) {
  const buffers = new SharedBuffers(LIMITS.run_buffer_bytes);
  const documents = new Documents(buffers);
  const normaliser = markingNormaliser(name, name === "d" ? (e) => documents.add(e) : () => {});
  let streams: readonly StreamInfo[] = [stream];
  let entries = 0;
  let bytes = 0;
  const run = (times: number): number => {
    const before = process.cpuUsage();
    for (let i = 0; i < times; i++) {
      for (const buffer of batches) {
        const segments = [{ stream: "bench", start: 0, end: buffer.length, offset: 0 }];
        normaliser.process({ buffer, segments, streams, now_ms: 1.8e12 });
        streams = [];
        const made = documents.take();
        entries += made.count;
        bytes += made.run.length;
        buffers.give(made.run);
      }
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / times / RECORDS / batches.length;
  };
  run(Math.min(5, rounds));
  let best = Infinity;
  for (let i = 0; i < 5; i++) best = Math.min(best, run(Math.ceil(rounds / 5)));
  const written = entries === 0 ? "not written" : `${Math.round(bytes / entries)} bytes an entry`;
  console.log(
    `mapped ${name}: ${best.toFixed(2)} µs CPU per event, ${conditionsOf(name).length} conditions, ${written}`,
  );
}
