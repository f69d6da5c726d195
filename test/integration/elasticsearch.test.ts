// The sinks, setup and the dashboards' panels against real servers of Elasticsearch.
import { controlsSuite } from "./controls.ts";
import { checkpointSuite } from "./checkpoints.ts";
import { dashboardSuite } from "./dashboards.ts";
import { incidentStateSuite } from "./incident-state.ts";
import { reconcileSuite } from "./reconcile.ts";
import { searchSuite } from "./search.ts";
import { startServer } from "./servers.ts";

const url = await startServer("elasticsearch8");
searchSuite("Elasticsearch 8", "elasticsearch", url);
incidentStateSuite("Elasticsearch 8", "elasticsearch", url);
reconcileSuite("Elasticsearch 8", "elasticsearch", url);
controlsSuite("Elasticsearch 8", "elasticsearch", url);
dashboardSuite("Elasticsearch 8", "elasticsearch", url);
checkpointSuite(
  "Elasticsearch 8",
  "elasticsearch",
  url === undefined ? undefined : { admin: { url }, writer: { url }, users: false },
);
// The same client speaks to version 9. Its server is made of jars and costs a large download: full runs only.
if (process.env["TAPLINE_FULL"] !== undefined) {
  const newer = await startServer("elasticsearch9");
  searchSuite("Elasticsearch 9", "elasticsearch", newer);
  reconcileSuite("Elasticsearch 9", "elasticsearch", newer);
  controlsSuite("Elasticsearch 9", "elasticsearch", newer);
  dashboardSuite("Elasticsearch 9", "elasticsearch", newer);
} else console.warn("skipping the tests against Elasticsearch 9: set TAPLINE_FULL=1 to run them");
