// Tests of single values that are more than text: regular expressions, networks, numbers, times, references.
import { BlockList, isIP } from "node:net";
import { RE2JS } from "re2js";
import { parseTime } from "../core/time.ts";
import type { Compare, How, TimePart } from "./modifiers.ts";
import type { Value } from "./slot.ts";

/** A regular expression in linear time, whatever it and the text hold. Throws when RE2 cannot read it. */
export function regex(
  source: string,
  flags: string,
): { check: (v: Value) => boolean; find: (t: string) => number } {
  let bits = 0;
  if (flags.includes("i")) bits |= RE2JS.CASE_INSENSITIVE;
  if (flags.includes("m")) bits |= RE2JS.MULTILINE;
  if (flags.includes("s")) bits |= RE2JS.DOTALL;
  const re = RE2JS.compile(source, bits);
  const find = (text: string): number => {
    const matcher = re.matcher(text);
    return matcher.find() ? matcher.start() : -1;
  };
  return { check: (value) => re.test(typeof value === "string" ? value : String(value)), find };
}

export function network(net: string, prefix: number): (value: Value) => boolean {
  const list = new BlockList();
  list.addSubnet(net, prefix, isIP(net) === 4 ? "ipv4" : "ipv6");
  return (value) => {
    if (typeof value !== "string" || value.length > 45) return false;
    const family = isIP(value);
    return family !== 0 && list.check(value, family === 4 ? "ipv4" : "ipv6");
  };
}

export function compare(op: Compare, limit: number, part: TimePart | undefined): (value: Value) => boolean {
  return (value) => {
    const n = part === undefined ? toNumber(value) : timePart(value, part);
    if (n === undefined) return false;
    if (op === "lt") return n < limit;
    if (op === "lte") return n <= limit;
    if (op === "gt") return n > limit;
    return op === "gte" ? n >= limit : n === limit;
  };
}

function toNumber(value: Value): number | undefined {
  const n = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof n === "number" && Number.isFinite(n) ? n : undefined;
}

/** Part of a time in UTC; weeks as ISO 8601 counts them. */
function timePart(value: Value, part: TimePart): number | undefined {
  const text = typeof value === "string" ? parseTime(value) : undefined;
  if (text === undefined) return undefined;
  if (part === "year") return Number(text.slice(0, 4));
  if (part === "month") return Number(text.slice(5, 7));
  if (part === "day") return Number(text.slice(8, 10));
  if (part === "hour") return Number(text.slice(11, 13));
  if (part === "minute") return Number(text.slice(14, 16));
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() + 4 - (day.getUTCDay() || 7)); // the Thursday of its week names the year
  const start = Date.UTC(day.getUTCFullYear(), 0, 1);
  return Math.floor((day.getTime() - start) / (7 * 86_400_000)) + 1;
}

export const RELATIONS: Record<How, (text: string, other: string) => boolean> = {
  equals: (text, other) => text === other,
  contains: (text, other) => text.includes(other),
  startswith: (text, other) => text.startsWith(other),
  endswith: (text, other) => text.endsWith(other),
};
