// Start-up: the newest snapshot and the frames after it, put together to the state of the moment of the stop.
import { createDigest } from "./core/digest.ts";
import type { Correlations, CorrelationsState } from "./detect/correlate-thread.ts";
import type { FirstSeen } from "./detect/first-seen.ts";
import type { Recovered } from "./ledger/log.ts";
import { Session, type SessionState } from "./normalise/session.ts";
import { type FrameHeader, type Positions, type SnapshotState, applyPositions } from "./state.ts";
import { addTo, emptyTally } from "./tally.ts";

/** State at the end of the ledger, and how many entries were read after the snapshot. */
export async function recover(
  recovered: Recovered,
  key: string,
  first_seen: FirstSeen,
  openCorrelations: (state: CorrelationsState | undefined) => Correlations,
): Promise<{ state: SnapshotState; correlations: Correlations; entries: number }> {
  const digest = createDigest(key);
  const found = recovered.snapshot?.state as SnapshotState | undefined;
  const tally = found?.tally ?? emptyTally();
  const positions: Positions = found?.positions ?? {};
  const sessions = new Map<string, Session>();
  for (const [id, state] of found?.sessions ?? []) sessions.set(id, new Session(id, digest, state));
  const correlations = openCorrelations(found?.correlations);
  first_seen.apply(found?.seen ?? []);
  let entries = 0;
  for await (const frame of recovered.frames()) {
    const header = frame.header as unknown as FrameHeader;
    applyPositions(positions, header.positions);
    addTo(tally, header.tally);
    entries += frame.count;
    if (header.seen !== undefined) first_seen.apply(header.seen);
    if (header.correlation !== undefined) correlations.replay(header.correlation, frame.first);
    for (const [id, changes] of header.sessions ?? []) {
      const session = sessions.get(id);
      if (session === undefined) sessions.set(id, new Session(id, digest, changes));
      else session.apply(changes);
    }
  }
  const states = [...sessions].map(([id, session]): [string, SessionState] => [id, session.state()]);
  return { state: { version: 1, positions, tally, sessions: states }, correlations, entries };
}
