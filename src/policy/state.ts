// What decisions rest on beside the policy, for all processes that use one state directory: `pins.json` (pinned
// definitions, quarantine, and a journal of both) and `rates.json` (when calls with a rate were made). Each is replaced
// whole, under one turn. Pins survive a power cut; rates may be lost in one.
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { TaplineError, reasonOf, systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { takeTurn } from "../core/turns.ts";
import type { Rate } from "./compiled.ts";
import type { ToolDefinition } from "./contract.ts";
import { type Pins, changes, noPins, pin, pinOf, roomFor } from "./pins.ts";

export interface PolicyState {
  /** Whether the definition of a tool is another than the one pinned, or the tool is in quarantine. */
  changed(server: string, tool: string, hash: string | undefined): boolean;
  /** Counts a call, or only looks; false when the rate is used up. */
  take(key: string, rate: Rate, now_ms: number, counts?: boolean): boolean;
}

const VERSION = 1;

interface Rates {
  readonly version: typeof VERSION;
  /** Times of calls, ms since 1970, oldest first; the key used longest ago first. */
  readonly calls: Record<string, number[]>;
}

export function pinsPath(state_dir: string): string {
  return join(state_dir, "policy", "pins.json");
}

/** Reads pins; none when there is no file. Throws POLICY_STATE. */
export function readPins(path: string): Pins {
  let text: string;
  try {
    if (statSync(path).size > LIMITS.policy_state_bytes) throw new Error("it is too large");
    text = readFileSync(path, "utf8");
    const pins = JSON.parse(text) as Pins;
    if (pins.version === VERSION && typeof pins.servers === "object") return pins;
    throw new Error("another version wrote it");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return noPins();
    throw new TaplineError("POLICY_STATE", `cannot read ${path}: ${reasonOf(error)}`, {
      remedy: "find out who changed it; moved away, definitions are pinned anew as they are then",
      cause: error,
    });
  }
}

export class FileState implements PolicyState {
  readonly #dir: string;
  readonly #pins_path: string;
  readonly #rates_path: string;
  #pins: Pins = noPins();
  #stamp = "";

  constructor(state_dir: string) {
    this.#dir = join(state_dir, "policy");
    this.#pins_path = pinsPath(state_dir);
    this.#rates_path = join(this.#dir, "rates.json");
  }

  /** Pins as they are now: other processes change them too. */
  #current(): Pins {
    const found = statSync(this.#pins_path, { throwIfNoEntry: false });
    const stamp = found === undefined ? "" : `${found.ino} ${found.mtimeMs} ${found.size}`;
    if (stamp !== this.#stamp) {
      this.#pins = readPins(this.#pins_path);
      this.#stamp = stamp;
    }
    return this.#pins;
  }

  changed(server: string, tool: string, hash: string | undefined): boolean {
    const pins = this.#current();
    const known = pinOf(pins, server, tool);
    // What could not be pinned is not trusted.
    if (known === undefined) return hash !== undefined && roomFor(pins, server) <= 0;
    return known.held !== undefined || (hash !== undefined && !known.accepted.includes(hash));
  }

  /** Whether a tool has a pin, and is not in quarantine: then whatever is called is refused anyway. */
  pinned(server: string, tool: string): boolean {
    const known = pinOf(this.#current(), server, tool);
    return known !== undefined && known.held === undefined;
  }

  /** Pins what is new in a listing and quarantines what changed. Gives the names of what is in quarantine, and of what
   * could not be pinned any more. */
  see(server: string, tools: readonly ToolDefinition[], now_ms: number): ReadonlySet<string> {
    const seen = changes(this.#current(), server, tools);
    if (seen.pinned.length + seen.quarantined.length > 0)
      this.change((pins) => pin(pins, server, changes(pins, server, tools), now_ms));
    const held = new Set(seen.refused);
    for (const { name, hash } of tools) if (this.changed(server, name, hash)) held.add(name);
    return held;
  }

  /** Changes pins under the turn; durable when it returns. */
  change(how: (pins: Pins) => Pins): void {
    this.#turn(() => {
      const pins = how(readPins(this.#pins_path));
      replace(this.#pins_path, JSON.stringify(pins), true);
    });
  }

  take(key: string, { calls, per_s }: Rate, now_ms: number, counts = true): boolean {
    return this.#turn(() => {
      const rates = this.#readRates();
      const since = now_ms - per_s * 1000;
      // A time far ahead is of a clock that was put back.
      const times = (rates.calls[key] ?? []).filter((at) => at > since && at <= now_ms + per_s * 1000);
      const free = times.length < calls;
      if (!free || !counts) return free;
      times.push(now_ms);
      delete rates.calls[key];
      rates.calls[key] = times;
      const keys = Object.keys(rates.calls);
      for (let i = 0; i < keys.length - LIMITS.policy_rates; i++) delete rates.calls[keys[i]!];
      replace(this.#rates_path, JSON.stringify(rates), false);
      return true;
    });
  }

  #readRates(): Rates {
    try {
      const rates = JSON.parse(readFileSync(this.#rates_path, "utf8")) as Rates;
      if (rates.version === VERSION && typeof rates.calls === "object") return rates;
    } catch {
      // None yet, or cut short by a power cut: counting begins anew.
    }
    return { version: VERSION, calls: {} };
  }

  #turn<T>(work: () => T): T {
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    const giveBack = takeTurn(join(this.#dir, "turn"), LIMITS.policy_turn_ms);
    try {
      return work();
    } finally {
      giveBack();
    }
  }
}

/** Replaces a file whole; the caller has the turn. */
function replace(path: string, text: string, durable: boolean): void {
  const next = `${path}.next`;
  const file = openSync(next, "w", 0o600);
  try {
    writeFileSync(file, text);
    if (durable) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(next, path);
}
