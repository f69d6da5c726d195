// The precedence that docs/guides/policy.md states, on random policies: against the rules written out plainly, and as
// laws. What is added to forbid never opens anything.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { CallRequest, Mode, Verdict } from "../../src/policy/contract.ts";
import { sha256 } from "../../src/policy/compiled.ts";
import { Decider } from "../../src/policy/decide.ts";
import { matches } from "../../src/policy/glob.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { type File, type Line, asked, few, file, mode, strictness, tier } from "./arbitrary.ts";
import { HOME, NO_STATE } from "./make.ts";

const NOW_DAY = "2026-12-01";

function decide(policy: File, one: CallRequest): { verdict: Verdict; mode: Mode } {
  const compiled = parsePolicy(JSON.stringify(policy), "policy");
  return new Decider({ policy: compiled, hash: sha256("") }, HOME).decide(one, NO_STATE);
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
