// The process in which a collector's slow checks run, at low priority: the ledger verified, incidents read, what
// retention is to remove looked for. Started by slow.ts with one task on its standard input; writes one answer and ends. Changes nothing.
import { constants, setPriority } from "node:os";
import { dirname } from "node:path";
import { createDigest } from "../core/digest.ts";
import { reasonOf } from "../core/errors.ts";
import { incidentEvents } from "../incident/read.ts";
import { replayed } from "../incident/replay.ts";
import { findDigestKey } from "../keys.ts";
import { blobsOnlyBefore, planPrune } from "../ledger/prune-plan.ts";
import { type LedgerReader, openReader } from "../ledger/reader.ts";
import { verifyLedger } from "../ledger/verify.ts";
import type { Answer, Task } from "./slow.ts";

async function withReader<T>(dir: string, work: (reader: LedgerReader) => Promise<T>): Promise<T> {
  const reader = openReader(dir);
  try {
    return await work(reader);
  } finally {
    await reader.close();
  }
}

async function answer(task: Task): Promise<Answer> {
  if (task.what === "incidents") {
    const all = replayed(await incidentEvents(task.config));
    return { incidents: [...all.values()].map(({ incident }) => incident) };
  }
  if (task.what === "prune")
    return { plan: await withReader(task.dir, (reader) => planPrune(reader, task.ask)) };
  if (task.what === "blobs")
    return { blobs: await withReader(task.dir, (reader) => blobsOnlyBefore(reader, task.from, task.to)) };
  const { dir, since } = task;
  const key = await findDigestKey(dirname(dir));
  const { findings, size, root, entries, wrong_from } = await verifyLedger(dir, {
    digest: key === undefined ? undefined : createDigest(key),
    since,
  });
  const wrong = findings.map(({ message }) => message);
  const at = root === undefined ? undefined : { size, root };
  return { verified: { wrong, at, entries, wrong_from } };
}

process.on("message", (task: Task) => {
  answer(task)
    .catch((error: unknown): Answer => ({ failed: reasonOf(error) }))
    .then((said) => process.send!(said, () => process.exit(0)))
    .catch(() => process.exit(1));
});
process.on("disconnect", () => process.exit(0));
setPriority(constants.priority.PRIORITY_LOW);
