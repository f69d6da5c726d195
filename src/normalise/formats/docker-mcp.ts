// Docker MCP Gateway: what it writes of calls to standard error. Lines have no times, no ids and, in newer versions, no
// arguments; a call that failed in the gateway has no end. What else it writes is kept as text.
import type { Event } from "../../core/generated/event.ts";
import type { Action } from "../../core/generated/classes.ts";
import { type Fields, type Format, type Scope, asObject, asText } from "../format.ts";
import { setTargets } from "../targets.ts";
import { asArguments, asDuration, parseJson, setTool } from "./fields.ts";

const LINE = /^(?:(\d{4}-\d\d-\d\dT\S+) )?\s*[->] (.*)$/;
const CALL = /^Calling tool (\S+) with arguments: (.*)$/;
const DONE = /^Calling tool (\S+) took: (\S+)$/;
const PART = /([\d.]{1,20})(ns|us|µs|ms|s|m|h)/g;
const MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1e3,
  m: 6e4,
  h: 3.6e6,
};
const REF = "docker:";

function decode(line: string): unknown {
  const match = LINE.exec(line);
  if (match === null) return undefined;
  const [, ts, text] = match;
  const call = CALL.exec(text!);
  if (call !== null) return { ts, call: call[1], arguments: call[2] };
  const done = DONE.exec(text!);
  return done === null ? { ts, text } : { ts, done: done[1], took: done[2] };
}

/** A duration as Go writes it. */
function millisOf(took: unknown): number | undefined {
  let sum: number | undefined;
  for (const [, number, unit] of (asText(took) ?? "").slice(0, 64).matchAll(PART))
    sum = (sum ?? 0) + Number(number) * MS[unit!]!;
  return sum;
}

function begin(action: Action, r: Fields, scope: Scope): Event {
  const e = scope.event(action, r["ts"]);
  e["service.name"] = "docker-mcp-gateway";
  return e;
}

function toolCall(r: Fields, scope: Scope): void {
  const session = scope.session();
  const e = begin("tool-call", r, scope);
  setTool(e, r["call"]);
  e["mcp.method.name"] = "tools/call";
  e["gen_ai.tool.type"] = "extension";
  const said = asText(r["arguments"]) ?? "";
  const args = asObject(parseJson(said));
  if (args === undefined) e["tapline.ext"] = { arguments: said };
  else {
    e["gen_ai.tool.call.arguments"] = asArguments(args);
    setTargets(e, e["gen_ai.tool.name"]!, args);
  }
  const name = e["gen_ai.tool.name"]!;
  session.call(e, `${REF}${name}#${session.tally(`docker.${name}`)}`);
  scope.emit(e);
}

function toolResult(r: Fields, scope: Scope): void {
  const session = scope.session();
  const e = begin("tool-result", r, scope);
  setTool(e, r["done"]);
  e["mcp.method.name"] = "tools/call";
  e["gen_ai.tool.type"] = "extension";
  e["event.duration"] = asDuration(millisOf(r["took"]));
  e["event.outcome"] = "unknown";
  const name = e["gen_ai.tool.name"]!;
  session.result(e, session.newestOpen(REF, name, undefined) ?? `${REF}${name}#0`);
  scope.emit(e);
}

export const dockerMcp: Format = {
  name: "docker-mcp",
  vantage: "gateway",
  decode,
  recognise: (head) =>
    head.some((value) => asObject(value)?.["call"] !== undefined || asObject(value)?.["done"] !== undefined)
      ? 0.8
      : 0,
  sessionOf: () => undefined,
  open() {
    return (record, scope) => {
      const r = asObject(record);
      if (r === undefined) return "skipped:not_an_object";
      if (asText(r["call"]) !== undefined) toolCall(r, scope);
      else if (asText(r["done"]) !== undefined) toolResult(r, scope);
      else {
        const e = begin("session-event", r, scope);
        e["message"] = asText(r["text"]);
        scope.emit(e);
      }
      return "recorded";
    };
  },
};
