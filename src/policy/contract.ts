// What the chokepoint asks of policy, and what it is answered. Types alone: how a decision is made is in decide.ts,
// where a call is held up is in src/chokepoint/.

/** What policy said. */
export type Verdict = "allow" | "deny" | "ask";
/** `observe`: the verdict is recorded and the call passes. */
export type Mode = "observe" | "enforce";
/** What was done. */
export type Action = "pass" | "block" | "ask";

/** How a server presents itself at the chokepoint: what started it, not what it says of itself. */
export interface ServerIdentity {
  readonly name: string;
  readonly transport: "stdio" | "http" | "sse";
  /** Command line with its arguments, for a server that is started here. */
  readonly command?: readonly string[] | undefined;
  readonly url?: string | undefined;
  /** From `initialize` or `_meta`: claimed by the server, never enough to allow anything. */
  readonly version?: string | undefined;
}

/** A call that waits for its decision. */
export interface CallRequest {
  /** Missing for a tool of the agent itself. */
  readonly server: ServerIdentity | undefined;
  /** `tools/call`, `resources/read`, `prompts/get`, `sampling/createMessage`, ... */
  readonly method: string;
  /** Tool, or what stands for it: the URI of a resource, the name of a prompt. */
  readonly tool: string;
  /** As the client sent them. Attacker's text. */
  readonly arguments: unknown;
  readonly size_bytes: number;
  readonly user: string | undefined;
  /** Name of the client: `claude-code`, `cursor`, or what `initialize` said. */
  readonly agent: string | undefined;
  readonly session: string | undefined;
  /** Where relative paths in the arguments start: without it, a rule on paths refuses them. */
  readonly cwd?: string | undefined;
  /** Hash of the definition that the server last listed for the tool, where one was seen. */
  readonly definition_hash: string | undefined;
  readonly now_ms: number;
  /** Where the verdict is `ask`, a person is asked, and the call decided again without this when it was allowed: it is
   * counted then, and not before. */
  readonly may_ask?: boolean | undefined;
}

export interface Decision {
  readonly verdict: Verdict;
  readonly mode: Mode;
  /** Place of the rule in the policy: `servers.github.tools.create_issue`, `defaults.servers`. */
  readonly rule: string;
  /** One sentence for the model and the person: what was refused, and what to do about it. Holds no argument. */
  readonly reason: string;
  /** Content hash of the policy in force. */
  readonly policy: string;
}

/** A tool as a server listed it. */
export interface ToolDefinition {
  readonly name: string;
  /** Over name, description, schemas and annotations, in canonical form. */
  readonly hash: string;
}

export interface Policy {
  readonly hash: string;
  /** Decides and counts the call against its rate, unless it is to be asked about first. Never throws: what cannot be decided is denied in enforce mode. */
  decide(call: CallRequest): Decision;
  /** Whether anything that the policy says of this server is enforced, so that what cannot be read must not pass. */
  enforces(server: ServerIdentity): boolean;
  /** Whether a tool has a definition that was reviewed or pinned, and another one would be held up: then the one that the
   * server has now must be known before a call passes. */
  expects(server: ServerIdentity, tool: string): boolean;
  /** Of a listing, the tools that this caller may see. Pins definitions that are new, quarantines those that changed. */
  list(
    server: ServerIdentity,
    tools: readonly ToolDefinition[],
    caller: { readonly user: string | undefined; readonly agent: string | undefined },
  ): { readonly hidden: ReadonlySet<string>; readonly changed: readonly string[] };
}

/** `decision` of a spool line, beside the message that it is about. */
export interface DecisionRecord extends Decision {
  readonly action: Action;
  /** Who decided: `policy`, or `user` after `ask`. */
  readonly decider: "policy" | "user";
  readonly latency_us: number;
}
