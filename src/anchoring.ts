// Takes checkpoints of the running collector elsewhere, each anchor at its own pace. An anchor that cannot be reached lags
// alone; one that holds another history ends the signing, until a person has looked.
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "./config.ts";
import { TaplineError, reasonOf, systemCode } from "./core/errors.ts";
import { LIMITS } from "./core/limits.ts";
import type { Log } from "./core/log.ts";
import { type Anchor, type AnchorContext, Contradiction, type Held } from "./ledger/anchors/contract.ts";
import { ANCHORS } from "./ledger/anchors/index.ts";
import { placeFile } from "./ledger/files.ts";
import type { Signing } from "./ledger/contract.ts";
import { readPublished } from "./ledger/published.ts";
import type { SelfRecorder } from "./self.ts";

/** What is known of an anchor, also after a restart. */
export interface AnchorState {
  /** Entries of the last checkpoint that it took, and when. */
  readonly size: number;
  readonly at_ms: number;
  /** Where that is. */
  readonly said: string;
  /** Why nothing is signed any more. Taken away by removing the file. */
  readonly contradiction?: string;
}
export interface AnchorStatus extends AnchorState {
  readonly name: string;
  readonly type: string;
  /** Why it does not take the newest, if it does not. */
  readonly trouble: string | undefined;
}

interface Parts {
  readonly config: Config;
  /** The ledger's switch: turned off by a contradiction. */
  readonly signing: Signing;
  readonly self: SelfRecorder;
  readonly log: Log;
  /** Makes the collector's own events durable. */
  readonly pipeline: { record(): Promise<void> };
}

interface Named {
  readonly name: string;
  readonly type: string;
  readonly every_ms: number;
  readonly anchor: Anchor;
  state: AnchorState;
  trouble: string | undefined;
  /** Whether what is there was held against this ledger since the start: the state may be that of an older copy. */
  looked: boolean;
}

const NOTHING: AnchorState = { size: 0, at_ms: 0, said: "" };
const fileOf = (config: Config, name: string): string => join(config.state_dir, "anchors", `${name}.json`);

/** What the anchors of the configuration are known to have, by name, and whether anything may be signed. */
export async function readAnchors(
  config: Config,
): Promise<{ anchor_states: Map<string, AnchorState>; signing: Signing }> {
  const states = new Map<string, AnchorState>();
  for (const name of Object.keys(config.anchors)) {
    try {
      states.set(name, JSON.parse(await readFile(fileOf(config, name), "utf8")) as AnchorState);
    } catch (error) {
      if (systemCode(error) !== "ENOENT" && !(error instanceof SyntaxError)) throw error;
      states.set(name, NOTHING);
    }
  }
  const held = [...states.values()].some((state) => state.contradiction !== undefined);
  return { anchor_states: states, signing: { held } };
}

/** The anchor of this name, made from its options. */
function createAnchor(config: Config, name: string): Anchor {
  const options = config.anchors[name] as unknown as { type: keyof typeof ANCHORS };
  const context: AnchorContext = {
    name,
    ledger_dir: join(config.state_dir, "ledger"),
    dir: join(config.state_dir, "anchors", name),
  };
  // The configuration was checked by the very schema of the anchor it is handed to.
  const create = ANCHORS[options.type].create as (given: unknown, with_: AnchorContext) => Anchor;
  return create(options, context);
}

/** What lies where an anchor has taken checkpoints of `origin`; undefined when files show it. Throws TaplineError. */
export async function heldBy(config: Config, name: string, origin: string): Promise<Held[] | undefined> {
  const anchor = createAnchor(config, name);
  if (anchor.held === undefined) return undefined;
  const held: Held[] = [];
  for await (const one of anchor.held(origin, new AbortController().signal)) {
    held.push(one);
    if (held.length > LIMITS.held_checkpoints)
      throw new TaplineError(
        "ANCHOR_FAILED",
        `${name} holds more than ${LIMITS.held_checkpoints} checkpoints`,
        {
          remedy: "save them as files, and name their directory with --checkpoint",
        },
      );
  }
  return held;
}

function anchorsOf(config: Config, states: ReadonlyMap<string, AnchorState>): Named[] {
  return Object.entries(config.anchors).map(([name, options]) => {
    const { type, every_s } = options as { type: string; every_s: number };
    return {
      name,
      type,
      every_ms: every_s * 1_000,
      anchor: createAnchor(config, name),
      state: states.get(name) ?? NOTHING,
      trouble: undefined,
      looked: false,
    };
  });
}

export class Anchoring {
  readonly #parts: Parts;
  readonly #anchors: readonly Named[];
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(parts: Parts, states: ReadonlyMap<string, AnchorState>) {
    this.#parts = parts;
    this.#anchors = anchorsOf(parts.config, states);
  }

  get status(): AnchorStatus[] {
    return this.#anchors.map(({ name, type, state, trouble }) => ({ ...state, name, type, trouble }));
  }

  /** Takes checkpoints until `end`. */
  start(): void {
    this.#running = Promise.all(this.#anchors.map((one) => this.#run(one)));
  }

  /** Ends the taking. */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Takes the last checkpoint of a ledger that is closed. Says nothing in the ledger. */
  async last(): Promise<void> {
    const signal = AbortSignal.timeout(LIMITS.stop_ms);
    await Promise.all(this.#anchors.map((one) => this.#take(one, signal)));
  }

  async #run(one: Named): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const before = one.state;
      await this.#take(one, signal);
      if (one.state !== before) await this.#tell(one);
      await sleep(one.every_ms, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** Takes the newest checkpoint if it is another one than the last. Never rejects. */
  async #take(one: Named, signal: AbortSignal): Promise<void> {
    if (one.state.contradiction !== undefined) return;
    const { config, log } = this.#parts;
    try {
      const published = await readPublished(join(config.state_dir, "ledger"));
      if (published === undefined || (one.looked && published.size === one.state.size)) return;
      const said = await one.anchor.take(published, signal);
      if (published.size !== one.state.size) one.state = { size: published.size, at_ms: Date.now(), said };
      one.trouble = undefined;
      one.looked = true;
    } catch (error) {
      if (signal.aborted && !(error instanceof Contradiction)) return;
      const reason = reasonOf(error);
      if (error instanceof Contradiction) {
        this.#parts.signing.held = true;
        one.state = { ...one.state, contradiction: reason };
      }
      if (one.trouble !== reason) log("error", `${one.name}: ${reason}`);
      one.trouble = reason;
    }
    await this.#save(one);
  }

  async #save({ name, state }: Named): Promise<void> {
    const { config, log } = this.#parts;
    try {
      await mkdir(join(config.state_dir, "anchors"), { recursive: true, mode: 0o700 });
      await placeFile(fileOf(config, name), [Buffer.from(`${JSON.stringify(state)}\n`)], {
        sync: true,
        mode: 0o600,
      });
    } catch (error) {
      log("error", `cannot write ${fileOf(config, name)}: ${reasonOf(error)}`);
    }
  }

  /** Records where a checkpoint went, or that it was contradicted. */
  async #tell({ name, state }: Named): Promise<void> {
    const { self, log } = this.#parts;
    const { contradiction, size, said } = state;
    const message =
      contradiction === undefined
        ? `checkpoint at entry ${size} ${said}`
        : `nothing is signed any more: ${name}: ${contradiction}`;
    self.add("checkpoint", message, (e) => {
      e["event.outcome"] = contradiction === undefined ? "success" : "failure";
      e["tapline.integrity.tree_size"] = size;
      e["tapline.integrity.anchor"] = name;
    });
    await this.#parts.pipeline
      .record()
      .catch((error: unknown) => log("error", `${name}: ${reasonOf(error)}`));
  }
}
