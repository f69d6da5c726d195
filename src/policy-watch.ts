// The policy that a collector goes by, and the record of its changes: one event for each server, grant or role that was
// added, removed or changed, whoever changed it and whenever, and for each definition pinned, held or accepted. What was
// recorded last is kept in the ledger's frames, so that a change made while no collector ran is told at the next start.
import { readFileSync, statSync } from "node:fs";
import type { Config } from "./config.ts";
import { TaplineError, reasonOf } from "./core/errors.ts";
import type { Event } from "./core/generated/event.ts";
import { LIMITS } from "./core/limits.ts";
import type { Log } from "./core/log.ts";
import { fromMs } from "./core/time.ts";
import { type Change, changesOf } from "./policy/changes.ts";
import type { CompiledPolicy, Loaded } from "./policy/compiled.ts";
import { nameOfKey } from "./policy/drift.ts";
import { compiledPath, loadPolicy, policyPlace, stampOf } from "./policy/open.ts";
import type { JournalEntry } from "./policy/pins.ts";
import { pinsPath, readPins } from "./policy/state.ts";
import type { SelfRecorder } from "./self.ts";

/** What of the policy is recorded: part of frames and snapshots. */
export interface Recorded {
  /** Content hash, and what it is of; `none` where there is no policy. */
  readonly hash?: string | undefined;
  readonly policy?: CompiledPolicy | undefined;
  /** Journal of pins: which, and the next entry that is not recorded. */
  readonly pins?: { readonly id: string; readonly seq: number } | undefined;
}

export interface WatchParts {
  readonly config: Config;
  readonly self: SelfRecorder;
  readonly redactText: (text: string) => string;
  readonly log: Log;
}

const NONE = "none";
const TYPES = { added: ["creation"], removed: ["deletion"], changed: ["change"] } as const;

export class PolicyWatch {
  readonly #parts: WatchParts;
  readonly #path: string;
  readonly #required: boolean;
  /** In force for rules and enrichment. */
  #current: Loaded | undefined;
  #stamp: string | undefined;
  #pins_stamp: string | undefined;
  #refused = "";
  #untold = "";
  #recorded: Recorded = {};
  /** Goes into the next frame, with the events that tell of it. */
  #pending: Recorded | undefined;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    const { path, required } = policyPlace(parts.config.policy, parts.config.state_dir);
    this.#path = path;
    this.#required = required;
  }

  get policy(): CompiledPolicy | undefined {
    return this.#current?.policy;
  }

  get hash(): string {
    return this.#current?.hash ?? NONE;
  }

  /** Goes on from what an earlier run recorded. Where the file cannot be used, its policy is in force. */
  resume(recorded: Recorded): void {
    this.#recorded = recorded;
    const { hash, policy } = recorded;
    if (this.#refused !== "" && this.#current === undefined && policy !== undefined)
      this.#current = { policy, hash: hash ?? NONE };
  }

  /** What a snapshot keeps: as far as frames hold it. */
  get recorded(): Recorded {
    return this.#recorded;
  }

  /** What the next frame has to keep, since the events in it tell of it. */
  take(): Recorded | undefined {
    const pending = this.#pending;
    if (pending === undefined) return undefined;
    this.#recorded = pending;
    this.#pending = undefined;
    return pending;
  }

  /** Reads the file when it changed. True when another policy is in force than before. */
  async look(): Promise<boolean> {
    const stamp = `${stampOf(this.#path)} ${stampOf(compiledPath(this.#path))}`;
    if (stamp === this.#stamp) return false;
    this.#stamp = stamp;
    const before = this.hash;
    try {
      const { loaded, problem } = await loadPolicy(this.#path, this.#required, true);
      this.#current = loaded;
      if (problem === undefined) this.#refused = "";
      else this.#refuse(problem);
    } catch (error) {
      // What was in force last stays in force: a collector records on whatever becomes of the policy.
      this.#refuse(`${reasonOf(error)}${error instanceof TaplineError ? "" : ` (${this.#path})`}`);
    }
    return this.hash !== before;
  }

  #refuse(why: string): void {
    if (why === this.#refused) return;
    this.#refused = why;
    this.#untold = why;
    this.#parts.log("warn", `policy: ${why}`);
  }

  /** Adds the event of a file that cannot be used. */
  tell(): void {
    const why = this.#untold;
    if (why === "") return;
    this.#untold = "";
    this.#parts.self.add("policy-change", "the policy file is not as it should be", (e) => {
      this.#fillFile(e);
      e["error.message"] = this.#parts.redactText(why).slice(0, LIMITS.own_text_chars);
      e["event.outcome"] = "failure";
    });
  }

  /** Adds the events of what changed since the last recorded policy. */
  note(): void {
    const before = this.#recorded.hash ?? NONE;
    if (before === this.hash) return;
    const { self } = this.#parts;
    const changes = changesOf(this.#recorded.policy, this.#current?.policy);
    const looser = changes.filter(({ loosens }) => loosens).length;
    const said = looser === 0 ? "" : `, ${looser} of which loosen it`;
    self.add("policy-change", `policy changed: ${changes.length} changes${said}`, (e) => {
      this.#fillFile(e);
      e["tapline.change.before"] = before;
      e["tapline.change.after"] = this.hash;
      e["tapline.change.count"] = changes.length;
      e["tapline.change.loosens"] = looser > 0;
      e["event.outcome"] = "success";
    });
    for (const change of changes.slice(0, LIMITS.policy_events)) this.#add(change);
    if (changes.length > LIMITS.policy_events) {
      const rest = changes.length - LIMITS.policy_events;
      self.add("policy-change", `${rest} more changes of the policy, not told one by one`, (e) => {
        this.#fillFile(e);
        e["tapline.change.count"] = rest;
      });
    }
    this.#pending = { ...this.#recorded, ...this.#pending, hash: this.hash, policy: this.#current?.policy };
  }

  #add({ what, item, kind, server, tool, old, now, loosens }: Change): void {
    this.#parts.self.add(what, `${item} ${kind}`, (e) => {
      this.#fillFile(e);
      e["event.type"] = TYPES[kind];
      e["event.outcome"] = "success";
      e["tapline.change.item"] = item.slice(0, LIMITS.keyword_chars);
      e["tapline.change.kind"] = kind;
      e["tapline.change.loosens"] = loosens;
      e["tapline.server.name"] = server;
      e["gen_ai.tool.name"] = tool;
      const cut: string[] = [];
      e["tapline.change.old"] = this.#said(old, "tapline.change.old", cut);
      e["tapline.change.new"] = this.#said(now, "tapline.change.new", cut);
      if (cut.length > 0) e["tapline.data.truncated"] = cut;
    });
  }

  /** Command lines in a policy may hold what should not be there. */
  #said(text: string | undefined, field: string, cut: string[]): string | undefined {
    if (text === undefined) return undefined;
    const safe = this.#parts.redactText(text);
    if (safe.length <= LIMITS.keyword_chars) return safe;
    cut.push(field);
    return safe.slice(0, LIMITS.keyword_chars).toWellFormed();
  }

  /** The operating system does not say who wrote a file: its owner is as near as it comes. */
  #fillFile(e: Event): void {
    e["log.file.path"] = this.#path;
    const found = statSync(this.#path, { throwIfNoEntry: false });
    if (found === undefined) return;
    e["user.id"] = String(found.uid);
    e["user.name"] = userNamed(found.uid);
  }

  /** Adds events for what the journal of pins has beyond what is recorded. True when there are any. */
  journal(): boolean {
    const path = pinsPath(this.#parts.config.state_dir);
    const stamp = stampOf(path);
    if (stamp === this.#pins_stamp) return false;
    this.#pins_stamp = stamp;
    let pins: ReturnType<typeof readPins>;
    try {
      pins = readPins(path);
    } catch (error) {
      this.#parts.log("warn", reasonOf(error));
      return false;
    }
    const known = this.#recorded.pins;
    const from = known?.id === pins.id ? known.seq : 0;
    if (pins.seq === from) return false;
    const entries = pins.journal.filter(({ seq }) => seq >= from);
    const lost = pins.seq - from - entries.length;
    if (lost > 0) {
      this.#parts.self.add(
        "quarantine-change",
        `${lost} changes of pins were dropped before they were read`,
        (e) => {
          e["tapline.change.count"] = lost;
          e["event.outcome"] = "failure";
        },
      );
    }
    for (const entry of entries) this.#pinned(entry);
    this.#pending = { ...this.#recorded, ...this.#pending, pins: { id: pins.id, seq: pins.seq } };
    return true;
  }

  #pinned({ at_ms, what, server, tool, count, before, after, user }: JournalEntry): void {
    const of = tool === undefined ? `${count} definitions` : "a definition";
    this.#parts.self.add("quarantine-change", `${of} ${what}`, (e) => {
      e["@timestamp"] = fromMs(at_ms) ?? e["@timestamp"];
      e["event.outcome"] = "success";
      e["user.name"] = user;
      e["tapline.server.name"] = this.#parts.redactText(nameOfKey(server)).slice(0, LIMITS.state_text_chars);
      e["gen_ai.tool.name"] = tool;
      e["tapline.change.kind"] = what;
      e["tapline.change.count"] = count;
      e["tapline.change.before"] = before;
      e["tapline.change.after"] = after;
    });
  }
}

/** Name of a user, as the machine's own table has it. */
function userNamed(uid: number): string | undefined {
  try {
    const lines = readFileSync("/etc/passwd", "utf8").split("\n");
    return lines.find((line) => line.split(":")[2] === String(uid))?.split(":")[0];
  } catch {
    return undefined;
  }
}
