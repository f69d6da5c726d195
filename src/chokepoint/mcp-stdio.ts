// MCP over standard input and output: starts the server, passes lines both ways as they came, and has the gate decide on
// each. Signals, end of input, exit codes and standard error go through; the server sees no difference.
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { TaplineError, reasonOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { Gate, Outcome } from "./gate.ts";
import { isJunk, read } from "./json-rpc.ts";
import { type Part, LineCutter } from "./lines.ts";
import { Peer } from "./peer.ts";
import type { Direction, Ends } from "./recorder.ts";
import { refusal } from "./refusal.ts";
import { Drain, relay } from "./relay.ts";

const NEWLINE = 10;
const RETURN = 13;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"] as const;
const OWN = /^TAPLINE_/;

export interface StdioOptions {
  readonly command: readonly string[];
  readonly gate: Gate;
  readonly ends: Omit<Ends, "agent">;
}

/** How the server ended. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly envelope: string;
}

class Stdio {
  readonly #gate: Gate;
  readonly #peer: Peer;
  readonly #client = new Drain(process.stdout);
  readonly #server: Drain;
  readonly #child: ChildProcess;
  /** A line that is too long is passed on, or left out. */
  readonly #long: Record<Direction, "pass" | "block"> = { c2s: "pass", s2c: "pass" };
  /** Lines whose decision is awaited. */
  #waiting = 0;
  #input_ended = false;
  /** Of the server's output, so far. */
  #chunks = 0;

  constructor({ gate, ends }: StdioOptions, child: ChildProcess) {
    this.#gate = gate;
    this.#child = child;
    this.#server = new Drain(child.stdin!);
    this.#peer = new Peer(ends, (text) => {
      this.#client.write(`${text}\n`);
      return true;
    });
    this.#peer.ask = (text) => this.#server.write(`${text}\n`);
  }

  get envelope(): string {
    return this.#peer.envelope;
  }

  run(): Promise<void> {
    const { stdin } = process;
    const { stdout } = this.#child;
    const from_client = new LineCutter((bytes, part) => this.#line(bytes, part, "c2s"));
    const from_server = new LineCutter((bytes, part) => this.#line(bytes, part, "s2c"));
    void relay(stdin, this.#server, this.#client, (chunk) => from_client.push(chunk)).then(() => {
      from_client.end();
      this.#input_ended = true;
      this.#endInput();
    });
    // Whoever does not read any more is told by a broken pipe; so is whoever writes to it.
    process.stdout.on("error", () => {
      this.#client.close();
      stdout!.destroy();
    });
    this.#child.stdin!.on("error", () => this.#server.close());
    return relay(stdout!, this.#client, this.#server, (chunk) => {
      this.#chunks++;
      from_server.push(chunk);
    }).then(() => from_server.end());
  }

  /** The server has ended. What it started may hold its ends: nothing is written to it any more, and what it says is
   * passed on until it is silent. */
  async outlast(output: Promise<void>): Promise<void> {
    this.#server.close();
    this.#child.stdin!.end();
    const ended = output.then(() => true);
    for (let seen = -1; seen !== this.#chunks || this.#client.holds(this.#child.stdout!);) {
      seen = this.#chunks;
      if (await Promise.race([ended, sleep(LIMITS.output_ms, false)])) return;
    }
  }

  /** The server's input ends when the client's has, and nothing waits for a decision. */
  #endInput(): void {
    if (this.#input_ended && this.#waiting === 0) this.#child.stdin!.end();
  }

  #line(bytes: Buffer, part: Part, dir: Direction): void {
    if (part !== "whole") return this.#piece(bytes, part, dir);
    const end = bytes[bytes.length - 1] === NEWLINE ? bytes.length - 1 : bytes.length;
    const stop = bytes[end - 1] === RETURN ? end - 1 : end;
    const line = bytes.subarray(0, stop);
    if (stop === 0) return this.#to(dir).write(bytes);
    if (line.includes(RETURN) && this.#broken(line, dir)) return;
    const outcome =
      dir === "c2s" ? this.#gate.fromClient(this.#peer, line) : this.#gate.fromServer(this.#peer, line);
    if (!(outcome instanceof Promise)) return this.#pass(outcome, line, bytes, dir);
    this.#waiting++;
    void outcome
      .then((later) => this.#pass(later, line, bytes, dir))
      .finally(() => {
        this.#waiting--;
        this.#endInput();
      });
  }

  #to(dir: Direction): Drain {
    return dir === "c2s" ? this.#server : this.#client;
  }

  #pass({ forward, answers }: Outcome, line: Buffer, bytes: Buffer, dir: Direction): void {
    if (forward === line) this.#to(dir).write(bytes);
    else if (forward !== undefined) this.#to(dir).write(`${forward.toString()}\n`);
    const back = dir === "c2s" ? this.#client : this.#server;
    for (const answer of answers) back.write(`${answer}\n`);
  }

  /** A carriage return ends a line for some readers. What a server prints has them too, and is nobody's message. */
  #broken(line: Buffer, dir: Direction): boolean {
    if (dir === "s2c" && isJunk(line)) return false;
    if (this.#gate.violation(this.#peer, dir, "line_break", line) === "pass") return false;
    const got = read(line, dir);
    const instead = dir === "s2c" ? this.#gate.instead(this.#peer, got, "line_break") : undefined;
    const answers = dir === "c2s" ? this.#gate.refuse(got, "line_break") : (instead ?? []);
    for (const answer of [answers].flat()) this.#client.write(`${answer}\n`);
    return true;
  }

  #piece(bytes: Buffer, part: Part, dir: Direction): void {
    if (part === "begins") {
      const head = bytes.subarray(0, LIMITS.junk_line_bytes);
      this.#long[dir] = this.#gate.violation(this.#peer, dir, "too_long", head);
      if (this.#long[dir] === "block") this.#refuseLong(dir);
    }
    if (this.#long[dir] === "pass") this.#to(dir).write(bytes);
  }

  /** Which request a line that nobody looks at was about is not known: of a server's, any that waits. */
  #refuseLong(dir: Direction): void {
    if (dir === "c2s") {
      for (const answer of this.#gate.refuse(read(Buffer.from("[]"), "c2s"), "too_long"))
        this.#client.write(`${answer}\n`);
      return;
    }
    for (const message of this.#peer.giveUp()) {
      const answer = refusal(message, "The server sent an answer that is too long to be looked at.");
      if (answer !== undefined) this.#client.write(`${answer}\n`);
    }
  }
}

/** Runs the server until it ends. Throws COMMAND_FAILED when it cannot be started. */
export async function runStdio(options: StdioOptions): Promise<End> {
  const [program, ...args] = options.command;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OWN.test(name)));
  // Before the server is there: a signal must not end the proxy alone. When the server has ended, it does.
  let child: ChildProcess | undefined;
  const told = Promise.withResolvers<void>();
  for (const signal of SIGNALS)
    process.on(signal, () => {
      if (child === undefined || (child.exitCode === null && child.signalCode === null)) child?.kill(signal);
      else told.resolve();
    });
  child = spawn(program!, args, { stdio: ["pipe", "pipe", "inherit"], env });
  const started = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<{ code: number | null; signal: NodeJS.Signals | null }>();
  child.once("spawn", () => started.resolve());
  child.once("error", (error) => started.reject(error));
  child.once("exit", (code, signal) => ended.resolve({ code, signal }));
  try {
    await started.promise;
  } catch (error) {
    throw new TaplineError("COMMAND_FAILED", `cannot start ${program}: ${reasonOf(error)}`, {
      remedy: "name a program that is there and may be run, after --",
    });
  }
  const stdio = new Stdio(options, child);
  const output = stdio.run();
  const end = await ended.promise;
  await Promise.race([stdio.outlast(output), told.promise]);
  await new Promise((resolve) => process.stdout.write("", resolve));
  return { ...end, envelope: stdio.envelope };
}
