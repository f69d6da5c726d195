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
import type { Partial as Answer } from "./sums.ts";
import { HOUR_MS } from "./times.ts";

/** Changes when the same ask gets another answer. */
const VERSION = 1;

interface Kept {
  readonly version: number;
  /** By digest of the ask. */
  readonly answers: Readonly<Record<string, Answer>>;
}

function usual(): Ask[] {
  const asks = [...DASHBOARDS.flatMap(usualAsks), SESSIONS, ...CONTROLS, RULES, ...totalsAsks(HOUR_MS)];
  return [...new Map(asks.map((ask) => [JSON.stringify(ask), ask])).values()];
}

export class Warmth {
  readonly #database: Database;
  readonly #figures: Figures;
  readonly #dir: string;
  readonly #asks = usual();
  readonly #names = this.#asks.map(digestOf);
  readonly #done = new Set<string>();
  readonly #stop = new AbortController();

  readonly #ahead: () => Promise<void>;

  /** `ahead` is done first in every round. */
  constructor(database: Database, figures: Figures, dir: string, ahead: () => Promise<void>) {
    this.#database = database;
    this.#figures = figures;
    this.#dir = dir;
    this.#ahead = ahead;
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
    await this.#ahead();
    for (const part of parts.toReversed()) {
      if (signal.aborted) return;
      if (this.#done.has(part.key)) continue;
      const kept = this.#load(part);
      const partials = await this.#figures.askPart(part, undefined, [], this.#asks, signal);
      if (kept < this.#asks.length) this.#save(part, partials);
      this.#done.add(part.key);
    }
  }

  /** Takes what was kept of a part; gives how many answers that were. */
  #load(part: Part): number {
    let kept: Partial<Kept>;
    try {
      kept = JSON.parse(readFileSync(join(this.#dir, nameOf(part)), "utf8")) as Partial<Kept>;
    } catch {
      return 0;
    }
    if (kept.version !== VERSION || kept.answers === undefined) return 0;
    let count = 0;
    this.#asks.forEach((ask, i) => {
      const answer = kept.answers![this.#names[i]!];
      if (answer === undefined) return;
      this.#figures.remember(part, ask, answer);
      count++;
    });
    return count;
  }

  #save(part: Part, partials: readonly Answer[]): void {
    const path = join(this.#dir, nameOf(part));
    const answers = Object.fromEntries(partials.map((partial, i) => [this.#names[i]!, partial]));
    writeFileSync(`${path}.${process.pid}`, JSON.stringify({ version: VERSION, answers } satisfies Kept), {
      mode: 0o600,
    });
    renameSync(`${path}.${process.pid}`, path);
  }
}

const digestOf = (ask: Ask): string =>
  createHash("sha256").update(JSON.stringify(ask)).digest("base64url").slice(0, 22);

/** A part's file among those that are kept. */
const nameOf = ({ key }: Part): string =>
  `${createHash("sha256").update(key).digest("hex").slice(0, 32)}.json`;
