// The policy as plain data: what the YAML file is compiled to, and what decisions are made from. Kept beside the file as
// JSON, so that a hook that starts for one call needs neither the YAML reader nor the schema. Reads and writes no file.
import { hash } from "node:crypto";
import type { ToolClass } from "../core/generated/tools.ts";
import type { Mode, Verdict } from "./contract.ts";

/** Of the compiled form: another version is compiled anew. */
const COMPILED_VERSION = 1;

/** What an argument may be. Lists of places are as written; `~` is the home of whoever calls. */
export interface ArgumentRule {
  readonly under?: readonly string[] | undefined;
  readonly not_under?: readonly string[] | undefined;
  readonly hosts?: readonly string[] | undefined;
  readonly not_hosts?: readonly string[] | undefined;
  readonly max_bytes?: number | undefined;
}

/** At most so many calls in any such span. */
export interface Rate {
  readonly calls: number;
  readonly per_s: number;
}

/** A verdict that stands where no line is. */
export interface Fallback {
  readonly verdict: Verdict;
  readonly mode: Mode;
  readonly place: string;
}

/** What the policy says of the tools, resources, prompts or requests whose name matches. */
export interface Line {
  readonly verdict: Verdict;
  /** Of what the line stands in, where absent. */
  readonly mode?: Mode | undefined;
  readonly tier?: string | undefined;
  readonly class?: ToolClass | undefined;
  readonly definition?: string | undefined;
  readonly max_bytes?: number | undefined;
  readonly rate?: Rate | undefined;
  readonly arguments?: Readonly<Record<string, ArgumentRule>> | undefined;
}

/** By name, with `*` for any characters. */
export type Named = Readonly<Record<string, Line>>;

export interface CompiledServer {
  readonly name: string;
  readonly command?: readonly string[] | undefined;
  readonly package?: string | undefined;
  readonly version?: string | undefined;
  readonly url?: string | undefined;
  readonly owner?: string | undefined;
  readonly approved?: string | undefined;
  readonly approved_by?: string | undefined;
  /** The last day on which it may be used, UTC. */
  readonly expires?: string | undefined;
  readonly mode: Mode;
  readonly tier?: string | undefined;
  readonly class?: ToolClass | undefined;
  readonly fallback: Fallback;
  readonly tools: Named;
  readonly resources: Named;
  readonly prompts: Named;
  /** What the server asks of the client, by method: `sampling/createMessage`, `elicitation/create`. */
  readonly requests: Named;
}

export interface Role {
  readonly name: string;
  /** Absent: any user. */
  readonly users?: readonly string[] | undefined;
  /** Absent: any agent. */
  readonly agents?: readonly string[] | undefined;
  readonly tiers: readonly string[];
}

/** What data is called: places of it, and the label for whatever touches them. */
export interface DataClass {
  readonly classification: string;
  readonly paths: readonly string[];
  readonly hosts: readonly string[];
  readonly servers: readonly string[];
}

export interface CompiledPolicy {
  readonly mode: Mode;
  readonly defaults: {
    readonly servers: Fallback;
    readonly agent_tools: Fallback;
    readonly changed: Fallback;
  };
  readonly servers: readonly CompiledServer[];
  readonly agent_tools: Named;
  readonly roles: readonly Role[];
  readonly data: readonly DataClass[];
}

const NONE: Fallback = { verdict: "allow", mode: "observe", place: "defaults" };

/** What there is where there is no policy. */
export const EMPTY_POLICY: CompiledPolicy = {
  mode: "observe",
  defaults: { servers: NONE, agent_tools: NONE, changed: NONE },
  servers: [],
  agent_tools: {},
  roles: [],
  data: [],
};

/** What the file says, and the hash of it. */
export interface Loaded {
  readonly policy: CompiledPolicy;
  readonly hash: string;
}

export function sha256(text: string | Uint8Array): string {
  return `sha256:${hash("sha256", text, "hex")}`;
}

const head = (source: string): string => `{"version":${COMPILED_VERSION},"source":"${source}","policy":`;

/** Text of the compiled file. The hash of the policy is over what stands in it, so that a compiled file that says other
 * than its source gives decisions whose hash is not that of the source. */
export function write(
  policy: CompiledPolicy,
  source: string,
): { readonly text: string; readonly hash: string } {
  const body = JSON.stringify(policy);
  return { text: `${head(source)}${body}}\n`, hash: sha256(body) };
}

/** The policy of a compiled file that is of this version; undefined for any other text. With `source`, only one that
 * was compiled from that text. */
export function read(text: string, source?: string): Loaded | undefined {
  const start = source === undefined ? head(sourceOf(text)) : head(source);
  if (!text.startsWith(start) || !text.endsWith("}\n")) return undefined;
  const body = text.slice(start.length, -2);
  try {
    return { policy: JSON.parse(body) as CompiledPolicy, hash: sha256(body) };
  } catch {
    return undefined;
  }
}

function sourceOf(text: string): string {
  return /^\{"version":\d+,"source":"(sha256:[0-9a-f]{64})"/.exec(text)?.[1] ?? "";
}
