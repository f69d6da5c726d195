// CPU time of the rules in detections/ on MCP calls and results that match none: ten of them, all, and none, in ns an
// event.  node bench/hot/detect.ts [rounds]
import { join } from "node:path";
import { eventOf } from "../../src/core/event.ts";
import type { Event } from "../../src/core/generated/event.ts";
import { loadRules } from "../../src/detect/load.ts";
import { compileRules } from "../../src/detect/rules.ts";
import { Generator } from "../generate.ts";

// Few enough to stay in the processor's cache, as an event that was just made does.
const EVENTS = 128;
const rounds = Number(process.argv[2] ?? 1_000);

interface Line {
  readonly dir: string;
  readonly session: string;
  readonly user: string;
  readonly server: { readonly name: string; readonly command: string };
  readonly msg: { id: number; params?: { name: string; arguments: Record<string, string> }; result?: object };
}

function toEvent({ dir, session, user, server, msg }: Line): Event {
  const call = dir === "c2s";
  const e = eventOf(call ? "tool-call" : "tool-result", {
    namespace: "default",
    host: "host-1",
    version: "0.1.0",
  });
  e["@timestamp"] = "2026-11-01T00:00:00.000Z";
  e["gen_ai.conversation.id"] = session;
  e["user.name"] = user;
  e["tapline.server.name"] = server.name;
  e["tapline.server.command"] = server.command;
  e["mcp.method.name"] = "tools/call";
  e["jsonrpc.request.id"] = String(msg.id);
  e["gen_ai.tool.name"] = msg.params?.name ?? "read_file";
  e["gen_ai.tool.call.arguments"] = msg.params?.arguments;
  e["file.path"] = msg.params?.arguments["path"];
  e["gen_ai.tool.call.result"] = msg.result as Event["gen_ai.tool.call.result"];
  e["event.id"] = `${session}-${msg.id}-${dir}`;
  return e;
}

const generator = new Generator(7);
const events: Event[] = [];
while (events.length < EVENTS) {
  const line = generator.line(0);
  if (line.endsWith("}")) events.push(toEvent(JSON.parse(line) as Line));
}
const bytes = events.reduce((sum, e) => {
  return sum + JSON.stringify(e["gen_ai.tool.call.arguments"] ?? e["gen_ai.tool.call.result"]).length;
}, 0);

const { set } = await loadRules([join(import.meta.dirname, "../../detections")]);
const all = set.rules.map((r) => r.rule);
console.log(`detect: ${EVENTS} events, ${Math.round(bytes / EVENTS)} bytes of arguments or result each`);
for (const count of [0, 10, all.length]) {
  const rules = compileRules(all.slice(0, count));
  const out: number[] = [];
  const run = (times: number): number => {
    const before = process.cpuUsage();
    for (let i = 0; i < times; i++) for (let k = 0; k < EVENTS; k++) rules.match(events[k]!, out);
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1_000) / times / EVENTS;
  };
  run(Math.min(500, rounds));
  const best = Math.min(run(rounds), run(rounds), run(rounds), run(rounds), run(rounds));
  console.log(`detect: ${count} rules, ${best.toFixed(0)} ns CPU per event, ${out.length} matches`);
}
