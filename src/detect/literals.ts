// Which texts a regular expression cannot match without: read off its source, so that most texts need no regular
// expression at all. Errs on the side of knowing nothing; a wrong literal would be a missed match.

const SET_MAX = 64;
const CLASS_MAX = 6;

/** What is known of a part: all texts it can match (when few), and a set of which every match holds at least one. */
interface Known {
  readonly exact: readonly string[] | undefined;
  readonly need: readonly string[] | undefined;
}
const NOTHING: Known = { exact: undefined, need: undefined };
const EMPTY: Known = { exact: [""], need: undefined };

class Unreadable extends Error {}

/** Lower-case ASCII texts of at least `least` characters, one of which is in every match; undefined when unknown. */
export function literalsOf(source: string, least: number): string[] | undefined {
  try {
    const reader = new Reader(source);
    const known = reader.alternatives();
    if (!reader.done) return undefined;
    const best = better(known.need, known.exact);
    if (best === undefined || shortest(best) < least) return undefined;
    const set = [...new Set(best)];
    return set.filter((text) => !set.some((other) => other !== text && text.includes(other)));
  } catch (error) {
    if (error instanceof Unreadable || error instanceof RangeError) return undefined;
    throw error;
  }
}

function shortest(set: readonly string[]): number {
  let least = Infinity;
  for (const text of set) least = Math.min(least, text.length);
  return least;
}

/** Longer is better, up to the window of a scan, and fewer is better. */
function better(
  a: readonly string[] | undefined,
  b: readonly string[] | undefined,
): readonly string[] | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return worth(a) >= worth(b) ? a : b;
}

function worth(set: readonly string[]): number {
  const least = shortest(set);
  return 2 * Math.min(8, least) - Math.log2(set.length) + least / 100;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(source: string) {
    this.#text = source;
  }

  get done(): boolean {
    return this.#at >= this.#text.length;
  }

  alternatives(): Known {
    let known = this.#sequence();
    while (this.#text[this.#at] === "|") {
      this.#at++;
      const next = this.#sequence();
      const [a, b] = [better(known.need, known.exact), better(next.need, next.exact)];
      const exact = known.exact && next.exact ? [...known.exact, ...next.exact] : undefined;
      known = {
        exact: exact && exact.length <= SET_MAX ? exact : undefined,
        need: a && b ? [...a, ...b] : undefined,
      };
    }
    return known;
  }

  #sequence(): Known {
    let whole: readonly string[] | undefined = [""];
    let run: readonly string[] = [""];
    let need: readonly string[] | undefined;
    while (!this.done && !"|)".includes(this.#text[this.#at]!)) {
      const { known, more } = this.#repeated();
      need = better(better(need, known.need), run);
      const joined: readonly string[] | undefined = known.exact && cross(run, known.exact);
      if (joined === undefined) {
        run = known.exact ?? [""];
        whole = undefined;
      } else run = joined;
      if (more) {
        // What follows comes after unknown repeats: the run ends here and starts anew with the last of them.
        need = better(need, run);
        run = known.exact ?? [""];
        whole = undefined;
      }
    }
    need = better(need, run);
    return { exact: whole === undefined ? undefined : run, need };
  }

  /** An atom with its quantifier; `more` when it may repeat beyond what `exact` says. */
  #repeated(): { known: Known; more: boolean } {
    const atom = this.#atom();
    const m = /^(?:[*+?]|\{(\d+)(,)?(\d*)\})/.exec(this.#text.slice(this.#at, this.#at + 16));
    if (m === null) return { known: atom, more: false };
    this.#at += m[0].length;
    if (this.#text[this.#at] === "?") this.#at++;
    const next = this.#text[this.#at];
    if (next === "*" || next === "+" || next === "?") throw new Unreadable();
    if (m[0] === "?" && atom.exact)
      return { known: { exact: [...atom.exact, ""], need: undefined }, more: false };
    if (m[0] === "?" || m[0] === "*" || m[1] === "0") return { known: NOTHING, more: false };
    if (m[1] === "1" && (m[2] === undefined || m[3] === "1")) return { known: atom, more: false };
    return { known: atom, more: true };
  }

  #atom(): Known {
    const c = this.#text[this.#at++]!;
    if (c === "(") return this.#group();
    if (c === "[") return this.#class();
    if (c === "\\") return this.#escape();
    if (c === "^" || c === "$") return EMPTY;
    if (c === "." || c.charCodeAt(0) > 126) return NOTHING;
    if ("*+?".includes(c)) throw new Unreadable();
    return { exact: [c.toLowerCase()], need: undefined };
  }

  #group(): Known {
    if (this.#text[this.#at] === "?") {
      const m = /^\?(?:[a-zA-Z-]*(:|\))|P?<\w+>)/.exec(this.#text.slice(this.#at, this.#at + 64));
      if (m === null) throw new Unreadable();
      this.#at += m[0].length;
      if (m[1] === ")") return EMPTY;
    }
    const known = this.alternatives();
    if (this.#text[this.#at++] !== ")") throw new Unreadable();
    return known;
  }

  #class(): Known {
    const m = /^(\^?)(\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*)\]/s.exec(this.#text.slice(this.#at));
    if (m === null) throw new Unreadable();
    this.#at += m[0].length;
    const body = m[2]!;
    if (m[1] === "^" || body === "" || body.length > CLASS_MAX || !/^[\w/.,;:@#%&=+ ]+$/.test(body))
      return NOTHING;
    return { exact: [...new Set(body.toLowerCase())], need: undefined };
  }

  #escape(): Known {
    const c = this.#text[this.#at++];
    if (c === undefined || c === "Q" || c === "E") throw new Unreadable();
    if (c === "b" || c === "B" || c === "A" || c === "z") return EMPTY;
    if (c === "s") return { exact: [" ", "\t", "\n", "\r", "\f"], need: undefined };
    if (c === "x" || c === "p" || c === "P") {
      const m = /^(?:\{[^}]*\}|[0-9A-Fa-f]{2}|[A-Za-z])/.exec(this.#text.slice(this.#at, this.#at + 64));
      if (m === null) throw new Unreadable();
      this.#at += m[0].length;
      return NOTHING;
    }
    if (/[0-9]/.test(c)) throw new Unreadable();
    if (/\w/.test(c) || c.charCodeAt(0) > 126) return NOTHING;
    return { exact: [c], need: undefined };
  }
}

function cross(a: readonly string[], b: readonly string[]): string[] | undefined {
  if (a.length * b.length > SET_MAX) return undefined;
  return a.flatMap((x) => b.map((y) => x + y));
}
