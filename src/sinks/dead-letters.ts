// Dead letters of one sink, appended to `dlq/<sink>.ndjson`: ledger index and the server's reason. The documents
// stay in the ledger. Bounded by refusing, never by dropping; a letter written twice is listed once, and one that
// was replayed is struck out by a later line.
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { makeDirs, syncDir } from "../core/durable.ts";
import { TaplineError, reasonOf, systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { DeadLetter } from "../core/stage.ts";

/** One line of the file. `at` is RFC 3339. */
interface KeptLetter extends DeadLetter {
  readonly at: string;
}

export interface DeadLetters {
  readonly path: string;
  /** Resolves when the letters are on disk. Throws DLQ_FULL (retry) at the bound, DLQ_UNWRITABLE (retry). */
  append(letters: readonly DeadLetter[]): Promise<void>;
  /** In ledger order, each index once: its newest letter, unless it was struck out. Empty when there never was one. */
  list(): Promise<KeptLetter[]>;
  /** Strikes out the letters that `arrived` names: their entries are in the sink now. Throws as `append` does. */
  settle(arrived: (index: number) => boolean): Promise<void>;
}

export function openDeadLetters(
  stateDir: string,
  sink: string,
  options: { now?: () => number; max_bytes?: number } = {},
): DeadLetters {
  const { now = Date.now, max_bytes = LIMITS.dead_letter_bytes } = options;
  const directory = join(stateDir, "dlq");
  const path = join(directory, `${sink}.ndjson`);
  return {
    path,
    async append(letters) {
      if (letters.length === 0) return;
      const at = new Date(now()).toISOString();
      let text = "";
      for (const { index, id, status, reason } of letters) {
        text += `${JSON.stringify({ at, index, id, status, reason } satisfies KeptLetter)}\n`;
      }
      await write(directory, path, Buffer.from(text), max_bytes);
    },
    list: () => read(path),
    async settle(arrived) {
      const at = new Date(now()).toISOString();
      const gone = (await read(path)).filter(({ index }) => arrived(index));
      const text = gone.map(({ index }) => `${JSON.stringify({ at, index, replayed: true })}\n`).join("");
      if (text !== "") await write(directory, path, Buffer.from(text), Infinity);
    },
  };
}

async function write(directory: string, path: string, text: Buffer, maxBytes: number): Promise<void> {
  try {
    await makeDirs(directory);
    const bytes = await sizeOf(path);
    if (bytes + text.length > maxBytes) {
      throw new TaplineError("DLQ_FULL", `${path} would grow beyond ${maxBytes} bytes`, {
        retry: true,
        remedy: "replay or move the file away; the sink waits and nothing is dropped",
      });
    }
    const file = await open(path, "a+", 0o600);
    try {
      // A line cut short by a crash or a full disk ends here, so that it spoils no other.
      const last = Buffer.alloc(1);
      const whole =
        bytes === 0 || ((await file.read(last, 0, 1, bytes - 1)).bytesRead === 1 && last[0] === 0x0a);
      await file.writeFile(whole ? text : Buffer.concat([Buffer.from("\n"), text]));
      await file.datasync();
    } finally {
      await file.close();
    }
    if (bytes === 0) await syncDir(directory);
  } catch (cause) {
    if (cause instanceof TaplineError) throw cause;
    throw new TaplineError("DLQ_UNWRITABLE", `cannot write ${path}: ${reasonOf(cause)}`, {
      retry: true,
      cause,
    });
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return 0;
    throw error;
  }
}

async function read(path: string): Promise<KeptLetter[]> {
  const letters = new Map<number, KeptLetter>();
  try {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
      const letter = parse(line);
      if (letter === undefined) continue;
      if ("replayed" in letter) letters.delete(letter.index);
      else letters.set(letter.index, letter);
    }
  } catch (cause) {
    if (systemCode(cause) !== "ENOENT") {
      throw new TaplineError("DLQ_UNREADABLE", `cannot read ${path}: ${reasonOf(cause)}`, { cause });
    }
  }
  return [...letters.values()].toSorted((a, b) => a.index - b.index);
}

/** A line that was cut short is not a letter: its entry was never acknowledged and comes again. */
function parse(line: string): KeptLetter | { index: number; replayed: true } | undefined {
  try {
    const letter = JSON.parse(line) as KeptLetter;
    return typeof letter?.index === "number" ? letter : undefined;
  } catch {
    return undefined;
  }
}
