// What a policy finds about one call, and which of the findings is the decision. The order is the precedence that
// docs/guides/policy.md states: what is enforced before what is observed, and deny before ask before allow.
import type { Decision, Mode, Verdict } from "./contract.ts";

export interface Finding {
  readonly verdict: Verdict;
  readonly mode: Mode;
  /** Place of the rule in the policy. */
  readonly place: string;
  /** What was refused and what to do about it; made only of the policy's own words. */
  readonly reason: string;
}

const RANK = { allow: 0, ask: 1, deny: 2 } as const;

/** The finding that stands: the strictest of those enforced, unless they allow and one observed does not. */
export function strictest(findings: readonly Finding[]): Finding {
  let enforced: Finding | undefined;
  let observed: Finding | undefined;
  for (const finding of findings) {
    if (finding.mode === "enforce") enforced = stricter(enforced, finding);
    else observed = stricter(observed, finding);
  }
  if (enforced === undefined) return observed!;
  return observed === undefined || enforced.verdict !== "allow" || observed.verdict === "allow"
    ? enforced
    : observed;
}

function stricter(a: Finding | undefined, b: Finding): Finding {
  return a === undefined || RANK[b.verdict] > RANK[a.verdict] ? b : a;
}

/** Whether the call is refused outright. */
export function refuses(finding: Finding): boolean {
  return finding.mode === "enforce" && finding.verdict === "deny";
}

export function decisionOf({ verdict, mode, place, reason }: Finding, policy: string): Decision {
  return { verdict, mode, rule: place, reason, policy };
}
