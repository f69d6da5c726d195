// Joins streams to sessions across sources: a proxy's stream that names no session belongs to the one that its client
// process is known to be in, else to the only transcript of its directory that was active when the client started.
// Two candidates are no answer. Lives on the main thread; what it knows comes back from positions after a restart.
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { LIMITS } from "./core/limits.ts";
import type { Finding, ResolvedBy, Sessions, StreamFacts } from "./core/stage.ts";
import { timeOf } from "./normalise/facts.ts";

interface Transcript {
  readonly session: string;
  readonly cwd: string;
  /** Undefined when no record of it had a time. */
  from_ms: number | undefined;
  /** Nothing can be joined to a branch: its events go to a session that is not this one. */
  branch: boolean;
  readonly paths: Set<string>;
}

interface Process {
  /** Undefined when it was seen in several sessions. */
  readonly session: string | undefined;
  readonly by: ResolvedBy;
}

/** The session that a transcript is of by its name. */
const NAMED = /([\da-f]{8}-[\da-f-]{27})\.jsonl(?:\.\d+)?(?:\.gz)?$/;
const SOON: Finding = { session: undefined, by: "none", again: "soon" };
const AMBIGUOUS: Finding = { session: undefined, by: "ambiguous", again: undefined };

/** When the last record of a transcript was written, if that is not before `from_ms`; ms since 1970. The file's own
 * time is no proof: copies are newer than what is in them. */
function activeSince(path: string, from_ms: number): boolean {
  let fd: number | undefined;
  try {
    const { size, mtimeMs } = statSync(path);
    if (mtimeMs < from_ms) return false;
    fd = openSync(path, "r");
    const tail = Buffer.allocUnsafe(Math.min(size, LIMITS.session_tail_bytes));
    const n = readSync(fd, tail, 0, tail.length, size - tail.length);
    const lines = tail.toString("latin1", 0, n).split("\n");
    for (let i = lines.length - 1; i >= 0; i--) {
      const at = timeIn(lines[i]!);
      if (at !== undefined) return at >= from_ms;
    }
    return true;
  } catch {
    return false; // gone, or not ours to read: nothing is known of it
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function timeIn(line: string): number | undefined {
  try {
    return timeOf(JSON.parse(line));
  } catch {
    return undefined; // cut short
  }
}

export class Resolver implements Sessions {
  readonly #now: () => number;
  readonly #transcripts = new Map<string, Transcript>();
  readonly #by_cwd = new Map<string, Set<Transcript>>();
  readonly #processes = new Map<string, Process>();
  /** Branches, and the session whose worker reads them. */
  readonly #branches = new Map<string, string>();
  #learned_ms = -Infinity;
  /** Transcripts, branches and processes forgotten because a bound bit. */
  evicted = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  learn(session: string, facts: StreamFacts, path: string, by: ResolvedBy | undefined): void {
    this.#learned_ms = this.#now();
    if (facts.transcript && facts.cwd !== undefined) this.#keep(session, facts.cwd, facts, path);
    const branch = facts.branch === true ? NAMED.exec(path)?.[1] : undefined;
    if (branch !== undefined && branch !== session) this.#noteBranch(branch, session);
    const process = processOf(facts);
    if (process === undefined) return;
    const known = this.#processes.get(process);
    if (known === undefined || (by === undefined && known.by === "cwd"))
      this.#note(process, { session, by: by ?? "pid" });
    else if (by === undefined && known.session !== session)
      this.#note(process, { session: undefined, by: "ambiguous" });
  }

  /** The session by which the worker is chosen for what other streams tell of this one: where a branch is read, its
   * calls are counted. */
  placeOf(session: string): string {
    return this.#branches.get(session) ?? session;
  }

  #noteBranch(branch: string, of: string): void {
    this.#branches.set(branch, of);
    if (this.#branches.size <= LIMITS.session_index) return;
    this.#branches.delete(this.#branches.keys().next().value!);
    this.evicted++;
  }

  #keep(session: string, cwd: string, facts: StreamFacts, path: string): void {
    let transcript = this.#transcripts.get(session);
    if (transcript === undefined || transcript.cwd !== cwd) {
      if (transcript !== undefined) this.#forget(transcript);
      transcript = { session, cwd, from_ms: facts.from_ms, branch: false, paths: new Set() };
      this.#transcripts.set(session, transcript);
      const others = this.#by_cwd.get(cwd);
      if (others === undefined) this.#by_cwd.set(cwd, new Set([transcript]));
      else others.add(transcript);
      if (this.#transcripts.size > LIMITS.session_index) {
        this.#forget(this.#transcripts.values().next().value!);
        this.evicted++;
      }
    }
    if (facts.branch === true) transcript.branch = true;
    if (facts.from_ms !== undefined)
      transcript.from_ms = Math.min(facts.from_ms, transcript.from_ms ?? Infinity);
    if (transcript.paths.size < LIMITS.session_paths) transcript.paths.add(path);
  }

  #forget(transcript: Transcript): void {
    this.#transcripts.delete(transcript.session);
    const others = this.#by_cwd.get(transcript.cwd);
    others?.delete(transcript);
    if (others?.size === 0) this.#by_cwd.delete(transcript.cwd);
  }

  #note(process: string, found: Process): void {
    this.#processes.set(process, found);
    if (this.#processes.size <= LIMITS.session_processes) return;
    this.#processes.delete(this.#processes.keys().next().value!);
    this.evicted++;
  }

  find(facts: StreamFacts, asked_ms: number): Finding {
    const process = processOf(facts);
    const known = process === undefined ? undefined : this.#processes.get(process);
    if (known !== undefined) return { ...known, again: undefined };
    const now = this.#now();
    const quiet_ms = now - Math.max(asked_ms, this.#learned_ms);
    // Whatever the order in which streams are met, the answer is the same: all of them first.
    if (quiet_ms < LIMITS.session_quiet_ms && now - asked_ms < LIMITS.session_wait_ms) return SOON;
    const at_ms = facts.started_ms ?? facts.from_ms;
    if (at_ms === undefined || facts.cwd === undefined)
      return { session: undefined, by: "none", again: undefined };
    const found = this.#activeIn(facts.cwd, at_ms);
    if (found === null) return AMBIGUOUS;
    if (found === undefined) {
      const again = now < at_ms + LIMITS.session_start_ms ? "later" : undefined;
      return { session: undefined, by: "none", again };
    }
    if (process !== undefined) this.#note(process, { session: found, by: "cwd" });
    return { session: found, by: "cwd", again: undefined };
  }

  /** The only session whose transcript has this directory and was active at that time; null for several. */
  #activeIn(cwd: string, at_ms: number): string | null | undefined {
    let found: Transcript | undefined;
    let looked = 0;
    for (const transcript of this.#by_cwd.get(cwd) ?? []) {
      // It begins with the first prompt, which comes after the client's start.
      if (transcript.from_ms !== undefined && transcript.from_ms > at_ms + LIMITS.session_start_ms) continue;
      if (++looked > LIMITS.session_candidates) return null;
      let active = false;
      for (const path of transcript.paths) active ||= activeSince(path, at_ms);
      if (!active) continue;
      if (found !== undefined) return null;
      found = transcript;
    }
    return found?.branch === true ? null : found?.session;
  }
}

/** A process, told from others that had its id before or after. */
function processOf(facts: StreamFacts): string | undefined {
  return facts.pid === undefined || facts.started_ms === undefined
    ? undefined
    : `${facts.pid}@${facts.started_ms}`;
}
