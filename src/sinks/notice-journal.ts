// What a sink that notifies has sent, one line a change, durable before the next step: after a crash it tells what was
// sent, and what may have been. Kept beside the cursors, and bounded: the oldest go. One process has it at a time.
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { TaplineError, reasonOf, systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { takeLock } from "../core/lock.ts";

/** How far a notification is. */
export interface Sending {
  /** sending: begun, and nobody knows. waiting: failed, to be tried again. sent and failed: not recorded yet. */
  readonly state: "sending" | "waiting" | "sent" | "failed" | "recorded";
  readonly attempts: number;
  /** Attempts since it was last given up, and when the first of them was. */
  readonly tries: number;
  readonly since_ms: number;
  /** An attempt got no answer, so that it may have arrived. */
  readonly uncertain: boolean;
  readonly delivered?: boolean | undefined;
  readonly answer?: string | undefined;
  readonly recipients?: readonly string[] | undefined;
}

interface Kept {
  since?: number;
  readonly id?: string;
  readonly sending?: Sending;
}

export class Journal {
  /** What was recorded before is not told: when the sink was first there, ms since 1970. */
  readonly since_ms: number;
  readonly #path: string;
  readonly #unlock: () => void;
  readonly #sendings: Map<string, Sending>;
  #fd: number;
  #lines = 0;

  private constructor(path: string, unlock: () => void, since_ms: number, sendings: Map<string, Sending>) {
    this.#path = path;
    this.#unlock = unlock;
    this.since_ms = since_ms;
    this.#sendings = sendings;
    this.#fd = this.#compact();
  }

  /** Throws NOTICES_LOCKED and NOTICES_UNWRITABLE. `now_ms` holds when there is no journal yet. */
  static open(dir: string, name: string, now_ms: number): Journal {
    const path = join(dir, `${name}.ndjson`);
    return trying(path, () => {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      const unlock = takeLock(`${path}.lock`, (pid) => locked(path, pid));
      try {
        const { since_ms, sendings } = read(path);
        return new Journal(path, unlock, since_ms ?? now_ms, sendings);
      } catch (error) {
        unlock();
        throw error;
      }
    });
  }

  get(id: string): Sending | undefined {
    return this.#sendings.get(id);
  }

  /** Durable when it returns. */
  put(id: string, sending: Sending): void {
    trying(this.#path, () => {
      // As the newest, and the oldest go.
      this.#sendings.delete(id);
      this.#sendings.set(id, sending);
      for (const old of this.#sendings.keys()) {
        if (this.#sendings.size <= LIMITS.notices_kept) break;
        this.#sendings.delete(old);
      }
      writeSync(this.#fd, lineOf({ id, sending }));
      fdatasyncSync(this.#fd);
      if (++this.#lines < 4 * LIMITS.notices_kept) return;
      closeSync(this.#fd);
      this.#fd = this.#compact();
    });
  }

  close(): void {
    closeSync(this.#fd);
    this.#unlock();
  }

  /** Writes what is known anew; gives the file to append to. */
  #compact(): number {
    const fd = openSync(`${this.#path}.tmp`, "w", 0o600);
    const all = [...this.#sendings].map(([id, sending]) => lineOf({ id, sending }));
    writeSync(fd, [lineOf({ since: this.since_ms }), ...all].join(""));
    fsyncSync(fd);
    renameSync(`${this.#path}.tmp`, this.#path);
    this.#lines = all.length + 1;
    return fd;
  }
}

const lineOf = (kept: Kept): string => `${JSON.stringify(kept)}\n`;

function read(path: string): { since_ms: number | undefined; sendings: Map<string, Sending> } {
  const sendings = new Map<string, Sending>();
  let since_ms: number | undefined;
  for (const line of textOf(path).split("\n")) {
    const { since, id, sending } = parse(line);
    since_ms ??= since;
    if (id === undefined || sending === undefined) continue;
    sendings.delete(id);
    sendings.set(id, sending);
  }
  return { since_ms, sendings };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return "";
    throw error;
  }
}

/** A crash may have cut the last line. */
function parse(line: string): Kept {
  try {
    return line === "" ? {} : (JSON.parse(line) as Kept);
  } catch {
    return {};
  }
}

function trying<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof TaplineError) throw cause;
    throw new TaplineError("NOTICES_UNWRITABLE", `cannot keep ${path}: ${reasonOf(cause)}`, {
      retry: true,
      remedy: "free the disk, or check the permissions of the state directory",
      cause,
    });
  }
}

function locked(path: string, pid: string): TaplineError {
  return new TaplineError("NOTICES_LOCKED", `${path} is in use by process ${pid}`, {
    retry: true,
    remedy: "stop the collector for the time of a replay that notifies",
  });
}
