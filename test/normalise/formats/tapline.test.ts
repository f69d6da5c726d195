// The mapper of the collector's own submissions: golden file, what it takes and what it leaves, and where it is believed.
import { expect, it } from "vitest";
import { SUBMISSIONS } from "../../../src/core/incident.ts";
import { tapline } from "../../../src/normalise/formats/tapline.ts";
import { probe } from "../../../src/normalise/probe.ts";
import { fixture, golden, mapRecords } from "../harness.ts";
import { fuzz } from "./fuzz.ts";

const OWN = { source: SUBMISSIONS };

it("maps what is submitted, and keeps what is not", () => {
  const { events, outcomes } = golden(tapline, "incident", OWN);
  expect(new Set(outcomes)).toEqual(new Set(["recorded"]));
  expect(events.map((e) => e["tapline.incident.transition"])).toEqual([
    "acknowledged",
    "noted",
    "notified",
    "notified",
    "closed",
    "reopened",
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(events[1]!["tapline.incident.deadlines"]).toEqual({
    serious: { due: "2026-12-13T10:00:00.000Z", until: "reported" },
  });
  for (const e of events.slice(6)) expect(e["tapline.record.known"]).toBe(false);
  for (const e of events) expect(e["gen_ai.conversation.id"]).toBeUndefined();
});

it("maps what people do in the viewer, and keeps what it does not know", () => {
  const { events } = golden(tapline, "viewer", OWN);
  expect(events.map((e) => e["event.action"])).toEqual([
    "alert-triage",
    "alert-triage",
    "alert-triage",
    "alert-triage",
    "record",
    "record",
    "data-export",
    "data-export",
    "record",
  ]);
  for (const e of mapRecords(tapline, fixture("tapline/viewer.jsonl"), { source: "agents" }).events)
    expect(e["event.action"]).toBe("record");
});

it("bounds what is written", () => {
  const [line] = fixture("tapline/incident.jsonl") as Record<string, unknown>[];
  const { events } = mapRecords(tapline, [{ ...line, note: "x".repeat(100_000) }], OWN);
  expect(events[0]!["tapline.incident.note"]).toHaveLength(4096);
});

// A transcript that an agent writes could hold such lines too.
it("believes only a stream of the spool", () => {
  const line = JSON.stringify(fixture("tapline/incident.jsonl")[0]);
  const formatAt = (path: string): string => probe(Buffer.from(`${line}\n`), path).format;
  const name = "self-77-0123456789abcdef.1";
  expect(formatAt(`/state/submissions/${name}.done`)).toBe("tapline");
  expect(formatAt(`/state/submissions/${name}.spool`)).toBe("tapline");
  expect(formatAt("/home/ann/.claude/projects/x/session.jsonl")).not.toBe("tapline");
  expect(formatAt("/state/spool/hook-77-0123456789abcdef.1.spool")).not.toBe("tapline");
});

it("believes only the collector's own source", () => {
  const { events } = mapRecords(tapline, fixture("tapline/incident.jsonl"), { source: "agents" });
  for (const e of events) {
    expect([e["event.action"], e["tapline.incident.id"]]).toEqual(["record", undefined]);
    expect(e["tapline.record.known"]).toBe(false);
  }
});

it("takes anything", () => {
  fuzz(tapline, fixture("tapline/incident.jsonl"), 300, OWN);
});
