// Random policies and calls, for laws that hold for all of them.
import fc from "fast-check";
import type { CallRequest, Mode, Verdict } from "../../src/policy/contract.ts";
import { call, stdio } from "./make.ts";

export interface Line {
  verdict: Verdict;
  mode?: Mode;
  tier?: string;
  max_bytes?: number;
}
interface Server {
  command: string[];
  mode?: Mode;
  tier?: string;
  expires?: string;
  default?: { verdict: Verdict; mode?: Mode };
  tools: Record<string, Line>;
}
export interface File {
  version: 1;
  mode?: Mode;
  defaults: Record<"servers" | "tools" | "agent_tools", { verdict: Verdict; mode?: Mode }>;
  servers: Record<string, Server>;
  agent_tools: Record<string, Line>;
  roles: Record<string, { users?: string[]; agents?: string[]; tiers: string[] }>;
}

export const verdict = fc.constantFrom<Verdict>("allow", "deny", "ask");
export const mode = fc.constantFrom<Mode>("observe", "enforce");
const pattern = fc.constantFrom("*", "a*", "*b", "ab", "a", "b", "c");
export const tier = fc.constantFrom("t1", "t2");
export const few = { requiredKeys: ["verdict" as const] };
const line: fc.Arbitrary<Line> = fc.record({ verdict, mode, tier, max_bytes: fc.constantFrom(50, 150) }, few);
const lines = fc.dictionary(pattern, line, { maxKeys: 3 });
const said = fc.record({ verdict, mode }, few);
const server: fc.Arbitrary<Server> = fc.record(
  {
    command: fc.constantFrom(["x"], ["y"], ["*"]),
    mode,
    tier,
    expires: fc.constantFrom("2026-11-30", "2026-12-01"),
    default: said,
    tools: lines,
  },
  { requiredKeys: ["command", "tools"] },
);
const role = fc.record(
  {
    users: fc.constantFrom(["ada"], ["b*"]),
    agents: fc.constantFrom(["cursor"], ["*"]),
    tiers: fc.constantFrom(["t1"], ["t2"]),
  },
  { requiredKeys: ["tiers"] },
);
export const file: fc.Arbitrary<File> = fc.record(
  {
    version: fc.constant(1 as const),
    mode,
    defaults: fc.record({ servers: said, tools: said, agent_tools: said }),
    servers: fc.dictionary(fc.constantFrom("s1", "s2", "s3"), server, { maxKeys: 3 }),
    agent_tools: lines,
    // Every tier is some role's, as the file has to say.
    roles: fc
      .dictionary(fc.constantFrom("r1", "r2"), role, { maxKeys: 2 })
      .map((all) => ({ ...all, none: { users: ["nobody"], tiers: ["t1", "t2"] } })),
  },
  { requiredKeys: ["version", "defaults", "servers", "agent_tools", "roles"] },
);
export const asked: fc.Arbitrary<CallRequest> = fc
  .record({
    started: fc.constantFrom("x", "y", "z", undefined),
    tool: fc.constantFrom("a", "ab", "b", "bab", "c", "d"),
    user: fc.constantFrom("ada", "bob", undefined),
    agent: fc.constantFrom("cursor", "codex", undefined),
    size_bytes: fc.constantFrom(10, 100, 200),
  })
  .map(({ started, tool, ...rest }) =>
    call(started === undefined ? undefined : stdio("n", started), tool, rest),
  );

/** What happens to the call: 0 it passes, 1 a person is asked, 2 it is refused. */
export function strictness(decision: { verdict: Verdict; mode: Mode }): number {
  return decision.mode === "observe" ? 0 : { allow: 0, ask: 1, deny: 2 }[decision.verdict];
}
