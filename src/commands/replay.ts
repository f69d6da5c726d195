// `tapline replay`: reads entries again from the ledger and writes them to a sink, leaving out what is there. Runs beside
// a running collector and does not move its cursor.
import { join } from "node:path";
import { type Typed, createSink, sinksOf } from "../components.ts";
import type { Config } from "../config.ts";
import { openLog } from "../core/log.ts";
import type { Sink } from "../core/stage.ts";
import { prunedError } from "../ledger/pruned.ts";
import { type LedgerReader, openReader } from "../ledger/reader.ts";
import { walkAll } from "../ledger/walk.ts";
import { subjectKeys } from "../keys.ts";
import { type Sealer, createSealer } from "../normalise/seal.ts";
import { opened } from "../unseal.ts";
import { Progress } from "../progress.ts";
import { type Engine, isEngine } from "../sinks/setup-plan.ts";
import { type DeadLetters, openDeadLetters } from "../sinks/dead-letters.ts";
import { type Command, UsageError, readArgs, readConfig, readNumber } from "./usage.ts";

export interface NamedSink {
  readonly name: string;
  readonly sink: Sink;
}

/** What became of entries that were written again. */
interface Done {
  created: number;
  existing: number;
  filtered: number;
  dead: Set<number>;
  /** Batches of which something was left out, [from, to): nobody knows what of them arrived. */
  readonly in_doubt: [number, number][];
}

/** Options of the sink of that name. */
export function optionsOf(config: Config, name: string): Typed {
  const found = sinksOf(config).find(([known]) => known === name);
  if (found !== undefined) return found[1];
  throw noSink("sink", config, name);
}

/** The elasticsearch or opensearch sink of this name. */
export function clusterNamed(config: Config, name: string): { engine: Engine; options: Typed } {
  const options = sinksOf(config).find(([one]) => one === name)?.[1];
  if (options !== undefined && isEngine(options.type)) return { engine: options.type, options };
  throw noSink("elasticsearch or opensearch sink", config, name);
}

function noSink(what: string, config: Config, name: string): UsageError {
  const known = sinksOf(config).map(([one, { type }]) => `${one} (${type})`);
  return new UsageError(
    `no ${what} "${name}" in the configuration, which has: ${known.join(", ") || "none"}; -c FILE names another`,
  );
}

/** The sink of that name, ready to open. */
export function sinkNamed(config: Config, name: string): NamedSink {
  const options = optionsOf(config, name);
  const sink = createSink(config, name, options, openLog());
  if ("writeRange" in sink) {
    throw new UsageError(
      `${name} is a ${options.type}: delete its directory and it is built again from the ledger`,
    );
  }
  return { name, sink };
}

async function replayRange(
  reader: LedgerReader,
  sealer: Sealer,
  sink: Sink,
  letters: DeadLetters,
  [from, to]: readonly [number, number],
  done: Done,
  signal: AbortSignal,
): Promise<void> {
  for await (const batch of walkAll(reader, from, to)) {
    const result = await sink.write(opened(batch, sealer), true, signal);
    done.created += result.created;
    done.existing += result.existing;
    done.filtered += result.filtered;
    if (result.filtered > 0) done.in_doubt.push([batch.first, batch.first + batch.count]);
    await letters.append(result.dead);
    for (const { index } of result.dead) done.dead.add(index);
  }
}

function isIn(index: number, ranges: readonly (readonly [number, number])[]): boolean {
  return ranges.some(([from, to]) => index >= from && index < to);
}

/** Writes entries of the ranges [from, to) again, and says what became of them. */
export async function replayEntries(
  config: Config,
  { name, sink }: NamedSink,
  ranges: readonly (readonly [number, number])[],
  json: boolean,
): Promise<Readonly<Done>> {
  const signal = new AbortController().signal;
  const reader = openReader(join(config.state_dir, "ledger"));
  const sealer = createSealer(subjectKeys(config.state_dir));
  const letters = openDeadLetters(config.state_dir, name);
  const done: Done = { created: 0, existing: 0, filtered: 0, dead: new Set(), in_doubt: [] };
  const total = ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  const progress = new Progress();
  if (!json)
    progress.start(
      () => `replayed ${done.created + done.existing + done.filtered + done.dead.size} of ${total} entries`,
    );
  try {
    await sink.open(signal);
    for (const range of ranges) await replayRange(reader, sealer, sink, letters, range, done, signal);
    await letters.settle(
      (index) => !done.dead.has(index) && isIn(index, ranges) && !isIn(index, done.in_doubt),
    );
  } finally {
    progress.stop();
    await sink.close();
    await reader.close();
  }
  const { created, existing, filtered, dead } = done;
  if (json)
    console.log(JSON.stringify({ sink: name, entries: total, created, existing, filtered, dead: dead.size }));
  else
    console.log(
      `${name}: ${total} entries = new ${created} + there ${existing} + filtered ${filtered} + dead letters ${dead.size}`,
    );
  return done;
}

export const replay: Command = {
  help: `usage: tapline replay --sink NAME --from INDEX [--to INDEX] [-c FILE] [--json]

  --from INDEX   first entry
  --to INDEX     entry to stop before (default: the end of the ledger)

Exit code 1 when entries became dead letters.`,
  async run(argv) {
    const options = {
      config: { type: "string", short: "c" },
      sink: { type: "string" },
      from: { type: "string" },
      to: { type: "string" },
      json: { type: "boolean" },
    } as const;
    const { values } = readArgs(argv, { options });
    const from = readNumber(values.from, "--from");
    if (values.sink === undefined || from === undefined) throw new UsageError("--sink and --from are needed");
    const config = await readConfig(values.config);
    const named = sinkNamed(config, values.sink);
    const reader = openReader(join(config.state_dir, "ledger"));
    const [first, size] = [await reader.first(), await reader.size()];
    await reader.close();
    if (from < first && from < size) throw prunedError(from, first);
    const to = readNumber(values.to, "--to") ?? size;
    if (from > size || to > size)
      throw new UsageError(`the ledger has ${size} entries: --from and --to are in 0 to ${size}`);
    if (to < from) throw new UsageError(`--to ${to} is before --from ${from}`);
    const { dead } = await replayEntries(config, named, [[from, to]], values.json === true);
    return dead.size === 0 ? 0 : 1;
  },
};
