// What the commands of the inventory share: where the policy is, and what it says now.
import { join } from "node:path";
import type { Config } from "../../config.ts";
import type { Loaded } from "../../policy/compiled.ts";
import { loadPolicy } from "../../policy/open.ts";

export interface PolicyPlace {
  readonly path: string;
  /** The configuration names it, so that it has to be there. */
  readonly required: boolean;
}

export function policyPlace(config: Config): PolicyPlace {
  return {
    path: config.policy ?? join(config.state_dir, "policy.yml"),
    required: config.policy !== undefined,
  };
}

/** The policy in force, which is empty where there is none, and what is wrong with its file. */
export async function readPolicy(
  config: Config,
): Promise<{ loaded: Loaded | undefined; problem: string | undefined }> {
  const { path, required } = policyPlace(config);
  return loadPolicy(path, required);
}
