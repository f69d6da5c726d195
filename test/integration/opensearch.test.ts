// The sink and setup against a real server of OpenSearch.
import { searchSuite } from "./search.ts";
import { startServer } from "./servers.ts";

searchSuite("OpenSearch 3", "opensearch", await startServer("opensearch"));
