// Hands what somebody says of an incident, or does in the viewer, to the collector, which alone appends: a stream of its own in a spool that
// every collector reads. Says who, by the operating system, and waits for nothing.
import { userInfo } from "node:os";
import { join } from "node:path";
import { SpoolWriter } from "../chokepoint/spool-writer.ts";
import type { ErasureSubmission } from "../core/erasure.ts";
import type { Said, Submission } from "../core/incident.ts";
import type { ExportSubmission, TriageSubmission } from "../core/triage.ts";

/** Where submissions wait for the collector. */
export const submissionsDir = (state_dir: string): string => join(state_dir, "submissions");

/** Who runs this process. A user without a name has a number all the same. */
export function actor(): Submission["user"] {
  try {
    const { username, uid } = userInfo();
    return { name: username, id: String(uid) };
  } catch {
    return { name: "", id: String(process.getuid?.() ?? "") };
  }
}

/** What one says of an incident, with who and when. Throws as `submitRecord` does. */
export function submit(state_dir: string, said: Said, user: Submission["user"] = actor()): string {
  const record: Submission = { submit: "incident", ts: new Date().toISOString(), user, ...said };
  return submitRecord(state_dir, record);
}

/** Writes one submission, durable when it returns; gives the path that goes away when it is recorded. Throws SPOOL_FULL,
 * SPOOL_UNSAFE and SPOOL_UNWRITABLE. */
export function submitRecord(
  state_dir: string,
  record: Submission | TriageSubmission | ExportSubmission | ErasureSubmission,
): string {
  const dir = submissionsDir(state_dir);
  const writer = new SpoolWriter({ dir, kind: "self", durability: "disk" });
  writer.end(JSON.stringify(record));
  return join(dir, `${writer.stream}.1.done`);
}
