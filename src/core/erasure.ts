// The words of an erasure, shared by who submits it and the format that reads it. Knows no stage.
import type { Submission } from "./incident.ts";

/** One record of the collector's own submissions: a person's key is about to be destroyed. */
export interface ErasureSubmission {
  readonly submit: "erasure";
  readonly ts: string;
  readonly user: Submission["user"];
  /** The person, as a keyed digest. */
  readonly subject: string;
  /** Entries that hold fields sealed for them. */
  readonly entries: number;
  /** Blobs of these entries that are about to be removed. */
  readonly blobs: readonly string[];
  readonly reason?: string | undefined;
}
