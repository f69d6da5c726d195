// Secrets drawn from the patterns themselves, in texts and records that try to hide them from the prefilter: quotes and
// brackets beside them, escapes, JSON within JSON, keys with separators.
import { SECRET_KEYS, SECRET_SHAPES } from "../../src/core/generated/secrets.ts";

type Next = () => number;
const CLASSES: Record<string, string> = { w: "abcXYZ019_", s: " ", d: "0123456789" };
const VISIBLE = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).join("") + "éü€";

/** Draws a text that a pattern matches; short repetitions most of the time. */
export class Sampler {
  #at = 0;
  #source = "";
  readonly #next: Next;

  constructor(next: Next) {
    this.#next = next;
  }

  below(n: number): number {
    return Math.floor(this.#next() * n);
  }

  pick<T>(list: ArrayLike<T>): T {
    return list[this.below(list.length)]!;
  }

  draw(pattern: string): string {
    this.#source = pattern;
    this.#at = 0;
    return this.pick(this.#choices())
      .map((one) => one())
      .join("");
  }

  /** Branches, each a list of what draws one part. */
  #choices(): (() => string)[][] {
    const all: (() => string)[][] = [[]];
    while (this.#at < this.#source.length && this.#source[this.#at] !== ")") {
      if (this.#source[this.#at] === "|") {
        this.#at++;
        all.push([]);
      } else all.at(-1)!.push(this.#repeated(this.#atom()));
    }
    return all;
  }

  #atom(): () => string {
    const c = this.#source[this.#at++]!;
    if (c === "[") {
      const set = this.#set();
      return () => this.pick(set);
    }
    if (c === "(") {
      if (this.#source.startsWith("?:", this.#at)) this.#at += 2;
      const choices = this.#choices();
      this.#at++;
      return () =>
        this.pick(choices)
          .map((one) => one())
          .join("");
    }
    if (c !== "\\") return () => c;
    const escaped = this.#source[this.#at++]!;
    if (escaped === "b") return () => "";
    const set = CLASSES[escaped] ?? escaped;
    return () => this.pick(set);
  }

  #set(): string {
    const not = this.#source[this.#at] === "^";
    if (not) this.#at++;
    let set = "";
    while (this.#source[this.#at] !== "]") {
      const c = this.#source[this.#at++]!;
      if (c === "\\") {
        const escaped = this.#source[this.#at++]!;
        set += CLASSES[escaped] ?? escaped;
      } else if (this.#source[this.#at] === "-" && this.#source[this.#at + 1] !== "]") {
        const last = this.#source.charCodeAt(this.#at + 1);
        for (let code = c.charCodeAt(0); code <= last; code++) set += String.fromCharCode(code);
        this.#at += 2;
      } else set += c;
    }
    this.#at++;
    return not
      ? Array.from(VISIBLE)
          .filter((c) => !set.includes(c))
          .join("")
      : set;
  }

  #repeated(one: () => string): () => string {
    const m = /^(?:\{(\d+)(?:,(\d+))?\}|\?)/.exec(this.#source.slice(this.#at));
    if (m === null) return one;
    this.#at += m[0].length;
    const least = Number(m[1] ?? 0);
    const most = Number(m[2] ?? m[1] ?? 1);
    return () => Array.from({ length: least + this.below(Math.min(most - least, 8) + 1) }, one).join("");
  }
}

const AROUND: readonly (readonly [string, string])[] = [
  ["", ""],
  ["x ", " y"],
  ["export ", "\n"],
  ["a=", ";"],
  ["\t", "\t"],
  ["é", "é"],
  ['"', '"'],
  ["'", "'"],
  ["`", "`"],
  ["(", ")"],
  ['{"k":"', '"}'],
  ["line\n", "\r\nmore"],
  ["\\n", "\\n"],
  ["curl -H 'X: ", "'"],
  ["progress", "page"],
  ["C:\\users\\", "\\"],
  ["::", ","],
];

/** A text with a secret of a shape. */
export function hostileText(next: Next): string {
  const sampler = new Sampler(next);
  const shape = sampler.pick(SECRET_SHAPES);
  let secret = sampler.draw(shape.pattern);
  if (shape.before !== undefined) secret = sampler.draw(shape.before) + secret;
  if (shape.fold && sampler.below(3) === 0) secret = secret.toUpperCase();
  if (shape.needs !== undefined) secret = `${shape.needs} ${secret}`;
  if (shape.until !== undefined) secret += `\nMIIEabcdefghijklmnopqrstuvwxyz\n${shape.until} KEY-----`;
  const [before, after] = sampler.pick(AROUND);
  const text = before + secret + after;
  return sampler.below(3) === 0
    ? `${sampler.pick(["", "p ", "€"])}${text}${sampler.pick(AROUND)[0]}${text}`
    : text;
}

const KEYS: readonly string[] = [...SECRET_KEYS.ends, ...SECRET_KEYS.are];
const VALUES = [
  "hunter22xy",
  "my dog rex",
  "(abc)defgh",
  "12345678",
  "Grüße-2024!",
  "é€aaaa",
  "a\nb\nc d",
  '"quoted" pw',
  '", then',
  "\\back\\slash",
  "{json}x",
  "<tag>abc",
  "[x]yz1",
  "/path/like",
  "true!",
  "x;y;z;w",
  "'single'",
  ",,,,,,",
  "''''''",
  '""""',
];

/** An object with a value under a key that says "secret", or beside a name that does. */
export function hostileObject(next: Next): unknown {
  const sampler = new Sampler(next);
  let key =
    sampler.pick(["", "my_", "DB-", "x.", "user", "page", "progress", "a:", "é", "\n"]) + sampler.pick(KEYS);
  if (sampler.below(3) === 0) key = key.toUpperCase();
  for (let n = sampler.below(3); n > 0; n--) {
    const at = sampler.below(key.length + 1);
    key = key.slice(0, at) + sampler.pick("_-") + key.slice(at);
  }
  const value: unknown =
    sampler.below(5) === 0 ? sampler.pick([1234, 84736251, -4096, 1e21]) : sampler.pick(VALUES);
  const shapes: readonly (() => unknown)[] = [
    () => ({ [key]: value }),
    () => ({ [key]: [value] }),
    () => ({ [key]: [null, 1, [value]] }),
    () => ({ [key]: { type: "x", value } }),
    () => [{ name: key, value }],
    () => ({ value, key }),
    () => ({ a: sampler.pick(VALUES), [key]: value, z: sampler.pick(VALUES) }),
  ];
  return sampler.pick(shapes)();
}
