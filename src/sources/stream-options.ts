// What the configuration of a source says of every stream it follows, and what looks at the streams' lines. Types alone.
import type { Capture } from "../core/stage.ts";
import type { Break } from "./chain.ts";
import type { Tail } from "./tail.ts";

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
