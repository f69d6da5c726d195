// Fills a store with as many events as wanted, by SQL: the real columns of a store that a collector made, over and over
// under other ids and times, so that 10 million take minutes. Entries stay those of the first store: nothing can be proven.
//   node bench/store.ts --from STATE/local --to DIR --events 10000000
import assert from "node:assert";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openDuckdb } from "../src/store/duckdb.ts";
import {
  type StoreFile,
  makeStore,
  parquetPath,
  readManifest,
  writeManifest,
} from "../src/store/manifest.ts";
import { groupRows, quoted, writeParquet } from "../src/store/parquet.ts";

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

const files: StoreFile[] = [];
for (let first = 0, copy = 0; first < wanted; copy++) {
  const rows = Math.min(seed.end, wanted - first);
  const late = copy % LATE === LATE - 1 ? LATE_DAYS * 86_400_000 : 0;
  const at = `epoch_ms(${begin_ms - late}::BIGINT + (${first} + "event.sequence") * ${SECOND_MS})`;
  const other = (field: string): string => `"${field}" || '-${copy}' AS "${field}"`;
  const ids = `list_transform("tapline.alert.event_ids", x -> x || '-${copy}') AS "tapline.alert.event_ids"`;
  const select = `SELECT * REPLACE (
      "event.sequence" + ${first} AS "event.sequence", ${at} AS "@timestamp", ${at} AS "event.created", ${ids},
      ${["event.id", "gen_ai.conversation.id", "session.id", "tapline.call_key"].map(other).join(", ")})
    FROM read_parquet([${list}]) WHERE "event.sequence" < ${rows}`;
  const path = parquetPath(first, first + rows);
  const bytes = await writeParquet(
    duckdb.connection,
    select,
    join(values.to, path),
    rows,
    groupRows(entryBytes),
  );
  const entry_bytes = Math.round(entryBytes * rows);
  files.push({ path, first, end: first + rows, rows, bytes, entry_bytes, columns: seed.files[0]!.columns });
  first += rows;
  await writeManifest(values.to, { version: 1, end: first, last_hash: "", files, retired: [] });
}
duckdb.close();
console.log(`${wanted} events in ${files.length} files, ${files.reduce((sum, f) => sum + f.bytes, 0)} bytes`);
