// Asks every file that stays what pages usually ask, before anybody does, and keeps the answers on disk: a file never changes,
// so neither do they. Can be deleted: it is made again.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DASHBOARDS } from "../../dashboards/index.ts";
import { LIMITS } from "../core/limits.ts";
import type { Ask } from "./asks.ts";
import { CONTROLS } from "./controls.ts";
import type { Database, Part } from "./database.ts";
import type { Figures } from "./figures.ts";
import { usualAsks } from "./panels.ts";
import { RULES } from "./rules.ts";
import { totalsAsks } from "./search.ts";
import { SESSIONS } from "./sessions.ts";
import type { Partial } from "./sums.ts";
import { HOUR_MS } from "./times.ts";

/** Changes when the same ask gets another answer. */
const VERSION = 1;

function usual(): Ask[] {
  const asks = [...DASHBOARDS.flatMap(usualAsks), SESSIONS, ...CONTROLS, RULES, ...totalsAsks(HOUR_MS)];
  return [...new Map(asks.map((ask) => [JSON.stringify(ask), ask])).values()];
}

export class Warmth {
  readonly #database: Database;
  readonly #figures: Figures;
  readonly #dir: string;
  readonly #asks = usual();
  /** Names what is asked: files that were kept for other asks are made again. */
  readonly #digest = createHash("sha256")
    .update(JSON.stringify([VERSION, this.#asks]))
    .digest("hex");
  readonly #done = new Set<string>();
  readonly #stop = new AbortController();

  constructor(database: Database, figures: Figures, dir: string) {
    this.#database = database;
    this.#figures = figures;
    this.#dir = dir;
  }

  /** Until it is closed: what is new, newest first, one part at a time. */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    while (!signal.aborted) {
      try {
        await this.#round();
      } catch {
        // The store may be away, or the disk full; pages then ask the files themselves.
      }
      await sleep(LIMITS.viewer_warm_ms, undefined, { signal }).catch(() => {});
    }
  }

  close(): void {
    this.#stop.abort();
  }

  async #round(): Promise<void> {
    const { signal } = this.#stop;
    const parts = (await this.#database.view()).parts.filter(({ stays }) => stays);
    const names = new Set(parts.map(nameOf));
    for (const name of readdirSync(this.#dir)) if (!names.has(name)) rmSync(join(this.#dir, name));
    const missing: Part[] = [];
    for (const part of parts.toReversed()) {
      if (this.#done.has(part.key)) continue;
      if (this.#load(part)) this.#done.add(part.key);
      else missing.push(part);
    }
    for (const part of missing) {
      if (signal.aborted) return;
      const partials = await this.#figures.askPart(part, undefined, [], this.#asks, signal);
      this.#save(part, partials);
      this.#done.add(part.key);
    }
  }

  #load(part: Part): boolean {
    let kept: { digest?: string; partials?: Partial[] };
    try {
      kept = JSON.parse(readFileSync(join(this.#dir, nameOf(part)), "utf8")) as typeof kept;
    } catch {
      return false;
    }
    if (kept.digest !== this.#digest || kept.partials?.length !== this.#asks.length) return false;
    this.#asks.forEach((ask, i) => this.#figures.remember(part, ask, kept.partials![i]!));
    return true;
  }

  #save(part: Part, partials: readonly Partial[]): void {
    const path = join(this.#dir, nameOf(part));
    const text = JSON.stringify({ digest: this.#digest, partials });
    writeFileSync(`${path}.${process.pid}`, text, { mode: 0o600 });
    renameSync(`${path}.${process.pid}`, path);
  }
}

/** A part's file among those that are kept. */
const nameOf = ({ key }: Part): string =>
  `${createHash("sha256").update(key).digest("hex").slice(0, 32)}.json`;
