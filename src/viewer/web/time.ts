// Times in the zone of whoever reads, with the zone named, and UTC at hand. Knows no clock but the one handed in.

export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

const format = (options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat("en-GB", { hourCycle: "h23", ...options });
const DAY = format({ year: "numeric", month: "2-digit", day: "2-digit" });
const CLOCK = format({ hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });
const SHORT = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });

const dayOf = (ms: number): string => {
  const part = Object.fromEntries(DAY.formatToParts(ms).map(({ type, value }) => [type, value]));
  return `${part["year"]}-${part["month"]}-${part["day"]}`;
};

const two = (n: number): string => String(n).padStart(2, "0");

/** Minutes that the reader's zone is ahead of UTC at that time, as `UTC+02:00`. */
export function offsetOf(ms: number): string {
  const minutes = -new Date(ms).getTimezoneOffset();
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? "−" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

export const zoneText = (ms: number): string => `${ZONE} (${offsetOf(ms)})`;

export type Precision = "second" | "millisecond" | "day" | "clock";

export function local(ms: number, precision: Precision = "second"): string {
  if (precision === "clock") return CLOCK.format(ms);
  if (precision === "day") return dayOf(ms);
  return `${dayOf(ms)} ${(precision === "second" ? SHORT : CLOCK).format(ms)}`;
}

export const utc = (ms: number): string => new Date(ms).toISOString();

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
] as const;

/** A span in its two largest units: `3 d 4 h`. */
export function span(ms: number): string {
  let rest = Math.abs(ms);
  if (rest < 1000) return `${Math.round(rest)} ms`;
  const parts: string[] = [];
  for (const [name, size] of UNITS) {
    const whole = Math.floor(rest / size);
    if (whole === 0 && parts.length === 0) continue;
    if (whole > 0) parts.push(`${whole} ${name}`);
    rest -= whole * size;
    if (parts.length === 2 || whole === 0) break;
  }
  return parts.join(" ");
}

/** `4 min ago`, or `in 3 d`. */
export function ago(ms: number, now: number): string {
  const passed = now - ms;
  if (Math.abs(passed) < 5000) return "now";
  return passed > 0 ? `${span(passed)} ago` : `in ${span(passed)}`;
}

const DAY_MS = 86_400_000;
/** A bucket of time by its beginning: days by their date. */
export const bucketName = (ms: number, step_ms: number): string =>
  step_ms >= DAY_MS ? local(ms, "day") : local(ms).slice(0, 16);
