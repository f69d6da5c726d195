// The words of an erasure, shared by who submits it and the format that reads it, and what is sealed. Knows no stage.
import type { Submission } from "./incident.ts";

/** Fields that are sealed for persons: the user's own, and those of whoever he acted as or on. */
export const USER_FIELDS = [
  "user.id",
  "user.name",
  "user.email",
  "user.effective.name",
  "user.target.name",
] as const;
/** Fields of the user himself. Documents of which one of these was sealed for a person are this person's. */
export const OWN_FIELDS = ["id", "name", "email"] as const;

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
