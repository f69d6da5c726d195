// Time as records write it: RFC 3339 text or numbers since 1970, to the one form that documents use,
// `YYYY-MM-DDTHH:MM:SS.mmmZ`. Never local time; what cannot be read is undefined, never a guess.

const FORM =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,12}))?(?:([Zz])|([+-])(\d\d):?(\d\d))$/;
const CANONICAL =
  /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
const LONG_NUMBER = /^\d{16,19}$/;
const MS_MAX = 253_402_300_799_999; // 9999-12-31T23:59:59.999Z

/** Canonical text of an RFC 3339 time with a zone, or undefined. A leap second becomes the last millisecond before it. */
export function parseTime(text: string): string | undefined {
  // Days up to 29 exist in every month but February; the rest takes the slow path.
  if (text.length === 24 && CANONICAL.test(text) && !text.startsWith("-02-29", 4)) return text;
  const m = FORM.exec(text);
  // Nanoseconds since 1970 that a double cannot hold come as their digits.
  if (m === null) return LONG_NUMBER.test(text) ? fromEpoch(Number(text)) : undefined;
  const [year, month, day, hour, minute] = [+m[1]!, +m[2]!, +m[3]!, +m[4]!, +m[5]!];
  const leap = m[6] === "60";
  const second = leap ? 59 : +m[6]!;
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59)
    return undefined;
  const fraction = leap ? 999 : Math.floor(Number(`0.${m[7] ?? 0}`) * 1000);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCDate() !== day) return undefined;
  date.setUTCHours(hour, minute, second, fraction);
  const zone = m[9] === undefined ? 0 : (m[9] === "-" ? -1 : 1) * (+m[10]! * 60 + +m[11]!);
  return fromMs(date.getTime() - zone * 60_000);
}

/** Canonical text of milliseconds since 1970, or undefined outside the years 0001 to 9999. */
export function fromMs(ms: number): string | undefined {
  return Number.isFinite(ms) && ms >= -62_135_596_800_000 && ms <= MS_MAX
    ? new Date(ms).toISOString()
    : undefined;
}

/** Canonical text of a number since 1970 in seconds, ms, µs or ns, told apart by size. */
export function fromEpoch(value: number): string | undefined {
  const size = Math.abs(value);
  if (size < 1e11) return fromMs(value * 1e3);
  if (size < 1e14) return fromMs(value);
  return fromMs(size < 1e17 ? value / 1e3 : value / 1e6);
}

let day = "";
let day_ms = 0;

/** Milliseconds since 1970 of a canonical time. Times come in order, so the day is mostly the one before. */
export function toMs(text: string): number {
  if (text.length !== 24 || !text.startsWith(day) || day === "") {
    const ms = Date.parse(text);
    if (text.length !== 24 || Number.isNaN(ms)) return ms;
    day = text.slice(0, 10);
    day_ms = Date.parse(day);
    return ms;
  }
  const minutes = digits2(text, 11) * 60 + digits2(text, 14);
  return (
    day_ms + (minutes * 60 + digits2(text, 17)) * 1000 + digits2(text, 20) * 10 + text.charCodeAt(22) - 48
  );
}

function digits2(text: string, at: number): number {
  return (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48;
}
