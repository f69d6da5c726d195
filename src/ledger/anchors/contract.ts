// What takes checkpoints to where the collector's keeper cannot change them, and what it is handed.
import type { Checkpoint } from "../checkpoint.ts";
import type { Verifier } from "../note.ts";

/** A checkpoint of the ledger as it stands in its files. */
export interface Published extends Checkpoint {
  /** The signed note. */
  readonly text: string;
  readonly verifier: Verifier;
  /** Proof that the tree of `old` entries is the beginning of this one. */
  consistency(old: number): Promise<readonly Uint8Array[]>;
}

export interface Anchor {
  /** Takes a checkpoint elsewhere; resolves, with what there is to say, when it is there. May be given one that is there
   * already. Throws Contradiction when what is there is not the beginning of it, TaplineError for any other trouble. */
  take(published: Published, signal: AbortSignal): Promise<string>;
  /** What is there under this origin, oldest first, for verification: of places that no file system shows. Nothing of it is
   * checked. Throws TaplineError. */
  held?(origin: string, signal: AbortSignal): AsyncIterable<Held>;
}

/** A text that lies where checkpoints were taken. */
export interface Held {
  readonly place: string;
  readonly text: string;
}

/** What an anchor is made with. */
export interface AnchorContext {
  readonly name: string;
  /** The ledger's directory. */
  readonly ledger_dir: string;
  /** A directory of the anchor's own, for what it keeps here; made by the anchor when it needs it. */
  readonly dir: string;
}

/** Somebody else holds a history that this ledger is no continuation of. Nothing may be signed any more until a person
 * has looked. */
export class Contradiction extends Error {}
