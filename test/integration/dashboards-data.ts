// What the dashboards are tried on: the agents' sessions among the fixtures, read by `tapline run` with a policy and incidents,
// one hostile session, and generated events of what no fixture has.
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { eventOf } from "../../src/core/event.ts";
import { type Event, serialise } from "../../src/core/generated/event.ts";
import type { Action } from "../../src/core/generated/classes.ts";
import type { Sink } from "../../src/core/stage.ts";
import type { Incident } from "../../src/incident/present.ts";
import elasticsearch from "../../src/sinks/elasticsearch.ts";
import { presentDocument } from "../../src/sinks/incident-document.ts";
import opensearch from "../../src/sinks/opensearch.ts";
import type { Engine } from "../../src/sinks/setup-plan.ts";
import { configure, newHome, tapline } from "../commands/tapline.ts";
import { ORIGIN, batchOf, testContext } from "../sinks/batches.ts";

const FIXTURES: Readonly<Record<string, readonly string[]>> = {
  claude: ["test/fixtures/claude-code/*.jsonl", "sample/claude-code-session.jsonl"],
  codex: ["test/fixtures/codex/*.jsonl"],
  mcp: ["test/fixtures/mcp/*.jsonl", "sample/mcp-session.jsonl"],
  copilot: ["test/fixtures/copilot/*.jsonl"],
  gemini: ["test/fixtures/gemini/*.jsonl"],
  chat: ["test/fixtures/chat/*.jsonl"],
  hooks: ["test/fixtures/hook/*.jsonl"],
  otel: ["test/fixtures/otlp-json/*.jsonl"],
};
const POLICY = {
  version: 1,
  mode: "observe",
  defaults: { servers: "deny", changed: "deny" },
  servers: {
    files: {
      command: ["npx", "-y", "example-files-server", "*"],
      class: "private",
      approved: "2026-11-20",
      approved_by: "ada",
    },
  },
  data: [{ classification: "confidential", paths: ["/home/sam"], hosts: ["*.example.com", "*.example.net"] }],
};

/** What a server could call itself and its tools, to be shown as markup, as a link, or as another page. */
export const HOSTILE = [
  `<img src=x onerror="document.title='tapline-hit'">`,
  `[click](javascript:document.title='tapline-hit')`,
  `"><script>document.title='tapline-hit'</script>`,
  `'),panels:!((type:markdown)))&_a=(query:(query:''))`,
  `{{value}}{{constructor.constructor('return 1')()}}`,
  `=HYPERLINK("http://tapline-hit.example","open")`,
  `\u001b[31mred\u001b]8;;http://tapline-hit.example\u0007link\u001b]8;;\u0007`,
] as const;

function hostileSession(): string {
  const lines = HOSTILE.flatMap((text, i) => {
    const about = {
      conn: text,
      session: text,
      user: text,
      client: { name: text, version: text },
      server: { name: text, version: text, command: text, transport: "stdio" },
    };
    const time = (s: number): string => new Date(Date.UTC(2026, 10, 27, 9, i, s)).toISOString();
    const call = {
      jsonrpc: "2.0",
      id: text,
      method: "tools/call",
      params: { name: text, arguments: { url: `https://${i}.tapline-hit.example/${text}`, text } },
    };
    const result = { jsonrpc: "2.0", id: text, result: { content: [{ type: "text", text }], isError: true } };
    return [
      { ts: time(0), dir: "c2s", ...about, msg: call },
      { ts: time(1), dir: "s2c", ...about, msg: result },
    ];
  });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

type Made = readonly [action: Action, fields: Partial<Event>];

/** What no fixture has: what the chokepoint and the collector tell beside sessions, and what is done about incidents. */
function made(incident: string): Made[] {
  const session = "generated-session";
  const call = { "gen_ai.conversation.id": session, "service.name": "claude-code", "user.name": "ada" };
  const about = { "tapline.incident.id": incident, "tapline.incident.level": "high" };
  const did = (transition: string, fields: Partial<Event> = {}): Made => [
    "incident",
    { ...about, "tapline.incident.transition": transition, "user.name": "ada", ...fields },
  ];
  const told = (outcome: string, answer: string): Made =>
    did("notified", {
      "event.outcome": outcome,
      "tapline.incident.notice.id": "soc 1",
      "tapline.incident.notice.channel": "webhook",
      "tapline.incident.notice.recipients": ["hooks.example.com"],
      "tapline.incident.notice.answer": answer,
      "tapline.incident.deadline.name": "serious",
    });
  return [
    [
      "bypass",
      { ...call, "tapline.chokepoint.missing": ["hook"], "tapline.chokepoint.seen": ["transcript"] },
    ],
    ["hole", { ...call, "tapline.chokepoint.missing": ["transcript"], "tapline.chokepoint.seen": ["hook"] }],
    ["heartbeat", { "tapline.sources.expected": ["claude", "silent"], "tapline.sources.silent": ["silent"] }],
    ["gap", { "tapline.gap.reason": "truncated", "tapline.source": "claude" }],
    [
      "control-status",
      { "tapline.check.name": "witness", "tapline.check.outcome": "pass", "tapline.check.detail": "signed" },
    ],
    [
      "quarantine-change",
      { "tapline.change.kind": "accepted", "tapline.server.name": "github", "user.name": "ada" },
    ],
    [
      "tool-call-decision",
      {
        ...call,
        "tapline.decision.verdict": "allow",
        "tapline.decision.action": "ask",
        "tapline.decision.decider.type": "user",
        "tapline.decision.decider.id": "ada",
        "user.effective.name": "ada",
        "user.roles": ["maintainers"],
        "gen_ai.tool.name": "create_issue",
        "tapline.server.name": "github",
        "rule.id": "servers.github.tools.create_issue",
      },
    ],
    [
      "tool-call",
      {
        ...call,
        "tapline.primary": true,
        "network.direction": "egress",
        "destination.domain": "crm.example.com",
        "destination.registered_domain": "example.com",
        "gen_ai.tool.name": "http_post",
        "tapline.server.name": "web",
        "tapline.data.classification": ["confidential"],
        "tapline.data.bytes_out": 40_000,
        "tapline.data.secrets": ["aws-access-key"],
        "tapline.beacon.kind": "image",
        "tapline.beacon.domain": "pixel.example",
        "tapline.beacon.chars": 180,
        "tapline.flow.from_event": "generated-result",
        "tapline.flow.from_tool": "read_file",
        "tapline.flow.from_server": "files",
        "tapline.flow.to_tool": "http_post",
        "tapline.flow.encoding": "base64",
        "tapline.flow.overlap": 0.9,
      },
    ],
    did("acknowledged", { "tapline.incident.status": "acknowledged" }),
    told("failure", "503 busy"),
    told("success", "200 ok"),
    did("overdue", { "tapline.incident.deadline.name": "acknowledge" }),
    did("closed", { "tapline.incident.status": "closed", "tapline.incident.verdict": "true_positive" }),
  ];
}

const NONE: Incident = {
  id: "",
  status: "open",
  rule: "session",
  level: "high",
  by: "gen_ai.conversation.id",
  group: "",
  backfill: true,
  alerts: 2,
  alert_ids: ["generated-alert"],
  rules: ["Secret Leaves in a Tool Call"],
  deadlines: [],
  recipients: [],
  notices: [],
  changed_at: "2026-11-28T12:00:00.000Z",
  last_index: 1_000_000,
  transitions: 1,
  odd: 0,
};
const SERIOUS = { name: "serious", due: "2026-12-13T10:00:00.000Z", until: "reported" } as const;
const ACKNOWLEDGE = { name: "acknowledge", due: "2026-11-29T10:00:00.000Z", until: "acknowledged" } as const;

/** Incidents as they are now, in each of their states; what they are grouped by is hostile. */
function incidentsNow(): Incident[] {
  const opened = { from: "2026-11-28T09:58:00.000Z", opened_at: "2026-11-28T10:00:00.000Z" };
  const acknowledged = { acknowledged_at: "2026-11-28T10:20:00.000Z", acknowledged_by: "ada" };
  const told = { notified_at: "2026-11-28T11:00:00.000Z", recipients: ["hooks.example.com"] };
  const all: Partial<Incident>[] = [
    { deadlines: [ACKNOWLEDGE, SERIOUS] },
    { deadlines: [{ ...ACKNOWLEDGE, due: "2026-11-28T10:30:00.000Z", passed: true }, SERIOUS] },
    { status: "acknowledged", deadlines: [SERIOUS], ...acknowledged },
    {
      status: "closed",
      level: "critical",
      ...acknowledged,
      ...told,
      closed_at: "2026-11-28T12:00:00.000Z",
      closed_by: "ada",
      verdict: "true_positive",
    },
  ];
  return all.map((one, i) => ({
    ...NONE,
    id: String(i + 1).repeat(32),
    group: HOSTILE[i]!,
    ...opened,
    ...one,
  }));
}

async function send(method: string, url: string, body: string, type = "application/json"): Promise<void> {
  const answer = await fetch(url, { method, headers: { "content-type": type }, body });
  const text = await answer.text();
  if (!answer.ok || text.includes('"errors":true'))
    throw new Error(`${method} ${url}: ${text.slice(0, 500)}`);
}

export interface Loaded {
  /** Patterns to search in the place of those of the data views. */
  readonly events: string;
  readonly incidents: string;
}

/** Runs the collector over the fixtures into the server, then adds what they lack. */
export async function load(engine: Engine, url: string, namespace: string): Promise<Loaded> {
  const home = newHome();
  const hostile = join(home, "hostile");
  mkdirSync(hostile);
  writeFileSync(join(hostile, "hostile.jsonl"), hostileSession());
  writeFileSync(join(home, "policy.yml"), JSON.stringify(POLICY));
  const files = Object.entries(FIXTURES).map(
    ([name, globs]) => [name, { type: "file", include: globs.map((glob) => resolve(glob)) }] as const,
  );
  const config = configure(home, {
    namespace,
    policy: join(home, "policy.yml"),
    sources: {
      ...Object.fromEntries(files),
      hostile: { type: "file", include: [join(hostile, "*.jsonl")], format: "mcp" },
      silent: { type: "file", include: [join(home, "nothing", "*.jsonl")] },
    },
    incidents: [{ name: "session", level: "high", by: "session", window: "24h", backfill: true }],
    sinks: { cluster: { type: engine, url } },
  });
  const { code, stderr } = await tapline(home, ["run", "--once", "-c", config]);
  if (code !== 0) throw new Error(`tapline run: ${code} ${stderr}`);
  await addMade(engine, url, namespace);
  const incidents = `tapline-incident-state-${namespace}`;
  const mapping = readFileSync(`mappings/generated/${engine}/index-tapline-incident-state.json`, "utf8");
  await send("PUT", `${url}/${incidents}`, mapping);
  const documents = incidentsNow().map((one) => presentDocument(one, ORIGIN.host));
  const lines = documents.flatMap((document) => ['{"index":{}}', JSON.stringify(document)]);
  await send("POST", `${url}/${incidents}/_bulk`, `${lines.join("\n")}\n`, "application/x-ndjson");
  const events = `logs-tapline.*-${namespace}`;
  await send("POST", `${url}/${events},${incidents}/_refresh`, "");
  return { events, incidents };
}

async function addMade(engine: Engine, url: string, namespace: string): Promise<void> {
  const prefix = `made-${randomBytes(4).toString("hex")}`;
  const documents = made("f".repeat(32)).map(([action, fields], i) => {
    const e = Object.assign(eventOf(action, { ...ORIGIN, namespace }), fields);
    e["@timestamp"] = new Date(Date.UTC(2026, 10, 28, 9, i)).toISOString();
    e["event.id"] = `${prefix}-${i}`;
    return serialise(e);
  });
  const component = engine === "elasticsearch" ? elasticsearch : opensearch;
  const options = component.config.parse({ type: engine, url }) as never;
  const sink: Sink = component.create(options, testContext());
  const never = new AbortController().signal;
  await sink.open(never);
  const { created } = await sink.write(batchOf(documents, 1_000_000), false, never);
  await sink.close();
  if (created !== documents.length)
    throw new Error(`${created} of ${documents.length} generated events arrived`);
}
