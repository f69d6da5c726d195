// What is known of checks between two runs of the collector: `checks.json` in the state directory. May be deleted: every
// check is then made and recorded anew, and the ledger is verified as a whole.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../core/errors.ts";
import { placeFile } from "../ledger/files.ts";
import type { CheckName, CheckState } from "./contract.ts";
import type { Verified } from "./slow.ts";

const VERSION = 1;

export interface ChecksState {
  readonly version: typeof VERSION;
  readonly checks: Readonly<Partial<Record<CheckName, CheckState>>>;
  /** When each source last gave a record, or since when it is waited for; ms since 1970. */
  readonly heard: Readonly<Record<string, number>>;
  /** Up to where the ledger was verified, and when it last was as a whole. */
  readonly verified?: (Verified & { readonly full_ms: number }) | undefined;
}

const NONE: ChecksState = { version: VERSION, checks: {}, heard: {} };

const pathOf = (state_dir: string): string => join(state_dir, "checks.json");

/** What is there, if it is whole and of this version. */
export async function readChecks(state_dir: string): Promise<ChecksState> {
  try {
    const found = JSON.parse(await readFile(pathOf(state_dir), "utf8")) as ChecksState | null;
    return found?.version === VERSION ? found : NONE;
  } catch (error) {
    if (systemCode(error) === "ENOENT" || error instanceof SyntaxError) return NONE;
    throw error;
  }
}

export async function writeChecks(state_dir: string, state: Omit<ChecksState, "version">): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify({ version: VERSION, ...state })}\n`);
  await placeFile(pathOf(state_dir), [bytes], { sync: false, mode: 0o600 });
}
