// What the hook of every client has in common: the call that it holds up, and the answer that the client understands.
// Each client has a file of its own that says what it sends, what it accepts and how it fails.
import type { ServerIdentity } from "../../policy/contract.ts";

/** What the client reads when the hook ends. */
export interface Answer {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

export type Payload = Readonly<Record<string, unknown>>;

/** A call that waits for the hook's answer. */
export interface WaitingCall {
  /** Missing for a tool of the agent itself. */
  readonly server: ServerIdentity | undefined;
  readonly tool: string;
  readonly arguments: unknown;
}

/** What an event is: a call that waits, something that another event of the client holds up, or news. */
export type Reading = WaitingCall | "elsewhere" | "news";

export interface HookClient {
  /** Native name of the event; undefined when the payload does not say. */
  eventOf(payload: Payload): string | undefined;
  sessionOf(payload: Payload): string | undefined;
  /** Where relative paths in the arguments of a payload's call start: with an unknown directory, policy refuses them.
   * `here` is where the hook runs, which is the agent's directory for some clients, and for others is not. */
  cwdOf(payload: Payload, here: string): string | undefined;
  /** Event at which tools of all kinds wait: what is not known but has a tool is read like it. */
  readonly gate: string;
  /** `own` is the path of our program, for servers behind our proxy. Throws nothing; a call that waits but cannot be read has an empty tool, which no policy allows by name. */
  read(event: string, payload: Payload, own: string | undefined): Reading;
  /** Whether a call waits at this event, whatever the payload says. Undefined for an event that is not known. */
  waits(event: string): boolean | undefined;
  /** The call goes on as if there were no hook: permissions of the client still hold. */
  pass(event: string): Answer;
  /** The client asks its user; undefined where it cannot, and then the call is refused. */
  ask(event: string, reason: string): Answer | undefined;
  block(event: string, reason: string): Answer;
}

export const SILENT: Answer = { stdout: "", stderr: "", code: 0 };

/** Exit code 2 with the reason on standard error: what most clients take for a refusal. */
export function refusal(reason: string): Answer {
  return { stdout: "", stderr: `${reason}\n`, code: 2 };
}

export function json(value: unknown): Answer {
  return { stdout: `${JSON.stringify(value)}\n`, stderr: "", code: 0 };
}

export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function object(value: unknown): Payload | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Payload)
    : undefined;
}

/** `cwdOf` of a client that tells the directory, and runs its hooks in it. */
export function toldCwd(payload: Payload, here: string): string {
  return text(payload["cwd"]) ?? here;
}
