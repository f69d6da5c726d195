// Finds files by pattern: `*`, `?`, `[a-z]`, `{a,b}`, `**`, and `~` for the home directory. A name that starts with a
// dot is found only by a pattern that says the dot. `**` does not enter symbolic links. Follows directories cheaply:
// one that has not changed is not listed again.
import { readdirSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve, sep } from "node:path";
import { systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";

type Step = string | RegExp; // "**" stands for any directories
interface Pattern {
  readonly base: string;
  readonly steps: readonly Step[];
}
interface Listing {
  readonly mtime_ms: number;
  readonly read_ms: number;
  readonly names: readonly string[];
  readonly dirs: readonly string[];
  readonly links: ReadonlySet<string>;
}

const MAGIC = /[*?[\]{}]/;
const SETTLED_MS = 1_000; // a directory that changed this recently may change again within its time's granularity

/** `a{b,c}d` → `abd`, `acd`. */
export function expandBraces(pattern: string): string[] {
  const open = pattern.indexOf("{");
  if (open < 0) return [pattern];
  let depth = 0;
  const cuts = [open];
  for (let i = open; i < pattern.length; i++) {
    if (pattern[i] === "{") depth++;
    else if (pattern[i] === "," && depth === 1) cuts.push(i);
    else if (pattern[i] === "}" && --depth === 0) {
      cuts.push(i);
      const found: string[] = [];
      for (let k = 1; k < cuts.length; k++) {
        const middle = pattern.slice(cuts[k - 1]! + 1, cuts[k]);
        found.push(...expandBraces(pattern.slice(0, open) + middle + pattern.slice(i + 1)));
      }
      return found;
    }
  }
  return [pattern];
}

function segmentSource(segment: string): string {
  let source = segment.startsWith(".") ? "" : "(?!\\.)";
  for (let i = 0; i < segment.length; i++) {
    const c = segment[i]!;
    const close = c === "[" ? segment.indexOf("]", i + 2) : -1;
    if (c === "*") source += segment[i - 1] === "*" ? "" : "[^/]*";
    else if (c === "?") source += "[^/]";
    else if (close > 0) {
      const inside = segment
        .slice(i + 1, close)
        .replace(/\\/g, "\\\\")
        .replace(/\[/g, "\\[");
      source += `[${inside.startsWith("!") ? `^${inside.slice(1)}` : inside}]`;
      i = close;
    } else source += c.replace(/[\\^$.|+()[\]{}]/g, "\\$&");
  }
  return source;
}

function absolute(pattern: string): string {
  return resolve(pattern === "~" || pattern.startsWith("~/") ? homedir() + pattern.slice(1) : pattern);
}

/** A pattern as one expression over whole paths. */
export function pathMatcher(pattern: string): RegExp {
  const alternatives = expandBraces(pattern).map((one) => {
    const segments = absolute(one).split(sep).slice(1);
    return segments
      .map((s, i) => {
        if (s !== "**") return `/${segmentSource(s)}`;
        return i === segments.length - 1 ? "(?:/(?!\\.)[^/]+)+" : "(?:/(?!\\.)[^/]+)*";
      })
      .join("");
  });
  return new RegExp(`^(?:${alternatives.join("|")})$`);
}

function compile(pattern: string): Pattern {
  const segments = absolute(pattern).split(sep).slice(1);
  // The last segment is never part of the base: a pattern without magic has its directory as base.
  let fixed = 0;
  while (fixed < segments.length - 1 && !MAGIC.test(segments[fixed]!)) fixed++;
  const steps = segments.slice(fixed).map((segment): Step => {
    if (segment === "**" || !MAGIC.test(segment)) return segment;
    return new RegExp(`^${segmentSource(segment)}$`);
  });
  if (steps.at(-1) === "**") steps.push(/^(?!\.)/);
  return { base: sep + segments.slice(0, fixed).join(sep), steps };
}

export interface Found {
  /** All paths found, or undefined when no directory changed. They may no longer exist. */
  readonly paths: ReadonlySet<string> | undefined;
  /** Directories whose content changed. */
  readonly changed: ReadonlySet<string>;
}

export class Globs {
  readonly #patterns: readonly Pattern[];
  readonly #exclude: readonly RegExp[];
  readonly #cache = new Map<string, Listing>();
  #changed = new Set<string>();
  #used = new Set<string>();
  #paths = new Set<string>();
  #first = true;
  /** Paths left out because there were more than LIMITS.files. */
  over_limit = 0;
  /** Directories that exist and could not be listed, by the last look. */
  denied = new Map<string, string>();

  constructor(include: readonly string[], exclude: readonly string[]) {
    this.#patterns = include.flatMap(expandBraces).map(compile);
    this.#exclude = exclude.map(pathMatcher);
  }

  /** Real paths of the directories below which files may lie. Those that do not exist are left out. */
  roots(): string[] {
    const roots = new Set<string>();
    for (const { base } of this.#patterns) {
      try {
        roots.add(realpathSync(base));
      } catch {
        // It does not exist yet.
      }
    }
    return [...roots];
  }

  /** The directories that patterns start from, as written. */
  get bases(): string[] {
    return this.#patterns.map((pattern) => pattern.base);
  }

  excluded(path: string): boolean {
    return this.#exclude.some((matcher) => matcher.test(path));
  }

  look(now: number): Found {
    this.#changed = new Set();
    this.#used = new Set();
    this.denied = new Map();
    // A literal last step needs no listing, so the walk itself is cheap; its result is kept while nothing changed.
    const paths = new Set<string>();
    this.over_limit = 0;
    for (const { base, steps } of this.#patterns) this.#walk(base, steps, 0, 0, now, paths);
    const same = !this.#first && this.#changed.size === 0 && paths.size === this.#paths.size;
    for (const dir of this.#cache.keys()) if (!this.#used.has(dir)) this.#cache.delete(dir);
    this.#first = false;
    this.#paths = paths;
    return { paths: same ? undefined : paths, changed: this.#changed };
  }

  #walk(dir: string, steps: readonly Step[], at: number, depth: number, now: number, out: Set<string>): void {
    if (depth > LIMITS.depth) return;
    const step = steps[at]!;
    const last = at === steps.length - 1;
    if (step === "**") {
      this.#walk(dir, steps, at + 1, depth, now, out);
      const list = this.#list(dir, now);
      for (const name of list?.dirs ?? []) {
        if (name.startsWith(".") || list!.links.has(name)) continue;
        this.#walk(join(dir, name), steps, at, depth + 1, now, out);
      }
    } else if (typeof step === "string") {
      // Below `**` directories are many, and most do not hold the name.
      if (last && at > 0 && this.#list(dir, now)?.names.includes(step) !== true) return;
      if (last) this.#add(join(dir, step), out);
      else this.#walk(join(dir, step), steps, at + 1, depth + 1, now, out);
    } else {
      const list = this.#list(dir, now);
      const names = (last ? list?.names : list?.dirs) ?? [];
      for (const name of names) {
        if (!step.test(name)) continue;
        if (last) this.#add(join(dir, name), out);
        else this.#walk(join(dir, name), steps, at + 1, depth + 1, now, out);
      }
    }
  }

  #add(path: string, out: Set<string>): void {
    if (this.excluded(path)) return;
    if (out.size < LIMITS.files) out.add(path);
    else if (!out.has(path)) this.over_limit++;
  }

  /** Names in a directory; from the cache while the directory's time stands. */
  #list(dir: string, now: number): Listing | undefined {
    const cached = this.#cache.get(dir);
    if (this.#used.has(dir)) return cached;
    this.#used.add(dir);
    try {
      const mtime_ms = statSync(dir).mtimeMs;
      const fresh =
        cached !== undefined &&
        cached.mtime_ms === mtime_ms &&
        cached.read_ms - mtime_ms > SETTLED_MS &&
        now - cached.read_ms < LIMITS.relist_ms;
      if (fresh) return cached;
      const list = this.#read(dir, mtime_ms, now);
      this.#changed.add(dir);
      this.#cache.set(dir, list);
      return list;
    } catch (error) {
      const code = systemCode(error) ?? "";
      if (code !== "ENOENT" && code !== "ENOTDIR") this.denied.set(dir, code);
      if (cached !== undefined) this.#changed.add(dir);
      this.#cache.delete(dir);
      return undefined;
    }
  }

  #read(dir: string, mtime_ms: number, now: number): Listing {
    const names: string[] = [];
    const dirs: string[] = [];
    const links = new Set<string>();
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      let directory = entry.isDirectory();
      if (entry.isSymbolicLink()) {
        links.add(entry.name);
        directory = isDirectory(join(dir, entry.name));
      }
      (directory ? dirs : names).push(entry.name);
    }
    return { mtime_ms, read_ms: now, names, dirs, links };
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
