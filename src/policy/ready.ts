// A compiled policy made ready for decisions: names looked up by a map, lists of places brought into the form in which
// they are compared. Made once per load; holds nothing that changes.
import { type ReadyRule, ready } from "./arguments.ts";
import type { CompiledServer, Fallback, Line, Named } from "./compiled.ts";
import type { Mode } from "./contract.ts";
import { matches } from "./glob.ts";

export interface ReadyLine extends Fallback {
  readonly line: Line;
  readonly arguments: readonly ReadyRule[];
}

/** Lines by name; those with `*` are tried one by one. Made ready when first asked. */
export class Lines {
  readonly #named: Named;
  readonly #mode: Mode;
  readonly #place: string;
  readonly #home: string;
  readonly #open: readonly string[];
  readonly #ready = new Map<string, ReadyLine>();

  constructor(named: Named, mode: Mode, place: string, home: string) {
    this.#named = named;
    this.#mode = mode;
    this.#place = place;
    this.#home = home;
    this.#open = Object.keys(named).filter((pattern) => pattern.includes("*"));
  }

  #line(pattern: string): ReadyLine {
    let found = this.#ready.get(pattern);
    if (found === undefined) {
      const line = this.#named[pattern]!;
      const rules = Object.entries(line.arguments ?? {}).map(([key, rule]) => ready(key, rule, this.#home));
      const place = `${this.#place}.${pattern}`;
      found = { line, verdict: line.verdict, mode: line.mode ?? this.#mode, place, arguments: rules };
      this.#ready.set(pattern, found);
    }
    return found;
  }

  /** Lines whose pattern the name is of. */
  of(name: string): ReadyLine[] {
    const exact = Object.hasOwn(this.#named, name) && !name.includes("*");
    const found = exact ? [this.#line(name)] : [];
    for (const pattern of this.#open) if (matches(pattern, name)) found.push(this.#line(pattern));
    return found;
  }
}

export type Kind = "tools" | "resources" | "prompts" | "requests";

export class ReadyServer {
  readonly server: CompiledServer;
  readonly #home: string;
  readonly #lines = new Map<Kind, Lines>();
  /** End of the last day of its approval, ms since 1970. */
  readonly expires_ms: number;

  constructor(server: CompiledServer, home: string) {
    this.server = server;
    this.#home = home;
    this.expires_ms =
      server.expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(server.expires) + DAY_MS;
  }

  lines(kind: Kind): Lines {
    let found = this.#lines.get(kind);
    if (found === undefined) {
      found = new Lines(
        this.server[kind],
        this.server.mode,
        `servers.${this.server.name}.${kind}`,
        this.#home,
      );
      this.#lines.set(kind, found);
    }
    return found;
  }
}

const DAY_MS = 24 * 3_600_000;

const KINDS: Readonly<Record<string, Kind>> = {
  "tools/call": "tools",
  "resources/read": "resources",
  "resources/subscribe": "resources",
  "prompts/get": "prompts",
  "sampling/createMessage": "requests",
  "elicitation/create": "requests",
  "roots/list": "requests",
};

/** Which lines a method is of; undefined for what only the server itself is asked about. */
export function kindOf(method: string): Kind | undefined {
  return Object.hasOwn(KINDS, method) ? KINDS[method] : undefined;
}
