// Tells pages what is new: the ledger's head, alerts, and alerts and incidents that something was said of. One look a second
// for all of them, and none while nobody listens.
import type { ServerResponse } from "node:http";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { LiveMessage } from "./api.ts";
import type { Context } from "./context.ts";
import type { View } from "./database.ts";
import { HEADERS } from "./send.ts";

/** A line that says nothing, so that what is between does not end the connection. */
const ALIVE_MS = 15_000;

export class Live {
  readonly #context: Context;
  readonly #listeners = new Set<ServerResponse>();
  #timer: NodeJS.Timeout | undefined;
  #seen: number | undefined;
  #told = "";
  #alive_ms = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Throws TOO_MANY. */
  listen(response: ServerResponse): void {
    if (this.#listeners.size >= LIMITS.viewer_live)
      throw new TaplineError("TOO_MANY", `at most ${LIMITS.viewer_live} pages are told what is new`, {
        remedy: "close another one",
      });
    response.writeHead(200, { ...HEADERS, "Content-Type": "text/event-stream; charset=utf-8" });
    response.write(": tapline\n\n");
    this.#listeners.add(response);
    // The head is told to everybody who comes.
    this.#told = "";
    response.on("close", () => this.#listeners.delete(response));
    this.#timer ??= setTimeout(() => void this.#look(), 0);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const response of this.#listeners) response.destroy();
    this.#listeners.clear();
  }

  async #look(): Promise<void> {
    try {
      await this.#tellNew();
    } catch {
      // The store may be away for a moment; what asks it itself says so.
    }
    this.#timer = undefined;
    if (this.#listeners.size === 0) this.#seen = undefined;
    else this.#timer = setTimeout(() => void this.#look(), LIMITS.viewer_live_ms);
  }

  async #tellNew(): Promise<void> {
    const view = await this.#context.database.view();
    const from = this.#seen;
    this.#seen = view.end;
    if (from !== undefined && view.end > from) await this.#tellEvents(view, from);
    const head = await this.#context.head();
    const collecting = this.#context.collecting();
    const text = JSON.stringify([head, collecting]);
    if (text !== this.#told) this.#tell({ type: "head", head, collecting });
    this.#told = text;
    if (performance.now() - this.#alive_ms < ALIVE_MS) return;
    this.#alive_ms = performance.now();
    this.#write(": \n\n");
  }

  async #tellEvents(view: View, from: number): Promise<void> {
    const { signal } = new AbortController();
    const { alerts, incidents } = this.#context;
    const lights = (await alerts.lights(view, signal)).filter(({ index }) => index >= from);
    if (lights.length > 0) {
      const presents = await alerts.presents(view, signal);
      const rows = await alerts.rows(view, lights.slice(-LIMITS.viewer_live_alerts), presents, signal);
      this.#tell({ type: "alerts", alerts: rows });
    }
    const said = await alerts.saidSince(view, from, signal);
    const all = await incidents.all(view, signal);
    const changed = [...all.values()].filter(({ incident }) => incident.last_index >= from);
    if (said.length + changed.length > 0)
      this.#tell({ type: "changed", alerts: said, incidents: changed.map(({ incident }) => incident.id) });
  }

  #tell(message: LiveMessage): void {
    this.#write(`data: ${JSON.stringify(message)}\n\n`);
  }

  #write(text: string): void {
    for (const response of this.#listeners) {
      // Who does not read is let go: the browser comes again.
      if (response.writableLength > LIMITS.viewer_live_bytes) response.destroy();
      else response.write(text);
    }
  }
}
