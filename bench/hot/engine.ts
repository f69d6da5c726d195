// The work of one worker thread on MCP records: decode, map, redact, match, serialise, leaf hash. Prints µs CPU a record.
import { fromMs } from "../../src/core/time.ts";
import { openEngine, rulesBelow } from "../../src/engine.ts";
import { BUNDLED_RULES } from "../../src/paths.ts";
import { Generator } from "../generate.ts";

const RECORDS = Number(process.env["BENCH_EVENTS"] ?? 20_000);
const { engine } = openEngine({
  origin: { namespace: "default", host: "bench", version: "0" },
  key: "bench",
  started: fromMs(Date.now())!,
  rules: await rulesBelow([BUNDLED_RULES]),
  subject_keys: undefined,
});
const generator = new Generator(1);
const capture = {
  arguments: "redacted",
  results: "redacted",
  messages: "redacted",
  identity: "full",
} as const;
const info = {
  id: "bench",
  source: "bench",
  path: "/bench",
  format: "mcp",
  session: undefined,
  options: undefined,
};
const streams = [{ ...info, capture, modified_ms: 0 }];
const batches: Buffer[] = [];
for (let made = 0; made < RECORDS;) {
  let text = "";
  for (; text.length < 1 << 20 && made < RECORDS; made++) text += generator.line(0) + "\n";
  batches.push(Buffer.from(text));
}
const rounds = 4;
for (let round = 0; round < rounds; round++) {
  const start = process.cpuUsage();
  let bytes = 0;
  for (const buffer of batches) {
    const segments = [{ stream: "bench", start: 0, end: buffer.length, offset: 0 }];
    bytes += engine.process({ buffer, segments, streams: round === 0 ? streams : [], now_ms: Date.now() }).run
      .length;
  }
  const { user, system } = process.cpuUsage(start);
  if (round === rounds - 1) {
    console.log(
      `  ${((user + system) / RECORDS).toFixed(2)} µs CPU a record, entry of ${Math.round(bytes / RECORDS)} bytes`,
    );
  }
}
