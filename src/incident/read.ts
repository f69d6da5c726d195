// The events of incidents that a ledger holds: from the store where there is one, and from the ledger after it. Reads, and
// decides nothing; what they come to is a matter of present.ts.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { storeDirOf } from "../components.ts";
import type { Config } from "../config.ts";
import { forEachEntry } from "../core/entry.ts";
import { TaplineError } from "../core/errors.ts";
import { flatten } from "../core/flatten.ts";
import { LIMITS } from "../core/limits.ts";
import { openReader } from "../ledger/reader.ts";
import { walk } from "../ledger/walk.ts";
import { openStore } from "../store/reader.ts";
import type { Step } from "./present.ts";
import type { Placed } from "./replay.ts";

const MARK = Buffer.from('"dataset":"tapline.incident"');
/** Events are told by who made them: what a mapping makes of somebody's records is no word of the collector. Without an
 * incident it is a notification of an alert. */
const isOurs = (step: Step): boolean =>
  step["event.action"] === "incident" &&
  step["tapline.vantage"] === "self" &&
  step["tapline.incident.id"] !== undefined;

/** All events of incidents, in the order of the ledger. Throws NO_SUCH_PATH when nothing was recorded yet. */
export async function incidentEvents(config: Config): Promise<Placed[]> {
  const dir = join(config.state_dir, "ledger");
  if (!existsSync(dir)) {
    throw new TaplineError("NO_SUCH_PATH", `${dir} does not exist`, {
      remedy: "name the configuration of a collector that has run: -c FILE",
    });
  }
  const placed: Placed[] = [];
  const from = await fromStore(config, placed);
  await fromLedger(dir, from, placed);
  return placed;
}

function add(placed: Placed[], index: number, entry: string): void {
  const step = flatten(JSON.parse(entry) as object) as Step;
  if (isOurs(step)) placed.push({ index, step });
}

/** Where the store's files end. */
async function fromStore(config: Config, placed: Placed[]): Promise<number> {
  const dir = storeDirOf(config);
  if (dir === undefined || !existsSync(dir)) return 0;
  const store = await openStore(dir);
  try {
    const { end } = store.manifest();
    const page = `SELECT entry, "event.sequence" AS seq FROM events WHERE "data_stream.dataset" = 'tapline.incident'
      AND "event.sequence" >= ? AND "event.sequence" < ? ORDER BY seq LIMIT ${LIMITS.sink_batch_entries}`;
    for (let at = 0; at < end;) {
      const rows = await store.query(page, [at, end]);
      for (const row of rows) add(placed, Number(row["seq"]), String(row["entry"]));
      if (rows.length < LIMITS.sink_batch_entries) break;
      at = Number(rows.at(-1)!["seq"]) + 1;
    }
    return end;
  } finally {
    await store.close();
  }
}

/** Alerts of the store on records from before the collector started: these open no incident unless they are asked to. */
export async function alertsOfThePast(config: Config): Promise<number> {
  const dir = storeDirOf(config);
  if (dir === undefined || !existsSync(dir)) return 0;
  const store = await openStore(dir);
  try {
    if (store.manifest().end === 0) return 0;
    const [row] = await store.query(
      `SELECT count(*) AS alerts FROM events WHERE "event.action" = 'rule-alert' AND "tapline.backfill"`,
    );
    return Number(row?.["alerts"] ?? 0);
  } finally {
    await store.close();
  }
}

async function fromLedger(dir: string, from: number, placed: Placed[]): Promise<void> {
  const reader = openReader(dir);
  try {
    for await (const { run, first } of walk(reader, from)) {
      const bytes = Buffer.from(run.buffer, run.byteOffset, run.length);
      if (bytes.includes(MARK)) {
        forEachEntry(run, (start, end, position) => {
          const entry = bytes.subarray(start, end);
          if (entry.includes(MARK)) add(placed, first + position, entry.toString("utf8"));
        });
      }
    }
  } finally {
    await reader.close();
  }
}
