// What was heard and what was not in a report's period: sources, gaps, silence, records that could not be read, calls that one
// side alone shows; and how far back the ledger reaches.
import { LIMITS } from "../core/limits.ts";
import type { Status } from "../status.ts";
import { isoOf } from "../viewer/times.ts";
import { type Asked, OURS, textAt, timeAt } from "./asked.ts";
import type { Coverage, Retention, SourceCoverage } from "./model.ts";

const DAY_MS = 86_400_000;
/** Of calls of other hosts their own collectors say so. */
const SAID = `"tapline.vantage" = 'self'`;
const ALIVE = `"event.action" IN ('collector-start', 'heartbeat', 'collector-stop') AND ${OURS}`;

export async function coverageOf(
  asked: Asked,
  status: Status | undefined,
  now_ms: number,
): Promise<Coverage> {
  const of = (action: string, and = "true"): Promise<number> =>
    asked.number("count(*)", `"event.action" = '${action}' AND ${and}`);
  return {
    sources: await sourcesOf(asked),
    gaps: await asked.countBy("tapline.gap.reason", `"event.action" = 'gap'`),
    unparsable: await of("unparsable-record"),
    bypasses: await of("bypass", SAID),
    holes: await of("hole", SAID),
    longest_silence: await silenceOf(asked, now_ms),
    starts: await of("collector-start", OURS),
    stops: await of("collector-stop", OURS),
    records: await recordsOf(asked),
    dead_letters: (status?.sinks ?? [])
      .filter(({ dead }) => dead > 0)
      .map(({ name, dead }) => ({ name, events: dead })),
  };
}

async function sourcesOf(asked: Asked): Promise<SourceCoverage[]> {
  const heard = `"event.action" IN ('heartbeat', 'collector-stop') AND ${OURS}`;
  const by = async (field: string): Promise<Map<string, number>> => {
    const each = `(SELECT unnest("${field}") AS name, "event.sequence", "@timestamp" FROM events WHERE ${heard})`;
    const rest = `GROUP BY 1 ORDER BY 1 LIMIT ${LIMITS.report_rows}`;
    const rows = await asked.rows("name, count(*) AS n", "true", rest, { from: each });
    return new Map(rows.map((row) => [textAt(row, "name"), Number(row["n"])]));
  };
  const silent = await by("tapline.sources.silent");
  return [...(await by("tapline.sources.expected"))].map(([name, expected]) => ({
    name,
    expected,
    silent: silent.get(name) ?? 0,
  }));
}

/** The longest time of the period in which the collector gave no sign of life. Before its first one ever there was none to be heard. */
async function silenceOf(asked: Asked, now_ms: number): Promise<Coverage["longest_silence"]> {
  const { from } = asked.span;
  const to = Math.min(asked.span.to, now_ms);
  const begin = `greatest(epoch_ms(before), ${from})`;
  const [row] = await asked.rows(
    `max(struct_pack(ms := epoch_ms("@timestamp") - ${begin}, at := ${begin})) FILTER (WHERE before IS NOT NULL) AS gap,
     epoch_ms(max("@timestamp")) AS last`,
    "true",
    "",
    {
      from: `(SELECT *, lag("@timestamp") OVER (ORDER BY "event.sequence") AS before FROM events WHERE ${ALIVE})`,
    },
  );
  type Silence = NonNullable<Coverage["longest_silence"]>;
  const told = (at: number, ms: number, where: Silence["where"]): Silence => ({
    seconds: Math.round(ms / 1_000),
    from: isoOf(at),
    where,
  });
  const last = row?.["last"];
  const none = last === null || last === undefined;
  const after = none ? told(from, to - from, "all") : told(Number(last), to - Number(last), "end");
  const gap = row?.["gap"] as { ms: number | bigint; at: number | bigint } | null | undefined;
  const at = Number(gap?.at ?? 0);
  const before = told(at, Number(gap?.ms ?? 0), at === from ? "begin" : "between");
  const longest = after.seconds > before.seconds ? after : before;
  return longest.seconds < LIMITS.report_silence_s ? null : longest;
}

/** What the newest sign of life in the period counted. */
async function recordsOf(asked: Asked): Promise<Coverage["records"]> {
  const [row] = await asked.rows(
    `"tapline.count.read" AS read, "tapline.count.recorded" AS recorded, "tapline.count.merged" AS merged,
     "tapline.count.skipped" AS skipped, "tapline.count.by_reason" AS by_reason`,
    `${ALIVE} AND "tapline.count.read" IS NOT NULL`,
    `ORDER BY "event.sequence" DESC LIMIT 1`,
  );
  if (row === undefined) return null;
  const n = (name: string): number => Number(row[name] ?? 0);
  const reasons = JSON.parse(textAt(row, "by_reason") || "{}") as Record<string, unknown>;
  return {
    read: n("read"),
    recorded: n("recorded"),
    merged: n("merged"),
    skipped: n("skipped"),
    by_reason: Object.fromEntries(Object.entries(reasons).map(([name, value]) => [name, Number(value)])),
  };
}

/** `kept_days` are those of the configuration; without them entries are kept for ever. */
export async function retentionOf(asked: Asked, kept_days: number | undefined): Promise<Retention> {
  const [row] = await asked.rows(
    `epoch_ms(min("@timestamp")) AS oldest, epoch_ms(max("@timestamp")) AS newest`,
    "true",
    "",
    { always: true },
  );
  const [oldest, newest] = [timeAt(row ?? {}, "oldest"), timeAt(row ?? {}, "newest")];
  const days = oldest === "" ? 0 : Math.floor((Date.parse(newest) - Date.parse(oldest)) / DAY_MS);
  return {
    oldest: oldest || null,
    newest: newest || null,
    days,
    first_index: asked.first,
    said: [
      "Times of events are those that their writers wrote: what was read from older records is older than the ledger. How long the ledger has been kept, its checkpoints and stamps show.",
      kept_days === undefined
        ? "No retention is configured: the ledger and the local store keep every entry until somebody deletes their files."
        : `Entries are removed from the ledger and the local store ${kept_days} days after they were recorded; their hashes stay, so that proofs and checkpoints hold.`,
      ...(asked.first === 0
        ? []
        : [
            `Entries before ${asked.first} were removed by retention: the ledger's own entries of class ledger-prune say when, by whom and why.`,
          ]),
      "Documents in a cluster are copies with a lifecycle of their own, which its administrators can change. The check `retention`, on the page of A.6.2.8 where it was made, says what the server had in force.",
    ],
  };
}
