// A store of made events in files and a tail, and what the same questions come to over the events in memory: the oracle.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { type Event, serialise } from "../../src/core/generated/event.ts";
import { eventOf } from "../../src/core/event.ts";
import { AIDS_VERSION, writeGrams } from "../../src/store/aids.ts";
import { openDuckdb } from "../../src/store/duckdb.ts";
import { GramSet } from "../../src/store/grams.ts";
import { readManifest, writeManifest } from "../../src/store/manifest.ts";
import { writeRollup } from "../../src/store/rollup.ts";
import type { EntryReader } from "../../src/store/entries.ts";
import { StoreWriter } from "../../src/store/writer.ts";
import { Database } from "../../src/viewer/database.ts";
import type { Term } from "../../src/viewer/query.ts";
import { TEXT_FIELDS, typeOf } from "../../src/viewer/where.ts";
import { memoryLedger } from "../store/ledgers.ts";

export const BEGIN_MS = Date.UTC(2026, 9, 1);
const TOOLS = ["Bash", "fetch", "read_file", `it's "odd" \\ *`, "Ünï", undefined];
const USERS = ["ann", "bob", undefined];
const ACTIONS = ["tool-call", "tool-result", "rule-alert", "heartbeat"] as const;
const TEXTS = ["The quick brown fox", `quotes " and \\ and\nlines`, "=1+1", "ÄÖÜ straße", undefined];
const CONTROLS = [["A.6.2.6", "A.6.2.8"], ["A.6.2.8"], [], undefined];

/** Deterministic. */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

export function madeEvents(count: number): Event[] {
  const next = random(7);
  const pick = <T>(list: readonly T[]): T => list[next(list.length)]!;
  return Array.from({ length: count }, (_, n) => {
    const action = pick(ACTIONS);
    const e = eventOf(action, { namespace: "default", host: pick(["h1", "h2"]), version: "0" });
    // Most in order, some much earlier.
    const ms = BEGIN_MS + n * 60_000 - (next(8) === 0 ? next(20) * 86_400_000 : 0);
    e["@timestamp"] = new Date(ms).toISOString();
    e["event.id"] = `e${n}`;
    e["gen_ai.tool.name"] = pick(TOOLS);
    e["user.name"] = pick(USERS);
    e["gen_ai.conversation.id"] = `s${next(9)}`;
    e["message"] = pick(TEXTS);
    e["tapline.primary"] = pick([true, false, undefined]);
    e["event.duration"] = pick([undefined, next(1_000), next(1_000_000_000)]);
    e["tapline.data.bytes_out"] = pick([undefined, next(5_000)]);
    e["event.outcome"] = pick(["success", "failure", undefined]);
    const controls = pick(CONTROLS);
    e["tapline.control.direct"] = controls === undefined ? undefined : [...controls];
    if (action === "rule-alert") e["tapline.alert.level"] = pick(["low", "high"]);
    const text = pick(TEXTS);
    if (text !== undefined) e["gen_ai.tool.call.arguments"] = { command: text };
    return e;
  });
}

/** A store with these events: files up to each of `ends`, the rest in the ledger after them. Gone at the end. */
export async function openMade(
  events: readonly Event[],
  ends: readonly number[],
  aided = false,
): Promise<Database> {
  const dir = mkdtempSync(join(tmpdir(), "tapline-viewer-"));
  const ledger = memoryLedger(events.map((event) => serialise(event)));
  const writer = new StoreWriter({ dir, ledger, memory_mb: 256, now: Date.now, warn: () => {} });
  let first = 0;
  for (const end of ends) {
    await writer.write(first, end);
    first = end;
  }
  writer.close();
  if (aided) await aid(dir, ledger);
  const database = await Database.open({ dir, ledger, memory_mb: 256 });
  opened.push({ dir, database });
  return database;
}

/** Summary rows and runs of letters beside every file, however small it is. */
export async function aid(dir: string, ledger: EntryReader): Promise<void> {
  const duckdb = await openDuckdb(":memory:", 256, "");
  const manifest = readManifest(dir);
  const files = [];
  for (const file of manifest.files) {
    const rollup = await writeRollup(duckdb.connection, dir, file);
    const grams = new GramSet();
    for (let at = file.first; at < file.end;) {
      const batch = (await ledger.read(at, file.end - at, 1e9))!;
      grams.add(batch.run);
      at += batch.count;
    }
    const bits = grams.finish();
    await writeGrams(dir, file, bits);
    files.push({ ...file, aids: { version: AIDS_VERSION, rollup, grams: { bytes: bits.length } } });
  }
  duckdb.close();
  await writeManifest(dir, { ...manifest, files });
}

const opened: { readonly dir: string; readonly database: Database }[] = [];
afterAll(() => {
  for (const { dir, database } of opened) {
    database.close();
    rmSync(dir, { recursive: true, force: true });
  }
});

const valueOf = (e: Event, field: string): unknown => (e as unknown as Record<string, unknown>)[field];
/** As the store's column has it. */
function held(e: Event, field: string): unknown {
  const value = valueOf(e, field);
  if (value === undefined || value === null) return undefined;
  return typeOf(field) === "object" ? JSON.stringify(value) : value;
}
const fold = (text: string): string => text.toLowerCase();

/** Whether an event meets a term, by what the language says. */
export function meets(e: Event, term: Term): boolean {
  return positive(e, term) !== term.not;
}

function positive(e: Event, term: Term): boolean {
  if (term.kind === "text") {
    return TEXT_FIELDS.some((field) => {
      const value = held(e, field);
      const text = typeOf(field) === "object" ? JSON.stringify(term.text).slice(1, -1) : term.text;
      return typeof value === "string" && fold(value).includes(fold(text));
    });
  }
  const value = held(e, term.field);
  const type = typeOf(term.field)!;
  if (value === undefined) return false;
  if (term.kind === "there") return !Array.isArray(value) || value.length > 0;
  if (term.kind === "above" || term.kind === "below") {
    const [a, b] =
      type === "date"
        ? [Date.parse(String(value)), Date.parse(term.value)]
        : [Number(value), Number(term.value)];
    return term.kind === "above" ? a > b : a < b;
  }
  const all = Array.isArray(value) ? value : [value];
  if (term.kind !== "is") throw new Error("there is no oracle for it");
  return term.values.some(({ text, prefix }) => {
    if (type === "text" || type === "object") return fold(String(value)).includes(fold(text));
    if (type === "long") return value === Number(text);
    if (type === "boolean") return String(value) === text;
    return all.some((one) => (prefix ? String(one).startsWith(text) : one === text));
  });
}
