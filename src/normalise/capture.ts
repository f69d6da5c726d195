// How much of the content an event keeps: the capture level of each data class, and of who the user is. Runs after
// redaction and enrichment, on finished events; what it drops, no rule and no sink sees.
import { canonical, type Digest } from "../core/digest.ts";
import { USER_FIELDS } from "../core/erasure.ts";
import type { Event, FieldName } from "../core/generated/event.ts";
import type { Capture, CaptureLevel } from "../core/stage.ts";
import { CONTENT_CLASS } from "./content.ts";
import type { Sealer } from "./seal.ts";

const PSEUDONYM_CHARS = 16;

/** Lets through what the levels allow, and writes the levels into the event. Sealing without a sealer falls back to
 * pseudonyms, and the event says so. */
export function applyCapture(e: Event, capture: Capture, digest: Digest, sealer?: Sealer): void {
  const level = capture.arguments;
  if (level !== capture.results || level !== capture.messages || level === "metadata" || level === "hashed") {
    reduce(e, capture, digest);
  }
  let identity = capture.identity;
  if (identity !== "full") {
    if (identity === "sealed" && sealer !== undefined) sealUser(e, digest, sealer);
    else {
      identity = "pseudonym";
      pseudonymise(e, digest);
    }
  }
  e["tapline.capture.arguments"] = level;
  e["tapline.capture.results"] = capture.results;
  e["tapline.capture.messages"] = capture.messages;
  e["tapline.capture.identity"] = identity;
}

function strictest(capture: Capture): CaptureLevel {
  const levels: readonly CaptureLevel[] = [capture.arguments, capture.results, capture.messages];
  if (levels.includes("metadata")) return "metadata";
  return levels.includes("hashed") ? "hashed" : "redacted";
}

function reduce(e: Event, capture: Capture, digest: Digest): void {
  const values = e as unknown as Record<string, unknown>;
  for (const [name, content] of CONTENT_CLASS) {
    const value = values[name];
    if (value === undefined) continue;
    const level = content === "all" ? strictest(capture) : capture[content];
    if (level === "metadata") values[name] = undefined;
    else if (level === "hashed") {
      values[name] = hashed(value, digest);
    }
  }
  if (capture.arguments === "metadata") e["tapline.tool.args_hash"] = undefined;
  if (capture.results === "metadata") e["tapline.tool.result_hash"] = undefined;
}

function hashed(value: unknown, digest: Digest): unknown {
  if (typeof value === "string") return `digest:${digest(value)}`;
  if (Array.isArray(value)) return value.map((item) => hashed(item, digest));
  return { digest: digest(canonical(value)) };
}

function pseudonymise(e: Event, digest: Digest): void {
  for (let i = 0; i < USER_FIELDS.length; i++) {
    const value = e[USER_FIELDS[i]!];
    if (value !== undefined && value !== "")
      e[USER_FIELDS[i]!] = `p:${digest(value).slice(0, PSEUDONYM_CHARS)}`;
  }
}

/** Fields about the user are sealed under his key; the other two people each under their own. */
function sealUser(e: Event, digest: Digest, sealer: Sealer): void {
  const user = e["user.id"] ?? e["user.email"] ?? e["user.name"];
  for (let i = 0; i < USER_FIELDS.length; i++) {
    const name: FieldName & (typeof USER_FIELDS)[number] = USER_FIELDS[i]!;
    const value = e[name];
    if (value === undefined || value === "") continue;
    const subject = name === "user.effective.name" || name === "user.target.name" ? value : user!;
    e[name] = sealer.seal(digest(subject), value);
  }
}
