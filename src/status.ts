// What `tapline status` shows: the conservation law, lag and heads. Written by the running collector once a second.
import type { AnchorStatus } from "./anchoring.ts";
import type { Checks } from "./checks/checks.ts";
import type { DetectionFigures } from "./correlating-parts.ts";
import type { RetentionStatus } from "./retention.ts";
import type { SignerStatus } from "./ledger/contract.ts";
import type { Running } from "./lifecycle.ts";
import { type DriftLine, type Tally, lawBroken, driftOf } from "./tally.ts";

interface SinkStatus {
  readonly name: string;
  readonly created: number;
  readonly existing: number;
  /** Dead letters that nobody has replayed. */
  readonly dead: number;
  /** Dead letters that arrived when they were replayed. */
  readonly replayed: number;
  readonly filtered: number;
  /** Removed by retention before the sink could have them; collectors of before do not tell. */
  readonly pruned?: number;
  readonly pending: number;
  /** Why it does not move, if it does not. */
  readonly trouble: string | undefined;
  /** What else it met, by name, since the start; only of sinks that tell. */
  readonly counts?: Readonly<Record<string, number>> | undefined;
}

export interface Status {
  readonly version: 2;
  readonly pid: number;
  readonly running: boolean;
  readonly at_ms: number;
  readonly state_dir: string;
  readonly origin: string;
  /** Entries durable in the ledger; the last checkpoint covers `checkpoint_size` of them. */
  readonly entries: number;
  readonly checkpoint_size: number;
  /** The first entry that retention has not removed; collectors of before do not tell. */
  readonly first?: number;
  /** Batches read and not yet durable. */
  readonly in_flight: number;
  readonly tally: Omit<Tally, "drift">;
  /** Record types and fields that formats did not know, by format and client version, since the ledger began. */
  readonly drift?: readonly DriftLine[];
  /** What does not add up, if anything. */
  readonly broken: readonly string[];
  readonly ruleset: string;
  /** By name of the source, bounds that bit and trouble that was met; collectors of before do not tell. */
  readonly sources?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly sinks: readonly SinkStatus[];
  /** Where checkpoints go; collectors of before do not tell. */
  readonly anchors?: readonly AnchorStatus[];
  /** Checks of controls, by name: the last finding of each; collectors of before do not tell. */
  readonly checks?: Checks["status"];
  /** What the ledger keeps, where that is bounded; collectors of before do not tell. */
  readonly retention?: RetentionStatus | undefined;
  /** Who signs, when the key is not beside the ledger. */
  readonly signer?: SignerStatus;
  readonly detection: DetectionFigures;
  /** State of sessions and of flow dropped since a bound bit, since the start. */
  readonly evicted: number;
  /** Values whose answers by rules were forgotten, and are worked out anew: costs time, changes no result. Collectors of
   * before do not tell. */
  readonly values_replaced?: number;
}

export function statusOf(parts: Running, running: boolean): Status {
  const { ledger, tally, deliveries } = parts;
  const { drift, ...counts } = tally;
  const entries = ledger.durable;
  const sinks = deliveries.map(({ name, cursor, trouble, counts: met }) => ({
    name,
    created: cursor.created,
    existing: cursor.existing,
    dead: cursor.dead,
    replayed: 0,
    filtered: cursor.filtered,
    pruned: cursor.pruned,
    pending: Math.max(0, entries - cursor.acked),
    trouble,
    counts: met,
  }));
  const broken = [lawBroken(tally)];
  for (const { name, cursor } of deliveries) {
    const fates = cursor.created + cursor.existing + cursor.dead + cursor.filtered + cursor.pruned;
    if (fates !== cursor.acked)
      broken.push(`${name}: ${cursor.acked} acknowledged but ${fates} accounted for`);
  }
  return {
    version: 2,
    pid: process.pid,
    running,
    at_ms: Date.now(),
    state_dir: parts.config.state_dir,
    origin: parts.origin,
    entries,
    checkpoint_size: ledger.published,
    first: ledger.first,
    in_flight: parts.pipeline.inFlight,
    tally: counts,
    drift: driftOf(drift),
    broken: broken.filter((problem) => problem !== undefined),
    ruleset: parts.reload.ruleset,
    sources: Object.fromEntries([...parts.sources].map(([name, source]) => [name, source.counts ?? {}])),
    sinks,
    anchors: parts.anchoring.status,
    checks: parts.checks.status,
    retention: parts.retention.status,
    ...(ledger.signer === undefined ? {} : { signer: ledger.signer }),
    detection: parts.correlating.figures(),
    evicted: parts.lanes.reduce((sum, lane) => sum + lane.evicted, 0),
    values_replaced: parts.lanes.reduce((sum, lane) => sum + lane.values_replaced, 0),
  };
}

/** The status with what was replayed since: the collector counts what it wrote itself, the dead letters know the
 * rest. `listed` is how many of a sink's are left. */
export async function withReplayed(
  status: Status,
  listed: (sink: string) => Promise<number>,
): Promise<Status> {
  const sinks: SinkStatus[] = [];
  for (const sink of status.sinks) {
    const dead = sink.dead === 0 ? 0 : Math.min(sink.dead, await listed(sink.name));
    sinks.push({ ...sink, dead, replayed: sink.dead - dead });
  }
  return { ...status, sinks };
}
