// What a hook's payload says, in words that all clients share: what each client's own file makes of its events, and
// hook-events.ts makes events of. Holds types and the reading of fields; emits nothing.
import { type Fields, asObject, asText } from "../format.ts";

/** What happened, by the client's event. */
type Does =
  | "call" // a tool is about to run
  | "result" // it ran, or failed
  | "decision" // somebody is asked about a call, or said no
  | "prompt"
  | "start"
  | "end"
  | "notice" // anything else of the session
  | "error"
  | "elicitation" // a server asks the user
  | "answer" // what the user told it
  | "permission"; // settings that hold permissions changed

export interface Told {
  readonly does: Does;
  readonly tool?: string | undefined;
  readonly server?: string | undefined;
  /** Where the server's configuration comes from. */
  readonly server_scope?: string | undefined;
  readonly server_url?: string | undefined;
  readonly server_command?: string | undefined;
  readonly call_id?: string | undefined;
  readonly args?: unknown;
  /** Arguments as the hook told them that opened the call, where this one tells more. */
  readonly call_args?: unknown;
  /** The same in all hooks of one call, for clients that run more than one before it: command, path, arguments. */
  readonly target?: string | undefined;
  readonly result?: unknown;
  /** Whether the tool did what it should; undefined where the hook does not say. */
  readonly ok?: boolean | undefined;
  readonly error?: string | undefined;
  readonly error_type?: string | undefined;
  readonly duration_ms?: unknown;
  readonly exit_code?: unknown;
  readonly verdict?: "ask" | "deny";
  readonly decider?: string | undefined;
  /** What the user said or was told. */
  readonly text?: string | undefined;
  /** What the model said. */
  readonly output?: string | undefined;
  readonly reason?: string | undefined;
  readonly path?: string | undefined;
  readonly url?: string | undefined;
  /** What no field holds. */
  readonly rest?: Fields | undefined;
}

/** Who sent the payload. */
export interface Who {
  readonly session?: string | undefined;
  readonly agent_id?: string | undefined;
  readonly agent_name?: string | undefined;
  readonly model?: string | undefined;
  readonly version?: string | undefined;
  readonly mode?: string | undefined;
  readonly cwd?: string | undefined;
  readonly turn?: string | undefined;
  readonly email?: string | undefined;
  readonly time?: unknown;
}

export interface HookClient {
  /** The harness. */
  readonly service: string;
  readonly provider: string | undefined;
  readonly who: (p: Fields) => Who;
  /** Undefined for an event that is not known. */
  readonly read: (event: string, p: Fields) => Told | undefined;
}

/** Where a notice's payload has what there are fields for. */
export interface Places {
  readonly text?: string;
  readonly output?: string;
  readonly reason?: string;
  readonly path?: string;
  readonly url?: string;
}

// In every payload of one client or another: they say who, not what.
const ENVELOPE = new Set(
  (
    "session_id sessionId transcript_path transcriptPath cwd workingDirectory hook_event_name hookEventName prompt_id " +
    "permission_mode effort agent_id agent_type turn_id model timestamp conversation_id generation_id cursor_version " +
    "workspace_roots user_email agent_action_name trajectory_id execution_id model_name mcp_server_name"
  ).split(" "),
);

/** What happened, with the fields in their places and the rest kept. */
export function noticed(does: Does, p: Fields, at: Places = {}): Told {
  const used = new Set<unknown>(Object.values(at));
  const rest: Fields = {};
  let some = false;
  for (const key in p) {
    if (ENVELOPE.has(key) || used.has(key) || p[key] === undefined || p[key] === null) continue;
    rest[key] = p[key];
    some = true;
  }
  return {
    does,
    text: at.text === undefined ? undefined : asText(p[at.text]),
    output: at.output === undefined ? undefined : asText(p[at.output]),
    reason: at.reason === undefined ? undefined : asText(p[at.reason]),
    path: at.path === undefined ? undefined : asText(p[at.path]),
    url: at.url === undefined ? undefined : asText(p[at.url]),
    rest: some ? rest : undefined,
  };
}

/** The path that a tool's arguments name first, also inside a list of operations. */
export function pathIn(args: unknown): string | undefined {
  const fields = asObject(args);
  if (fields === undefined) return undefined;
  const named = asText(fields["file_path"]) ?? asText(fields["path"]) ?? asText(fields["absolute_path"]);
  if (named !== undefined) return named;
  const operations = fields["operations"];
  return Array.isArray(operations) ? asText(asObject(operations[0])?.["path"]) : undefined;
}
