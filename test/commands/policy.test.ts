// The policy while a collector runs and while none does: every change is an event, once, a bad file changes nothing, and
// what the inventory knows reaches events and rules.
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { accept } from "../../src/policy/pins.ts";
import { FileState } from "../../src/policy/state.ts";
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

const FIRST = `version: 1
servers:
  board: { command: [npx, -y, board@1.2.3], owner: platform, default: deny, tools: { post: { class: egress } } }
data: [{ classification: confidential, paths: [/srv/clients], hosts: [crm.example] }]
`;
const SECOND = `version: 1
mode: enforce
servers:
  board: { command: [npx, -y, board@1.2.3], owner: security, default: deny, tools: { post: deny, read: allow } }
  mail: { url: "https://mail.example/mcp" }
roles: { dev: { users: [ada], tiers: [web] } }
`;

let calls = 0;
const call = (server: string, command: string[], tool: string, args: object): string =>
  `${JSON.stringify({
    ts: new Date(Date.UTC(2026, 10, 1, 12, 0, calls)).toISOString(),
    dir: "c2s",
    conn: server,
    session: "s",
    server: { name: server, command },
    msg: { jsonrpc: "2.0", id: calls++, method: "tools/call", params: { name: tool, arguments: args } },
  })}\n`;

const told = (entries: Document[]): string[] =>
  entries
    .filter((e) =>
      ["policy-change", "inventory-change", "grant-change", "quarantine-change"].includes(
        String(field(e, "event.action")),
      ),
    )
    .map((e) =>
      [
        "event.action",
        "tapline.change.kind",
        "tapline.change.item",
        "tapline.server.name",
        "gen_ai.tool.name",
        "event.outcome",
      ]
        .map((name) => field(e, name) ?? "-")
        .join(" "),
    );

test("changes are events, once each, whether a collector ran or not", async () => {
  const home = newHome();
  const log = join(home, "mcp.jsonl");
  const policy = join(home, "policy.yml");
  const ledger = join(home, "state", "ledger");
  writeFileSync(log, "");
  writeFileSync(policy, FIRST);
  const config = configure(home, {
    workers: 2,
    policy,
    sources: { mcp: { type: "file", include: [log], format: "mcp" } },
    sinks: { none: { type: "null" } },
  });
  const until = async (what: (entries: Document[]) => boolean): Promise<Document[]> => {
    for (let i = 0; i < 300; i++) {
      const entries = await entriesOf(ledger).catch(() => []);
      if (what(entries)) return entries;
      await sleep(100);
    }
    throw new Error(`nothing came: ${String(what)}`);
  };
  const first = start(home, "run", "-c", config);
  const done = ended(first);
  const started = await until((entries) => told(entries).length > 0);
  expect(told(started)).toEqual([
    "policy-change - - - - success",
    "inventory-change added data.confidential - - success",
    "grant-change added defaults.agent_tools - - success",
    "grant-change added defaults.changed - - success",
    "grant-change added defaults.servers - - success",
    "grant-change added mode - - success",
    "inventory-change added servers.board board - success",
    "grant-change added servers.board.tools.post board post success",
  ]);
  for (const e of started) checkDocument(e);
  const board = actionsOf(started, "inventory-change").find(
    (e) => field(e, "tapline.server.name") === "board",
  )!;
  expect([
    field(board, "user.name"),
    JSON.parse(String(field(board, "tapline.change.new"))),
    field(board, "tapline.change.old"),
  ]).toEqual([
    userInfo().username,
    expect.objectContaining({ owner: "platform", command: ["npx", "-y", "board@1.2.3"] }),
    undefined,
  ]);

  // What the inventory knows reaches events and rules.
  appendFileSync(
    log,
    call("board", ["npx", "-y", "board@1.2.3"], "post", { path: "/srv/clients/../clients/a.txt" }),
  );
  appendFileSync(log, call("board", ["npx", "-y", "board@9"], "other", { path: "/srv/clientsx" }));
  const seen = actionsOf(await until((entries) => actionsOf(entries, "tool-call").length === 2), "tool-call");
  expect(
    seen.map((e) =>
      ["tapline.tool.class", "tapline.server.sanctioned", "tapline.data.classification"].map((name) =>
        field(e, name),
      ),
    ),
  ).toEqual([
    ["egress", true, ["confidential"]],
    ["other", false, undefined],
  ]);
  await until((entries) =>
    actionsOf(entries, "rule-alert").some((e) => field(e, "rule.name") === "Tool Outside the Inventory"),
  );

  writeFileSync(policy, SECOND);
  const changed = await until((entries) => told(entries).length > told(started).length);
  expect(told(changed).slice(told(started).length)).toEqual([
    "policy-change - - - - success",
    "inventory-change removed data.confidential - - success",
    "grant-change changed defaults.agent_tools - - success",
    "grant-change changed defaults.changed - - success",
    "grant-change changed defaults.servers - - success",
    "grant-change changed mode - - success",
    "grant-change added roles.dev - - success",
    "inventory-change changed servers.board board - success",
    "grant-change changed servers.board.tools.post board post success",
    "grant-change added servers.board.tools.read board read success",
    "inventory-change added servers.mail mail - success",
  ]);
  expect(actionsOf(changed, "ruleset-change")).toHaveLength(1);

  writeFileSync(policy, "version: 1\nmod: enforce\n");
  const refused = await until((entries) => told(entries).length > told(changed).length);
  expect(told(refused).slice(told(changed).length)).toEqual(["policy-change - - - - failure"]);
  expect(field(refused.at(-1)!, "error.message")).toContain('did you mean \\"mode\\"?'.replaceAll("\\", ""));

  // What hooks go by is held against its source.
  writeFileSync(policy, SECOND);
  await until(
    (entries) => !readFileSync(join(home, "policy.json"), "utf8").includes("mod:") && entries.length > 0,
  );
  const honest = readFileSync(join(home, "policy.json"), "utf8");
  writeFileSync(join(home, "policy.json"), honest.replace('"verdict":"deny"', '"verdict":"allow"'));
  const forged = await until((entries) => told(entries).length > told(refused).length);
  expect(field(actionsOf(forged, "policy-change").at(-1)!, "error.message")).toContain("said other than");
  expect(readFileSync(join(home, "policy.json"), "utf8")).toBe(honest);

  // Pins are the same for all processes of this state directory.
  const state = new FileState(join(home, "state"));
  mkdirSync(join(home, "state"), { recursive: true });
  state.see("server board", [{ name: "post", hash: "sha256:1" }], Date.now());
  state.see("server board", [{ name: "post", hash: "sha256:2" }], Date.now());
  const held = await until((entries) => told(entries).some((line) => line.includes("quarantined")));
  first.kill("SIGTERM");
  expect((await done).code).toBe(0);

  // Accepted, and another policy, while nobody looks.
  state.change((pins) => accept(pins, "server board", undefined, Date.now()));
  writeFileSync(policy, FIRST);
  for (const run of [1, 2]) {
    expect((await tapline(home, ["run", "--once", "-c", config])).code, `run ${run}`).toBe(0);
  }
  const last = await entriesOf(ledger);
  expect(told(held).slice(told(forged).length)).toEqual([
    "quarantine-change pinned - board - success",
    "quarantine-change quarantined - board post success",
  ]);
  expect(told(last).slice(told(held).length)).toEqual([
    "policy-change - - - - success",
    "inventory-change added data.confidential - - success",
    "grant-change changed defaults.agent_tools - - success",
    "grant-change changed defaults.changed - - success",
    "grant-change changed defaults.servers - - success",
    "grant-change changed mode - - success",
    "grant-change removed roles.dev - - success",
    "inventory-change changed servers.board board - success",
    "grant-change changed servers.board.tools.post board post success",
    "grant-change removed servers.board.tools.read board read success",
    "inventory-change removed servers.mail mail - success",
    "quarantine-change accepted - board post success",
  ]);
  const accepted = actionsOf(last, "quarantine-change").at(-1)!;
  expect(
    ["user.name", "tapline.change.before", "tapline.change.after"].map((name) => field(accepted, name)),
  ).toEqual([userInfo().username, "sha256:1", "sha256:2"]);
  for (const e of last) checkDocument(e);
}, 180_000);

test("a collector starts whatever becomes of its policy, and says so", async () => {
  const home = newHome();
  const policy = join(home, "policy.yml");
  writeFileSync(policy, "version: 3\n");
  const config = configure(home, {
    policy,
    bundled_rules: false,
    sinks: { none: { type: "null" } },
    sources: { none: { type: "file", include: [join(home, "none/*.jsonl")] } },
  });
  const ran = await tapline(home, ["run", "--once", "-c", config]);
  expect(ran.code).toBe(0);
  expect(told(await entriesOf(join(home, "state", "ledger")))).toEqual(["policy-change - - - - failure"]);
  const checked = await tapline(home, ["check", "-c", config]);
  expect([checked.code, checked.stdout]).toEqual([1, expect.stringContaining("policy: ")]);
}, 120_000);
