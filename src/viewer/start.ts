// Starts the viewer's process and starts it again when it dies, under the same link. Trouble of the viewer is told and never
// the collector's.
import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LIMITS } from "../core/limits.ts";
import { storeDirOf } from "../components.ts";
import type { Config } from "../config.ts";
import { VIEWER_PAGES } from "../paths.ts";
import { rulePaths } from "../reload.ts";
import type { Secrets } from "./guard.ts";
import type { Order, Said } from "./main.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
/** Where a running viewer says how it is opened, for `tapline view`; readable by its owner only. */
export const linksPath = (state_dir: string): string => join(state_dir, "viewer.json");

export interface Links {
  readonly pid: number;
  readonly owner: string;
  readonly reader: string;
}

export interface Started {
  readonly links: Links;
  close(): Promise<void>;
}

const secret = (): string => randomBytes(32).toString("base64url");

function secretsOf(): Secrets {
  return { owner: secret(), reader: secret(), owner_cookie: secret(), reader_cookie: secret() };
}

/** Undefined when there is no store to look at, or the viewer does not start: then `problem` was told why. */
export async function startViewer(
  config: Config,
  problem: (message: string) => void,
): Promise<Started | undefined> {
  const store_dir = storeDirOf(config);
  if (store_dir === undefined) return undefined;
  const runner = new Runner(orderOf(config, store_dir), problem);
  const port = await runner.start();
  if (port === undefined) return undefined;
  const { owner, reader } = runner.order.secrets;
  const link = (token: string): string => `http://127.0.0.1:${port}/open?token=${token}`;
  const links = { pid: process.pid, owner: link(owner), reader: link(reader) };
  const path = linksPath(config.state_dir);
  rmSync(path, { force: true });
  writeFileSync(path, JSON.stringify(links), { mode: 0o600, flag: "wx" });
  const close = async (): Promise<void> => {
    rmSync(path, { force: true });
    await runner.close();
  };
  return { links, close };
}

function orderOf(config: Config, store_dir: string): Order {
  const { port, memory_mb } = config.viewer;
  const { state_dir, host, namespace } = config;
  const ledger_dir = join(state_dir, "ledger");
  return {
    place: { state_dir, store_dir, ledger_dir, host, namespace, memory_mb },
    rules: rulePaths(config),
    port: port ?? LIMITS.viewer_port,
    any_port: port === undefined,
    assets_dir: VIEWER_PAGES,
    secrets: secretsOf(),
    most_mb: memory_mb + LIMITS.viewer_heap_mb + LIMITS.viewer_other_mb,
  };
}

class Runner {
  order: Order;
  readonly #problem: (message: string) => void;
  #child: ChildProcess | undefined;
  #deaths_ms: number[] = [];

  constructor(order: Order, problem: (message: string) => void) {
    this.order = order;
    this.#problem = problem;
  }

  /** The port, or undefined when it does not start. */
  async start(): Promise<number | undefined> {
    const child = fork(MAIN, [], {
      execArgv: [`--max-old-space-size=${LIMITS.viewer_heap_mb}`],
      env: {}, // it needs nothing of ours, and secrets may be there
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#child = child;
    const timer = setTimeout(() => child.kill("SIGKILL"), LIMITS.viewer_start_ms);
    const port = await new Promise<number | undefined>((resolve) => {
      child.on("message", (said: Said) => {
        if (said.type === "ready") resolve(said.port);
        else this.#problem(said.type === "failed" ? `viewer: ${said.message}` : said.message);
      });
      child.on("error", () => resolve(undefined));
      child.on("exit", () => resolve(undefined));
      child.send(this.order, () => {});
    });
    clearTimeout(timer);
    if (port === undefined) {
      this.#child = undefined;
      return undefined;
    }
    this.order = { ...this.order, port, any_port: false };
    child.once("exit", (code, name) => void this.#again(child, name ?? `exit code ${code}`));
    return port;
  }

  async close(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    const timer = setTimeout(() => child.kill("SIGKILL"), LIMITS.store_wait_ms);
    if (child.connected) child.disconnect();
    await exited;
    clearTimeout(timer);
  }

  async #again(child: ChildProcess, reason: string): Promise<void> {
    if (this.#child !== child) return;
    const now_ms = Date.now();
    this.#deaths_ms = this.#deaths_ms.filter((at) => at > now_ms - LIMITS.viewer_death_window_ms);
    this.#deaths_ms.push(now_ms);
    const often = this.#deaths_ms.length >= LIMITS.viewer_deaths;
    this.#problem(
      `the viewer's process ended (${reason})${often ? " too often: it stays away" : ", started again"}`,
    );
    this.#child = undefined;
    if (!often) await this.start();
  }
}
