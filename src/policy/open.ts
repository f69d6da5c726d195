// Opens a policy: the compiled form beside the file where it is of that file, else the file itself. A file that cannot be
// used leaves the policy that was in force before in force, and says why. Decides nothing.
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { TaplineError, reasonOf, systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { type Loaded, read, sha256, write } from "./compiled.ts";
import type { CallRequest, Decision, Policy, ServerIdentity, ToolDefinition } from "./contract.ts";
import { Decider } from "./decide.ts";
import { decisionOf } from "./findings.ts";
import { FileState, type PolicyState } from "./state.ts";

export interface PolicyOptions {
  /** Directory of the collector's state; pins, rates and quarantine are in `policy/` in it. */
  readonly state_dir: string;
  /** Keeps looking at the file: for processes that stay. */
  readonly watch?: boolean;
  /** A file that was named must be there; otherwise no file means that everything is allowed and recorded. */
  readonly required?: boolean;
  /** Told what is wrong with the file, once for each state of it. */
  readonly onProblem?: (message: string) => void;
}

export interface OpenPolicy extends Policy {
  close(): void;
}

export interface PolicyPlace {
  readonly path: string;
  /** The configuration names it, so that it has to be there. */
  readonly required: boolean;
}

/** Where the policy is: where the configuration says, else in the state directory. */
export function policyPlace(named: string | undefined, state_dir: string): PolicyPlace {
  return { path: named ?? join(state_dir, "policy.yml"), required: named !== undefined };
}

/** The policy of a collector with this configuration, if there is one, and what is wrong with its file. */
export async function readPolicy(config: {
  readonly policy?: string | undefined;
  readonly state_dir: string;
}): Promise<{ path: string; loaded: Loaded | undefined; problem: string | undefined }> {
  const { path, required } = policyPlace(config.policy, config.state_dir);
  return { path, ...(await loadPolicy(path, required)) };
}

/** Path of the compiled form. */
export function compiledPath(path: string): string {
  return `${path.replace(/\.ya?ml$/, "")}.json`;
}

function readFile(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw new TaplineError("POLICY_UNREADABLE", `cannot read ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/** Text of the compiled form, if whoever can write it can write the policy as well. */
function readCompiled(path: string, owner: number | undefined): string | undefined {
  const compiled = compiledPath(path);
  try {
    const { uid, mode } = statSync(compiled);
    const trusted =
      (uid === 0 || uid === owner || (owner === undefined && uid === process.getuid?.())) &&
      (mode & 0o022) === 0;
    return trusted ? readFileSync(compiled, "utf8") : undefined;
  } catch {
    return undefined;
  }
}

/** Whoever may read the policy may read what it says. */
function writeCompiled(path: string, text: string): void {
  const compiled = compiledPath(path);
  const own = `${compiled}.${process.pid}`;
  try {
    writeFileSync(own, text, { mode: statSync(path).mode & 0o644 });
    renameSync(own, compiled);
  } catch {
    // Whoever may not write there compiles again each time.
    rmSync(own, { force: true });
  }
}

interface Opened {
  /** Undefined: there is no policy. */
  readonly loaded: Loaded | undefined;
  readonly problem: string | undefined;
}

/** Reads the policy that is to be in force. With `verify` the compiled form is not believed but held against its source,
 * and put right. Throws when nothing usable is there. */
export async function loadPolicy(path: string, required: boolean, verify = false): Promise<Opened> {
  const source = readFile(path);
  if (source === undefined) {
    // A file that is gone is no permission: its compiled form stays in force until that is taken away too.
    const last = read(readCompiled(path, undefined) ?? "");
    const what = `${path} does not exist`;
    if (last !== undefined)
      return { loaded: last, problem: `${what}: the policy last compiled stays in force` };
    if (required) throw new TaplineError("POLICY_UNREADABLE", what, { remedy: "write one, or name another" });
    return { loaded: undefined, problem: undefined };
  }
  const compiled = readCompiled(path, statSync(path).uid);
  const fresh = compiled === undefined ? undefined : read(compiled, sha256(source));
  if (fresh !== undefined && !verify) return { loaded: fresh, problem: undefined };
  try {
    if (source.length > LIMITS.config_bytes)
      throw new TaplineError("POLICY_INVALID", `${path}: larger than ${LIMITS.config_bytes} bytes`);
    const { parsePolicy } = await import("./parse.ts");
    const policy = parsePolicy(source.toString("utf8"), path);
    const { text, hash } = write(policy, sha256(source));
    if (text !== compiled) writeCompiled(path, text);
    const forged = fresh !== undefined && fresh.hash !== hash;
    const problem = forged ? `${compiledPath(path)} said other than ${path}, and was made anew` : undefined;
    return { loaded: { policy, hash }, problem };
  } catch (error) {
    const last = read(compiled ?? "");
    if (last === undefined) throw error;
    return { loaded: last, problem: `${reasonOf(error)}\nthe policy last compiled stays in force` };
  }
}

const NOTHING: ReadonlySet<string> = new Set();

class Live implements OpenPolicy {
  readonly #path: string;
  readonly #options: PolicyOptions;
  readonly #state: FileState;
  readonly #timer: NodeJS.Timeout | undefined;
  #decider: Decider | undefined;
  #stamp = "";
  #told = "";
  #looking = false;

  constructor(path: string, options: PolicyOptions, opened: Opened) {
    this.#path = path;
    this.#options = options;
    this.#state = new FileState(options.state_dir);
    this.#stamp = stampOf(path);
    this.#use(opened);
    if (options.watch === true)
      this.#timer = setInterval(() => void this.#look(), LIMITS.policy_look_ms).unref();
  }

  get hash(): string {
    return this.#decider?.hash ?? "none";
  }

  decide(call: CallRequest): Decision {
    const decider = this.#decider;
    if (decider === undefined) return NO_POLICY;
    try {
      return decider.decide(call, this.#state);
    } catch (error) {
      const reason = `The policy could not decide: ${reasonOf(error)}`;
      return decisionOf(
        { verdict: "deny", mode: decider.policy.mode, place: "defaults", reason },
        decider.hash,
      );
    }
  }

  enforces(server: ServerIdentity): boolean {
    return this.#decider?.enforces(server) ?? false;
  }

  expects(server: ServerIdentity, tool: string): boolean {
    const decider = this.#decider;
    if (decider === undefined || decider.shuts(server)) return false;
    const { verdict, mode } = decider.policy.defaults.changed;
    if (mode !== "enforce" || verdict === "allow") return false;
    try {
      return decider.reviewed(server, tool) || this.#state.pinned(decider.keyOf(server), tool);
    } catch {
      return false; // the decision says so
    }
  }

  list(
    server: ServerIdentity,
    tools: readonly ToolDefinition[],
    caller: { readonly user: string | undefined; readonly agent: string | undefined },
  ): { readonly hidden: ReadonlySet<string>; readonly changed: readonly string[] } {
    const decider = this.#decider;
    if (decider === undefined) return { hidden: NOTHING, changed: [] };
    const names = tools.map(({ name }) => name);
    if (decider.shuts(server)) return { hidden: new Set(names), changed: [] };
    let held: ReadonlySet<string>;
    try {
      const trusted = tools.filter(({ name }) => !decider.reviewed(server, name));
      held = this.#state.see(decider.keyOf(server), trusted, Date.now());
    } catch (error) {
      this.#tell(`tools cannot be pinned: ${reasonOf(error)}`);
      held = new Set(names);
    }
    const state: PolicyState = { changed: (_, tool) => held.has(tool), take: () => true };
    const hidden = tools.filter(({ name, hash }) => decider.hides(server, name, hash, caller, state));
    return {
      hidden: new Set(hidden.map(({ name }) => name)),
      changed: names.filter((name) => held.has(name)),
    };
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #use({ loaded, problem }: Opened): void {
    if (loaded === undefined) this.#decider = undefined;
    else if (loaded.hash !== this.#decider?.hash) this.#decider = new Decider(loaded, homedir());
    this.#tell(problem ?? "");
  }

  #tell(problem: string): void {
    if (problem !== "" && problem !== this.#told) this.#options.onProblem?.(problem);
    this.#told = problem;
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const stamp = stampOf(this.#path);
      if (stamp !== this.#stamp) {
        this.#use(await loadPolicy(this.#path, this.#options.required === true));
        this.#stamp = stamp;
      }
    } catch (error) {
      this.#tell(`${reasonOf(error)}\nthe policy from before stays in force`);
    }
    this.#looking = false;
  }
}

const NO_POLICY: Decision = {
  verdict: "allow",
  mode: "observe",
  rule: "defaults",
  reason: "There is no policy: every call is allowed and recorded.",
  policy: "none",
};

/** Changes when the file does. */
export function stampOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? "" : `${found.ino} ${found.mtimeMs} ${found.ctimeMs} ${found.size}`;
}

/** Opens the policy at a path. Throws POLICY_INVALID or POLICY_UNREADABLE when neither the file nor what was compiled
 * from an earlier one can be used. */
export async function openPolicy(path: string, options: PolicyOptions): Promise<OpenPolicy> {
  return new Live(path, options, await loadPolicy(path, options.required === true));
}
