// What collectors of a group tell each other, as text: a match and how far time has come. Whoever reads it has not
// written it, so everything is checked. Sends nothing.
import { z } from "zod";
import { keyOf } from "./correlate-group.ts";
import type { Extract, ExtractBatch } from "./correlate-extract.ts";
import type { Route } from "./exchange-routes.ts";

const ms = z.number().min(-8.64e15).max(8.64e15);

const common = {
  v: z.literal(1),
  /** The clock of whoever tells it, and when the ledger there began. */
  now: ms,
  from: ms,
};

const matchSchema = z.object({
  ...common,
  kind: z.literal("match"),
  tag: z.string(),
  fields: z.array(z.string()),
  values: z.array(z.union([z.string(), z.number(), z.null()])),
  time: ms,
  event: z.string(),
  backfill: z.boolean(),
});

const clockSchema = z.object({
  ...common,
  kind: z.literal("clock"),
  /** How many streams of records the group reads. */
  of: z.int().min(0),
  streams: z.array(
    z.object({
      name: z.string(),
      /** No event before this time will come of it; null while that is not known. */
      at: ms.nullable(),
      /** When it was last read to its end. */
      rested: ms.nullable(),
      /** Latest event of the past since this was last told. */
      backfill: ms.nullable(),
    }),
  ),
});

const schema = z.discriminatedUnion("kind", [matchSchema, clockSchema]);
export type ToldMatch = z.output<typeof matchSchema>;
export type ToldClock = z.output<typeof clockSchema>;
export type StreamClock = ToldClock["streams"][number];

/** A match on its way: those with one key go to one collector. */
export interface OutMatch {
  readonly key: string;
  readonly text: string;
}

/** A match as it is told by one route; undefined when it lacks a value of the group, so that it counts nowhere. */
export function matchText(
  { tag, family, places }: Route,
  { fields }: ExtractBatch["rules"][number],
  { time_ms, event, values, backfill }: Extract,
  { now, from }: Pick<ToldMatch, "now" | "from">,
): OutMatch | undefined {
  const group: string[] = [];
  for (const place of places) {
    const value = values[place];
    if (value === undefined || value === null) return undefined;
    group.push(String(value));
  }
  const told: ToldMatch = {
    v: 1,
    kind: "match",
    tag,
    fields: [...fields],
    values: [...values],
    time: time_ms,
    event,
    backfill,
    now,
    from,
  };
  return { key: `${family} ${keyOf(group)}`, text: JSON.stringify(told) };
}

export function clockText(clock: Omit<ToldClock, "v" | "kind">): string {
  return JSON.stringify({ v: 1, kind: "clock", ...clock } satisfies ToldClock);
}

/** What was told; undefined when it cannot be understood. */
export function readTold(bytes: Uint8Array): ToldMatch | ToldClock | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"));
  } catch {
    return undefined;
  }
  return schema.safeParse(value).data;
}
