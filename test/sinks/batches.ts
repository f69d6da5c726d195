// Makes batches of real events for the tests of sinks, and reads them back by parsing: the slow twin of the encoder.
import { type Event, serialise } from "../../src/core/generated/event.ts";
import { eventOf } from "../../src/core/event.ts";
import { forEachEntry, leafHashOf } from "../../src/core/entry.ts";
import { RunWriter } from "../../src/core/run.ts";
import type { Action } from "../../src/core/generated/classes.ts";
import type { Context, EntryBatch } from "../../src/core/stage.ts";

export const ORIGIN = { namespace: "default", host: "test", version: "0.0.0" };

/** A tool call with a deterministic id: event n of a series. */
export function toolCall(
  prefix: string,
  n: number,
  namespace = "default",
  action: Action = "tool-call",
): Event {
  const e = eventOf(action, { ...ORIGIN, namespace });
  e["@timestamp"] = new Date(Date.UTC(2026, 9, 1) + n * 1000).toISOString();
  e["event.id"] = `${prefix}-${String(n).padStart(8, "0")}`;
  e["gen_ai.tool.name"] = `tool_${n % 5}`;
  e["tapline.server.name"] = `server-${n % 3}`;
  e["tapline.decision.verdict"] = n % 4 === 0 ? "deny" : "allow";
  e["gen_ai.tool.call.arguments"] = { path: `/tmp/${n}`, text: '\u00e9\u4e2d\ud83d\ude00 "quoted" \\ back' };
  return e;
}

/** Documents as a batch of the ledger, beginning at index `first`. */
export function batchOf(documents: readonly string[], first = 0): EntryBatch {
  const writer = new RunWriter(1 << 16);
  for (const document of documents)
    if (!writer.add(document)) throw new Error("the document is longer than an entry");
  const { run, hashes, count } = writer.take();
  return { first, count, run, hashes };
}

export function series(name: string, count: number, first = 0): EntryBatch {
  return batchOf(
    Array.from({ length: count }, (_, i) => serialise(toolCall(name, first + i))),
    first,
  );
}

export interface Expected {
  readonly stream: string;
  readonly id: string;
  readonly document: Record<string, unknown>;
}

/** What a sink must make of a batch, worked out by parsing and serialising. */
export function expected(batch: EntryBatch): Expected[] {
  const all: Expected[] = [];
  forEachEntry(batch.run, (start, end, position) => {
    const bytes = batch.run.subarray(start, end);
    const document = JSON.parse(Buffer.from(bytes).toString()) as Record<string, Record<string, unknown>>;
    document["event"]!["sequence"] = batch.first + position;
    document["event"]!["hash"] = `sha256:${Buffer.from(leafHashOf(bytes)).toString("hex")}`;
    const { dataset, namespace } = document["data_stream"] as { dataset: string; namespace: string };
    all.push({ stream: `logs-${dataset}-${namespace}`, id: String(document["event"]!["id"]), document });
  });
  return all;
}

/** A context whose log lines are kept. */
export function testContext(stateDir = "/nonexistent"): Context & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    name: "test",
    state_dir: stateDir,
    origin: "tapline/test",
    now: Date.now,
    lines,
    log: (level, m) => void lines.push(`${level}: ${m}`),
  };
}
