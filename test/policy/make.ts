// Policies and calls for tests: short to write, whole to decide on.
import type { CallRequest, Mode, ServerIdentity, Verdict } from "../../src/policy/contract.ts";
import { sha256 } from "../../src/policy/compiled.ts";
import { Decider } from "../../src/policy/decide.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import type { PolicyState } from "../../src/policy/state.ts";

export const NO_STATE: PolicyState = { changed: () => false, take: () => true };
export const HOME = "/home/ada";

export function decider(yaml: string): Decider {
  const policy = parsePolicy(yaml, "policy.yml");
  return new Decider({ policy, hash: sha256(JSON.stringify(policy)) }, HOME);
}

export function stdio(name: string, ...command: string[]): ServerIdentity {
  return { name, transport: "stdio", command };
}

export function http(name: string, url: string): ServerIdentity {
  return { name, transport: "http", url };
}

export function call(
  server: ServerIdentity | undefined,
  tool: string,
  rest: Partial<CallRequest> = {},
): CallRequest {
  return {
    server,
    method: "tools/call",
    tool,
    arguments: {},
    size_bytes: 100,
    user: "ada",
    agent: "claude-code",
    session: undefined,
    definition_hash: undefined,
    now_ms: Date.parse("2026-12-01T12:00:00Z"),
    ...rest,
  };
}

/** What a decision comes to, in one line. */
export function said(policy: Decider, asked: CallRequest, state = NO_STATE): [Verdict, Mode, string] {
  const { verdict, mode, rule } = policy.decide(asked, state);
  return [verdict, mode, rule];
}
