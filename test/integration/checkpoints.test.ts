// Checkpoints in servers that have users and roles: the credential of the anchor can add, and neither change nor remove. Two
// servers more, which take minutes to start: full runs only.
import { test } from "vitest";
import { as, checkpointSuite } from "./checkpoints.ts";
import { ANCHOR, securedElasticsearch, securedOpenSearch } from "./secured.ts";

if (process.env["TAPLINE_FULL"] === undefined) {
  console.warn("skipping the tests against servers that have users: set TAPLINE_FULL=1 to run them");
  test.skip("checkpoints in servers that have users: full runs only", () => {});
} else {
  const open = await securedOpenSearch();
  checkpointSuite(
    "OpenSearch 3 with users",
    "opensearch",
    open && {
      admin: as(open.url, open.username, open.password, open.ca_file),
      writer: as(open.url, ...ANCHOR, open.ca_file),
      users: true,
    },
  );
  const elastic = await securedElasticsearch();
  checkpointSuite(
    "Elasticsearch 8 with users",
    "elasticsearch",
    elastic && {
      admin: as(elastic.url, elastic.username, elastic.password),
      writer: as(elastic.url, ...ANCHOR),
      users: true,
    },
  );
}
