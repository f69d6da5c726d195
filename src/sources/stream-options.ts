// What the configuration of a source says of the files it follows and of every stream in them, and what looks at the
// streams' lines. Types alone.
import type { Capture } from "../core/stage.ts";
import type { Break } from "./chain.ts";
import type { Tail } from "./tail.ts";

/** What is followed, and how. */
export interface FollowOptions {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Further directories that symbolic links may lead to. */
  readonly roots: readonly string[];
  readonly start: "beginning" | "end";
  readonly follow: boolean;
  readonly poll_ms: number;
  readonly grace_ms: number;
}

export interface StreamOptions {
  readonly source: string;
  readonly format: string | undefined;
  readonly session: string | undefined;
  readonly options: unknown;
  readonly capture: Capture;
  /** Streams of one key share a lane when no session tells. */
  readonly lane_key?: (path: string) => string | undefined;
  /** Sees whole lines of a stream, in order, before they are handed over; what it finds wrong becomes gaps. */
  readonly inspect?: (tail: Tail, lines: Buffer, offset: number) => readonly Break[];
}
