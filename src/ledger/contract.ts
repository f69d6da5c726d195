// What the writer of a ledger gives to it and gets from it.
import type { Context } from "../core/stage.ts";
import type { Frame } from "./frame.ts";

/** While `held` entries are recorded and no checkpoint is signed: somebody holds a history that this is no continuation
 * of. The caller's switch. */
export interface Signing {
  held: boolean;
}

/** What is known of a signer in another process. */
export interface SignerStatus {
  /** Its socket. */
  readonly place: string;
  /** Entries of the last checkpoint that it signed since the start, and when. */
  readonly size: number;
  readonly at_ms: number;
  /** Why nothing is signed at the moment, if nothing is. */
  readonly trouble: string | undefined;
  /** Why it refuses to sign this ledger. */
  readonly contradiction: string | undefined;
}

export interface LedgerOptions {
  /** The ledger's directory; made when missing, for its owner only. */
  readonly dir: string;
  /** Name of the log and of its key, for ever: no spaces, no plus sign. */
  readonly origin: string;
  readonly log: Context["log"];
  /** Takes back runs in shared memory that nobody reads any more. */
  readonly onFree?: (run: Uint8Array) => void;
  readonly signing?: Signing;
  /** Socket of the process that holds the key; the key is beside the ledger when not given. */
  readonly signer?: string | undefined;
  /** Pause between checkpoints, ms; LIMITS.checkpoint_ms when not given. */
  readonly checkpoint_ms?: number;
}

/** Whole records' entries, and what the caller must find again after a crash. May have no entries. */
export interface AppendFrame {
  /** Entries in the form of core/entry.ts. The ledger's from now on: private memory that they fill is freed when
   * nobody reads them any more, shared memory goes to `onFree`. */
  readonly run: Uint8Array;
  readonly count: number;
  /** Leaf hashes, 32 bytes an entry. */
  readonly hashes: Uint8Array;
  /** A JSON object: positions, counters. */
  readonly header: string;
}

/** What the caller rebuilds its state from. */
export interface Recovered {
  /** The newest valid snapshot. */
  readonly snapshot: { readonly index: number; readonly state: unknown } | undefined;
  /** The end of a write that a crash cut short, never acknowledged, and now removed. */
  readonly cut: { readonly file: string; readonly offset: number; readonly bytes: number } | undefined;
  /** Every frame after the snapshot, in order. To be read before the next `snapshot`. */
  frames(): AsyncIterable<Frame>;
}
