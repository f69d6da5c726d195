// `tapline inventory accept`: a person says that a changed definition is fine. The collector records who.
import { LIMITS } from "../../core/limits.ts";
import { accept as accepted } from "../../policy/pins.ts";
import { FileState, pinsPath, readPins } from "../../policy/state.ts";
import { UsageError, readArgs, readConfig } from "../usage.ts";

export async function accept(argv: readonly string[]): Promise<number> {
  const options = { config: { type: "string", short: "c" }, json: { type: "boolean" } } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  const [server, tool] = positionals;
  if (server === undefined || positionals.length > 2) throw new UsageError("say which: SERVER [TOOL]");
  const config = await readConfig(values.config);
  const path = pinsPath(config.state_dir);
  const { servers, seq } = readPins(path);
  const key = [`server ${server}`, server].find((one) => Object.hasOwn(servers, one));
  if (key === undefined) throw new UsageError(`nothing of a server "${server}" is pinned`);
  new FileState(config.state_dir).change((pins) => accepted(pins, key, tool, Date.now()));
  const journal = readPins(path).journal.slice(-LIMITS.policy_journal);
  const done = journal.filter((entry) => entry.seq >= seq && entry.what === "accepted");
  if (values.json === true) console.log(JSON.stringify({ accepted: done }));
  else {
    for (const { tool: name, before, after } of done)
      console.log(`accepted    ${server}/${name}: ${before} → ${after}`);
    if (done.length === 0) console.log("nothing of it is in quarantine");
  }
  return done.length === 0 ? 1 : 0;
}
