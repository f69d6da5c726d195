// Fills a store with as many events as wanted, by SQL: the real columns of a store that a collector made, over and over
// under other ids and times, so that 10 million take minutes; summaries and runs of letters beside each file, as the writer makes
// them, and at the end what each kind of work took. Nothing of it can be proven: there is no ledger of it.
//   node bench/store.ts --from STATE/local --to DIR --events 10000000
import assert from "node:assert";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openReader } from "../src/ledger/reader.ts";
import { AIDS_VERSION, writeGrams } from "../src/store/aids.ts";
import { openDuckdb } from "../src/store/duckdb.ts";
import { GramSet, gramsOf } from "../src/store/grams.ts";
import {
  type StoreFile,
  makeStore,
  parquetPath,
  readManifest,
  writeManifest,
} from "../src/store/manifest.ts";
import { groupRows, quoted, writeParquet } from "../src/store/parquet.ts";
import { writeRollup } from "../src/store/rollup.ts";

const SECOND_MS = 1_040; // between two events: ten million are 120 days
const LATE = 10; // every tenth file is backfill,
const LATE_DAYS = 60; // ...so much older
const { values } = parseArgs({
  options: {
    from: { type: "string" },
    to: { type: "string" },
    events: { type: "string", default: "1000000" },
  },
});
assert(values.from !== undefined && values.to !== undefined, "--from a store, --to a directory");
const wanted = Number(values.events);
const seed = readManifest(values.from);
const entryBytes = seed.files.reduce((sum, file) => sum + file.entry_bytes, 0) / seed.end;
const list = seed.files.map((file) => quoted(join(values.from!, file.path))).join(", ");
makeStore(values.to);
const duckdb = await openDuckdb(":memory:", 4096, "");
const begin_ms = Date.now() - wanted * SECOND_MS;

const spent = { parquet: 0, rollup: 0, grams: 0 };
/** Adds the CPU of some work, in ms. */
async function timed<T>(kind: keyof typeof spent, work: () => Promise<T>): Promise<T> {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  spent[kind] += (user + system) / 1_000;
  return result;
}

async function seedGrams(): Promise<Uint8Array> {
  const ledger = openReader(join(values.from!, "..", "ledger"));
  const grams = new GramSet();
  for (let at = 0; at < seed.end;) {
    const batch = await ledger.read(at, 4_096, 16_777_216);
    assert(batch !== undefined, "the ledger of the store is beside it");
    grams.add(batch.run);
    at += batch.count;
  }
  await ledger.close();
  return grams.finish();
}
const bits = await timed("grams", seedGrams);
const gramsOnce_ms = spent.grams;

const files: StoreFile[] = [];
for (let first = 0, copy = 0; first < wanted; copy++) {
  const rows = Math.min(seed.end, wanted - first);
  const late = copy % LATE === LATE - 1 ? LATE_DAYS * 86_400_000 : 0;
  const at = `epoch_ms(${begin_ms - late}::BIGINT + (${first} + "event.sequence") * ${SECOND_MS})`;
  const mark = createHash("sha256").update(String(copy)).digest("hex").slice(0, 10);
  const other = (field: string): string => `"${field}" || '-${mark}' AS "${field}"`;
  const ids = `list_transform("tapline.alert.event_ids", x -> x || '-${mark}') AS "tapline.alert.event_ids"`;
  const again = ["event.id", "gen_ai.conversation.id"].reduce(
    (text, field) => `replace(${text}, coalesce("${field}", ' '), coalesce("${field}" || '-${mark}', ' '))`,
    "entry",
  );
  const select = `SELECT * REPLACE (
      "event.sequence" + ${first} AS "event.sequence", ${at} AS "@timestamp", ${at} AS "event.created", ${ids}, ${again} AS entry,
      ${["event.id", "gen_ai.conversation.id", "session.id", "tapline.call_key"].map(other).join(", ")})
    FROM read_parquet([${list}]) WHERE "event.sequence" < ${rows}`;
  const path = parquetPath(first, first + rows);
  const to = join(values.to, path);
  const group = groupRows(entryBytes);
  const bytes = await timed("parquet", () => writeParquet(duckdb.connection, select, to, rows, group));
  const entry_bytes = Math.round(entryBytes * rows);
  const end = first + rows;
  const file = { path, first, end, rows, bytes, entry_bytes, columns: seed.files[0]!.columns };
  const rollup = await timed("rollup", () => writeRollup(duckdb.connection, values.to!, file));
  const own = bits.slice();
  for (const gram of gramsOf(mark)) {
    const place = gram & (own.length * 8 - 1);
    own[place >>> 3]! |= 1 << (place & 7);
  }
  await timed("grams", () => writeGrams(values.to!, file, own));
  files.push({ ...file, aids: { version: AIDS_VERSION, rollup, grams: { bytes: own.length } } });
  first = end;
  await writeManifest(values.to, { version: 1, end: first, last_hash: "", files, retired: [] });
}
duckdb.close();
const sum = (of: (file: StoreFile) => number): number => files.reduce((all, file) => all + of(file), 0);
const microseconds = (ms: number): string => ((ms * 1_000) / wanted).toFixed(2);
console.log(
  `${wanted} events in ${files.length} files, ${sum(({ bytes }) => bytes)} bytes; CPU ${microseconds(spent.parquet)} µs an event`,
);
console.log(
  `summaries: ${sum(({ aids }) => aids!.rollup!.rows)} rows, ${sum(({ aids }) => aids!.rollup!.bytes)} bytes; ${microseconds(spent.rollup)} µs`,
);
console.log(
  `runs of letters: ${sum(({ aids }) => aids!.grams!.bytes)} bytes; ${((gramsOnce_ms * 1_000) / seed.end).toFixed(2)} µs`,
);
