// Versions of packages and ranges of them: `1.2.3`, `>=1.2 <2`, `^1.2`, `~1.2`, `1.x`, `a || b`. Numbers separated by
// dots, a pre-release after `-`; as strict as npm about pre-releases: a range holds one only where it names it.

const VERSION = /^v?(\d{1,9}(?:\.\d{1,9}){0,5})(?:-([\w.-]{1,64}))?(?:\+[\w.-]{1,64})?$/;
const PART = /^(>=|<=|>|<|=|==|\^|~|~=)?\s*v?(\d{1,9}(?:\.\d{1,9}){0,5})((?:\.[x*])*)(?:-([\w.-]{1,64}))?$/;

interface Version {
  readonly numbers: readonly number[];
  readonly pre: string | undefined;
}

function parse(text: string): Version | undefined {
  const m = VERSION.exec(text);
  return m === null ? undefined : { numbers: m[1]!.split(".").map(Number), pre: m[2] };
}

function compare(a: Version, b: Version): number {
  for (let i = 0; i < Math.max(a.numbers.length, b.numbers.length); i++) {
    const difference = (a.numbers[i] ?? 0) - (b.numbers[i] ?? 0);
    if (difference !== 0) return difference;
  }
  if (a.pre === b.pre) return 0;
  if (a.pre === undefined) return 1;
  if (b.pre === undefined) return -1;
  return a.pre < b.pre ? -1 : 1;
}

/** The version after all that begin with these numbers. */
function next(numbers: readonly number[]): Version {
  return { numbers: [...numbers.slice(0, -1), numbers.at(-1)! + 1], pre: undefined };
}

interface Bound {
  readonly test: (v: Version) => boolean;
  readonly names: Version;
}

function boundOf(part: string): Bound | undefined {
  const m = PART.exec(part);
  if (m === null) return undefined;
  const numbers = m[2]!.split(".").map(Number);
  const names: Version = { numbers, pre: m[4] };
  const open = m[3] !== "";
  const from = (v: Version): boolean => compare(v, names) >= 0;
  const before = (end: Version) => (v: Version) => from(v) && compare(v, end) < 0;
  switch (m[1]) {
    case ">=":
      return { test: from, names };
    case ">":
      return { test: (v) => compare(v, names) > 0, names };
    case "<":
      return { test: (v) => compare(v, names) < 0, names };
    case "<=":
      return { test: (v) => compare(v, names) <= 0, names };
    case "^": {
      const first = numbers.findIndex((n) => n !== 0);
      return { test: before(next(numbers.slice(0, first === -1 ? numbers.length : first + 1))), names };
    }
    case "~":
      return { test: before(next(numbers.slice(0, Math.min(2, numbers.length)))), names };
    case "~=":
      return { test: before(next(numbers.slice(0, Math.max(1, numbers.length - 1)))), names };
    case undefined:
    default:
      return { test: open ? before(next(numbers)) : (v) => compare(v, names) === 0, names };
  }
}

const alternatives = (range: string): string[][] =>
  range.split("||").map((one) =>
    one
      .replaceAll(/(>=|<=|>|<|==?|\^|~=?)\s+/g, "$1")
      .replaceAll(",", " ")
      .split(/\s+/)
      .filter((part) => part !== ""),
  );

/** What is wrong with a range, if anything. */
export function rangeProblem(range: string): string | undefined {
  for (const parts of alternatives(range)) {
    if (parts.length === 0) return "a part of the range is empty";
    const wrong = parts.find((part) => boundOf(part) === undefined);
    if (wrong !== undefined) return `"${wrong}" is no version or bound of one`;
  }
  return undefined;
}

/** Whether a version is in a range. One that is no version is in none. */
export function inRange(version: string, range: string): boolean {
  const v = parse(version);
  if (v === undefined) return false;
  for (const parts of alternatives(range)) {
    const bounds = parts.map(boundOf);
    if (bounds.length === 0 || !bounds.every((bound) => bound?.test(v) === true)) continue;
    if (v.pre === undefined || bounds.some((bound) => namesPre(bound!.names, v))) return true;
  }
  return false;
}

function namesPre(named: Version, v: Version): boolean {
  return named.pre !== undefined && compare({ ...named, pre: undefined }, { ...v, pre: undefined }) === 0;
}
