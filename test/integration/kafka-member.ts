// A collector that reads Kafka, as a process of its own: started, asked by its status, ended and killed.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Status } from "../../src/status.ts";
import { type Document, configure, entriesOf, newHome, start } from "../commands/tapline.ts";

/** A collector that is a member of the group. */
export class Member {
  readonly home = newHome();
  readonly #config: string;
  #process: ChildProcess | undefined;
  said = "";

  constructor(
    host: string,
    source: object,
    sinks: object = { none: { type: "null" } },
    rules: readonly string[] = [],
  ) {
    const viewer = { enabled: false };
    const common = { host, workers: 1, bundled_rules: false, rules, viewer, sinks };
    this.#config = configure(this.home, { ...common, sources: { in: source } });
  }

  get config(): string {
    return this.#config;
  }

  start(): void {
    const child = start(this.home, "run", "-c", this.#config);
    child.stdout!.resume();
    child.stderr!.on("data", (part: Buffer) => (this.said += part.toString()));
    this.#process = child;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process!;
    const closed = once(child, "close");
    child.kill(signal);
    const [code] = (await closed) as [number | null];
    if (signal === "SIGTERM") expect([code, this.said]).toEqual([0, expect.any(String)]);
  }

  get status(): Status | undefined {
    const path = join(this.home, "state", "status.json");
    if (!existsSync(path)) return undefined;
    const status = JSON.parse(readFileSync(path, "utf8")) as Status;
    return status.pid === this.#process?.pid ? status : undefined;
  }

  /** Waits until its status says so. */
  async until(holds: (counts: Readonly<Record<string, number>>, status: Status) => boolean): Promise<void> {
    for (;;) {
      const { status } = this;
      if (status !== undefined && holds(status.sources!["in"]!, status)) return;
      expect(this.#process!.exitCode, `the member ended: ${this.said}`).toBeNull();
      await sleep(50);
    }
  }

  entries(): Promise<Document[]> {
    return entriesOf(join(this.home, "state", "ledger"));
  }
}
