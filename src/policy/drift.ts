// What is sanctioned, what clients are set up with and what was seen, held against each other. Pure.
import type { Configured } from "./clients.ts";
import type { CompiledPolicy, CompiledServer } from "./compiled.ts";
import type { ServerIdentity } from "./contract.ts";
import { matchServer } from "./identity.ts";
import type { Pins } from "./pins.ts";

/** A server as the ledger has it. */
export interface Seen {
  readonly name: string;
  /** Words of its command joined by spaces. */
  readonly command?: string | undefined;
  readonly url?: string | undefined;
  readonly tools: readonly string[];
  readonly first?: string | undefined;
  readonly last?: string | undefined;
}

export type DriftKind = "unsanctioned" | "version" | "denied" | "unused" | "unknown" | "changed" | "expired";

export interface Drift {
  readonly kind: DriftKind;
  readonly server: string;
  readonly tool?: string | undefined;
  /** One sentence; holds no argument of a command. */
  readonly what: string;
}

/** Names of the entries that a server is, and whether its version is approved in all of them. */
function known(
  policy: CompiledPolicy,
  server: ServerIdentity,
): { readonly names: string[]; readonly version: boolean } {
  const matches = policy.servers.map((entry) => [entry.name, matchServer(entry, server)] as const);
  const found = matches.filter(([, match]) => match !== "no");
  return { names: found.map(([name]) => name), version: found.every(([, match]) => match === "yes") };
}

/** What was seen as what may be compared. Words with spaces in them are not told apart. */
export function identityOf({ name, command, url }: Seen): ServerIdentity {
  if (url !== undefined) return { name, transport: "http", url };
  return { name, transport: "stdio", command: command?.split(" ") };
}

function isSeen(policy: CompiledPolicy, seen: Seen): readonly string[] {
  if (seen.command !== undefined || seen.url !== undefined) return known(policy, identityOf(seen)).names;
  // A transcript knows a server by its name only, which the client's configuration gave it.
  return policy.servers.filter(({ name }) => name === seen.name).map(({ name }) => name);
}

export interface Looked {
  readonly policy: CompiledPolicy;
  readonly configured: readonly Configured[];
  readonly seen: readonly Seen[];
  readonly pins: Pins;
  /** Today, as in 2026-12-01. */
  readonly today: string;
}

export function driftOf({ policy, configured, seen, pins, today }: Looked): Drift[] {
  const drift: Drift[] = [];
  const used = new Set<string>();
  for (const { server, identity, scope, client, path, disabled } of configured) {
    if (scope === "denied" || disabled) continue;
    const { names, version } = known(policy, identity);
    for (const name of names) used.add(name);
    const where = `${client} (${scope}) in ${path}`;
    if (names.length === 0) {
      const what =
        scope === "allowed"
          ? `${where} lets it through, and the policy does not know it`
          : `${where} starts it, and the policy does not know it`;
      drift.push({ kind: "unsanctioned", server: server.name, what });
    } else if (!version) {
      drift.push({
        kind: "version",
        server: names[0]!,
        what: `${where} starts a version that is not approved`,
      });
    }
  }
  drift.push(...ofDenied(policy, configured));
  for (const one of seen) {
    const names = isSeen(policy, one);
    for (const name of names) used.add(name);
    if (names.length > 0 || configured.some(({ server }) => server.name === one.name)) continue;
    const when = one.last === undefined ? "" : `, last at ${one.last}`;
    drift.push({
      kind: "unknown",
      server: one.name,
      what: `it was seen${when}, and is neither sanctioned nor configured`,
    });
  }
  for (const server of policy.servers) drift.push(...ofEntry(server, used, today));
  for (const [key, tools] of Object.entries(pins.servers)) {
    for (const [tool, pin] of Object.entries(tools)) {
      if (pin.held === undefined) continue;
      drift.push({
        kind: "changed",
        server: nameOfKey(key),
        tool,
        what: "its definition changed, and it is in quarantine",
      });
    }
  }
  return drift;
}

/** What a client keeps out although the policy sanctions it. */
function ofDenied(policy: CompiledPolicy, configured: readonly Configured[]): Drift[] {
  return configured
    .filter(({ scope }) => scope === "denied")
    .flatMap(({ identity, client, path }) =>
      known(policy, identity).names.map((name) => ({
        kind: "denied" as const,
        server: name,
        what: `${client} in ${path} keeps it out, and the policy sanctions it`,
      })),
    );
}

function ofEntry(server: CompiledServer, used: ReadonlySet<string>, today: string): Drift[] {
  const drift: Drift[] = [];
  if (!used.has(server.name))
    drift.push({
      kind: "unused",
      server: server.name,
      what: "it is sanctioned, and was neither configured nor seen",
    });
  if (server.expires !== undefined && server.expires < today)
    drift.push({ kind: "expired", server: server.name, what: `its approval ended on ${server.expires}` });
  return drift;
}

/** What pins are kept under, as it is shown. */
export function nameOfKey(key: string): string {
  return key.startsWith("server ") ? key.slice("server ".length) : key;
}
