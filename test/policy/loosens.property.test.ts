// Changes of a policy that let through what was refused or asked are told as such, on random policies, by the decisions
// themselves; those that only forbid more are not.
import fc from "fast-check";
import { expect, test } from "vitest";
import { changesOf } from "../../src/policy/changes.ts";
import { sha256 } from "../../src/policy/compiled.ts";
import { Decider } from "../../src/policy/decide.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { type File, asked, file, strictness } from "./arbitrary.ts";
import { HOME, NO_STATE } from "./make.ts";

/** Each server by a command of its own: what starts one is no question of what it may do. */
const apart = (policy: File): File => ({
  ...policy,
  servers: Object.fromEntries(
    Object.entries(policy.servers).map(([name, server], i) => [
      name,
      { ...server, command: [{ s1: "x", s2: "y", s3: "w" }[name] ?? `${i}`] },
    ]),
  ),
});
const compiled = (policy: File) => parsePolicy(JSON.stringify(apart(policy)), "policy");
const decider = (policy: File): Decider => new Decider({ policy: compiled(policy), hash: sha256("") }, HOME);
const loosens = (before: File, after: File): boolean =>
  changesOf(compiled(before), compiled(after)).some((change) => change.loosens);

/** A policy and one that differs from it in a few places. */
const pair = fc
  .tuple(file, file, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }))
  .map(([before, other, take]): [File, File] => {
    let at = 0;
    const next = (): boolean => take[at++ % take.length]!;
    const mixed = <T>(a: Record<string, T>, b: Record<string, T>): Record<string, T> =>
      Object.fromEntries(
        Object.entries({ ...a, ...b }).flatMap(([key]): [string, T][] => {
          const value = (next() ? b : a)[key];
          return value === undefined ? [] : [[key, value]];
        }),
      );
    const servers = mixed(before.servers, other.servers);
    for (const [name, server] of Object.entries(servers)) {
      const old = before.servers[name];
      if (old !== undefined && next()) servers[name] = { ...old, tools: mixed(old.tools, server.tools) };
    }
    const after: File = {
      ...before,
      servers,
      defaults: mixed(before.defaults, other.defaults),
      agent_tools: mixed(before.agent_tools, other.agent_tools),
      roles: { ...mixed(before.roles, other.roles), none: before.roles["none"]! },
    };
    const { mode: _, ...unset } = after;
    const { mode } = next() ? other : before;
    return [before, mode === undefined ? unset : { ...unset, mode }];
  });

test("what a change opens is told", () => {
  let opened = 0;
  fc.assert(
    fc.property(pair, asked, ([before, after], one) => {
      const [was, is] = [decider(before), decider(after)].map((d) => strictness(d.decide(one, NO_STATE)));
      if (is! >= was!) return;
      opened++;
      expect(loosens(before, after)).toBe(true);
    }),
    { numRuns: 3_000 },
  );
  expect(opened).toBeGreaterThan(50);
});

test("nothing that only forbids more is told", () => {
  fc.assert(
    fc.property(file, fc.constantFrom("s1", "s2"), fc.constantFrom("*", "q"), (before, name, tool) => {
      const known = before.servers[name];
      if (known === undefined || known.tools[tool] !== undefined) return;
      const server = {
        ...known,
        tools: { ...known.tools, [tool]: { verdict: "deny" as const, mode: "enforce" as const } },
      };
      expect(loosens(before, { ...before, servers: { ...before.servers, [name]: server } })).toBe(false);
    }),
  );
  fc.assert(
    fc.property(file, (before) => {
      expect(loosens(before, { ...before, roles: { none: before.roles["none"]! } })).toBe(false);
      expect(loosens(before, before)).toBe(false);
    }),
  );
});
