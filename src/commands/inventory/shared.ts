// What the commands of the inventory share: what the policy says now.
import type { Config } from "../../config.ts";
import type { Loaded } from "../../policy/compiled.ts";
import { loadPolicy, policyPlace } from "../../policy/open.ts";

/** The policy in force, if there is one, and what is wrong with its file. */
export async function readPolicy(
  config: Config,
): Promise<{ path: string; loaded: Loaded | undefined; problem: string | undefined }> {
  const { path, required } = policyPlace(config.policy, config.state_dir);
  return { path, ...(await loadPolicy(path, required)) };
}
