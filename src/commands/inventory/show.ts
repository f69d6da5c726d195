// `tapline inventory show`: what the policy in force sanctions, and what is pinned and in quarantine.
import type { CompiledServer } from "../../policy/compiled.ts";
import { EMPTY_POLICY } from "../../policy/compiled.ts";
import { nameOfKey } from "../../policy/drift.ts";
import { pinsPath, readPins } from "../../policy/state.ts";
import { readArgs, readConfig } from "../usage.ts";
import { commandShown } from "./secrets.ts";
import { readPolicy } from "../../policy/open.ts";

function startOf({ command, package: name, version, url }: CompiledServer): string {
  if (url !== undefined) return url;
  const parts = [
    ...(command === undefined ? [] : [commandShown(command).join(" ")]),
    ...(name === undefined ? [] : [`${name} ${version ?? "in any version"}`]),
  ];
  return parts.join(", ");
}

function approvalOf({ owner, approved, approved_by, expires }: CompiledServer): string {
  const parts = [
    owner === undefined ? "no owner" : `owner ${owner}`,
    approved === undefined
      ? "not approved"
      : `approved ${approved}${approved_by === undefined ? "" : ` by ${approved_by}`}`,
    ...(expires === undefined ? [] : [`to ${expires}`]),
  ];
  return parts.join(", ");
}

export async function show(argv: readonly string[]): Promise<number> {
  const options = { config: { type: "string", short: "c" }, json: { type: "boolean" } } as const;
  const { values } = readArgs(argv, { options });
  const config = await readConfig(values.config);
  const { path, loaded, problem } = await readPolicy(config);
  const policy = loaded?.policy ?? EMPTY_POLICY;
  const { servers: pins } = readPins(pinsPath(config.state_dir));
  if (values.json === true) {
    const servers = policy.servers.map((server) => ({
      ...server,
      command: server.command === undefined ? undefined : commandShown(server.command),
    }));
    console.log(JSON.stringify({ policy: loaded?.hash ?? "none", problem, ...policy, servers, pins }));
    return 0;
  }
  if (problem !== undefined) console.error(`problem     ${problem}`);
  console.log(
    loaded === undefined
      ? `policy      there is none at ${path}`
      : `policy      ${loaded.hash.slice(0, 19)}, mode ${policy.mode}: ${path}`,
  );
  for (const server of policy.servers) {
    console.log(`server      ${server.name} (${server.mode}): ${startOf(server)}; ${approvalOf(server)}`);
    for (const [tool, line] of Object.entries(server.tools))
      console.log(
        `  ${line.verdict.padEnd(9)} ${tool}${line.tier === undefined ? "" : `, tier ${line.tier}`}`,
      );
    console.log(`  ${server.fallback.verdict.padEnd(9)} everything else`);
  }
  for (const [key, tools] of Object.entries(pins)) {
    console.log(`pinned      ${nameOfKey(key)}: ${Object.keys(tools).length} definitions`);
    for (const [tool, pin] of Object.entries(tools))
      console.log(
        `  ${pin.held === undefined ? "trusted  " : "HELD     "} ${tool} ${pin.held ?? pin.accepted.at(-1)!}`,
      );
  }
  return 0;
}
