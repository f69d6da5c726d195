// Pinned definitions as a value: trusted when first seen, in quarantine when they change, until a person accepts them.
// Knows no file. A bounded journal says what was done and by whom, for the collector to record.
import { randomBytes } from "node:crypto";
import { userInfo } from "node:os";
import { LIMITS } from "../core/limits.ts";
import type { ToolDefinition } from "./contract.ts";

export interface Pin {
  /** Hashes of definitions that are trusted; the oldest first. */
  readonly accepted: readonly string[];
  readonly since_ms: number;
  /** Hash of a definition that is not trusted: the tool is in quarantine. */
  readonly held?: string | undefined;
  readonly held_ms?: number | undefined;
}

export interface JournalEntry {
  readonly seq: number;
  readonly at_ms: number;
  readonly what: "pinned" | "quarantined" | "accepted";
  readonly server: string;
  /** Missing where the entry is of several tools, as when a server is first seen. */
  readonly tool?: string | undefined;
  readonly count?: number | undefined;
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  readonly user: string;
}

export interface Pins {
  readonly version: 1;
  /** Of this file, so that a new one is not taken for the old. */
  readonly id: string;
  /** Of the next entry of the journal. */
  readonly seq: number;
  /** Server → tool → pin. */
  readonly servers: Readonly<Record<string, Readonly<Record<string, Pin>>>>;
  readonly journal: readonly JournalEntry[];
}

export function noPins(): Pins {
  return { version: 1, id: randomBytes(8).toString("hex"), seq: 0, servers: {}, journal: [] };
}

/** What a listing shows that is not in the pins. */
interface Changes {
  readonly pinned: readonly ToolDefinition[];
  readonly quarantined: readonly ToolDefinition[];
  /** Names of what there is no room for. */
  readonly refused: readonly string[];
}

const NAME_CHARS_MAX = 256;
const pinnable = (name: string): boolean => name.length <= NAME_CHARS_MAX && name !== "__proto__";

export function pinOf(pins: Pins, server: string, tool: string): Pin | undefined {
  const known = pins.servers[server];
  return known !== undefined && Object.hasOwn(known, tool) ? known[tool] : undefined;
}

/** How many more definitions of a server can be pinned. */
export function roomFor(pins: Pins, server: string): number {
  const room = LIMITS.policy_pins_server - Object.keys(pins.servers[server] ?? {}).length;
  if (room <= 0) return 0;
  const all = Object.values(pins.servers).reduce((sum, one) => sum + Object.keys(one).length, 0);
  return Math.min(room, LIMITS.policy_pins - all);
}

export function changes(pins: Pins, server: string, tools: readonly ToolDefinition[]): Changes {
  const pinned: ToolDefinition[] = [];
  const quarantined: ToolDefinition[] = [];
  const refused: string[] = [];
  const room = roomFor(pins, server);
  for (const tool of tools) {
    const found = pinOf(pins, server, tool.name);
    if (found !== undefined) {
      if (!found.accepted.includes(tool.hash) && found.held !== tool.hash) quarantined.push(tool);
    } else if (pinned.length < room && pinnable(tool.name)) pinned.push(tool);
    else refused.push(tool.name);
  }
  return { pinned, quarantined, refused };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "unknown"); // a user without a name
  }
}

type Noted = Omit<JournalEntry, "seq" | "at_ms" | "user">;

function noted(pins: Pins, servers: Pins["servers"], entries: readonly Noted[], at_ms: number): Pins {
  const user = userName();
  const added = entries.map((entry, i) => ({ ...entry, seq: pins.seq + i, at_ms, user }));
  const journal = [...pins.journal, ...added].slice(-LIMITS.policy_journal);
  return { ...pins, seq: pins.seq + added.length, servers, journal };
}

/** Pins with the changes of a listing in them. */
export function pin(pins: Pins, server: string, seen: Changes, now_ms: number): Pins {
  const tools: Record<string, Pin> = { ...pins.servers[server] };
  const entries: Noted[] = [];
  for (const { name, hash } of seen.pinned) tools[name] = { accepted: [hash], since_ms: now_ms };
  if (seen.pinned.length > 0) entries.push({ what: "pinned", server, count: seen.pinned.length });
  for (const { name, hash } of seen.quarantined) {
    const found = tools[name]!;
    tools[name] = { ...found, held: hash, held_ms: now_ms };
    // A server that changes at every listing is told of once.
    if (found.held !== undefined) continue;
    entries.push({ what: "quarantined", server, tool: name, before: found.accepted.at(-1), after: hash });
  }
  return noted(pins, { ...pins.servers, [server]: tools }, entries, now_ms);
}

/** Pins with what is in quarantine accepted: of one tool, or of all of a server. */
export function accept(pins: Pins, server: string, tool: string | undefined, now_ms: number): Pins {
  const tools: Record<string, Pin> = { ...pins.servers[server] };
  const entries: Noted[] = [];
  for (const [name, found] of Object.entries(tools)) {
    if (found.held === undefined || (tool !== undefined && name !== tool)) continue;
    const accepted = [...found.accepted, found.held].slice(-LIMITS.policy_accepted);
    tools[name] = { accepted, since_ms: found.since_ms };
    entries.push({ what: "accepted", server, tool: name, before: found.accepted.at(-1), after: found.held });
  }
  return entries.length === 0 ? pins : noted(pins, { ...pins.servers, [server]: tools }, entries, now_ms);
}
