// What the first records of a stream tell of the client behind it: process, working directory, times. With it a
// proxy's stream finds the transcript of the same session. Reads the places of those formats that have any. Pure.
import { hash } from "node:crypto";
import type { StreamFacts, Vantage } from "../core/stage.ts";
import { fromEpoch, parseTime, toMs } from "../core/time.ts";
import { asObject, asText } from "./format.ts";

/** Ms since 1970 of a time as records write it. */
function msOf(value: unknown): number | undefined {
  const time =
    typeof value === "string" ? parseTime(value) : typeof value === "number" ? fromEpoch(value) : undefined;
  return time === undefined ? undefined : toMs(time);
}

/** Directories are compared, never shown. */
function directory(value: unknown): string | undefined {
  const path = asText(value);
  if (path === undefined) return undefined;
  const plain = path.length > 1 ? path.replace(/\/+$/, "") : path;
  return hash("sha256", plain, "base64url").slice(0, 22);
}

/** Time of one record: Claude Code, Codex and Copilot write `timestamp`, the proxy `ts`. */
export function timeOf(record: unknown): number | undefined {
  const fields = asObject(record);
  return msOf(fields?.["timestamp"] ?? fields?.["ts"]);
}

function earliest(lines: readonly unknown[]): number | undefined {
  let first: number | undefined;
  for (const line of lines) {
    const at = timeOf(line);
    if (at !== undefined && (first === undefined || at < first)) first = at;
  }
  return first;
}

/** The agent's directory: `cwd` of the record, or of what is in it. */
function transcript(lines: readonly unknown[]): StreamFacts | undefined {
  let cwd: string | undefined;
  let branch: true | undefined;
  for (const line of lines) {
    const fields = asObject(line);
    if (fields === undefined) continue;
    const data = asObject(fields["data"]);
    const payload = asObject(fields["payload"]);
    cwd ??= directory(
      fields["cwd"] ?? payload?.["cwd"] ?? data?.["cwd"] ?? asObject(data?.["context"])?.["cwd"],
    );
    if (asObject(fields["forkedFrom"]) !== undefined || asText(payload?.["forked_from_id"]) !== undefined)
      branch = true;
  }
  return cwd === undefined ? undefined : { transcript: true, branch, cwd, from_ms: earliest(lines) };
}

/** What a proxy says of its client: `client: {pid, started, cwd}` in any of the first lines. */
function proxied(lines: readonly unknown[], session: string | undefined): StreamFacts | undefined {
  let pid: number | undefined;
  let started_ms: number | undefined;
  let cwd: string | undefined;
  for (const line of lines) {
    const fields = asObject(line);
    // Sessions that interleave are named by their records.
    if (session === undefined && asText(fields?.["session"]) !== undefined) return undefined;
    const client = asObject(fields?.["client"]);
    if (client === undefined) continue;
    const id = client["pid"];
    if (typeof id === "number" && Number.isSafeInteger(id) && id > 0) pid ??= id;
    started_ms ??= msOf(client["started"]);
    cwd ??= directory(client["cwd"]);
  }
  if (pid === undefined && cwd === undefined) return undefined;
  return { transcript: false, pid, started_ms, cwd, from_ms: earliest(lines) };
}

/** Undefined when the records tell nothing that a session can be found by. `session` is the one that they name. */
export function factsOf(
  vantage: Vantage,
  lines: readonly unknown[],
  session: string | undefined,
): StreamFacts | undefined {
  if (vantage === "transcript") return session === undefined ? undefined : transcript(lines);
  return vantage === "proxy" ? proxied(lines, session) : undefined;
}
