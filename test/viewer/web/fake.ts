// The viewer's contract answered from a made-up world, with the headers that the server sends, so that the pages can be tried by
// themselves. Records what was posted; says what it is told to say when a test wants trouble.
import { readFileSync } from "node:fs";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { readControls } from "../../../src/evidence/map.ts";
import { FIELDS } from "../../../src/core/generated/event.ts";
import type * as api from "../../../src/viewer/api.ts";
import { dashboardOf, linesOf } from "./dashboard.ts";
import type { World } from "./world.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
/** As the server's own: nothing inline, nothing from elsewhere. */
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface Fake {
  readonly url: string;
  readonly posts: { readonly path: string; readonly body: Readonly<Record<string, unknown>> }[];
  role: "owner" | "reader";
  /** Answers of these paths are this problem instead. */
  trouble: { readonly path: string; readonly status: number; readonly problem: api.Problem } | undefined;
  tell(message: api.LiveMessage): void;
  close(): Promise<void>;
}

/** `pages` is the directory that scripts/web.ts built. */
export async function serve(world: World, pages: string): Promise<Fake> {
  const listeners = new Set<ServerResponse>();
  const fake = {
    posts: [] as Fake["posts"][number][],
    role: "owner" as Fake["role"],
    trouble: undefined as Fake["trouble"],
  };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, "http://x");
    response.setHeader("content-security-policy", POLICY);
    response.setHeader("x-content-type-options", "nosniff");
    if (!pathname.startsWith("/api/")) return file(pages, pathname, response);
    const path = pathname.slice(5).split("/").map(decodeURIComponent);
    if (fake.trouble !== undefined && pathname.startsWith(fake.trouble.path)) {
      response
        .writeHead(fake.trouble.status, { "content-type": "application/json" })
        .end(JSON.stringify(fake.trouble.problem));
    } else if (path[0] === "live") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(": hello\n\n");
      listeners.add(response);
      request.on("close", () => listeners.delete(response));
    } else if (request.method === "POST") void take(request, response, pathname, fake.posts);
    else answer(world, path, searchParams, fake.role, response);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(fake, {
    url: `http://127.0.0.1:${port}/`,
    tell: (message: api.LiveMessage) => {
      for (const listener of listeners) listener.write(`data: ${JSON.stringify(message)}\n\n`);
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

function file(pages: string, pathname: string, response: ServerResponse): void {
  const name = pathname === "/" ? "index.html" : pathname.slice(1);
  try {
    const body = readFileSync(join(pages, name));
    response.writeHead(200, { "content-type": TYPES[extname(name)] ?? "application/octet-stream" }).end(body);
  } catch {
    response.writeHead(404).end();
  }
}

async function take(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  posts: Fake["posts"],
): Promise<void> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  posts.push({ path, body: JSON.parse(text) as Record<string, unknown> });
  if (path === "/api/exports") {
    response
      .writeHead(200, {
        "content-type": "text/csv",
        "content-disposition": 'attachment; filename="tapline-events.csv"',
      })
      .end("@timestamp,message\r\n");
  } else if (path === "/api/evidence") {
    response
      .writeHead(200, {
        "content-type": "application/json",
        "content-disposition": 'attachment; filename="evidence.json"',
      })
      .end("{}");
  } else json(response, { submitted: 1, collecting: true } satisfies api.Submitted);
}

const json = (response: ServerResponse, body: unknown): void =>
  void response
    .writeHead(200, { "content-type": "application/json", "cache-control": "no-store" })
    .end(JSON.stringify(body));
const ndjson = (response: ServerResponse, lines: readonly unknown[]): void =>
  void response
    .writeHead(200, { "content-type": "application/x-ndjson" })
    .end(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));

const headOf = ({ ledger }: World): api.Head => ({
  origin: ledger.origin,
  entries: ledger.entries.length,
  covered: ledger.covered,
  root: ledger.root,
});
export const headerOf = (world: World, q = ""): api.ExhibitHeader => ({
  host: world.say("build-07"),
  from: new Date(world.now - 30 * 86_400_000).toISOString(),
  to: new Date(world.now).toISOString(),
  tz: 0,
  q,
  asked_at: new Date(world.now).toISOString(),
  head: headOf(world),
  shown: world.ledger.entries.length,
});

function detailOf(world: World, index: number): api.EventDetail {
  const event = world.events[index]!;
  const proof = world.ledger.prove(index);
  const related = world.events
    .filter((other) => other.index !== index && Math.abs(other.index - index) < 4)
    .map((other) => ({
      relation: other.action === "rule-alert" ? ("alert" as const) : ("evidence" as const),
      event: other,
    }));
  return {
    event,
    entry: world.ledger.entries[index]!,
    hash: proof?.leaf ?? "",
    proof,
    unproven: proof === null ? "no checkpoint covers the entry yet" : null,
    related,
    related_cut: false,
  };
}

function histogram(world: World): { step_ms: number; times: number[]; values: number[] } {
  const times = Array.from({ length: 28 }, (_, i) => world.now - (28 - i) * 6 * 3_600_000);
  return { step_ms: 6 * 3_600_000, times, values: times.map((_, i) => (i * 7919) % 23) };
}

function answer(
  world: World,
  [kind = "", id, data]: readonly string[],
  query: URLSearchParams,
  role: "owner" | "reader",
  response: ServerResponse,
): void {
  const { say, events, sessions, incidents, rules } = world;
  const q = query.get("q") ?? "";
  switch (kind) {
    case "session":
      return json(response, {
        user: { name: say("t.okafor"), id: "1000" },
        role,
        version: "0.1.0",
        host: say("build-07"),
        namespace: "default",
        collecting: true,
        now: new Date(world.now).toISOString(),
        head: headOf(world),
      } satisfies api.Session);
    case "fields":
      return json(response, {
        fields: Object.entries(FIELDS).map(([name, type]) => ({
          name,
          type,
          about: "What the table says of it",
        })),
      } satisfies api.FieldList);
    case "terms":
      return json(response, {
        text: "| term | meaning |\n|---|---|\n| **bypass** | a call without a decision, or *about* that |",
      } satisfies api.Terms);
    case "values":
      return json(response, {
        field: id!,
        values: ["gmail", "github", say("a b")].map((key, n) => ({ key, count: 30 - n })),
        more: false,
      } satisfies api.ValueList);
    case "status":
      return json(response, {
        status: statusOf(world),
        head: headOf(world),
        store: {
          entries: events.length,
          files: 3,
          bytes: 184_320,
          behind: 0,
          oldest: events.at(-1)!.time,
          newest: events[0]!.time,
        },
      } satisfies api.StatusAnswer);
    case "dashboards":
      if (id === undefined)
        return json(response, {
          dashboards: [
            {
              id: "operation",
              title: "A.6.2.6 Operation and monitoring",
              short: "Operation A.6.2.6",
              about: "",
            },
            { id: "exfiltration", title: "Exfiltration triage", short: "Exfiltration", about: "" },
          ],
        } satisfies api.DashboardList);
      return data === undefined
        ? json(response, dashboardOf(id))
        : ndjson(response, linesOf(id, world, headerOf(world, q)));
    case "events":
      return id === undefined
        ? ndjson(response, searched(world, q))
        : json(response, detailOf(world, Number(id)));
    case "sessions":
      return id === undefined
        ? json(response, { sessions, more: false, cut: false } satisfies api.SessionList)
        : ndjson(response, timeline(world, id));
    case "alerts":
      return id === undefined ? json(response, queue(world, query)) : json(response, alertOf(world, id));
    case "incidents":
      return id === undefined
        ? json(response, { incidents: incidents.map(({ incident }) => incident) } satisfies api.IncidentList)
        : json(response, incidents[0]);
    case "controls":
      return json(response, id === undefined ? controlsOf() : controlOf(world, id));
    case "rules":
      if (id === undefined)
        return json(response, { ruleset: "sha256:5f0c1b9e2d7a", rules } satisfies api.RuleList);
      return json(response, ruleOf(world, id));
    default:
      response
        .writeHead(404, { "content-type": "application/json" })
        .end('{"code":"NOT_FOUND","message":"nothing there"}');
  }
}

function queue(world: World, query: URLSearchParams): api.AlertList {
  const status = query.get("status");
  const level = query.get("level");
  const counts = { open: 0, acknowledged: 0, closed: 0, suppressed: 0 };
  for (const alert of world.alerts) counts[alert.status]++;
  return {
    alerts: world.alerts.filter(
      (one) => (status === null || one.status === status) && (level === null || one.level === level),
    ),
    next: null,
    counts,
    of_newest: null,
  };
}

function alertOf(world: World, id: string): api.AlertDetail {
  const alert = world.alerts.find(({ event }) => event.id === id)!;
  const { say } = world;
  const step = {
    index: 3,
    at: alert.event.time,
    by: say("t.okafor"),
    assignee: null,
    verdict: null,
    until: null,
    odd: null,
  };
  return {
    alert,
    detail: detailOf(world, alert.event.index),
    history:
      alert.notes === 0
        ? []
        : [
            { ...step, transition: "acknowledged", note: null },
            {
              ...step,
              transition: "noted",
              note: say("Same host as last week; asked the owner of the issue."),
            },
          ],
  };
}

function searched(world: World, q: string): api.SearchLine[] {
  const hits = world.events
    .filter(({ action }) => q === "" || !q.includes("nothing-like-this") || action === "")
    .toSorted((a, b) => b.time.localeCompare(a.time));
  const facet = (field: string): api.Facet => {
    const counts = new Map<string, number>();
    for (const { fields } of hits)
      if (fields[field] !== undefined)
        counts.set(String(fields[field]), (counts.get(String(fields[field])) ?? 0) + 1);
    return {
      field,
      values: [...counts]
        .toSorted((a, b) => b[1] - a[1])
        .slice(0, 6)
        .map(([key, count]) => ({ key, count })),
    };
  };
  return [
    { type: "hits", events: hits.slice(0, 50) },
    { type: "page", next: hits.length > 50 ? "cursor" : null, took_ms: 12 },
    { type: "total", total: hits.length, searched: world.events.length, entries: world.events.length },
    {
      type: "end",
      histogram: histogram(world),
      facets:
        hits.length === 0
          ? []
          : ["user.name", "service.name", "gen_ai.tool.name", "tapline.server.name"].map(facet),
      took_ms: 20,
    },
  ];
}

function timeline(world: World, id: string): api.TimelineLine[] {
  const session = world.sessions.find((one) => one.id === id);
  if (session === undefined) return [{ type: "end", next: null }];
  const own = world.events
    .filter(({ fields }) => fields["gen_ai.conversation.id"] === id)
    .toSorted((a, b) => a.time.localeCompare(b.time));
  return [
    { type: "session", session },
    { type: "events", events: own },
    { type: "end", next: null },
  ];
}

function statusOf(world: World): Record<string, unknown> {
  return {
    running: true,
    at_ms: Date.now(),
    in_flight: 0,
    broken: [],
    tally: {
      read: 10_412,
      recorded: 10_377,
      merged: 12,
      skipped: { empty: 20, [world.say("too long")]: 3 },
      unparsable: 2,
      gaps: 1,
      alerts: 41,
    },
    sinks: [
      { name: "local", created: 10_390, existing: 0, dead: 0, filtered: 0, pending: 0 },
      {
        name: world.say("cluster"),
        created: 9_100,
        existing: 1_200,
        dead: 2,
        filtered: 40,
        pending: 48,
        trouble: world.say("connect ECONNREFUSED 127.0.0.1:9200"),
      },
    ],
    detection: { correlations: 12, keys: 84, rows: 210, fired: 9 },
    sources: { [world.say("claude")]: { files: 12, truncated: 0 } },
  };
}

function rowsOf(): api.ControlRow[] {
  return Object.entries(readControls().controls).map(([id, control], i) => ({
    id,
    title: control.title,
    shows: control.shows,
    evidence: control.evidence,
    q: { direct: control.direct ?? null, supporting: control.supporting ?? null },
    direct: control.evidence === "direct" ? 9_000 + i * 31 : 0,
    supporting: control.evidence === "supporting" ? (i * 53) % 700 : 0,
    first: null,
    last: control.evidence === "none" || i % 9 === 5 ? null : "2026-11-28T14:20:00Z",
  }));
}
const controlsOf = (): api.ControlList => ({
  framework: "ISO/IEC 42001:2023",
  map_version: "2026.11",
  controls: rowsOf(),
});
function controlOf(world: World, id: string): api.ControlDetail {
  return {
    control: rowsOf().find((row) => row.id === id)!,
    header: headerOf(world),
    classes: [
      { action: "tool-call", strength: "direct", events: 4_210, last: world.events[0]!.time },
      {
        action: world.say("tool-call-decision"),
        strength: "supporting",
        events: 3_990,
        last: world.events[0]!.time,
      },
    ],
    events: world.events.slice(0, 12),
    crosswalk: { nist_ai_rmf: ["MEASURE 2.4", "MANAGE 4.1"], eu_ai_act: ["Article 12", "Article 26"] },
  };
}
function ruleOf(world: World, id: string): api.RuleDetail {
  return {
    rule: world.rules.find((rule) => rule.id === id)!,
    description: world.say("Content that matched a secret pattern left in the arguments of a call."),
    references: [world.say("https://attack.mitre.org/techniques/T1567/")],
    false_positives: [world.say("A key that was made to be public")],
    source: world.say(
      "title: Secret Leaves in a Tool Call\nlogsource: {product: tapline, category: tool-call}\ndetection:\n  secret: {tapline.data.secrets: '*'}\n  condition: secret",
    ),
    hits: world.alerts.filter(({ rule }) => rule.id === id),
    histogram: histogram(world),
  };
}
