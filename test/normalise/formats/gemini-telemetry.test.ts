// The telemetry file of Gemini CLI: golden events of what its own exporters wrote, cut and mapped from the file's bytes.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createDigest } from "../../../src/core/digest.ts";
import { forEachEntry } from "../../../src/core/entry.ts";
import { FORMATS } from "../../../src/normalise/formats/index.ts";
import { geminiTelemetry } from "../../../src/normalise/formats/gemini-telemetry.ts";
import { Normaliser } from "../../../src/normalise/index.ts";
import { probe } from "../../../src/normalise/probe.ts";
import { createRedactor } from "../../../src/normalise/redact.ts";
import { golden, mapRecords } from "../harness.ts";
import { fuzz } from "./fuzz.ts";

const bytes = readFileSync(new URL("../../fixtures/gemini-telemetry/telemetry.log", import.meta.url));
// Read without the code under test: every object ends where its brace stands alone.
const records = bytes
  .toString()
  .split(/(?<=^\}\n)/m)
  .map((text) => JSON.parse(text) as unknown);

describe("gemini-telemetry", () => {
  it("maps telemetry", () => {
    const { outcomes } = golden(geminiTelemetry, "telemetry", {}, records);
    expect(outcomes.filter((outcome) => outcome === "skipped:metrics")).toHaveLength(2);
  });

  it("is recognised from the first bytes of the file", () => {
    const found = probe(bytes.subarray(0, 4_096), "telemetry.log");
    expect(found).toMatchObject({
      format: "gemini-telemetry",
      session: "5f1d0b9e-0000-4000-8000-000000000001",
    });
    for (const other of FORMATS) {
      const score = other.recognise(records.slice(0, 16), "telemetry.log");
      expect(score, other.name).toBeLessThanOrEqual(other === geminiTelemetry ? 1 : 0.5);
    }
  });

  it("counts an answer once, though it is told twice", () => {
    const { events } = mapRecords(geminiTelemetry, records);
    const calls = events.filter((e) => e["event.action"] === "model-call");
    expect(calls.map((e) => e["tapline.primary"])).toEqual([true, false]);
    expect(calls.reduce((sum, e) => sum + (e["gen_ai.usage.output_tokens"] ?? 0), 0)).toBe(9);
    expect(calls.reduce((sum, e) => sum + (e["gen_ai.usage.input_tokens"] ?? 0), 0)).toBe(120);
  });

  it("is cut from bytes into the records that were written, at their offsets", () => {
    const normaliser = new Normaliser({
      origin: { namespace: "default", host: "test", version: "0" },
      digest: createDigest("test"),
      redactor: createRedactor("test"),
      inspect: undefined,
      sealer: undefined,
      started: "2026-01-01T00:00:00.000000000Z",
    });
    const capture = { arguments: "full", results: "full", messages: "full", identity: "full" } as const;
    const stream = {
      id: "s",
      source: "test",
      path: "telemetry.log",
      format: "gemini-telemetry",
      session: undefined,
      framing: "block" as const,
      options: undefined,
      capture,
      modified_ms: 0,
    };
    const torn = Buffer.concat([bytes, Buffer.from('\n{\n  "hrTime": [\n')]);
    const { counts, run, count } = normaliser.process({
      buffer: torn,
      segments: [{ stream: "s", start: 0, end: torn.length, offset: 0 }],
      streams: [stream],
      now_ms: Date.UTC(2026, 10, 23),
    });
    expect(counts).toMatchObject({ read: records.length + 2, unparsable: 1 });
    expect(counts.skipped).toEqual({ metrics: 2, blank: 1 });
    const offsets = new Set<number>();
    let seen = 0;
    forEachEntry(run, (start, end) => {
      const entry = JSON.parse(Buffer.from(run.subarray(start, end)).toString()) as {
        log: { offset: number };
      };
      offsets.add(entry.log.offset);
      seen++;
    });
    expect(seen).toBe(count);
    for (const offset of offsets) expect(torn.toString("latin1", offset, offset + 2)).toBe("{\n");
  });

  it("never throws and emits only legal fields", () => {
    fuzz(geminiTelemetry, records);
  });
});
