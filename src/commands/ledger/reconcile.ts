// `tapline ledger reconcile`: holds the ledger against the documents of an OpenSearch or Elasticsearch sink, both ways.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../../config.ts";
import { systemCode } from "../../core/errors.ts";
import { parseCursor } from "../../cursor.ts";
import { subjectKeys } from "../../keys.ts";
import { tagOf } from "../../erasure.ts";
import { type LedgerReader, openReader } from "../../ledger/reader.ts";
import { walkAll } from "../../ledger/walk.ts";
import { SEALED, createSealer } from "../../normalise/seal.ts";
import { Progress } from "../../progress.ts";
import { openDeadLetters } from "../../sinks/dead-letters.ts";
import { type Reconciled, Reconciler } from "../../sinks/reconcile.ts";
import { connect } from "../../sinks/setup.ts";
import { opened } from "../../unseal.ts";
import { clusterNamed } from "../replay.ts";
import { UsageError, readArgs, readConfig, readNumber } from "../usage.ts";

export async function reconcile(argv: readonly string[]): Promise<number> {
  const options = {
    config: { type: "string", short: "c" },
    sink: { type: "string" },
    from: { type: "string" },
    to: { type: "string" },
    json: { type: "boolean" },
  } as const;
  const { values } = readArgs(argv, { options });
  if (values.sink === undefined) throw new UsageError("--sink is needed");
  const config = await readConfig(values.config);
  const { engine, options: connected } = clusterNamed(config, values.sink);
  const reader = openReader(join(config.state_dir, "ledger"));
  const server = await connect(engine, connected as never);
  const first = await reader.first();
  const from = readNumber(values.from, "--from") ?? first;
  const asked = readNumber(values.to, "--to");
  const json = values.json === true;
  try {
    const shipped = await shippedTo(config, values.sink, await reader.size());
    const to = asked ?? shipped;
    if (from > to || to > (await reader.size()))
      throw new UsageError(`--from and --to are in 0 to ${await reader.size()}, and in this order`);
    const dead = new Set(
      (await openDeadLetters(config.state_dir, values.sink).list()).map(({ index }) => index),
    );
    const whole = from <= first && asked === undefined;
    if (first > 0 && !json)
      console.log(
        `note     retention has removed the entries before ${first}: documents of these are not looked at`,
      );
    const erased = (await reader.erased()).map(({ subject }) => tagOf(subject));
    const reconciler = new Reconciler(server, {
      host: config.host,
      from,
      to,
      whole,
      dead,
      sealed: SEALED,
      erased,
      leave_out: (connected as { leave_out?: readonly string[] }).leave_out ?? [],
    });
    await compareAll(config, reader, reconciler, { from, to, whole, json });
    return print(values.sink, reconciler.result(), { from, to, whole, json });
  } finally {
    await server.close();
    await reader.close();
  }
}

/** Entries that the sink has acknowledged: later ones are on their way. */
async function shippedTo(config: Config, sink: string, size: number): Promise<number> {
  try {
    return parseCursor(await readFile(join(config.state_dir, "cursors", `${sink}.json`), "utf8")).acked;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return size;
    throw error;
  }
}

interface Range {
  readonly from: number;
  readonly to: number;
  /** Whether it is all that was shipped: then what claims no place in the ledger is looked for too. */
  readonly whole: boolean;
  readonly json: boolean;
}

async function compareAll(
  config: Config,
  reader: LedgerReader,
  reconciler: Reconciler,
  { from, to, whole, json }: Range,
): Promise<void> {
  const signal = new AbortController().signal;
  const sealer = createSealer(subjectKeys(config.state_dir));
  const progress = new Progress();
  let at = from;
  if (!json) progress.start(() => `compared ${at - from} of ${to - from} entries`);
  try {
    await reconciler.open(signal);
    for await (const batch of walkAll(reader, from, to)) {
      await reconciler.compare(opened(batch, sealer), signal);
      at += batch.count;
    }
    if (whole) await reconciler.outside(await reader.size(), signal);
  } finally {
    progress.stop();
  }
}

function print(sink: string, result: Reconciled, { from, to, whole, json }: Range): number {
  const { entries, same, unsealed, altered, missing, dead, erased, filtered, extra, differences } = result;
  if (json) console.log(JSON.stringify({ sink, from, to, ...result }));
  else {
    for (const { kind, id, index, backing_index, fields } of differences) {
      const where = backing_index === undefined ? "" : `  ${backing_index}`;
      const what = fields === undefined ? "" : `  ${fields.join(", ")}`;
      console.log(`${kind.toUpperCase().padEnd(8)} ${index ?? "-"}  ${id}${where}${what}`);
    }
    if (!whole)
      console.log("note     a part of the ledger: documents that claim no place in it were not looked for");
    console.log(
      `${sink}: entries ${entries} = same ${same} + unsealed ${unsealed} + altered ${altered} + missing ${missing} + ` +
        `dead letters ${dead} + erased ${erased} + filtered ${filtered}; extra documents ${extra}`,
    );
  }
  return altered + missing + extra === 0 ? 0 : 1;
}
