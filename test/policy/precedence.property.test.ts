// The precedence that docs/guides/policy.md states, on random policies: against the rules written out plainly, and as
// laws. What is added to forbid never opens anything.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { CallRequest, Mode, Verdict } from "../../src/policy/contract.ts";
import { sha256 } from "../../src/policy/compiled.ts";
import { Decider } from "../../src/policy/decide.ts";
import { matches } from "../../src/policy/glob.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { call, HOME, NO_STATE, stdio } from "./make.ts";

interface Line {
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
interface File {
  version: 1;
  mode?: Mode;
  defaults: Record<"servers" | "tools" | "agent_tools", { verdict: Verdict; mode?: Mode }>;
  servers: Record<string, Server>;
  agent_tools: Record<string, Line>;
  roles: Record<string, { users?: string[]; agents?: string[]; tiers: string[] }>;
}

const verdict = fc.constantFrom<Verdict>("allow", "deny", "ask");
const mode = fc.constantFrom<Mode>("observe", "enforce");
const pattern = fc.constantFrom("*", "a*", "*b", "ab", "a", "b", "c");
const tier = fc.constantFrom("t1", "t2");
const few = { requiredKeys: ["verdict" as const] };
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
const file: fc.Arbitrary<File> = fc.record(
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
const asked: fc.Arbitrary<CallRequest> = fc
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

const NOW_DAY = "2026-12-01";

function decide(policy: File, one: CallRequest): { verdict: Verdict; mode: Mode } {
  const compiled = parsePolicy(JSON.stringify(policy), "policy");
  return new Decider({ policy: compiled, hash: sha256("") }, HOME).decide(one, NO_STATE);
}

/** What happens to the call: 0 it passes, 1 a person is asked, 2 it is refused. */
function strictness(decision: { verdict: Verdict; mode: Mode }): number {
  return decision.mode === "observe" ? 0 : { allow: 0, ask: 1, deny: 2 }[decision.verdict];
}

/** Everything that the file says about a call, written out. */
function statements(policy: File, one: CallRequest): { verdict: Verdict; mode: Mode }[] {
  const top: Mode = policy.mode ?? "observe";
  const all: { verdict: Verdict; mode: Mode }[] = [];
  const holds = (wanted: string): boolean =>
    Object.values(policy.roles).some(
      ({ users, agents, tiers }) =>
        tiers.includes(wanted) &&
        (users === undefined || users.some((user) => one.user !== undefined && matches(user, one.user))) &&
        (agents === undefined ||
          agents.some((agent) => one.agent !== undefined && matches(agent, one.agent))),
    );
  const about = (
    known: Record<string, Line>,
    outer: Mode,
    fallback: { verdict: Verdict; mode?: Mode },
    needs: string | undefined,
  ): void => {
    const own = Object.entries(known).filter(([name]) => matches(name, one.tool));
    for (const [, { verdict: says, mode: how = outer, tier: wanted, max_bytes = Infinity }] of own) {
      all.push({ verdict: says, mode: how });
      if (wanted !== undefined && !holds(wanted)) all.push({ verdict: "deny", mode: how });
      if (one.size_bytes > max_bytes) all.push({ verdict: "deny", mode: how });
    }
    const grants = own.filter(([, { verdict: says }]) => says !== "deny");
    if (grants.length === 0) all.push({ verdict: fallback.verdict, mode: fallback.mode ?? outer });
    const named = grants.some(([, { tier: wanted }]) => wanted !== undefined);
    if (!named && needs !== undefined && !holds(needs)) all.push({ verdict: "deny", mode: outer });
  };
  if (one.server === undefined) {
    about(policy.agent_tools, top, policy.defaults.agent_tools, undefined);
    return all;
  }
  const started = one.server.command![0]!;
  const known = Object.values(policy.servers).filter(
    ({ command }) => command[0] === started || command[0] === "*",
  );
  if (known.length === 0) all.push({ mode: top, ...policy.defaults.servers });
  for (const one_server of known) {
    const outer = one_server.mode ?? top;
    if (one_server.expires !== undefined && one_server.expires < NOW_DAY)
      all.push({ verdict: "deny", mode: outer });
    about(one_server.tools, outer, one_server.default ?? policy.defaults.tools, one_server.tier);
  }
  return all;
}

function reference(policy: File, one: CallRequest): Verdict {
  const all = statements(policy, one);
  const has = (says: Verdict, how: Mode): boolean => all.some((s) => s.verdict === says && s.mode === how);
  for (const how of ["enforce", "observe"] as const) {
    if (has("deny", how)) return "deny";
    if (has("ask", how)) return "ask";
  }
  return "allow";
}

function law(name: string, strict: (policy: File) => fc.Arbitrary<File>): void {
  test(name, () => {
    const pairs = file.chain((before) => strict(before).map((after) => ({ before, after })));
    fc.assert(
      fc.property(pairs, asked, ({ before, after }, one) => {
        expect(strictness(decide(after, one))).toBeGreaterThanOrEqual(strictness(decide(before, one)));
      }),
      { numRuns: 300 },
    );
  });
}

test("decides as the rules written out do", () => {
  fc.assert(
    fc.property(file, asked, (policy, one) => {
      const decision = decide(policy, one);
      expect(decision.verdict).toBe(reference(policy, one));
      const refused = statements(policy, one).some((s) => s.verdict === "deny" && s.mode === "enforce");
      expect(strictness(decision) === 2).toBe(refused);
    }),
    { numRuns: 1_000 },
  );
});

test("an explicit enforced deny beats everything", () => {
  fc.assert(
    fc.property(file, asked, fc.constantFrom("*", "?"), (policy, one, wild) => {
      const name = wild === "*" ? "*" : one.tool;
      const deny: Line = { verdict: "deny", mode: "enforce" };
      const servers = Object.entries(policy.servers).map(([key, s]) => [
        key,
        { ...s, tools: { ...s.tools, [name]: deny } },
      ]);
      const strict = {
        ...policy,
        servers: Object.fromEntries(servers) as File["servers"],
        agent_tools: { ...policy.agent_tools, [name]: deny },
        defaults: { ...policy.defaults, servers: deny },
      };
      expect(strictness(decide(strict, one))).toBe(2);
    }),
    { numRuns: 300 },
  );
});

const denial = fc.record({ verdict: fc.constant<Verdict>("deny"), mode, tier }, few);
law("adding a deny never opens anything", (policy) =>
  fc
    .record({ name: fc.constantFrom("zz*", "*z*", "a**", "**", "d"), deny: denial })
    .map(({ name, deny }) => ({
      ...policy,
      agent_tools: { ...policy.agent_tools, [name]: deny },
      servers: Object.fromEntries(
        Object.entries(policy.servers).map(([key, s]) => [
          key,
          { ...s, tools: { ...s.tools, [name]: deny } },
        ]),
      ),
    })),
);

law("taking a tier from a role never opens anything", (policy) =>
  fc.constantFrom(...Object.keys(policy.roles)).map((name) => {
    const { [name]: _, ...roles } = policy.roles;
    return { ...policy, roles: { ...roles, none: { users: ["nobody"], tiers: ["t1", "t2"] } } };
  }),
);

law("enforcing what was observed never opens anything", (policy) =>
  fc.constant({ ...policy, mode: "enforce" as const }),
);

law("a smaller size and an earlier end never open anything", (policy) =>
  fc.constant({
    ...policy,
    servers: Object.fromEntries(
      Object.entries(policy.servers).map(([key, s]) => [
        key,
        {
          ...s,
          expires: "2026-11-30",
          tools: Object.fromEntries(
            Object.entries(s.tools).map(([name, one]) => [name, { ...one, max_bytes: 50 }]),
          ),
        },
      ]),
    ),
  }),
);

test("the order in which a file says things is no difference", () => {
  const turned = <T>(all: Record<string, T>): Record<string, T> =>
    Object.fromEntries(Object.entries(all).toReversed());
  fc.assert(
    fc.property(file, asked, (policy, one) => {
      const other = {
        ...policy,
        agent_tools: turned(policy.agent_tools),
        roles: turned(policy.roles),
        servers: turned(
          Object.fromEntries(
            Object.entries(policy.servers).map(([key, s]) => [key, { ...s, tools: turned(s.tools) }]),
          ),
        ),
      };
      const [a, b] = [decide(policy, one), decide(other, one)];
      expect([b.verdict, strictness(b)]).toEqual([a.verdict, strictness(a)]);
    }),
    { numRuns: 300 },
  );
});

test("names match as a regular expression would", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 8 });
  const wild = fc.string({ unit: fc.constantFrom("a", "b", ".", "*"), maxLength: 6 });
  fc.assert(
    fc.property(wild, text, (one, name) => {
      const regex = new RegExp(
        `^${one
          .split("*")
          .map((part) => part.replaceAll(".", String.raw`\.`))
          .join(".*")}$`,
      );
      expect(matches(one, name)).toBe(regex.test(name));
    }),
    { numRuns: 5_000 },
  );
});
