// The whole way, as people go it: real sessions into a running collector, its viewer by the printed link, what an owner does
// there recorded in the ledger. Every answer is held against api.ts by the compiler.
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type {
  AlertAction,
  EvidenceRequest,
  ExportRequest,
  IncidentAction,
  AlertDetail,
  AlertList,
  DashboardLayout,
  DashboardList,
  EventDetail,
  EvidencePack,
  IncidentList,
  SessionList,
} from "../../src/viewer/api.ts";
import { openCheckpoint } from "../../src/ledger/checkpoint.ts";
import { leafHashOf } from "../../src/core/entry.ts";
import { parseVerifier } from "../../src/ledger/note.ts";
import { rootByInclusion } from "../../src/ledger/proof.ts";
import { type Document, configure, entriesOf, field, newHome, start } from "../commands/tapline.ts";
import { lines } from "./serve.ts";

const RULE = `title: Called deploy
id: 3b2f8a54-6f0e-4c0b-9d6e-0a4c5f0d7a06
logsource: {product: tapline, category: tool-call}
detection:
  tool: {gen_ai.tool.name: deploy}
  condition: tool
level: high
`;
const FIXTURES = ["claude-code/real.jsonl", "mcp/decisions.jsonl", "codex/shapes.jsonl", "chat"];

let root: string; // http://127.0.0.1:PORT
let cookie: string;
let ledger: string;
let child: ReturnType<typeof start>;
let log: string;
/** Answers by the type that they must have, to be compiled. */
const typed: { readonly type: string; readonly value: unknown }[] = [];

let calls = 0;
function call(session: string): string {
  const msg = {
    jsonrpc: "2.0",
    id: ++calls,
    method: "tools/call",
    params: { name: "deploy", arguments: {} },
  };
  const ts = new Date(Date.now() + 3_600_000).toISOString();
  return `${JSON.stringify({ ts, dir: "c2s", conn: "c", session, user: "ann", server: { name: "ops" }, msg })}\n`;
}

beforeAll(async () => {
  const home = newHome();
  log = join(home, "mcp.jsonl");
  const in_dir = join(home, "sessions");
  mkdirSync(in_dir);
  for (const name of FIXTURES) {
    const path = resolve("test/fixtures", name);
    if (existsSync(path) && name.endsWith(".jsonl")) copyFileSync(path, join(in_dir, name.replace("/", "-")));
  }
  writeFileSync(join(home, "deploy.yml"), RULE);
  writeFileSync(log, "");
  const config = configure(home, {
    bundled_rules: false,
    rules: [join(home, "deploy.yml")],
    sources: {
      mcp: { type: "file", include: [log], format: "mcp" },
      sessions: { type: "file", include: [join(in_dir, "*.jsonl")] },
    },
    sinks: { local: { type: "store" } },
    viewer: { port: 0 },
  });
  ledger = join(home, "state", "ledger");
  child = start(home, "run", "-c", config);
  let printed = "";
  child.stdout!.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  const link = await vi.waitFor(
    () => {
      const found = /viewer +(http:\/\/127\.0\.0\.1:\d+\/open\?token=\S+)/.exec(printed);
      if (found === null) throw new Error(printed);
      return found[1]!;
    },
    { timeout: 100_000, interval: 200 },
  );
  root = new URL(link).origin;
  const opened = await fetch(link, { redirect: "manual" });
  cookie = opened.headers.get("set-cookie")!.split(";")[0]!;
  appendFileSync(log, call("s1") + call("s2"));
});
afterAll(() => void child.kill("SIGKILL"));

async function get<T>(path: string, type?: string): Promise<T> {
  const answer = await fetch(root + path, { headers: { cookie } });
  const text = await answer.text();
  expect(answer.status, `${path}: ${text}`).toBe(200);
  const value = JSON.parse(text) as T;
  if (type !== undefined) typed.push({ type, value });
  return value;
}

async function getLines<T>(path: string, type: string): Promise<T[]> {
  const answer = await fetch(root + path, { headers: { cookie } });
  const text = await answer.text();
  expect(answer.status, `${path}: ${text}`).toBe(200);
  const all = lines<T>(text);
  for (const value of all) typed.push({ type, value });
  return all;
}

async function post(
  path: string,
  body: AlertAction | IncidentAction | ExportRequest | EvidenceRequest,
): Promise<Response> {
  const headers = { cookie, origin: root, "content-type": "application/json" };
  return fetch(root + path, { method: "POST", headers, body: JSON.stringify(body) });
}

const someId = encodeURIComponent;

test("every route answers as api.ts says", async () => {
  const alerts = await vi.waitFor(
    async () => {
      const found = await get<AlertList>("/api/alerts");
      expect(found.alerts).toHaveLength(2);
      return found;
    },
    { timeout: 60_000, interval: 500 },
  );
  typed.push({ type: "AlertList", value: alerts });
  await get("/api/session", "Session");
  await get("/api/fields", "FieldList");
  await get("/api/status", "StatusAnswer");
  const { dashboards } = await get<DashboardList>("/api/dashboards", "DashboardList");
  for (const { id } of dashboards) {
    const layout = await get<DashboardLayout>(`/api/dashboards/${id}`, "DashboardLayout");
    const data = await getLines<{ type: string; data?: { id: string } }>(
      `/api/dashboards/${id}/data?from=now-10y`,
      "DashboardLine",
    );
    const told = data.filter(({ type }) => type === "panel").map((line) => line.data!.id);
    const panels = layout.rows.flatMap((row) => row.panels).filter(({ kind }) => kind !== "text");
    expect(new Set(told)).toEqual(new Set(panels.map((panel) => panel.id)));
    expect([data[0]!.type, data.at(-1)!.type]).toEqual(["begin", "end"]);
  }
  const found = await getLines<{ type: string; total?: number }>("/api/events?limit=5", "SearchLine");
  expect(found.findLast(({ type }) => type === "total")!.total).toBeGreaterThan(20);
  const { sessions } = await get<SessionList>("/api/sessions", "SessionList");
  expect(sessions.length).toBeGreaterThan(2);
  for (const { id } of sessions.slice(0, 3)) await getLines(`/api/sessions/${someId(id)}`, "TimelineLine");
  const alert = alerts.alerts[0]!;
  const detail = await get<AlertDetail>(`/api/alerts/${someId(alert.event.id)}`, "AlertDetail");
  expect(detail.detail.related.map(({ relation }) => relation)).toContain("evidence");
  await get("/api/controls", "ControlList");
  await get("/api/controls/A.6.2.6", "ControlDetail");
  await get("/api/rules", "RuleList");
  await get(`/api/rules/${alert.rule.id}`, "RuleDetail");
  const { incidents } = await get<IncidentList>("/api/incidents", "IncidentList");
  expect(incidents.length).toBeGreaterThan(0);
  await get(`/api/incidents/${incidents[0]!.id}`, "IncidentDetail");
});

test("an event shows its entry, and the proof that it is in the tree of the published checkpoint", async () => {
  const detail = await vi.waitFor(
    async () => {
      const event = await get<EventDetail>("/api/events/0", "EventDetail");
      expect(event.proof).not.toBeNull();
      return event;
    },
    { timeout: 30_000, interval: 500 },
  );
  const { proof, entry, hash } = detail;
  const leaf = leafHashOf(Buffer.from(entry));
  expect(Buffer.from(leaf).toString("hex")).toBe(hash);
  const checkpoint = openCheckpoint(proof!.checkpoint, parseVerifier(proof!.vkey));
  if (typeof checkpoint === "string") throw new Error(checkpoint);
  const path = proof!.path.map((one) => Buffer.from(one, "base64"));
  const computed = rootByInclusion(leaf, 0, checkpoint.size, path);
  expect(Buffer.from(computed!)).toEqual(Buffer.from(checkpoint.root));
});

test("what an owner does is an entry of the ledger, and the present follows from it", async () => {
  const { alerts } = await get<AlertList>("/api/alerts");
  const [first, second] = alerts.map(({ event }) => event.id) as [string, string];
  const live: unknown[] = [];
  const gone = new AbortController();
  const stream = await fetch(`${root}/api/live`, { headers: { cookie }, signal: gone.signal });
  const reading = (async () => {
    let text = "";
    for await (const chunk of stream.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        if (line.startsWith("data: ")) live.push(JSON.parse(line.slice(6)));
      }
    }
  })().catch(() => {});
  await vi.waitFor(() => expect(live.length).toBeGreaterThan(0), { timeout: 40_000 });
  const actions: AlertAction[] = [
    { alerts: [first], transition: "assigned", assignee: "bob" },
    { alerts: [first], transition: "acknowledged" },
    { alerts: [first], transition: "closed", verdict: "true_positive", note: "=not a formula" },
    {
      alerts: [second],
      transition: "suppressed",
      note: "known",
      until: "2099-01-01T00:00:00Z",
      same: "user.name",
    },
  ];
  for (const action of actions) {
    const answer = await post("/api/alerts", action);
    expect(answer.status).toBe(202);
    typed.push({ type: "Submitted", value: await answer.json() });
    // Submissions are streams of their own: their order is the order of reading.
    const id = action.alerts[0]!;
    await vi.waitFor(
      async () => {
        const { history } = await get<AlertDetail>(`/api/alerts/${someId(id)}`);
        expect(history.map(({ transition }) => transition)).toContain(action.transition);
      },
      { timeout: 40_000, interval: 300 },
    );
  }
  const one = await get<AlertDetail>(`/api/alerts/${someId(first)}`, "AlertDetail");
  expect(one.alert).toMatchObject({ status: "closed", verdict: "true_positive", assignee: "bob", notes: 1 });
  expect(one.history.map(({ odd }) => odd)).toEqual([null, null, null]);
  // A further alert of the rule for the same user is suppressed.
  appendFileSync(log, call("s3"));
  await vi.waitFor(
    async () => {
      const { counts } = await get<AlertList>("/api/alerts");
      expect(counts).toEqual({ open: 0, acknowledged: 0, closed: 1, suppressed: 2 });
    },
    { timeout: 40_000, interval: 300 },
  );
  const { incidents } = await get<IncidentList>("/api/incidents");
  const { id } = incidents[0]!;
  expect((await post(`/api/incidents/${id}`, { transition: "acknowledged", note: "mine" })).status).toBe(202);
  await vi.waitFor(
    async () => {
      const all = (await get<IncidentList>("/api/incidents?status=acknowledged")).incidents;
      expect(all.map((incident) => incident.id)).toContain(id);
    },
    { timeout: 40_000, interval: 300 },
  );
  // Told a moment after it can be asked for.
  await vi.waitFor(
    () =>
      expect(live.map((message) => (message as { type: string }).type)).toEqual(
        expect.arrayContaining(["head", "changed", "alerts"]),
      ),
    { timeout: 40_000 },
  );
  for (const value of live) typed.push({ type: "LiveMessage", value });
  gone.abort();
  await reading;
});

test("exports and evidence are recorded, and the evidence checks without us", async () => {
  const csv = await post("/api/exports", { what: "alerts" });
  expect(csv.status).toBe(200);
  expect((await csv.text()).split("\r\n")).toHaveLength(5);
  for (const panel of ["calls", "outcomes", "latency"])
    expect((await post("/api/exports", { what: "panel", dashboard: "operation", panel })).status).toBe(200);
  const answer = await post("/api/evidence", { indexes: [0, 3, 1] });
  expect(answer.headers.get("content-disposition")).toBe('attachment; filename="tapline-evidence.json"');
  const pack = (await answer.json()) as EvidencePack;
  typed.push({ type: "EvidencePack", value: pack });
  const checkpoint = openCheckpoint(pack.checkpoint!, parseVerifier(pack.vkey));
  if (typeof checkpoint === "string") throw new Error(checkpoint);
  for (const { index, entry, path } of pack.entries) {
    const computed = rootByInclusion(
      leafHashOf(Buffer.from(entry)),
      index,
      checkpoint.size,
      path!.map((one) => Buffer.from(one, "base64")),
    );
    expect(Buffer.from(computed!)).toEqual(Buffer.from(checkpoint.root));
  }
  const recorded = await vi.waitFor(
    async () => {
      const all = await entriesOf(ledger);
      const exports = all.filter((document) => field(document, "event.action") === "data-export");
      expect(exports).toHaveLength(5);
      return [...exports, ...all.filter((document) => field(document, "event.action") === "alert-triage")];
    },
    { timeout: 40_000, interval: 500 },
  );
  expect(recorded.map((document: Document) => field(document, "user.name"))).toEqual(
    recorded.map(() => userInfo().username),
  );
  expect(recorded.map((document) => field(document, "tapline.vantage"))).toEqual(recorded.map(() => "self"));
});

test("the answers have the types of api.ts", () => {
  const dir = resolve("test/viewer/contract.tmp");
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir);
  const types = [...new Set(typed.map(({ type }) => type))];
  expect(types.length).toBeGreaterThan(18);
  // Values are written out as literals, so that the compiler refuses a field too many, too.
  const checks = typed.map(({ type, value }, i) => `export const a${i}: ${type} = ${JSON.stringify(value)};`);
  const text = `import type { ${types.join(", ")} } from "../../../src/viewer/api.ts";\n${checks.join("\n")}\n`;
  writeFileSync(join(dir, "answers.ts"), text);
  writeFileSync(
    join(dir, "tsconfig.json"),
    JSON.stringify({ extends: "../../../tsconfig.json", include: ["answers.ts"], exclude: [] }),
  );
  const { status, stdout } = spawnSync(resolve("node_modules/.bin/tsc"), ["-p", dir, "--noEmit"], {
    encoding: "utf8",
  });
  rmSync(dir, { recursive: true, force: true });
  expect(stdout).toBe("");
  expect(status).toBe(0);
});

test("the ledger verifies", () => {
  child.kill("SIGTERM");
  const verified = vi.waitFor(
    () => execFileSync("node", ["bin/tapline.js", "ledger", "verify", ledger], { encoding: "utf8" }),
    { timeout: 60_000, interval: 1_000 },
  );
  return expect(verified).resolves.toContain("verified");
});
