// `tapline inventory diff`: what is sanctioned, configured and seen, held against each other.
import { LIMITS } from "../../core/limits.ts";
import { discoverClients, placesHere } from "../../policy/clients.ts";
import { driftOf } from "../../policy/drift.ts";
import { EMPTY_POLICY } from "../../policy/compiled.ts";
import { pinsPath, readPins } from "../../policy/state.ts";
import { readArgs, readConfig } from "../usage.ts";
import { seenIn } from "./seen.ts";
import { readPolicy } from "../../policy/open.ts";

export async function diff(argv: readonly string[]): Promise<number> {
  const options = { config: { type: "string", short: "c" }, json: { type: "boolean" } } as const;
  const { values } = readArgs(argv, { options });
  const config = await readConfig(values.config);
  const { loaded, problem } = await readPolicy(config);
  const { configured, problems } = await discoverClients(placesHere());
  const all = driftOf({
    policy: loaded?.policy ?? EMPTY_POLICY,
    configured,
    seen: await seenIn(config),
    pins: readPins(pinsPath(config.state_dir)),
    today: new Date().toISOString().slice(0, 10),
  });
  const drift = all.slice(0, LIMITS.drift);
  const wrong = [...(problem === undefined ? [] : [problem]), ...problems];
  if (values.json === true) {
    console.log(
      JSON.stringify({
        policy: loaded?.hash ?? "none",
        drift,
        more: all.length - drift.length,
        not_read: wrong,
      }),
    );
  } else {
    for (const one of wrong) console.error(`not read    ${one}`);
    if (loaded === undefined) console.log("policy       there is none: everything is unsanctioned");
    for (const { kind, server, tool, what } of drift)
      console.log(`${kind.padEnd(13)}${server}${tool === undefined ? "" : `/${tool}`}: ${what}`);
    if (all.length > drift.length) console.log(`…            ${all.length - drift.length} more`);
    if (all.length === 0) console.log("no drift: what is configured and seen is sanctioned, and the reverse");
  }
  return all.length === 0 ? 0 : 1;
}
