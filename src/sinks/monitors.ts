// Monitors for the Alerting plugin of OpenSearch: alerts of high level as they come, and incidents that wait for somebody.
// They have no actions: whom to tell is for the owner of the cluster, or for the sinks that notify.
import { STATE_INDEX } from "./incident-setup.ts";
import type { Answer, Server } from "./connection.ts";
import type { Part } from "./setup-plan.ts";

const PATH = "/_plugins/_alerting/monitors";
const HIGH = 73; // event.severity of level high

interface Trigger {
  readonly name: string;
  readonly severity: string;
}

/** A monitor that has a look each minute, and an alert while its query has hits. */
function monitor(
  name: string,
  indices: readonly string[],
  filter: readonly object[],
  trigger: Trigger,
): Part {
  const query = { size: 0, track_total_hits: true, query: { bool: { filter } } };
  const source = "ctx.results[0].hits.total.value > 0";
  return {
    name: `monitor ${name}`,
    named: name,
    path: PATH,
    body: {
      type: "monitor",
      monitor_type: "query_level_monitor",
      name,
      enabled: true,
      schedule: { period: { interval: 1, unit: "MINUTES" } },
      inputs: [{ search: { indices, query } }],
      triggers: [{ ...trigger, condition: { script: { source, lang: "painless" } }, actions: [] }],
    },
  };
}

const since = (span: string): object => ({
  range: {
    "event.created": { gte: `{{period_end}}||-${span}`, lte: "{{period_end}}", format: "epoch_millis" },
  },
});

export const MONITORS: readonly Part[] = [
  monitor(
    "tapline alerts",
    ["logs-tapline.alert-*"],
    // Longer than the minute between looks: what a sink ships late is seen all the same.
    [{ term: { "event.kind": "alert" } }, { range: { "event.severity": { gte: HIGH } } }, since("15m")],
    { name: "an alert of level high or above in the last 15 minutes", severity: "2" },
  ),
  monitor("tapline open incidents", [STATE_INDEX], [{ term: { "tapline.incident.status": "open" } }], {
    name: "an incident that nobody acknowledged",
    severity: "1",
  }),
];

/** Whether a monitor of that name is there; the answer of a server that cannot say. */
export async function isThere(
  server: Server,
  path: string,
  name: string,
  signal: AbortSignal,
): Promise<boolean | Answer> {
  const search = { size: 100, query: { match: { "monitor.name": name } } };
  const body = { bytes: JSON.stringify(search), type: "json" } as const;
  const answer = await server.request("POST", `${path}/_search`, {}, body, signal);
  if (answer.status === 404) return false; // no monitor was made yet
  if (answer.status !== 200) return answer;
  const { hits } = JSON.parse(answer.text) as { hits?: { hits?: readonly Hit[] } };
  return hits?.hits?.some(({ _source: of }) => (of?.name ?? of?.monitor?.name) === name) === true;
}

interface Hit {
  readonly _source?: { readonly name?: string; readonly monitor?: { readonly name?: string } };
}
