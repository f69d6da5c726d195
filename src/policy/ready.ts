// A compiled policy made ready for decisions: names looked up by a map, lists of places brought into the form in which
// they are compared. Made once per load; holds nothing that changes.
import { type ReadyRule, ready } from "./arguments.ts";
import type { CompiledPolicy, CompiledServer, Line } from "./compiled.ts";
import { matches } from "./glob.ts";

export interface ReadyLine {
  readonly line: Line;
  readonly arguments: readonly ReadyRule[];
}

/** Lines by name; those with `*` are tried one by one. */
export class Lines {
  readonly #exact = new Map<string, ReadyLine>();
  readonly #open: ReadyLine[] = [];

  constructor(lines: readonly Line[], home: string) {
    for (const line of lines) {
      const rules = Object.entries(line.arguments ?? {}).map(([key, rule]) => ready(key, rule, home));
      if (line.pattern.includes("*")) this.#open.push({ line, arguments: rules });
      else this.#exact.set(line.pattern, { line, arguments: rules });
    }
  }

  /** Lines whose pattern the name is of. */
  of(name: string): ReadyLine[] {
    const exact = this.#exact.get(name);
    const found = exact === undefined ? [] : [exact];
    for (const one of this.#open) if (matches(one.line.pattern, name)) found.push(one);
    return found;
  }
}

export type Kind = "tools" | "resources" | "prompts" | "requests";

export interface ReadyServer {
  readonly server: CompiledServer;
  readonly lines: Readonly<Record<Kind, Lines>>;
  /** End of the last day of its approval, ms since 1970. */
  readonly expires_ms: number;
}

const DAY_MS = 24 * 3_600_000;

export function readyServers(policy: CompiledPolicy, home: string): ReadyServer[] {
  return policy.servers.map((server) => ({
    server,
    lines: {
      tools: new Lines(server.tools, home),
      resources: new Lines(server.resources, home),
      prompts: new Lines(server.prompts, home),
      requests: new Lines(server.requests, home),
    },
    expires_ms: server.expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(server.expires) + DAY_MS,
  }));
}

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
