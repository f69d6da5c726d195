// One run of a hook: reads what the client sent, has the policy decide, records both, and answers so that the client
// does what was decided. Nothing is answered before the record is written. What goes wrong fails in the direction of
// the policy's mode; without a policy, in the direction that the installer wrote into the command.
import { TaplineError, reasonOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Action, Decision, DecisionRecord, Policy } from "../../policy/contract.ts";
import { type Answer, type HookClient, type Payload, type WaitingCall, object, text } from "./client.ts";

/** Direction without a policy: `closed` refuses the call. */
export type Direction = "closed" | "open";

export interface HookWorld {
  readonly name: string;
  readonly client: HookClient;
  /** Event that the configuration names on the command line. */
  readonly event: string | undefined;
  readonly direction: Direction;
  readonly user: string | undefined;
  readonly cwd: string;
  readonly pid: number;
  /** Path of our program. */
  readonly own: string | undefined;
  now_ms(): number;
  /** Microseconds of a clock that only goes forward. */
  clock_us(): number;
  /** Rejects when there is none or it cannot be read. */
  policy(): Promise<Policy>;
  /** Appends one record to the spool. Throws when it cannot be written. */
  append(record: string): void;
}

/** Keys of payloads that name a tool, and of payloads that come after it has run. */
const TOOL_KEYS = ["tool_name", "toolName", "tool_input", "toolArgs"];
const RESULT_KEYS = ["tool_response", "tool_result", "toolResult", "tool_output", "result_json", "error"];
/** Of what is no JSON object. What goes on behind the part that is kept is looked at for secrets, and left out. */
const RAW_CHARS = LIMITS.raw_bytes + LIMITS.beyond_chars;
const UNRECORDED =
  "Tapline cannot record this call, and its policy refuses calls that are not recorded. Do not try again before the spool directory can be written.";

/** What the client sent, as far as it can be read. */
interface Input {
  readonly payload: Payload | undefined;
  readonly event: string | undefined;
  readonly call: WaitingCall | "malformed" | undefined;
  /** A call that another event of the client holds up: nothing to decide or to record. */
  readonly elsewhere: boolean;
}

export async function runHook(world: HookWorld, stdin: string): Promise<Answer> {
  const { client } = world;
  const input = read(world, stdin);
  if (input.elsewhere) return client.pass(input.event!);
  const event = input.event ?? client.gate;
  if (input.call === undefined) return news(world, input, event, stdin);
  const begun_us = world.clock_us();
  const decision = await decide(world, input.call, input.payload);
  const [action, answer] = answerTo(world, event, decision);
  const record: DecisionRecord = {
    ...decision,
    action,
    decider: "policy",
    latency_us: Math.round(world.clock_us() - begun_us),
  };
  try {
    world.append(line(world, input, stdin, record));
  } catch (error) {
    const told = `tapline: ${reasonOf(error)}\n`;
    if (decision.mode === "enforce") return withError(client.block(event, UNRECORDED), told);
    return withError(client.pass(event), told);
  }
  return answer;
}

function answerTo({ name, client }: HookWorld, event: string, decision: Decision): [Action, Answer] {
  const { verdict, mode, reason } = decision;
  if (verdict === "allow" || mode === "observe") return ["pass", client.pass(event)];
  if (verdict === "deny") return ["block", client.block(event, reason)];
  const asked = client.ask(event, reason);
  if (asked !== undefined) return ["ask", asked];
  return ["block", client.block(event, `${reason} ${name} cannot ask here, so the call is refused.`)];
}

/** Standard error beside an answer; a client that reads its reason there gets the reason first. */
function withError(answer: Answer, told: string): Answer {
  return { ...answer, stderr: answer.stderr + told };
}

function parse(stdin: string): Payload | undefined {
  try {
    return object(JSON.parse(stdin));
  } catch {
    return undefined;
  }
}

function read({ client, event: named, own }: HookWorld, stdin: string): Input {
  const payload = parse(stdin);
  if (payload === undefined) {
    // Without a name it may be a call that waits.
    const waits = named === undefined || client.waits(named) !== false;
    return { payload, event: named, call: waits ? "malformed" : undefined, elsewhere: false };
  }
  const event = client.eventOf(payload) ?? named;
  const waits = event === undefined ? undefined : client.waits(event);
  const told = waits !== undefined && event !== undefined;
  if (!told && !hasTool(payload)) return { payload, event, call: undefined, elsewhere: false };
  const reading = client.read(told ? event : client.gate, payload, own);
  if (reading === "elsewhere") return { payload, event, call: undefined, elsewhere: true };
  if (reading === "news") return { payload, event, call: undefined, elsewhere: false };
  const malformed = reading.tool === "" || reading.server?.name === "";
  return { payload, event, call: malformed ? "malformed" : reading, elsewhere: false };
}

/** Whether an event that is not known holds up a call. */
function hasTool(payload: Payload): boolean {
  return (
    TOOL_KEYS.some((key) => payload[key] !== undefined) &&
    !RESULT_KEYS.some((key) => payload[key] !== undefined)
  );
}

/** What happened is recorded; there is nothing that the answer could hold up. */
function news(world: HookWorld, input: Input, event: string, stdin: string): Answer {
  try {
    world.append(line(world, input, stdin, undefined));
  } catch (error) {
    return withError(world.client.pass(event), `tapline: ${reasonOf(error)}\n`);
  }
  return world.client.pass(event);
}

async function decide(
  world: HookWorld,
  call: WaitingCall | "malformed",
  payload: Payload | undefined,
): Promise<Decision> {
  let policy: Policy;
  try {
    policy = await world.policy();
  } catch (error) {
    return withoutPolicy(world.direction, error);
  }
  const known = call === "malformed" ? undefined : call;
  const decision = policy.decide({
    server: known?.server,
    method: "tools/call",
    tool: known?.tool ?? "",
    arguments: known?.arguments,
    size_bytes: Buffer.byteLength(JSON.stringify(known?.arguments) ?? ""),
    user: world.user,
    agent: world.name,
    session: payload === undefined ? undefined : world.client.sessionOf(payload),
    cwd: payload === undefined ? undefined : world.client.cwdOf(payload, world.cwd),
    definition_hash: undefined,
    now_ms: world.now_ms(),
  });
  if (known !== undefined) return decision;
  return {
    verdict: "deny",
    mode: decision.mode,
    rule: "hook.malformed",
    reason: `Tapline cannot read what ${world.name} told its hook of this call, so no policy can allow it. The version of ${world.name} may be newer than Tapline.`,
    policy: decision.policy,
  };
}

function withoutPolicy(direction: Direction, error: unknown): Decision {
  const remedy = error instanceof TaplineError && error.remedy !== undefined ? `; ${error.remedy}` : "";
  return {
    verdict: "deny",
    mode: direction === "closed" ? "enforce" : "observe",
    rule: "hook.policy_unreadable",
    reason: `Tapline cannot read its policy: ${reasonOf(error)}${remedy}.`,
    policy: "",
  };
}

function line(world: HookWorld, input: Input, stdin: string, decision: DecisionRecord | undefined): string {
  return JSON.stringify({
    ts: new Date(world.now_ms()).toISOString(),
    hook: world.name,
    event: text(input.event) ?? "unknown",
    payload: input.payload ?? {},
    // What is no JSON object is kept as the text that it is.
    ...(input.payload === undefined ? { raw: stdin.slice(0, RAW_CHARS) } : {}),
    decision,
    // What the decision took the server for: the payload tells at most its name.
    server: typeof input.call === "object" ? input.call.server : undefined,
    pid: world.pid,
    user: world.user,
    cwd: world.cwd,
  });
}
