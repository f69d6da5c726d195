// `tapline dlq list|replay`: what sinks refused, and another try: the documents are read again from the ledger.
import { join } from "node:path";
import type { Config } from "../config.ts";
import { firstIn } from "../ledger/pruned.ts";
import { openDeadLetters } from "../sinks/dead-letters.ts";
import { optionsOf, replayEntries, sinkNamed } from "./replay.ts";
import { type Command, UsageError, readArgs, readConfig } from "./usage.ts";

async function list(config: Config, names: readonly string[], json: boolean): Promise<number> {
  let count = 0;
  for (const name of names) {
    for (const letter of await openDeadLetters(config.state_dir, name).list()) {
      count++;
      if (json) console.log(JSON.stringify({ sink: name, ...letter }));
      else console.log(`${name}  ${letter.index}  ${letter.status}  ${letter.id}  ${letter.reason}`);
    }
  }
  if (count === 0 && !json) console.log("no dead letters");
  return 0;
}

export const dlq: Command = {
  help: `usage: tapline dlq list|replay [--sink NAME] [-c FILE] [--json]

  list      index, status and reason of every dead letter
  replay    reads the entries again from the ledger and writes them (needs --sink); what arrives is no longer listed

Exit code 1 when replay leaves dead letters, those of datasets that the sink leaves out among them.`,
  async run(argv) {
    const options = {
      config: { type: "string", short: "c" },
      sink: { type: "string" },
      json: { type: "boolean" },
    } as const;
    const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
    const config = await readConfig(values.config);
    const names = values.sink === undefined ? Object.keys(config.sinks) : [values.sink];
    for (const name of names) optionsOf(config, name);
    if (positionals[0] === "list") return list(config, names, values.json === true);
    if (positionals[0] !== "replay") throw new UsageError("say what: list or replay");
    if (values.sink === undefined) throw new UsageError("replay needs --sink NAME");
    const letters = await openDeadLetters(config.state_dir, names[0]!).list();
    const first = await firstIn(join(config.state_dir, "ledger"));
    const kept = letters.filter(({ index }) => index >= first);
    if (kept.length < letters.length)
      console.error(
        `${letters.length - kept.length} dead letters are of entries that retention has removed: nobody can send them again`,
      );
    const ranges = kept.map((letter): [number, number] => [letter.index, letter.index + 1]);
    const sink = sinkNamed(config, names[0]!);
    const { dead, filtered } = await replayEntries(config, sink, ranges, values.json === true);
    // One of a dataset that the sink leaves out by now was not sent, and stays.
    return dead.size + filtered === 0 ? 0 : 1;
  },
};
