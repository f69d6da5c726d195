// The hook as a process: `tapline-hook.cjs CLIENT [EVENT] --state DIR --policy FILE [--fail closed|open]`. Bundled by
// `npm run gen` into one plain file without dependencies, since it starts anew for every call of an agent. Only a policy
// that was not compiled yet is read by the program itself, once.
import { readSync, writeSync } from "node:fs";
import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import { reasonOf, systemCode } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { openPolicy } from "../../policy/open.ts";
import { SpoolWriter } from "../spool-writer.ts";
import type { Answer } from "./client.ts";
import { CLIENTS } from "./clients.ts";
import { type Direction, runHook } from "./hook.ts";

const USAGE_CODE = 2;
const READ_BYTES = 64 * 1024;
const PAUSE_MS = 5;

interface Options {
  readonly client: string;
  readonly event: string | undefined;
  readonly policy: string;
  readonly state_dir: string;
  readonly direction: Direction;
}

function optionsOf(argv: readonly string[]): Options | undefined {
  const words: string[] = [];
  const named = new Map<string, string>();
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word.startsWith("--")) named.set(word, argv[++i] ?? "");
    else words.push(word);
  }
  const [client, event] = words;
  const policy = named.get("--policy");
  const state_dir = named.get("--state");
  if (client === undefined || policy === undefined || state_dir === undefined) return undefined;
  return { client, event, policy, state_dir, direction: named.get("--fail") === "open" ? "open" : "closed" };
}

/** All of standard input. Too much of it is cut, and then is no JSON; it is read to its end all the same, since a client
 * that cannot write may take the hook for broken. */
function readInput(): string {
  const chunks: Buffer[] = [];
  let size = 0;
  let waited_ms = 0;
  while (waited_ms < LIMITS.hook_input_ms) {
    const chunk = Buffer.allocUnsafe(READ_BYTES);
    let read: number;
    try {
      read = readSync(0, chunk);
    } catch (error) {
      // A pipe that ends (EOF on Windows), or none at all.
      if (systemCode(error) !== "EAGAIN") break;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
      waited_ms += PAUSE_MS;
      continue;
    }
    if (read === 0) break;
    if (size < LIMITS.hook_input_bytes) chunks.push(chunk.subarray(0, read));
    size += read;
  }
  return Buffer.concat(chunks).toString();
}

function write(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
  } catch {
    // Nobody reads: the exit code is all that is left.
  }
}

function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

async function answer(options: Options): Promise<Answer> {
  const client = CLIENTS.get(options.client)!;
  try {
    return await runHook(
      {
        name: options.client,
        client,
        event: options.event,
        direction: options.direction,
        user: userName(),
        cwd: process.cwd(),
        pid: process.ppid,
        own: resolve(join(__dirname, "tapline.js")),
        now_ms: () => Date.now(),
        clock_us: () => performance.now() * 1_000,
        policy: () =>
          openPolicy(options.policy, {
            state_dir: options.state_dir,
            required: options.direction === "closed",
            onProblem: (problem) => write(2, `tapline: ${problem}\n`),
          }),
        append: (record) => {
          const dir = join(options.state_dir, "spool");
          new SpoolWriter({ dir, kind: "hook", durability: "process" }).end(record);
        },
      },
      readInput(),
    );
  } catch (error) {
    const told = `tapline: ${reasonOf(error)}\n`;
    const event = options.event ?? client.gate;
    const waits = client.waits(event) !== false && options.direction === "closed";
    const said = waits
      ? client.block(event, "Tapline's hook failed, so the call is refused.")
      : client.pass(event);
    return { ...said, stderr: said.stderr + told };
  }
}

async function main(): Promise<void> {
  const options = optionsOf(process.argv.slice(2));
  if (options === undefined || !CLIENTS.has(options.client)) {
    const clients = [...CLIENTS.keys()].join("|");
    write(2, `usage: tapline-hook.cjs ${clients} [EVENT] --state DIR --policy FILE [--fail closed|open]\n`);
    process.exit(USAGE_CODE);
  }
  const { stdout, stderr, code } = await answer(options);
  if (stdout !== "") write(1, stdout);
  if (stderr !== "") write(2, stderr);
  process.exit(code);
}

void main();
