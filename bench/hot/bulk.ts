// CPU time of the bulk encoder: entries of about 1.2 KB to NDJSON bodies. Prints µs per entry and MB/s.
import { serialise } from "../../src/core/generated/event.ts";
import { BulkEncoder } from "../../src/sinks/bulk.ts";
import { batchOf, toolCall } from "../../test/sinks/batches.ts";

const ENTRIES = 3_000;
const rounds = Number(process.argv[2] ?? 300);
const documents = Array.from({ length: ENTRIES }, (_, i) => {
  const e = toolCall("bench", i);
  e["process.working_directory"] = "/home/user/project";
  e["event.duration"] = 123_456_789;
  e["event.created"] = e["@timestamp"];
  const document = serialise(e);
  e["message"] = "m".repeat(Math.max(0, 1_200 - Buffer.byteLength(document) - 13));
  return serialise(e);
});
const batch = batchOf(documents, 1_000_000);
const encoder = new BulkEncoder();
let bytes = 0;
const run = (times: number): number => {
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) for (const body of encoder.encode(batch)) bytes += body.bytes.length;
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times / ENTRIES;
};
run(Math.min(50, rounds));
let best = Infinity;
for (let i = 0; i < 5; i++) best = Math.min(best, run(rounds));
const size = batch.run.length / ENTRIES;
console.log(
  `bulk: ${best.toFixed(3)} µs CPU per entry of ${size.toFixed(0)} bytes, ${(size / best).toFixed(0)} MB/s`,
);
if (bytes === 0) throw new Error("nothing was encoded");
