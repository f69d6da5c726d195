// What a verification finds: what is wrong, from which entry on, and what is worth knowing.
import { LIMITS } from "../core/limits.ts";

export interface Finding {
  /** First entry concerned, where known: the ledger cannot be relied on from here. */
  readonly index: number | undefined;
  readonly file: string | undefined;
  readonly message: string;
}

/** Where the checks put what they find. */
export class Report {
  readonly findings: Finding[] = [];
  readonly notes: string[] = [];
  unlisted = 0;
  /** Blobs looked at; their text too when there is a digest. */
  blobs = 0;
  readonly digest: ((text: string) => string) | undefined;
  wrongFrom: number | undefined;
  /** Blobs that may be missing from entries before the one given, which says that they were erased. */
  excused: ReadonlyMap<string, number> = new Map();
  /** How many were. */
  erased = 0;

  constructor(digest: ((text: string) => string) | undefined) {
    this.digest = digest;
  }

  wrong(message: string, place: { index?: number; file?: string } = {}): void {
    const { index, file } = place;
    if (index !== undefined) this.wrongFrom = Math.min(index, this.wrongFrom ?? index);
    if (this.findings.length === LIMITS.findings) this.unlisted++;
    else this.findings.push({ index, file, message });
  }
}
