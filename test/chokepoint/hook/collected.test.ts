// Many hooks at once, and the whole way: hook, spool, collector, ledger. Nothing that was answered is missing there.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SETTINGS } from "../../../src/chokepoint/hook/settings.ts";
import { actionsOf, configure, entriesOf, field, tapline } from "../../commands/tapline.ts";
import { CLIENTS } from "./clients.ts";
import { type World, newWorld, remove, run, spooled } from "./world.ts";

const AT_ONCE = 50;

let world: World;
beforeEach(() => {
  world = newWorld();
});
afterEach(() => remove(world));

async function collect(): Promise<Record<string, unknown>[]> {
  const config = configure(world.home, {
    state_dir: world.state,
    sources: { hooks: { type: "spool", follow: false } },
    bundled_rules: false,
  });
  const told = await tapline(world.home, ["run", "-c", config, "--once"]);
  expect(told).toMatchObject({ code: 0 });
  return entriesOf(join(world.state, "ledger"));
}

test("fifty processes at once: all are answered, all are in the ledger, none in the other's file", async () => {
  const sent = CLIENTS[0]!;
  const calls = Array.from({ length: AT_ONCE }, (_, i) => ({
    ...sent.call(["read_note", "drop_all", "send_mail"][i % 3]!),
    tool_use_id: `toolu_${i}`,
  }));
  const answers = await Promise.all(
    calls.map((call) => run(world, [sent.client, sent.gate], JSON.stringify(call))),
  );
  const said = answers.map(({ stdout }) => /"permissionDecision":"(\w+)"/.exec(stdout)?.[1] ?? "");
  expect(said).toEqual(calls.map((_, i) => ["", "deny", "ask"][i % 3]));
  expect(answers.every(({ code }) => code === 0)).toBe(true);

  const names = readdirSync(join(world.state, "spool"));
  expect(names).toHaveLength(AT_ONCE);
  expect(names.every((name) => /^hook-\d+-[0-9a-f]{16}\.1\.done$/.test(name))).toBe(true);
  const ids = spooled(world).map(({ payload }) => payload["tool_use_id"]);
  expect(new Set(ids)).toEqual(new Set(calls.map((call) => call.tool_use_id)));

  const entries = await collect();
  const events = actionsOf(entries, "tool-call");
  const told = new Map(
    events.map((e) => [
      field(e, "gen_ai.tool.call.id"),
      [field(e, "tapline.decision.verdict"), field(e, "tapline.decision.action")],
    ]),
  );
  expect(told).toEqual(
    new Map(
      calls.map((call, i) => [
        call.tool_use_id,
        [
          ["allow", "pass"],
          ["deny", "block"],
          ["ask", "ask"],
        ][i % 3],
      ]),
    ),
  );
  expect(events.every((e) => field(e, "tapline.server.name") === "desk")).toBe(true);
  expect(actionsOf(entries, "gap")).toEqual([]);

  const again = await collect();
  expect(actionsOf(again, "tool-call")).toHaveLength(AT_ONCE);
  expect(readdirSync(join(world.state, "spool"))).toEqual([]);
}, 120_000);

test("what every client sent arrives with its decision, also what could not be read", async () => {
  for (const sent of CLIENTS) {
    await Promise.all([
      run(world, [sent.client, sent.gate], JSON.stringify(sent.call("drop_all"))),
      run(world, [sent.client, sent.gate], "{ half of AKIAIOSFODNN7EXAMPLE"),
      run(world, [sent.client, sent.news[0]], JSON.stringify(sent.news[1])),
    ]);
  }
  expect(spooled(world)).toHaveLength(3 * CLIENTS.length);
  const entries = await collect();
  for (const { client } of CLIENTS) {
    const service = { gemini: "gemini-cli", copilot: "copilot-cli" }[client] ?? client;
    const own = entries.filter((e) => field(e, "service.name") === service);
    const calls = actionsOf(own, "tool-call");
    const verdicts = calls.map((e) => String(field(e, "rule.id")));
    const denied = calls.find((e) => field(e, "rule.id") !== "hook.malformed")!;
    expect([field(denied, "tapline.server.name"), field(denied, "tapline.server.command")]).toEqual([
      "desk",
      "npx -y @desk/server",
    ]);
    expect([client, verdicts.toSorted()]).toEqual([
      client,
      ["hook.malformed", "servers.desk.tools.drop_all"],
    ]);
    expect(own.length).toBeGreaterThanOrEqual(3);
  }
  const malformed = entries.filter((e) => field(e, "rule.id") === "hook.malformed");
  expect(malformed.every((e) => String(field(e, "event.original")).startsWith("{ half of "))).toBe(true);
  expect(JSON.stringify(entries)).not.toContain("AKIAIOSFODNN7EXAMPLE");
}, 120_000);

/** A payload of any client's event, with what some of them have. */
const anyPayload = (client: string, event: string): object => ({
  ...(client === "windsurf" ? { agent_action_name: event } : { hook_event_name: event }),
  session_id: client,
  cwd: "/w",
  tool_name: "WebFetch",
  tool_input: { url: "https://x.example" },
  command: "ls",
  file_path: "/w/a",
  tool_info: { command_line: "ls", file_path: "/w/a", mcp_server_name: "desk", mcp_tool_name: "drop_all" },
});

test("every event that is installed is known to the collector", async () => {
  for (const [client, { events }] of SETTINGS)
    await Promise.all(
      events.map((event) => run(world, [client, event], JSON.stringify(anyPayload(client, event)))),
    );
  const entries = await collect();
  const hooked = entries.filter((e) => field(e, "tapline.format") === "hook");
  expect(hooked.length).toBeGreaterThan(80);
  const unknown = hooked.filter((e) => field(e, "tapline.record.known") === false);
  expect(unknown.map((e) => [field(e, "service.name"), field(e, "tapline.record.type")])).toEqual([]);
  // A call that was refused is one, in whatever spelling the client has its event.
  for (const client of SETTINGS.keys()) {
    const service = { gemini: "gemini-cli", copilot: "copilot-cli" }[client] ?? client;
    const refused = actionsOf(entries, "tool-call-decision").filter(
      (e) => field(e, "service.name") === service && field(e, "tapline.decision.action") === "block",
    );
    expect([client, refused.length > 0]).toEqual([client, true]);
  }
}, 120_000);
