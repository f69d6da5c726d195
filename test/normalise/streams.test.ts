// A worker keeps what it knows of a stream until the stream ends.
import { expect, test } from "vitest";
import { createDigest } from "../../src/core/digest.ts";
import type { StreamInfo } from "../../src/core/stage.ts";
import { Normaliser } from "../../src/normalise/index.ts";
import { createRedactor } from "../../src/normalise/redact.ts";

const newNormaliser = (): Normaliser =>
  new Normaliser({
    origin: { namespace: "default", host: "test", version: "0" },
    digest: createDigest("key"),
    redactor: createRedactor("key"),
    started: "2026-11-23T00:00:00.000Z",
    inspect: undefined,
    sealer: undefined,
  });
const STREAM: StreamInfo = {
  id: "s",
  source: "s",
  path: "/a.jsonl",
  format: "unknown",
  session: undefined,
  options: undefined,
  capture: { arguments: "full", results: "full", messages: "full", identity: "full" },
  modified_ms: 0,
};
const LINE = Buffer.from('{"a":1}\n');
const work = (streams: readonly StreamInfo[], ended: readonly string[] = []) => ({
  buffer: LINE,
  segments: [{ stream: "s", start: 0, end: LINE.length, offset: 0 }],
  streams,
  ended,
  now_ms: Date.UTC(2026, 10, 23),
});

test("a stream is known until it has ended", () => {
  const normaliser = newNormaliser();
  const read = (streams: readonly StreamInfo[], ended: readonly string[]): number =>
    normaliser.process(work(streams, ended)).count;
  expect([read([STREAM], []), read([], ["s"])]).toEqual([1, 1]);
  expect(() => read([], [])).toThrow(TypeError);
  expect(read([STREAM], [])).toBe(1);
});

test("a branch is placed where its transcript is read, also when another stream told of it first", () => {
  const normaliser = newNormaliser();
  const laneOf = (lane: string): unknown => {
    normaliser.process(work([{ ...STREAM, session: "branch", lane }]));
    return normaliser.state().sessions.find(([id]) => id === "branch")![1].lane;
  };
  expect(laneOf("branch")).toBeUndefined();
  expect(laneOf("origin")).toBe("origin");
  expect(laneOf("branch")).toBe("origin");
});
