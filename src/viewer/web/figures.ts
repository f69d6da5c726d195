// Numbers as text: plain, bytes, durations, by unit of the contract.
import type { Figure, Unit } from "../api.ts";
import { local } from "./time.ts";

export const count = (n: number): string => n.toLocaleString("en");
export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`;

function scaled(n: number, step: number, units: readonly string[]): string {
  let value = n;
  let unit = 0;
  while (Math.abs(value) >= step && unit < units.length - 1) {
    value /= step;
    unit++;
  }
  const digits = unit === 0 || Math.abs(value) >= 100 ? 0 : 1;
  return `${value.toLocaleString("en", { maximumFractionDigits: digits })} ${units[unit]}`;
}

export const bytes = (n: number): string => scaled(n, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
export const nanoseconds = (n: number): string =>
  n < 60e9 ? scaled(n, 1000, ["ns", "µs", "ms", "s"]) : `${count(Math.round(n / 1e9))} s`;

export function figure(value: Figure, unit: Unit): string {
  if (value === null) return "–";
  if (unit === "time") {
    const ms = Date.parse(String(value));
    return Number.isNaN(ms) ? String(value) : local(ms);
  }
  if (typeof value === "string") return value;
  if (unit === "bytes") return bytes(value);
  if (unit === "ns") return nanoseconds(value);
  return value.toLocaleString("en", { maximumFractionDigits: 2 });
}

export interface Series {
  /** Recorded text, or a name of ours. */
  readonly name: string;
  readonly values: readonly Figure[];
  /** On white, where it is known beforehand. */
  readonly colour?: string | undefined;
}

/** Figures by buckets of time. */
export interface TimeFigures {
  readonly label: string;
  readonly step_ms: number;
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly unit: Unit;
}
