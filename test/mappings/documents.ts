// Real documents for the tests of mappings: whatever the fixtures of all formats give.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Document, newEngine, read } from "../fault/engine.ts";

/** Events and alerts of every fixture of every format and a line that cannot be read, with the fields that sinks add. */
export async function documents(): Promise<Document[]> {
  const engine = await newEngine();
  const all: Document[] = [];
  const inputs = readdirSync("test/fixtures", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".jsonl"))
    .map((name) => [name.split("/")[0]!, join("test/fixtures", name)] as const);
  for (const [format, path] of inputs) all.push(...read(engine, readFileSync(path), { format }).documents);
  all.push(...read(engine, "no JSON\n").documents);
  for (const [i, document] of all.entries()) {
    document["event"].sequence ??= i;
    document["event"].hash ??= `sha256:${"0".repeat(64)}`;
  }
  return all;
}
