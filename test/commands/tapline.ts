// Runs the command line as a user does, in a process of its own, and reads what it left. Kills what still runs at the end.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll } from "vitest";
import { FIELDS } from "../../src/core/generated/event.ts";
import { forEachEntry } from "../../src/core/entry.ts";
import { openReader } from "../../src/ledger/reader.ts";
import { checkEvent } from "../normalise/harness.ts";

const MAIN = resolve("bin/tapline.js");
// The command line starts another process on an older Node; a kill has to meet the collector itself.
export const NODE =
  Number(process.versions.node.split(".")[0]) >= 24
    ? process.execPath
    : resolve("node_modules/node/bin/node");
const TIMEOUT_MS = 100_000;

const started: ChildProcess[] = [];
const homes: string[] = [];
afterAll(() => {
  for (const child of started) if (child.exitCode === null) child.kill("SIGKILL");
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

/** A directory for one test, removed at the end. */
export function newHome(): string {
  const home = mkdtempSync(join(tmpdir(), "tapline-command-"));
  homes.push(home);
  return home;
}

/** Starts `tapline` without waiting for it. Configuration and state of the user who runs the tests are not seen. */
export function start(home: string, ...args: string[]): ChildProcess {
  const { TAPLINE_CONFIG: _, ...env } = process.env;
  const child = spawn(NODE, [MAIN, ...args], {
    env: { ...env, HOME: home, XDG_STATE_HOME: join(home, "state-home"), CODEX_HOME: join(home, ".codex") },
    stdio: ["pipe", "pipe", "pipe"],
  });
  started.push(child);
  return child;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Waits for a process that `start` gave; kills one that hangs. */
export async function ended(
  child: ChildProcess,
  input: string | Buffer = "",
  timeout_ms = TIMEOUT_MS,
): Promise<Ended> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout!.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr!.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin!.on("error", () => {}); // it may end before it has read everything
  child.stdin!.end(input);
  const timer = setTimeout(() => child.kill("SIGKILL"), timeout_ms);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
}

/** Runs `tapline` to its end. */
export function tapline(home: string, args: readonly string[], input?: string | Buffer): Promise<Ended> {
  return ended(start(home, ...args), input);
}

/** Writes a configuration (JSON is YAML) whose state is in `<home>/state`; returns its path. One worker, where a test does
 * not ask for more: each compiles all rules when it starts. */
export function configure(home: string, options: Record<string, unknown>, name = "tapline.yml"): string {
  const path = join(home, name);
  writeFileSync(path, JSON.stringify({ state_dir: join(home, "state"), workers: 1, ...options }));
  return path;
}

export type Document = Record<string, unknown>;

export function documents(ndjson: string): Document[] {
  return ndjson
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Document);
}

/** The value of a dotted field. */
export function field(document: Document, name: string): unknown {
  return name.split(".").reduce<unknown>((at, key) => (at as Document | undefined)?.[key], document);
}

export const actionsOf = (all: readonly Document[], action: string): Document[] =>
  all.filter((document) => field(document, "event.action") === action);

export function countBy(all: readonly Document[], name: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const document of all) {
    const value = field(document, name);
    if (value === undefined) continue;
    for (const one of [value].flat()) counts.set(String(one), (counts.get(String(one)) ?? 0) + 1);
  }
  return counts;
}

/** A document with its fields at their dotted names; objects that are fields themselves stay whole. */
export function flat(document: Document, prefix = "", into: Document = {}): Document {
  for (const [key, value] of Object.entries(document)) {
    const name = prefix + key;
    const inner = typeof value === "object" && value !== null && !Array.isArray(value);
    if (inner && !(name in FIELDS)) flat(value as Document, `${name}.`, into);
    else into[name] = value;
  }
  return into;
}

/** Throws when a document has a field that the table does not know, or a value that its type does not allow. */
export function checkDocument(document: Document): void {
  checkEvent(flat(document));
}

/** All entries of a ledger, as documents without `event.sequence` and `event.hash`. */
export async function entriesOf(dir: string): Promise<Document[]> {
  const reader = openReader(dir);
  const all: Document[] = [];
  for (;;) {
    const batch = await reader.read(all.length, 4096, 8 << 20);
    if (batch === undefined) break;
    const run = Buffer.from(batch.run.buffer, batch.run.byteOffset, batch.run.length);
    forEachEntry(batch.run, (from, to) => all.push(JSON.parse(run.toString("utf8", from, to)) as Document));
  }
  await reader.close();
  return all;
}

/** Tool calls and results in Claude Code transcripts, counted from the text and not through Tapline. */
export function countTranscript(text: string): { calls: number; results: number } {
  const calls = new Set<string>();
  const results = new Set<string>();
  for (const record of documents(text)) {
    // What a subagent does stands in the record of its progress.
    const content = field(record, "message.content") ?? field(record, "data.message.message.content");
    if (!Array.isArray(content)) continue;
    for (const block of content as { type?: string; id?: string; tool_use_id?: string }[]) {
      if (block.type === "tool_use") calls.add(block.id!);
      if (block.type === "tool_result") results.add(block.tool_use_id!);
    }
  }
  return { calls: calls.size, results: results.size };
}
