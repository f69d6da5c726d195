// A worker keeps what it knows of a stream until the stream ends.
import { expect, test } from "vitest";
import { createDigest } from "../../src/core/digest.ts";
import type { StreamInfo } from "../../src/core/stage.ts";
import { Normaliser } from "../../src/normalise/index.ts";
import { createRedactor } from "../../src/normalise/redact.ts";

test("a stream is known until it has ended", () => {
  const normaliser = new Normaliser({
    origin: { namespace: "default", host: "test", version: "0" },
    digest: createDigest("key"),
    redactor: createRedactor("key"),
    started: "2026-11-23T00:00:00.000Z",
    inspect: undefined,
    sealer: undefined,
  });
  const stream: StreamInfo = {
    id: "s",
    source: "s",
    path: "/a.jsonl",
    format: "unknown",
    session: undefined,
    options: undefined,
    capture: { arguments: "full", results: "full", messages: "full", identity: "full" },
    modified_ms: 0,
  };
  const buffer = Buffer.from('{"a":1}\n');
  const read = (streams: readonly StreamInfo[], ended: readonly string[]): number =>
    normaliser.process({
      buffer,
      segments: [{ stream: "s", start: 0, end: buffer.length, offset: 0 }],
      streams,
      ended,
      now_ms: Date.UTC(2026, 10, 23),
    }).count;
  expect([read([stream], []), read([], ["s"])]).toEqual([1, 1]);
  expect(() => read([], [])).toThrow(TypeError);
  expect(read([stream], [])).toBe(1);
});
