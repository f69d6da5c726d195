// Fields that Tapline derives from an event before the rules see it: sizes, where data goes, what kind of tool it is,
// characters that readers do not see, encoded runs. Pure but for a cache of tool names; changes no content.
import { tagPersonDecided } from "../core/event.ts";
import type { Event } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";
import type { Json } from "../core/text.ts";
import { type Beacon, beaconIn } from "./beacon.ts";
import { factsOf } from "./command.ts";
import { type Run, longestRun } from "./encoded.ts";
import { destination, ofCommand, ofFile, ofPaths } from "./enrich-targets.ts";
import { FLAG_UNUSUAL } from "./prefilter.ts";
import { entropyOf } from "./secrets.ts";
import { recipientIn } from "./targets.ts";
import { toolClass } from "./tool-class.ts";
import { flagNames, unusualBits } from "./unusual.ts";
import { urlIn } from "./url.ts";

/** Sets derived fields where a mapper has not; `flags` are the prefilter's for the record. */
export function enrich(e: Event, flags: number): void {
  const args = e["gen_ai.tool.call.arguments"];
  const result = e["gen_ai.tool.call.result"];
  const tool = e["gen_ai.tool.name"];
  if (tool !== undefined) {
    e["tapline.tool.class"] ??= toolClass(tool);
    const server = e["tapline.server.name"];
    if (server !== undefined) e["tapline.tool.qualified"] ??= `${server}/${tool}`;
  }
  if (e["tapline.server.version"] !== undefined) ofServer(e);
  if (e["tapline.decision.decider.type"] === "user") tagPersonDecided(e);
  if (args !== undefined) ofArguments(e, args);
  else if (e["url.full"] !== undefined) destination(e, e["url.full"], true);
  if (e["file.path"] !== undefined) ofFile(e, e["file.path"], tool);
  if (result !== undefined) ofResult(e, result);
  if (e["gen_ai.output.messages"] !== undefined) ofOutput(e, e["gen_ai.output.messages"]);
  if (e["tapline.ext"] !== undefined) e["tapline.ext"] = sayable(e["tapline.ext"]);
  if (e["gen_ai.tool.definitions"] !== undefined) {
    e["gen_ai.tool.definitions"] = sayable(e["gen_ai.tool.definitions"]);
  }
  if ((flags & FLAG_UNUSUAL) !== 0) textFlags(e);
}

/** The value with numbers that JSON cannot say as text. */
function sayable(value: Json): Json {
  bytesOf(value, 0);
  if (!infinite) return value;
  infinite = false;
  return finite(value);
}

function ofResult(e: Event, result: Json): void {
  const bytes = bytesOf(result, 0);
  e["tapline.data.bytes_in"] ??= bytes;
  if (!infinite) return;
  infinite = false;
  e["gen_ai.tool.call.result"] = finite(result);
}

function ofArguments(e: Event, args: Json): void {
  const bytes = bytesOf(args, 0);
  e["tapline.data.bytes_out"] ??= bytes;
  if (infinite) {
    infinite = false;
    e["gen_ai.tool.call.arguments"] = finite(args);
  }
  const command = e["process.command_line"];
  const facts = command === undefined ? undefined : factsOf(command);
  if (facts !== undefined) ofCommand(e, facts);
  const url = e["url.full"] ?? urlIn(args, command);
  if (url !== undefined) destination(e, url, command === undefined || facts?.host !== undefined);
  if (e["event.action"] === "tool-result") return;
  ofPaths(e, args, e["gen_ai.tool.name"]);
  const recipient = recipientIn(args);
  if (recipient !== undefined) e["destination.address"] ??= recipient;
  if (bytes < LIMITS.encoded_run_chars) return;
  const run: Run = { start: 0, length: 0, text: "" };
  beacon = undefined;
  longestIn(args, run, 0);
  if (beacon !== undefined) setBeacon(e, beacon);
  if (run.length === 0) return;
  e["tapline.text.encoded_run"] = run.length;
  const part = run.text.slice(run.start, run.start + Math.min(run.length, LIMITS.entropy_chars));
  e["tapline.text.entropy"] = Math.round(entropyOf(part) * 1000) / 1000;
}

function ofServer(e: Event): void {
  const name = e["tapline.server.name"];
  if (name !== undefined) e["tapline.server.release"] ??= `${name}@${e["tapline.server.version"]}`;
}

/** Whoever shows what the model said calls the addresses of its images. */
function ofOutput(e: Event, output: Json): void {
  beacon = undefined;
  beaconsIn(output, 0);
  if (beacon !== undefined) setBeacon(e, beacon);
}

function setBeacon(e: Event, found: Beacon): void {
  e["tapline.beacon.kind"] = found.kind;
  e["tapline.beacon.domain"] = found.host;
  e["tapline.beacon.chars"] = found.chars;
}

/** Set by `bytesOf` when it met 1e400 or the like, which JSON cannot say as a number. */
let infinite = false;

function finite(value: Json): Json {
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(finite);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, finite(item)]));
}

/** Length in bytes of all text and numbers of a value: what was said, without JSON's own characters. */
function bytesOf(value: Json, depth: number): number {
  if (typeof value === "string") return value.length < 64 ? utf8Length(value) : Buffer.byteLength(value);
  if (typeof value !== "object" || value === null) {
    if (value === Infinity || value === -Infinity) infinite = true;
    return String(value).length;
  }
  if (depth > LIMITS.depth) return 0;
  let sum = 0;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) sum += bytesOf(value[i] as Json, depth + 1);
    return sum;
  }
  const object = value as Readonly<Record<string, Json>>;
  for (const key in object) sum += key.length + bytesOf(object[key]!, depth + 1);
  return sum;
}

/** As Buffer.byteLength, without leaving JavaScript. */
function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c > 127) bytes += c > 2047 && (c < 0xd800 || c > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

function longestIn(value: Json, run: Run, depth: number): void {
  if (typeof value === "string") {
    if (value.length < LIMITS.encoded_run_chars) return;
    longestRun(value, run);
    if (mayBeacon(value)) beacon = beaconIn(value, beacon);
    return;
  }
  if (typeof value !== "object" || value === null || depth > LIMITS.depth) return;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) longestIn(value[i] as Json, run, depth + 1);
    return;
  }
  const object = value as Readonly<Record<string, Json>>;
  for (const key in object) longestIn(object[key]!, run, depth + 1);
}

/** The address that carries most data in the texts looked at. */
let beacon: Beacon | undefined;

function mayBeacon(text: string): boolean {
  if (!text.includes("http")) return false;
  return (
    text.includes("](") ||
    text.includes("]: http") ||
    (text.includes("<") && /=\s{0,4}["']?https?:/.test(text))
  );
}

function beaconsIn(value: Json, depth: number): void {
  if (typeof value === "string") {
    if (mayBeacon(value)) beacon = beaconIn(value, beacon);
    return;
  }
  if (typeof value !== "object" || value === null || depth > LIMITS.depth) return;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) beaconsIn(value[i] as Json, depth + 1);
    return;
  }
  const object = value as Readonly<Record<string, Json>>;
  for (const key in object) beaconsIn(object[key]!, depth + 1);
}

const SHOWN = [
  "gen_ai.tool.call.arguments",
  "gen_ai.tool.call.result",
  "gen_ai.tool.definitions",
  "gen_ai.tool.description",
  "gen_ai.system_instructions",
  "gen_ai.input.messages",
  "gen_ai.output.messages",
  "message",
  "tapline.ext",
] as const;

function textFlags(e: Event): void {
  let bits = 0;
  for (let i = 0; i < SHOWN.length; i++) {
    const value = e[SHOWN[i]!];
    if (value !== undefined) bits |= bitsOf(value, 0);
  }
  if (bits !== 0) e["tapline.text.flags"] = flagNames(bits);
}

function bitsOf(value: Json, depth: number): number {
  if (typeof value === "string") return unusualBits(value);
  if (typeof value !== "object" || value === null || depth > LIMITS.depth) return 0;
  let bits = 0;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) bits |= bitsOf(value[i] as Json, depth + 1);
    return bits;
  }
  const object = value as Readonly<Record<string, Json>>;
  for (const key in object) bits |= unusualBits(key) | bitsOf(object[key]!, depth + 1);
  return bits;
}
