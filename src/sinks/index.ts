// The registry of sinks: name in the configuration → component. A new sink is its file and one line here.
import elasticsearch from "./elasticsearch.ts";
import email from "./email.ts";
import file from "./file.ts";
import incidentState from "./incident-state.ts";
import kafka from "./kafka.ts";
import none from "./null.ts";
import opensearch from "./opensearch.ts";
import slack from "./slack.ts";
import store from "./store.ts";
import webhook from "./webhook.ts";

export const SINKS = {
  elasticsearch,
  email,
  file,
  "incident-state": incidentState,
  kafka,
  null: none,
  opensearch,
  slack,
  store,
  webhook,
} as const;
