// The contract between a source whose streams several collectors share as a group, and whoever has correlations count
// across them (src/exchange.ts). Types only.

/** What another collector of the group told, read from a stream of matches. */
export interface Told {
  readonly stream: string;
  readonly bytes: Uint8Array;
  /** The first since this collector took the stream over: what it knew of it before is worth nothing. */
  readonly fresh: boolean;
  /** It was taken in before, here or by another collector, and is read anew for what is to be known of it. */
  readonly again: boolean;
}

/** What a source offers whose streams several collectors share as a group: matches of all of them reach whoever has the
 * windows that they count in. */
export interface MatchExchange {
  /** Streams of records that this collector reads, by what name the group knows them, and since when, ms. */
  readonly reading: readonly { readonly id: string; readonly name: string; readonly since_ms: number }[];
  /** How many such streams the group has. */
  readonly total: number;
  /** Streams of matches that this collector reads, or has something of that is not durable. */
  readonly judging: readonly string[];
  /** How far back a stream of matches is read when it is taken over, ms. */
  back_ms: number;
  /** Sends matches, those with one key into one stream, and then the clocks into every stream. Resolves when all are
   * acknowledged. Throws TaplineError, and may then have sent some. */
  send(matches: readonly { key: string; text: string }[], clocks: readonly string[]): Promise<void>;
}
