// Start-up: the newest snapshot and the frames after it, put together to the state of the moment of the stop, and given
// to the workers. What flow knew is not in frames: the entries after the snapshot are followed again.
import { createDigest } from "./core/digest.ts";
import { LIMITS } from "./core/limits.ts";
import type { Correlations, CorrelationsState } from "./detect/correlate-thread.ts";
import type { FirstSeen } from "./detect/first-seen.ts";
import type { Oversight } from "./detect/oversight.ts";
import { type ExchangeState, Unsent } from "./exchange.ts";
import type { Incidents } from "./incident/grouping.ts";
import { type Lane, laneOf } from "./lane.ts";
import { newerError } from "./ledger/files.ts";
import type { Recovered } from "./ledger/log.ts";
import { Session, type SessionState } from "./normalise/session.ts";
import type { PolicyWatch } from "./policy-watch.ts";
import {
  type FrameHeader,
  type Positions,
  STATE_VERSION,
  type SnapshotState,
  applyPositions,
} from "./state.ts";
import { type Tally, addTo, emptyTally } from "./tally.ts";

export interface RecoverParts {
  readonly recovered: Recovered;
  /** Of digests. */
  readonly key: string;
  readonly lanes: readonly Lane[];
  readonly first_seen: FirstSeen;
  readonly policy: Pick<PolicyWatch, "resume">;
  readonly oversight: Oversight;
  readonly incidents: Incidents;
  openCorrelations(state: CorrelationsState | undefined): Correlations;
}

/** State at the end of the ledger. */
export interface RecoveredState {
  readonly positions: Positions;
  readonly tally: Tally;
  readonly correlations: Correlations;
  /** What the collectors of the group have not been sent. */
  readonly unsent: ExchangeState;
  /** Read after the snapshot. */
  readonly entries: number;
}

/** Throws LEDGER_NEWER. */
export async function recover(parts: RecoverParts): Promise<RecoveredState> {
  const { recovered, key, lanes, first_seen, oversight, incidents } = parts;
  const digest = createDigest(key);
  const found = recovered.snapshot?.state as SnapshotState | undefined;
  if (found !== undefined && found.version > STATE_VERSION)
    throw newerError(
      `the snapshot at entry ${recovered.snapshot!.index} has a state of version ${found.version}`,
    );
  // A snapshot of an earlier version lacks what was not counted then.
  const tally = { ...emptyTally(), ...found?.tally };
  const positions: Positions = found?.positions ?? {};
  const sessions = new Map<string, Session>();
  for (const [id, state] of found?.sessions ?? []) sessions.set(id, new Session(id, digest, state));
  const correlations = parts.openCorrelations(found?.correlations);
  first_seen.apply(found?.seen ?? []);
  if (found?.oversight !== undefined) oversight.apply(found.oversight);
  incidents.apply(found?.incidents ?? []);
  const placeOf = (id: string, state: SessionState | undefined): number =>
    laneOf(state?.lane ?? sessions.get(id)?.lane ?? id, lanes.length);
  const flow = found?.flow ?? [];
  for (const [at, lane] of lanes.entries())
    lane.restore({ sessions: [], flow: flow.filter(([id]) => placeOf(id, undefined) === at) });
  const retraced = lanes.map(() => Promise.resolve());
  let entries = 0;
  const unsent = new Unsent(found?.exchange);
  let policy = found?.policy ?? {};
  for await (const frame of recovered.frames()) {
    const header = frame.header as unknown as FrameHeader;
    applyPositions(positions, header.positions);
    addTo(tally, header.tally);
    entries += frame.count;
    if (header.policy !== undefined) policy = header.policy;
    if (header.seen !== undefined) first_seen.apply(header.seen);
    if (header.oversight !== undefined) oversight.replay(header.oversight);
    if (header.incidents !== undefined) incidents.apply(header.incidents);
    if (header.exchange !== undefined) unsent.add(header.exchange, frame.first);
    if (header.correlation !== undefined) correlations.replay(header.correlation, frame.first);
    const changed = header.sessions ?? [];
    for (const [id, changes] of changed) {
      const session = sessions.get(id);
      if (session !== undefined) session.apply(changes);
      else {
        sessions.set(id, new Session(id, digest, changes));
        // Frames do not say which the workers dropped.
        if (sessions.size > LIMITS.sessions * lanes.length) sessions.delete(sessions.keys().next().value!);
      }
    }
    if (changed[0] === undefined) continue;
    // All sessions of a frame are of one worker. No more than one run waits for each.
    const at = placeOf(...changed[0]);
    await retraced[at];
    retraced[at] = lanes[at]!.retrace(frame.run);
    retraced[at].catch(() => {}); // thrown where it is waited for
  }
  await Promise.all(retraced);
  const states = [...sessions].map(([id, session]): [string, SessionState] => [id, session.state()]);
  for (const [at, lane] of lanes.entries())
    lane.restore({ sessions: states.filter(([id, state]) => placeOf(id, state) === at), flow: [] });
  parts.policy.resume(policy);
  return { positions, tally, correlations, unsent: unsent.state, entries };
}
