// The sinks and setup against a real server of OpenSearch.
import { incidentStateSuite } from "./incident-state.ts";
import { reconcileSuite } from "./reconcile.ts";
import { searchSuite } from "./search.ts";
import { startServer } from "./servers.ts";

const url = await startServer("opensearch");
searchSuite("OpenSearch 3", "opensearch", url);
incidentStateSuite("OpenSearch 3", "opensearch", url);
reconcileSuite("OpenSearch 3", "opensearch", url);
