// The check of the ledger: what is new since the last time, and all of it at a slower pace, in a process of its own.
import { join } from "node:path";
import { listed, n } from "../core/words.ts";
import type { Finding } from "./contract.ts";
import { slowly } from "./slow.ts";
import type { ChecksState } from "./state.ts";

export interface LedgerFinding {
  readonly finding: Finding;
  readonly verified: ChecksState["verified"];
}

/** Throws CHECK_FAILED. */
export async function judgeLedger(
  state_dir: string,
  before: ChecksState["verified"],
  full_h: number,
  now_ms: number,
  signal: AbortSignal,
): Promise<LedgerFinding> {
  const whole = before === undefined || now_ms - before.full_ms >= full_h * 3_600_000;
  const dir = join(state_dir, "ledger");
  const answer = await slowly({ what: "ledger", dir, since: whole ? undefined : before }, signal);
  const { wrong, at, entries, wrong_from } = answer.verified!;
  if (wrong.length > 0) {
    const from = wrong_from === undefined ? "" : `, not to be relied on from entry ${n(wrong_from)} on`;
    const detail = `the ledger does not verify${from}: ${listed(wrong)}`;
    // What is wrong is looked at from the same place again, until it is right.
    return { finding: { outcome: "fail", detail, about: wrong[0]! }, verified: before };
  }
  const full_ms = whole ? now_ms : before.full_ms;
  const since = whole ? "as a whole" : `from entry ${n(before.size)} on`;
  const when = whole ? "" : `, as a whole on ${new Date(full_ms).toISOString().slice(0, 10)}`;
  const detail = `the ledger verifies ${since}${when}: ${n(entries)} entries, ${n(at?.size ?? 0)} under a checkpoint`;
  const verified = at === undefined ? undefined : { ...at, full_ms };
  return { finding: { outcome: "pass", detail }, verified };
}
