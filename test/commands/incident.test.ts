// Incidents, the whole way: records of now in, an incident in the ledger, once, over restarts; what people say of it.
import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { SpoolWriter } from "../../src/chokepoint/spool-writer.ts";
import {
  type Document,
  actionsOf,
  checkDocument,
  configure,
  ended,
  entriesOf,
  field,
  newHome,
  start,
  tapline,
} from "./tapline.ts";

const RULE = (level: string, tool: string): string => `title: Called ${tool}
id: 3b2f8a54-6f0e-4c0b-9d6e-0a4c5f0d7a${tool.length.toString(16).padStart(2, "0")}
logsource: {product: tapline, category: tool-call}
detection:
  tool: {gen_ai.tool.name: ${tool}}
  condition: tool
level: ${level}
`;
// Later than the start of the run, so that nothing is of the past.
const LATER_MS = 3_600_000;

let calls = 0;
function call(tool: string, session = "s1", time_ms = Date.now() + LATER_MS): string {
  const msg = { jsonrpc: "2.0", id: ++calls, method: "tools/call", params: { name: tool, arguments: {} } };
  const ts = new Date(time_ms).toISOString();
  const line = { ts, dir: "c2s", conn: "c", session, user: "ann", server: { name: "ops" }, msg };
  return `${JSON.stringify(line)}\n`;
}

interface Place {
  readonly home: string;
  readonly log: string;
  readonly config: string;
  readonly ledger: string;
}

function place(options: Record<string, unknown> = {}): Place {
  const home = newHome();
  const log = join(home, "mcp.jsonl");
  writeFileSync(join(home, "high.yml"), RULE("high", "deploy"));
  writeFileSync(join(home, "critical.yml"), RULE("critical", "wipe"));
  const config = configure(home, {
    bundled_rules: false,
    rules: [join(home, "high.yml"), join(home, "critical.yml")],
    sources: { mcp: { type: "file", include: [log], format: "mcp" } },
    sinks: { none: { type: "null" } },
    ...options,
  });
  return { home, log, config, ledger: join(home, "state", "ledger") };
}

async function collect({ home, config, ledger }: Place): Promise<Document[]> {
  const { code, stderr } = await tapline(home, ["run", "--once", "-c", config]);
  expect([code, stderr]).toEqual([0, ""]);
  const entries = await entriesOf(ledger);
  for (const e of actionsOf(entries, "incident")) checkDocument(e);
  return entries;
}

const told = (entries: readonly Document[]): unknown[] =>
  actionsOf(entries, "incident").map((e) => field(e, "tapline.incident.transition"));

test.each(["snapshot", "frames"])(
  "alerts group once, over a restart from the %s",
  async (from) => {
    const at = place({ workers: 2 });
    const after = async (lines: string): Promise<Document[]> => {
      appendFileSync(at.log, lines);
      const entries = await collect(at);
      if (from === "frames") rmSync(join(at.ledger, "snapshots"), { recursive: true });
      return entries;
    };
    const first = await after(call("deploy") + call("deploy") + call("deploy", "s2"));
    expect(told(first)).toEqual(["opened", "opened"]);
    const [opened] = actionsOf(first, "incident");
    const alerts = actionsOf(first, "rule-alert").map((e) => field(e, "event.id"));
    expect(field(opened!, "tapline.incident.alert_ids")).toEqual(alerts.slice(0, 2));
    expect(told(await after(""))).toEqual(["opened", "opened"]);
    const last = await after(call("deploy") + call("wipe", "s2"));
    expect(told(last)).toEqual(["opened", "opened", "joined", "escalated"]);
    const ids = actionsOf(last, "incident").map((e) => field(e, "tapline.incident.id"));
    expect([ids[2], ids[3]]).toEqual([ids[0], ids[1]]);
    expect(field(actionsOf(last, "incident")[3]!, "tapline.incident.level")).toBe("critical");
  },
  180_000,
);

test("the past opens no incident, unless it is asked for", async () => {
  const past = call("deploy", "s1", Date.UTC(2026, 0, 1));
  const at = place({ sinks: { local: { type: "store" } } });
  appendFileSync(at.log, past);
  const entries = await collect(at);
  expect([told(entries), actionsOf(entries, "rule-alert").length]).toEqual([[], 1]);
  const none = await tapline(at.home, ["incident", "list", "-c", at.config]);
  expect([none.code, none.stdout]).toEqual([
    0,
    "no incidents: 1 alert is on records from before the collector started, " +
      "which open none unless a rule under incidents: says backfill: true\n",
  ]);
  const asked = place({ incidents: [{ name: "all", backfill: true }] });
  appendFileSync(asked.log, past);
  const [opened] = actionsOf(await collect(asked), "incident");
  expect(field(opened!, "tapline.backfill")).toBe(true);
}, 120_000);

interface Shown {
  readonly incident: Record<string, unknown>;
  readonly history: readonly Document[];
}

test("what people say is recorded with who and when, and the command line shows it; with a store too", async () => {
  const at = place({
    sinks: { local: { type: "store" } },
    deadlines: [{ name: "serious", within: "15d", until: "reported", source: "Regulation" }],
  });
  const { home } = at;
  const incident = (...args: string[]) => tapline(home, ["incident", ...args, "-c", at.config]);
  const listed = async (...args: string[]): Promise<Record<string, unknown>[]> => {
    const { stdout } = await incident("list", "--json", ...args);
    return JSON.parse(stdout) as Record<string, unknown>[];
  };
  const collector = start(home, "run", "-c", at.config);
  const stopped = ended(collector);
  appendFileSync(at.log, call("deploy", "s\u001b[31m<b>"));
  const [open] = await vi.waitUntil(
    async () => {
      const { code, stdout } = await incident("list", "--json");
      const all = code === 0 ? (JSON.parse(stdout) as Record<string, unknown>[]) : [];
      return all.length > 0 && all;
    },
    { timeout: 60_000, interval: 500 },
  );
  const id = String(open!["id"]);
  const recorded = async (...args: string[]): Promise<void> => {
    const { code, stdout, stderr } = await incident(...args, "--json");
    expect([code, JSON.parse(stdout), stderr]).toEqual([0, expect.objectContaining({ recorded: true }), ""]);
  };
  await recorded("ack", id, "--note", "looking");
  expect((await incident("ack", id)).code).toBe(1);
  await recorded("note", id.slice(0, 6), "--deadline", "serious");
  await recorded("notify", id, "--to", "bob@example.com", "--deadline", "serious");
  await recorded("close", id, "--true-positive");
  await recorded("reopen", id);
  collector.kill("SIGTERM");
  const { code, stdout: printed } = await stopped;
  expect(code).toBe(0);
  const about = `gen_ai.conversation.id "s [31m<b>": 1 alert: Called deploy`;
  expect(printed.match(/^INCIDENT .*/gm)).toEqual([`INCIDENT    ${id.slice(0, 8)} opened (high), ${about}`]);
  // Nobody reads: it waits for the next start.
  const { stdout: waits } = await incident("close", id, "--false-positive", "--json");
  expect(JSON.parse(waits)).toMatchObject({ recorded: false });
  // Whoever may write the spool may say what he likes, but drives no terminal with it.
  const forger = new SpoolWriter({
    dir: join(home, "state", "submissions"),
    kind: "self",
    durability: "disk",
  });
  const user = { name: "\u001b[31mroot\u202e", id: "0" };
  const forged = {
    submit: "incident",
    ts: new Date().toISOString(),
    user,
    incident: id,
    transition: "noted",
  };
  forger.end(JSON.stringify({ ...forged, note: "\u001b[2J" }));
  const entries = await collect(at);
  const said = ["acknowledged", "noted", "notified", "closed", "reopened", "closed"];
  const transitions = ["opened", ...said, "noted"];
  expect(told(entries).toSorted()).toEqual(transitions.toSorted());
  const ours = actionsOf(entries, "incident").filter((e) => field(e, "user.name") !== user.name);
  expect(told(ours)).toEqual(["opened", ...said]);
  for (const e of ours.slice(1)) {
    expect(field(e, "user.name")).toBe(userInfo().username);
    expect(Date.parse(String(field(e, "@timestamp")))).toBeGreaterThan(Date.now() - 120_000);
  }
  const { stdout } = await incident("show", id, "--json");
  const { incident: now, history } = JSON.parse(stdout) as Shown;
  expect(now).toMatchObject({ status: "closed", verdict: "false_positive", recipients: ["bob@example.com"] });
  expect(history.map((one) => one["tapline.incident.transition"])).toEqual(told(entries));
  expect([await listed(), (await listed("--all")).length]).toEqual([[], 1]);
  const { stdout: text } = await incident("show", id);
  expect(text).toContain("[Regulation]");
  expect(text).not.toMatch(/[\u001b\u202e]/u);
}, 180_000);
