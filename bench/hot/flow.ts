// CPU time and memory of flow and provenance on MCP calls and results: ns an event, bytes a session.
//   node --expose-gc bench/hot/flow.ts [events]
import { eventOf } from "../../src/core/event.ts";
import type { Event } from "../../src/core/generated/event.ts";
import { Flow } from "../../src/detect/flow.ts";
import { Generator } from "../generate.ts";

const EVENTS = Number(process.argv[2] ?? 40_000);
const origin = { namespace: "default", host: "bench", version: "0" };

interface Line {
  readonly dir: string;
  readonly session: string;
  readonly msg: { params?: { name: string; arguments: Record<string, string> }; result?: object };
}
const generator = new Generator(7);
let id = 0;
let bytes = 0;
function next(): Event | undefined {
  const line = generator.line(0);
  if (!line.endsWith("}")) return undefined;
  const { dir, session, msg } = JSON.parse(line) as Line;
  const e = eventOf(dir === "c2s" ? "tool-call" : "tool-result", origin);
  e["event.id"] = `e${id++}`;
  e["gen_ai.conversation.id"] = session;
  e["gen_ai.tool.name"] = msg.params?.name ?? "read_file";
  e["gen_ai.tool.call.arguments"] = msg.params?.arguments;
  e["gen_ai.tool.call.result"] = msg.result as Event["gen_ai.tool.call.result"];
  bytes += JSON.stringify(msg.params?.arguments ?? msg.result ?? "").length;
  return e;
}
const events: Event[] = [];
while (events.length < EVENTS) {
  const e = next();
  if (e !== undefined) events.push(e);
}
const sessions = new Set(events.map((e) => e["gen_ai.conversation.id"])).size;
let best = Infinity;
let held = 0;
for (let round = 0; round < 4; round++) {
  globalThis.gc?.();
  const memory = process.memoryUsage();
  const flow = new Flow("bench", (text) => text);
  const start = process.cpuUsage();
  for (let i = 0; i < EVENTS; i++) flow.trace(events[i]!);
  const { user, system } = process.cpuUsage(start);
  best = Math.min(best, ((user + system) * 1_000) / EVENTS);
  globalThis.gc?.();
  const after = process.memoryUsage();
  // In later rounds the memory of the one before may be among what was there at first.
  if (round === 0) held = after.heapUsed + after.arrayBuffers - memory.heapUsed - memory.arrayBuffers;
  flow.trace(events[0]!);
}
console.log(
  `flow: ${best.toFixed(0)} ns CPU an event of ${Math.round(bytes / EVENTS)} bytes of arguments or result, ` +
    `${sessions} sessions of ${Math.round(EVENTS / sessions)} events, ${Math.round(held / sessions / 1024)} KiB each`,
);
