// Decides on a call by a policy: which server it is, which lines name the tool, what they demand, who asks. Pure but for
// the state handed in, which knows pins and rates. Every rule that has to do with the call gives a finding; findings.ts
// says which of them stands.
import { violationOf } from "./arguments.ts";
import type { CompiledPolicy, Fallback, Loaded, Role } from "./compiled.ts";
import type { CallRequest, Decision, ServerIdentity } from "./contract.ts";
import { type Finding, decisionOf, refuses, strictest } from "./findings.ts";
import { matchesAny } from "./glob.ts";
import { identityKey, matchServer } from "./identity.ts";
import { type Kind, Lines, type ReadyLine, ReadyServer, kindOf } from "./ready.ts";
import { ASK_OWNER, CHANGED, SAID, broken, saidOf } from "./reasons.ts";
import type { PolicyState } from "./state.ts";
import { type Readings, readingsOf } from "./uris.ts";

/** A server as the inventory has it, and whether its version is approved. */
interface Known {
  readonly entry: ReadyServer;
  readonly version_wrong: boolean;
}

interface Caller {
  readonly user: string | undefined;
  readonly agent: string | undefined;
}

export class Decider {
  readonly hash: string;
  readonly policy: CompiledPolicy;
  readonly #home: string;
  readonly #servers: readonly ReadyServer[];
  readonly #agent_tools: Lines;
  /** What servers are; proxies ask with the same object again and again. */
  readonly #known = new WeakMap<ServerIdentity, readonly Known[]>();

  constructor({ policy, hash }: Loaded, home: string) {
    this.hash = hash;
    this.policy = policy;
    this.#home = home;
    this.#servers = policy.servers.map((server) => new ReadyServer(server, home));
    this.#agent_tools = new Lines(policy.agent_tools, policy.mode, "agent_tools", home);
  }

  /** Entries of the inventory that a server is. */
  known(server: ServerIdentity): readonly Known[] {
    let found = this.#known.get(server);
    if (found === undefined) {
      found = this.#servers.flatMap((entry) => {
        const match = matchServer(entry.server, server);
        return match === "no" ? [] : [{ entry, version_wrong: match === "version" }];
      });
      this.#known.set(server, found);
    }
    return found;
  }

  /** Whether anything that the policy says of a server is enforced. */
  enforces(server: ServerIdentity): boolean {
    const known = this.known(server);
    if (this.policy.defaults.changed.mode === "enforce") return true;
    if (known.length === 0) return this.policy.defaults.servers.mode === "enforce";
    return known.some(({ entry: { server: own } }) => {
      if (own.mode === "enforce" || own.fallback.mode === "enforce") return true;
      const named = [own.tools, own.resources, own.prompts, own.requests];
      return named.some((lines) => Object.values(lines).some(({ mode }) => mode === "enforce"));
    });
  }

  /** What the pins of a server are kept under. */
  keyOf(server: ServerIdentity): string {
    const [known] = this.known(server);
    return known === undefined ? identityKey(server) : `server ${known.entry.server.name}`;
  }

  decide(call: CallRequest, state: PolicyState): Decision {
    const lines: ReadyLine[] = [];
    const findings = this.#find(call, lines);
    this.#ofDefinition(call, lines, state, findings);
    for (const found of lines) {
      if (found.line.max_bytes !== undefined && call.size_bytes > found.line.max_bytes)
        findings.push(broken(found, "max_bytes", "the request is larger than the policy allows"));
      for (const rule of found.arguments) {
        const wrong = violationOf(rule, call.arguments, { home: this.#home, cwd: call.cwd });
        if (wrong !== undefined) findings.push(broken(found, `arguments.${rule.key}`, SAID[wrong]));
      }
    }
    // A call that is refused anyway is not counted.
    const stands = strictest(findings);
    if (!refuses(stands)) {
      const counts = call.may_ask !== true || stands.verdict !== "ask" || stands.mode !== "enforce";
      for (const found of lines) {
        const { rate } = found.line;
        if (rate === undefined) continue;
        if (state.take(`${found.place} ${call.user ?? ""}`, rate, call.now_ms, counts)) continue;
        const often = `more than ${rate.calls} calls in ${rate.per_s} s`;
        findings.push(broken(found, "rate", `${often} are not allowed; wait before calling again`));
      }
    }
    return decisionOf(strictest(findings), this.hash);
  }

  /** Whether nothing of a server is let through, so that nothing of it need be remembered. */
  shuts(server: ServerIdentity): boolean {
    return this.known(server).length === 0 && refuses(this.#unknown(server));
  }

  /** Whether the policy itself says what the definition of a tool has to be. */
  reviewed(server: ServerIdentity, tool: string): boolean {
    return this.known(server).some(({ entry }) =>
      entry
        .lines("tools")
        .of(tool)
        .some(({ line }) => line.definition !== undefined),
    );
  }

  /** Whether a tool of a listing is of no use to this caller, whatever it would send. */
  hides(server: ServerIdentity, tool: string, hash: string, caller: Caller, state: PolicyState): boolean {
    const call = { server, method: "tools/call", tool, definition_hash: hash, now_ms: Date.now(), ...caller };
    const lines: ReadyLine[] = [];
    const findings = this.#find(call, lines);
    this.#ofDefinition(call, lines, state, findings);
    return refuses(strictest(findings));
  }

  /** Findings on who calls what; puts the lines that name it into `lines`. */
  #find(call: Named, lines: ReadyLine[]): Finding[] {
    const findings: Finding[] = [];
    if (call.server === undefined) {
      const own = this.#agent_tools.of(call.tool);
      this.#ofLines(own, this.policy.defaults.agent_tools, call, undefined, findings);
      lines.push(...own);
      return findings;
    }
    const known = this.known(call.server);
    if (known.length === 0) findings.push(this.#unknown(call.server));
    const kind = kindOf(call.method);
    for (const { entry, version_wrong } of known) {
      const { name, mode, version } = entry.server;
      const place = `servers.${name}`;
      if (version_wrong) {
        const reason = `The policy approves the server ${name} in versions ${version}, and this is none of them or names none. Start an approved version.`;
        findings.push({ verdict: "deny", mode, place: `${place}.version`, reason });
      }
      if (call.now_ms >= entry.expires_ms) {
        const reason = `The approval of the server ${name} ended on ${entry.server.expires}. Ask ${entry.server.owner ?? "its owner"} to renew it.`;
        findings.push({ verdict: "deny", mode, place: `${place}.expires`, reason });
      }
      if (kind === undefined) {
        const reason = `The server ${name} is in the inventory.`;
        findings.push({ verdict: "allow", mode, place, reason });
        continue;
      }
      const { each, more } = namesOf(kind, call);
      for (const one of each) {
        const own = entry.lines(kind).of(one);
        this.#ofLines(own, entry.server.fallback, call, { entry, kind }, findings);
        lines.push(...own.filter((line) => !lines.includes(line)));
      }
      const denies = more
        .flatMap((one) => entry.lines(kind).of(one))
        .filter((line) => line.verdict === "deny");
      for (const line of denies) findings.push({ ...line, reason: saidOf(line, `of the server ${name}`) });
    }
    return findings;
  }

  #unknown(server: ServerIdentity): Finding {
    const { verdict, mode, place } = this.policy.defaults.servers;
    const named = this.policy.servers.find(({ name }) => name === server.name);
    const what =
      server.command === undefined && server.url === undefined
        ? "What started this server is not known, and a name alone is no identity."
        : named === undefined
          ? "This server is not in the inventory."
          : `This server has the name of ${named.name} in the inventory, and is started by another command or URL.`;
    return { verdict, mode, place, reason: `${what} ${ASK_OWNER}` };
  }

  /** Each line says its verdict; the default too, unless a line allows or asks; the server's tier too, unless such a line
   * names one. */
  #ofLines(
    lines: readonly ReadyLine[],
    fallback: Fallback,
    caller: Caller,
    of: { readonly entry: ReadyServer; readonly kind: Kind } | undefined,
    findings: Finding[],
  ): void {
    const where = of === undefined ? "of the agent" : `of the server ${of.entry.server.name}`;
    const server = of?.entry.server;
    let granted = false;
    let needs = server?.tier;
    for (const { line, verdict, mode, place } of lines) {
      findings.push({ verdict, mode, place, reason: saidOf({ verdict, place }, where) });
      if (line.tier !== undefined) this.#ofTier(line.tier, { mode, place }, caller, findings);
      if (verdict === "deny") continue;
      granted = true;
      if (line.tier !== undefined) needs = undefined;
    }
    if (!granted) findings.push({ ...fallback, reason: saidOf(fallback, where) });
    if (needs !== undefined)
      this.#ofTier(needs, { mode: server!.mode, place: `servers.${server!.name}` }, caller, findings);
  }

  #ofTier(
    tier: string,
    { mode, place }: Pick<Fallback, "mode" | "place">,
    caller: Caller,
    findings: Finding[],
  ): void {
    if (this.policy.roles.some((role) => role.tiers.includes(tier) && holds(role, caller))) return;
    const reason = `This needs the tier ${tier}, which none of the caller's roles has. ${ASK_OWNER}`;
    findings.push({ verdict: "deny", mode, place: `${place}.tier`, reason });
  }

  #ofDefinition(call: Named, lines: readonly ReadyLine[], state: PolicyState, findings: Finding[]): void {
    if (call.server === undefined || call.method !== "tools/call") return;
    const { verdict, mode, place } = this.policy.defaults.changed;
    const reviewed = lines.filter(({ line }) => line.definition !== undefined);
    for (const { line, place: at } of reviewed) {
      if (call.definition_hash === undefined || call.definition_hash === line.definition) continue;
      findings.push({ verdict, mode, place: `${at}.definition`, reason: CHANGED });
    }
    if (reviewed.length > 0 || !state.changed(this.keyOf(call.server), call.tool, call.definition_hash))
      return;
    findings.push({ verdict, mode, place, reason: CHANGED });
  }
}

type Named = Pick<
  CallRequest,
  "server" | "method" | "tool" | "user" | "agent" | "definition_hash" | "now_ms"
>;

/** What lines are looked up by: of a resource every way in which its URI may be read. */
function namesOf(kind: Kind, call: Named): Readings {
  if (kind === "resources") return readingsOf(call.tool);
  return { each: [kind === "requests" ? call.method : call.tool], more: [] };
}

function holds(role: Role, { user, agent }: Caller): boolean {
  return isOf(role.users, user) && isOf(role.agents, agent);
}

function isOf(list: readonly string[] | undefined, name: string | undefined): boolean {
  return list === undefined || (name !== undefined && matchesAny(list, name));
}
