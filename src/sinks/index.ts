// The registry of sinks: name in the configuration → component. A new sink is its file and one line here.
import elasticsearch from "./elasticsearch.ts";
import file from "./file.ts";
import none from "./null.ts";
import opensearch from "./opensearch.ts";
import store from "./store.ts";

export const SINKS = { elasticsearch, file, null: none, opensearch, store } as const;
