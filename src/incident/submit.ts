// Hands what somebody says of an incident to the collector, which alone appends: a stream of its own in a spool that
// every collector reads. Says who, by the operating system, and waits for nothing.
import { userInfo } from "node:os";
import { join } from "node:path";
import { SpoolWriter } from "../chokepoint/spool-writer.ts";
import type { Said, Submission } from "../core/incident.ts";

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

/** Writes one submission, durable when it returns; gives the path that goes away when it is recorded. Throws SPOOL_FULL,
 * SPOOL_UNSAFE and SPOOL_UNWRITABLE. */
export function submit(state_dir: string, said: Said): string {
  const dir = submissionsDir(state_dir);
  const writer = new SpoolWriter({ dir, kind: "self", durability: "disk" });
  const record: Submission = {
    submit: "incident",
    ts: new Date().toISOString(),
    user: actor(),
    ...said,
  };
  writer.end(JSON.stringify(record));
  return join(dir, `${writer.stream}.1.done`);
}
