// What a frame and a snapshot hold besides entries: with these a restart goes on where the last run stopped.
import type { Position } from "./core/stage.ts";
import type { CorrelationHeader, CorrelationsState } from "./detect/correlate-thread.ts";
import type { SeenState } from "./detect/first-seen.ts";
import type { OversightHeader, OversightState } from "./detect/oversight.ts";
import type { FlowState } from "./detect/flow.ts";
import type { IncidentsState } from "./incident/grouping.ts";
import type { ExchangeHeader, ExchangeState } from "./exchange.ts";
import type { SessionState } from "./normalise/session.ts";
import type { Recorded } from "./policy-watch.ts";
import type { Tally } from "./tally.ts";

/** Source → stream → position. */
export type Positions = Record<string, Record<string, Position>>;

/** JSON header of a frame: what becomes durable together with its entries. */
export interface FrameHeader {
  readonly positions: Record<string, Record<string, Position | null>>;
  readonly tally: Partial<Tally>;
  /** Changes of the sessions that the batch touched. */
  readonly sessions?: readonly (readonly [string, SessionState])[];
  /** What correlations were told. */
  readonly correlation?: CorrelationHeader | undefined;
  /** What was never seen before. */
  readonly seen?: SeenState | undefined;
  /** The policy whose change the entries tell of. */
  readonly policy?: Recorded | undefined;
  /** Calls and decisions, to be held against each other. */
  readonly oversight?: OversightHeader | undefined;
  /** Incidents that changed. */
  readonly incidents?: IncidentsState | undefined;
  /** What is to be sent to the collectors of the group. */
  readonly exchange?: ExchangeHeader | undefined;
}

export const STATE_VERSION = 1;

/** State of a snapshot: with the ledger after it, everything a restart needs. */
export interface SnapshotState {
  readonly version: typeof STATE_VERSION;
  readonly positions: Positions;
  readonly tally: Tally;
  readonly sessions: readonly (readonly [string, SessionState])[];
  /** What came in results, and where it may turn up; ledgers of 0.1 have none. */
  readonly flow?: FlowState;
  /** Windows that are open; ledgers of 0.1 have none. */
  readonly correlations?: CorrelationsState;
  readonly seen?: SeenState;
  /** The policy last recorded. */
  readonly policy?: Recorded;
  readonly oversight?: OversightState;
  readonly incidents?: IncidentsState;
  readonly exchange?: ExchangeState | undefined;
}

/** What a worker keeps of its sessions, as JSON: the items of each list, with commas. As objects the state of many sessions
 * would take several times the memory, on two threads, to no use. */
export interface LaneText {
  readonly sessions: string;
  readonly flow: string;
}

/** A SnapshotState as JSON. */
export function snapshotText(
  own: Omit<SnapshotState, "version" | "sessions" | "flow">,
  lanes: readonly LaneText[],
): string {
  const [sessions, flow] = (["sessions", "flow"] as const).map((kind) =>
    lanes
      .map((lane) => lane[kind])
      .filter((items) => items !== "")
      .join(),
  );
  const rest = JSON.stringify({ version: STATE_VERSION, ...own }).slice(1);
  return `{"sessions":[${sessions}],"flow":[${flow}],${rest}`;
}

/** Moves positions as a frame says; null is a stream that is gone. */
export function applyPositions(positions: Positions, moved: FrameHeader["positions"]): void {
  for (const source in moved) {
    const known = (positions[source] ??= {});
    for (const stream in moved[source]) {
      const position = moved[source][stream]!;
      if (position === null) delete known[stream];
      else known[stream] = position;
    }
  }
}
