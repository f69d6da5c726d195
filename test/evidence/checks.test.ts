// Results of checks, counted where they lie: a table of more of them than would be read one by one.
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { Asked } from "../../src/evidence/asked.ts";
import { checksOf } from "../../src/evidence/checks.ts";
import { openDuckdb } from "../../src/store/duckdb.ts";
import type { Store } from "../../src/store/reader.ts";
import { ALWAYS } from "../../src/viewer/times.ts";

test("every result of the period counts, the first of a year of them too, and what is no JSON is none", async () => {
  const duckdb = await openDuckdb(":memory:", LIMITS.store_memory_mb, "");
  const results = 60_000;
  await duckdb.connection.run(
    `CREATE TABLE events AS SELECT i AS "event.sequence", TIMESTAMP '2026-01-01' + INTERVAL (i) MINUTE AS "@timestamp",
       'self' AS "tapline.vantage", NULL AS "tapline.upstream.origin", CASE WHEN i % 2 = 0 THEN 'control-status' ELSE 'tool-call' END AS "event.action",
       CASE WHEN i % 2 = 1 OR i = 10 THEN 'not json' ELSE '{"@timestamp":"t' || i || '","tapline":{"check":{"name":"law","outcome":"' ||
         CASE i WHEN 0 THEN 'fail' WHEN 2 THEN 'odd' ELSE 'pass' END || '","detail":"d"},"control":{"iso42001":["A.6.2.8"]}}}' END AS entry
     FROM range(0, ${2 * results}) t(i)`,
  );
  const store = {
    query: async (sql: string, values: []) =>
      (await duckdb.connection.runAndReadAll(sql, values)).getRowObjectsJS(),
  } as unknown as Store;
  expect(await checksOf(new Asked(store, ALWAYS, { first: 0, end: 2 * results }))).toEqual([
    {
      name: "law",
      outcome: "pass",
      detail: "d",
      at: `t${2 * results - 2}`,
      index: 2 * results - 2,
      controls: ["A.6.2.8"],
      // All but the two that say otherwise, and the one that is no JSON.
      counts: { pass: results - 3, fail: 1, unknown: 1 },
    },
  ]);
  duckdb.close();
});
