// Content that left a result and turns up in later calls, a session: fingerprints of results, and how much of each was
// met again. Bounded; keeps no text but the end of what each argument carried last, to see content cut into pieces.
import { LIMITS } from "../core/limits.ts";
import type { Json } from "../core/text.ts";
import { type Encoding, decodings } from "./flow-decode.ts";
import { GRAM, type Grams } from "./flow-grams.ts";
import { KeySet, type Packed, Table } from "./flow-table.ts";

/** A run of letters that came in so many results of a session is no result's own. */
const COMMON = 3;
/** Fingerprints of a result that one call has to carry, or several together, before its content counts as carried. */
const MET_MIN = 4;
const MET_TOGETHER_MIN = 6;
const TAIL_CHARS = 128;
const TAIL_MIN = 8;
/** Texts so short are looked up whole. */
const WHOLE_CHARS = 320;
/** Longer texts are found without what went before. */
const PIECE_CHARS = 192;
const ENCODED_END = /[A-Za-z0-9+/_%=-]{12}$/;
const ENCODED_START = /^[A-Za-z0-9+/_%=-]{12}/;
const DEPTH = 8;
/** Low bits of a table's value: which fingerprint of its result. Then how many results had it, then the result. */
const ORDINALS = 256;
const REPEATS = 4;
const SOURCES = 2 ** 22;
const repeats = new Uint8Array(LIMITS.flow_grams);

/** Where a result came from. */
export interface Source {
  readonly event: string;
  readonly tool: string | undefined;
  readonly server: string | undefined;
  signs: number;
}

interface Content {
  /** Which result, counted from 0. */
  source: number;
  /** Where it came from, once a later result took its place there and has no content of its own. */
  from: Source | undefined;
  total: number;
  spacing: number;
  /** Which fingerprints were met; undefined while none was. */
  met: Uint8Array | undefined;
  met_count: number;
  calls: number;
}

/** What of a result a call carries. */
export interface Carried {
  source: number;
  from: Source | undefined;
  overlap: number;
  chars: number;
  encoding: Encoding;
  calls: number;
}

/** Without the ends of arguments, which are text: what is cut into pieces by a restart is not put together. */
export interface ContentState {
  readonly prints: Packed;
  readonly own: Packed;
  /** By place; `met` in base64. */
  readonly contents: readonly (readonly [number, Omit<Content, "met">, string | null])[];
}

export class ContentFlow {
  /** Fingerprint → result, repeats, ordinal. */
  readonly prints = new Table(LIMITS.flow_fingerprints);
  /** Fingerprints of what the user said. */
  readonly own = new KeySet(LIMITS.flow_said);
  readonly contents: (Content | undefined)[] = [];
  readonly #tails = new Map<string, string>();
  // Of the call at hand.
  /** Results of which something was met for the first time. */
  readonly #fresh = new Set<number>();
  readonly #hits = new Map<number, number>();
  readonly #encodings = new Map<number, Encoding>();

  state(): ContentState {
    const contents = this.contents.flatMap((content, at): ContentState["contents"] => {
      if (content === undefined) return [];
      const { met, ...rest } = content;
      return [[at, rest, met === undefined ? null : Buffer.from(met).toString("base64")]];
    });
    return { prints: this.prints.state(), own: this.own.state(), contents };
  }

  restore({ prints, own, contents }: ContentState): void {
    this.prints.restore(prints);
    this.own.restore(own);
    for (const [at, { source, from, total, spacing, met_count, calls }, packed] of contents) {
      const met = packed === null ? undefined : new Uint8Array(Buffer.from(packed, "base64"));
      this.contents[at] = { source, from, total, spacing, met, met_count, calls };
    }
  }

  /** What the user or the system says is no content of a result. */
  said(text: string, grams: Grams): void {
    grams.read(text, true);
    const n = grams.pick(LIMITS.flow_grams);
    for (let i = 0; i < n; i++) this.own.add(grams.picked[i]!);
  }

  /** Notes what a result holds. */
  result(text: string, source: number, grams: Grams): void {
    grams.read(text, false);
    const n = grams.pick(LIMITS.flow_grams);
    if (n === 0) return;
    const { picked } = grams;
    const { prints, own } = this;
    const users = !own.empty;
    const base = (source % SOURCES) * REPEATS * ORDINALS;
    let kept = 0;
    let again = 0;
    for (let i = 0; i < n; i++) {
      const print = picked[i]!;
      if (users && own.has(print)) continue;
      const before = prints.get(print);
      repeats[kept] = 0;
      if (before !== -1) {
        repeats[kept] = Math.floor(before / ORDINALS) % REPEATS;
        again++;
      }
      picked[kept++] = print;
    }
    // Content that comes a second time as a whole is no boilerplate.
    const more = again * 2 > kept ? 0 : 1;
    for (let i = 0; i < kept; i++) {
      const times = repeats[i]!;
      prints.set(picked[i]!, base + Math.min(COMMON, times + more) * ORDINALS + i);
    }
    this.contents[source % LIMITS.flow_sources] = {
      source,
      from: undefined,
      total: kept,
      spacing: grams.spacing,
      met: undefined,
      met_count: 0,
      calls: 0,
    };
  }

  /** What the arguments of an outgoing call carry of one result; of several the most. */
  call(args: Json, tool: string, grams: Grams): Carried | undefined {
    if (this.prints.empty) return undefined;
    this.#hits.clear();
    this.#fresh.clear();
    this.#encodings.clear();
    this.#value(args, tool, grams, 0);
    let best: Content | undefined;
    let most = 0;
    for (const [source, hits] of this.#hits) {
      const content = this.contents[source % LIMITS.flow_sources]!;
      content.calls++;
      const enough =
        hits >= Math.min(MET_MIN, content.total) ||
        (this.#fresh.has(source) && content.met_count >= MET_TOGETHER_MIN);
      if (!enough || hits <= most) continue;
      most = hits;
      best = content;
    }
    if (best === undefined) return undefined;
    return {
      source: best.source,
      from: best.from,
      overlap: Math.round((best.met_count / best.total) * 100) / 100,
      chars: Math.min(best.met_count, best.total) * best.spacing + GRAM,
      encoding: this.#encodings.get(best.source)!,
      calls: best.calls,
    };
  }

  #value(value: Json, name: string, grams: Grams, depth: number): void {
    if (typeof value === "string") this.#text(value, name, grams);
    else if (typeof value === "object" && value !== null && depth < DEPTH) {
      if (Array.isArray(value)) {
        for (let i = 0; i < value.length; i++) this.#value(value[i] as Json, name, grams, depth + 1);
        return;
      }
      const object = value as Readonly<Record<string, Json>>;
      for (const key in object) this.#value(object[key]!, `${name}.${key}`, grams, depth + 1);
    }
  }

  #text(text: string, name: string, grams: Grams): void {
    if (text.length < TAIL_MIN) return;
    const before = text.length < PIECE_CHARS ? (this.#tails.get(name) ?? "") : "";
    if (this.#tails.size < LIMITS.flow_tails || this.#tails.has(name))
      this.#tails.set(name, (before + text).slice(-TAIL_CHARS));
    const whole = before + text;
    // What lies in the tail alone was counted with the call before.
    this.#match(whole, "none", grams, before === "" ? 0 : Math.max(0, grams.length(before) - GRAM + 1));
    const glued = ENCODED_END.test(before) && ENCODED_START.test(text);
    decodings(glued ? whole : text, (decoded, encoding) => this.#match(decoded, encoding, grams, 0));
  }

  /** Looks at the runs of a text from the one at `from` on. */
  #match(text: string, encoding: Encoding, grams: Grams, from: number): void {
    grams.read(text, true);
    // The closest picking there is holds all that a wider one picks, but for the ends of a text.
    const n = text.length < WHOLE_CHARS ? grams.all() : grams.pick(grams.count);
    for (let i = 0; i < n; i++) {
      if (grams.picked_at[i]! < from) continue;
      const value = this.prints.get(grams.picked[i]!);
      if (value === -1 || Math.floor(value / ORDINALS) % REPEATS === COMMON) continue;
      const source = Math.floor(value / (ORDINALS * REPEATS));
      const content = this.contents[source % LIMITS.flow_sources];
      if (content === undefined || content.source % SOURCES !== source) continue;
      const ordinal = value % ORDINALS;
      content.met ??= new Uint8Array(content.total);
      if (content.met[ordinal] === 0) {
        content.met[ordinal] = 1;
        content.met_count++;
        this.#fresh.add(content.source);
      }
      this.#hits.set(content.source, (this.#hits.get(content.source) ?? 0) + 1);
      if (!this.#encodings.has(content.source)) this.#encodings.set(content.source, encoding);
    }
  }
}
