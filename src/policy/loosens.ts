// Whether a change of the policy may let through what was refused or asked before. Looks at one item of the policy at a
// time: what another line still refuses is not weighed, so it may say yes where nothing new passes. Pure.
import {
  EMPTY_POLICY,
  type CompiledPolicy,
  type CompiledServer,
  type Fallback,
  type Line,
  type Role,
} from "./compiled.ts";
import type { Mode } from "./contract.ts";

/** What an item of a policy demands, in terms that can be compared. */
export interface Demands {
  /** It refuses, whatever else it demands. */
  readonly shut: boolean;
  /** The higher the stricter; one that is missing demands nothing. */
  readonly ranks: Readonly<Record<string, number>>;
  /** Only these are allowed; a list that is missing allows everything. */
  readonly allowed: Readonly<Record<string, readonly string[]>>;
  /** These are kept out or asked for; a list that is missing demands nothing. */
  readonly barred: Readonly<Record<string, readonly string[]>>;
}

const VERDICTS = { allow: 0, ask: 1, deny: 2 } as const;
const MODES = { observe: 0, enforce: 1 } as const;

const demands = (ranks: Demands["ranks"], more: Partial<Demands> = {}): Demands => ({
  shut: false,
  ranks,
  allowed: {},
  barred: {},
  ...more,
});

export const ofMode = (mode: Mode): Demands => demands({ mode: MODES[mode] });

export function ofFallback({ verdict, mode }: Pick<Fallback, "verdict" | "mode">): Demands {
  return demands({ verdict: VERDICTS[verdict], mode: MODES[mode] }, { shut: verdict === "deny" });
}

/** What a line stands in, and what is demanded there unless a line says otherwise. */
export interface Around {
  readonly mode: Mode;
  readonly tier?: string | undefined;
  readonly fallback: Pick<Fallback, "verdict" | "mode">;
}

/** The tier that is demanded, and whether that is enforced. */
function addTier(
  tier: string | undefined,
  mode: Mode,
  ranks: Record<string, number>,
  barred: Record<string, readonly string[]>,
): void {
  if (tier === undefined) return;
  barred["tier"] = [tier];
  ranks["tier_mode"] = MODES[mode];
}

export function ofLine(line: Line, { mode, tier }: Around): Demands {
  const base = ofFallback({ verdict: line.verdict, mode: line.mode ?? mode });
  const ranks: Record<string, number> = { ...base.ranks };
  const allowed: Record<string, readonly string[]> = {};
  const barred: Record<string, readonly string[]> = {};
  if (line.max_bytes !== undefined) ranks["max_bytes"] = -line.max_bytes;
  if (line.rate !== undefined) ranks["rate"] = -line.rate.calls / line.rate.per_s;
  if (line.tier !== undefined) addTier(line.tier, line.mode ?? mode, ranks, barred);
  else if (!base.shut) addTier(tier, mode, ranks, barred);
  if (line.definition !== undefined) barred["definition"] = [line.definition];
  for (const [name, rule] of Object.entries(line.arguments ?? {})) {
    if (rule.under !== undefined) allowed[`${name}.under`] = rule.under;
    if (rule.hosts !== undefined) allowed[`${name}.hosts`] = rule.hosts;
    if (rule.not_under !== undefined) barred[`${name}.not_under`] = rule.not_under;
    if (rule.not_hosts !== undefined) barred[`${name}.not_hosts`] = rule.not_hosts;
    if (rule.max_bytes !== undefined) ranks[`${name}.max_bytes`] = -rule.max_bytes;
  }
  return { shut: base.shut, ranks, allowed, barred };
}

/** Of the server itself; its lines are items of their own, for which its tier and end stand too. What starts it is another
 * question than what it may do. */
export function ofServer({ mode, fallback, tier, expires }: CompiledServer): Demands {
  const { ranks } = ofFallback(fallback);
  const barred: Record<string, readonly string[]> = tier === undefined ? {} : { tier: [tier] };
  const end = expires === undefined ? {} : { expires: -Date.parse(expires) };
  return demands({ ...ranks, ...end, server_mode: MODES[mode], unknown: 0 }, { barred });
}

/** Of a server that is not in the policy: nothing of it passes where that is refused. */
export function ofUnknown(policy: CompiledPolicy | undefined): Demands {
  const { verdict, mode } = (policy ?? EMPTY_POLICY).defaults.servers;
  const { shut, ranks } = ofFallback({ verdict, mode });
  return demands({ ...ranks, server_mode: MODES[mode], unknown: VERDICTS[verdict] }, { shut });
}

/** A role gives: whom it is for, and which tiers they have. */
export function ofRole({ users, agents, tiers }: Role): Demands {
  const allowed: Record<string, readonly string[]> = { tiers };
  if (users !== undefined) allowed["users"] = users;
  if (agents !== undefined) allowed["agents"] = agents;
  return demands({}, { allowed });
}

/** What no role gives to anybody. */
export const NO_ROLE: Demands = demands({}, { allowed: { tiers: [], users: [], agents: [] } });

/** What the tools of a server stand in, or those of the agent where none is named. */
export function around(policy: CompiledPolicy | undefined, server: string | undefined): Around {
  const { mode, servers, defaults } = policy ?? EMPTY_POLICY;
  if (server === undefined) return { mode, fallback: defaults.agent_tools };
  const known = servers.find(({ name }) => name === server);
  return known ?? { mode: defaults.servers.mode, fallback: defaults.servers };
}

/** What was demanded where a new line speaks now: no line that was there grows weaker by it. */
export function beforeLine({ mode, tier, fallback }: Around): Demands {
  const { shut, ranks, allowed } = ofFallback(fallback);
  const [all, barred]: [Record<string, number>, Record<string, string[]>] = [{ ...ranks }, {}];
  addTier(tier, mode, all, barred);
  return { shut, ranks: all, allowed, barred };
}

/** What is demanded where a line is gone: as little as the rest of what stands there demands of anything. */
export function afterLine(stands: Around, rest: readonly Line[]): Demands {
  const all = [beforeLine(stands), ...rest.map((line) => ofLine(line, stands))];
  const open = all.filter(({ shut }) => !shut);
  if (open.length === 0) return beforeLine(stands);
  const least = (name: string): number => Math.min(...all.map(({ ranks }) => ranks[name] ?? 0));
  return demands({ verdict: Math.min(...open.map(({ ranks }) => ranks["verdict"]!)), mode: least("mode") });
}

/** Ranks that count where everything is refused anyway. */
const ALWAYS = ["verdict", "mode", "server_mode", "unknown"];

/** Whether `b` demands less than `a` in any respect. */
export function isLooser(a: Demands, b: Demands): boolean {
  const { shut } = b;
  for (const [name, rank] of Object.entries(a.ranks))
    if ((!shut || ALWAYS.includes(name)) && (b.ranks[name] ?? Number.NEGATIVE_INFINITY) < rank) return true;
  if (shut) return false;
  for (const [name, list] of Object.entries(a.allowed)) {
    const now = b.allowed[name];
    if (now === undefined || now.some((one) => !list.includes(one))) return true;
  }
  for (const [name, list] of Object.entries(a.barred)) {
    const now = b.barred[name] ?? [];
    if (list.some((one) => !now.includes(one))) return true;
  }
  return false;
}
