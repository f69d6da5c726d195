// Drift: what a format does not know is counted by format and client version, bounded, and says no secrets.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDigest } from "../../src/core/digest.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { Drift, unknownFields } from "../../src/normalise/drift.ts";
import { FORMATS } from "../../src/normalise/formats/index.ts";
import { Normaliser } from "../../src/normalise/index.ts";
import { createRedactor } from "../../src/normalise/redact.ts";
import { addTo, driftOf, emptyTally } from "../../src/tally.ts";
import { fixture } from "./harness.ts";

function countsOf(format: string, records: readonly unknown[]) {
  const normaliser = new Normaliser({
    origin: { namespace: "default", host: "test", version: "0" },
    digest: createDigest("test"),
    redactor: createRedactor("test"),
    inspect: undefined,
    sealer: undefined,
    started: "2026-01-01T00:00:00.000000000Z",
  });
  const capture = {
    arguments: "redacted",
    results: "redacted",
    messages: "redacted",
    identity: "full",
  } as const;
  const buffer = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  const streams = [
    {
      id: "s",
      source: "t",
      path: "x",
      format,
      session: undefined,
      options: undefined,
      capture,
      modified_ms: 0,
    },
  ];
  const segments = [{ stream: "s", start: 0, end: buffer.length, offset: 0 }];
  return normaliser.process({ buffer, segments, streams, now_ms: Date.UTC(2026, 10, 23) }).counts;
}
const record = (more: object) => ({
  type: "user",
  sessionId: "s",
  version: "2.1.330",
  timestamp: "2026-11-20T10:00:00Z",
  message: { role: "user", content: "hi" },
  ...more,
});

describe("what Claude Code writes that the format does not know", () => {
  test("is counted by version: types, fields, and fields of the message", () => {
    const { drift } = countsOf("claude-code", [
      record({ uuid: "1" }),
      record({ uuid: "2", quantum: 1 }),
      record({ uuid: "3", quantum: 2, message: { role: "user", content: "x", spin: 1 } }),
      record({ uuid: "4", type: "leap", anything: 1 }),
    ]);
    expect(drift).toEqual({
      "claude-code\t2.1.330\tfield\tquantum": 2,
      "claude-code\t2.1.330\tfield\tmessage.spin": 1,
      "claude-code\t2.1.330\ttype\tleap": 1,
    });
  });

  test("and when nothing is unknown, nothing is counted", () => {
    expect(countsOf("claude-code", [record({ uuid: "1" })]).drift).toBeUndefined();
  });

  test("names no secret and stays printable", () => {
    const secret = `ghp_${"a1B2c3D4e5".repeat(4).slice(0, 36)}`;
    const { drift } = countsOf("claude-code", [record({ uuid: "1", [secret]: 1, "tab\tand\u001b[31m": 1 })]);
    const text = Object.keys(drift!).join("\n");
    expect(text).not.toContain(secret);
    expect(text).toContain("REDACTED");
    expect(text).toContain("field\ttab?and?[31m");
  });
});

test("the samples at hand hold no field that their format does not know", () => {
  for (const [format, names] of Object.entries({
    codex: ["shapes", "twice", "exec"],
    copilot: ["shapes", "decisions", "listing"],
    cursor: ["small", "subagent"],
    gemini: ["v040", "rewritten"],
    hook: ["codex", "copilot", "cursor", "gemini", "kiro", "windsurf"],
  })) {
    const known = FORMATS.find(({ name }) => name === format)!.fields!;
    for (const name of names) {
      for (const of of fixture(`${format}/${name}.jsonl`)) expect(unknownFields(known, of) ?? []).toEqual([]);
    }
  }
});

test("counts add up, however many names there are", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 2 * LIMITS.drift_names }), { maxLength: 3_000 }),
      (names) => {
        const drift = new Drift();
        const tally = emptyTally();
        for (const [i, name] of names.entries()) {
          drift.add("f", "1", "field", `n${name}`);
          if (i % 700 === 699) addTo(tally, { drift: drift.take()! });
        }
        const rest = drift.take();
        if (rest !== undefined) addTo(tally, { drift: rest });
        const lines = driftOf(tally.drift);
        expect(lines.reduce((sum, { count }) => sum + count, 0)).toBe(names.length);
        expect(lines.length).toBeLessThanOrEqual(LIMITS.drift_names + 1);
      },
    ),
    { numRuns: 30 },
  );
});
