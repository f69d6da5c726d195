// What the routes work with: the store, the ledger after it, and what the collector was told. Holds no request.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../core/limits.ts";
import type { LedgerReader } from "../ledger/reader.ts";
import type { Status } from "../status.ts";
import { Alerts } from "./alerts.ts";
import type { Head } from "./api.ts";
import { Database } from "./database.ts";
import { Figures } from "./figures.ts";
import { Incidents } from "./incidents.ts";
import type { Rules } from "./rules.ts";

export interface Place {
  readonly state_dir: string;
  readonly store_dir: string;
  readonly ledger_dir: string;
  readonly host: string;
  readonly namespace: string;
  readonly memory_mb: number;
}

export class Context {
  readonly place: Place;
  readonly database: Database;
  readonly figures: Figures;
  readonly ledger: LedgerReader;
  readonly incidents: Incidents;
  readonly alerts: Alerts;
  readonly rules: Rules;

  private constructor(place: Place, database: Database, ledger: LedgerReader, rules: Rules) {
    this.place = place;
    this.database = database;
    this.figures = new Figures(database);
    this.ledger = ledger;
    this.incidents = new Incidents(database);
    this.alerts = new Alerts(database, this.incidents);
    this.rules = rules;
  }

  static async open(place: Place, ledger: LedgerReader, rules: Rules): Promise<Context> {
    const { store_dir: dir, memory_mb } = place;
    return new Context(place, await Database.open({ dir, ledger, memory_mb }), ledger, rules);
  }

  async head(): Promise<Head> {
    const [entries, checkpoint] = await Promise.all([this.ledger.size(), this.ledger.checkpoint()]);
    if (checkpoint === undefined) return { origin: null, entries, covered: 0, root: null };
    const root = Buffer.from(checkpoint.root).toString("base64");
    // Of a ledger that is not read to its end yet, the checkpoint may know more.
    return {
      origin: checkpoint.origin,
      entries: Math.max(entries, checkpoint.size),
      covered: checkpoint.size,
      root,
    };
  }

  /** What the collector last said of itself; undefined when none ran here. */
  status(): Status | undefined {
    try {
      return JSON.parse(readFileSync(join(this.place.state_dir, "status.json"), "utf8")) as Status;
    } catch {
      return undefined;
    }
  }

  collecting(): boolean {
    const status = this.status();
    return status?.running === true && Date.now() - status.at_ms < LIMITS.viewer_stale_ms;
  }

  /** Reads the rare events of every file, which are remembered. */
  async readAhead(): Promise<void> {
    const { signal } = new AbortController();
    const view = await this.database.view();
    await this.alerts.lights(view, signal);
    await this.alerts.presents(view, signal);
    await this.incidents.all(view, signal);
  }

  async close(): Promise<void> {
    this.database.close();
    await this.ledger.close();
  }
}
