// The sinks, setup and the dashboards' panels against a real server of OpenSearch.
import { controlsSuite } from "./controls.ts";
import { checkpointSuite } from "./checkpoints.ts";
import { dashboardSuite } from "./dashboards.ts";
import { incidentStateSuite } from "./incident-state.ts";
import { reconcileSuite } from "./reconcile.ts";
import { searchSuite } from "./search.ts";
import { startServer } from "./servers.ts";

const url = await startServer("opensearch");
searchSuite("OpenSearch 3", "opensearch", url);
incidentStateSuite("OpenSearch 3", "opensearch", url);
reconcileSuite("OpenSearch 3", "opensearch", url);
controlsSuite("OpenSearch 3", "opensearch", url);
dashboardSuite("OpenSearch 3", "opensearch", url);
checkpointSuite(
  "OpenSearch 3",
  "opensearch",
  url === undefined ? undefined : { admin: { url }, writer: { url }, users: false },
);
