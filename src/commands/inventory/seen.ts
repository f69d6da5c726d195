// Which servers and tools the ledger has seen: from the store where there is one, else by reading every entry.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { sinksOf } from "../../components.ts";
import type { Config } from "../../config.ts";
import { LIMITS } from "../../core/limits.ts";
import { eventOfDocument } from "../../detect/document.ts";
import { openReader } from "../../ledger/reader.ts";
import type { Seen } from "../../policy/drift.ts";
import { openStore } from "../../store/reader.ts";
import { entryTexts } from "../rules/ledger.ts";

interface Building {
  readonly name: string;
  readonly command: string | undefined;
  readonly url: string | undefined;
  readonly tools: Set<string>;
  first: string;
  last: string;
  calls: number;
}

class Sightings {
  readonly #all = new Map<string, Building>();

  add(row: Readonly<Record<string, unknown>>): void {
    const text = (key: string): string | undefined => {
      const value = row[key];
      return value instanceof Date ? value.toISOString() : typeof value === "string" ? value : undefined;
    };
    const name = text("tapline.server.name");
    if (name === undefined) return;
    const [command, url] = [text("tapline.server.command"), text("tapline.server.url")];
    const key = JSON.stringify([name, command, url]);
    let one = this.#all.get(key);
    if (one === undefined) {
      if (this.#all.size >= LIMITS.drift) return;
      one = { name, command, url, tools: new Set(), first: "", last: "", calls: 0 };
      this.#all.set(key, one);
    }
    const [first, last] = [
      text("first") ?? text("@timestamp") ?? "",
      text("last") ?? text("@timestamp") ?? "",
    ];
    if (one.first === "" || first < one.first) one.first = first;
    if (last > one.last) one.last = last;
    one.calls += Number(row["calls"] ?? (row["event.action"] === "tool-call" ? 1 : 0));
    const tool = text("gen_ai.tool.name");
    if (tool !== undefined && one.tools.size < LIMITS.policy_pins_server) one.tools.add(tool);
  }

  take(): Seen[] {
    return [...this.#all.values()].map((one) => ({ ...one, tools: [...one.tools].toSorted() }));
  }
}

function storeDir(config: Config): string | undefined {
  const [name, options] = sinksOf(config).find(([, sink]) => sink.type === "store") ?? ["local", {}];
  const dir = (options as { path?: string }).path ?? join(config.state_dir, name);
  return existsSync(join(dir, "manifest.json")) ? dir : undefined;
}

const QUERY = `SELECT "tapline.server.name", "tapline.server.command", "tapline.server.url", "gen_ai.tool.name",
    min("@timestamp") AS first, max("@timestamp") AS last, count(*) FILTER ("event.action" = 'tool-call') AS calls
  FROM events WHERE "tapline.server.name" IS NOT NULL GROUP BY ALL LIMIT ${LIMITS.store_query_rows}`;

/** Servers that were seen; none where nothing was recorded yet. */
export async function seenIn(config: Config): Promise<Seen[]> {
  const dir = join(config.state_dir, "ledger");
  if (!existsSync(dir)) return [];
  const seen = new Sightings();
  const stored = storeDir(config);
  if (stored === undefined) {
    for await (const texts of entryTexts(dir)) {
      for (const text of texts) {
        if (!text.includes('"server":{')) continue;
        seen.add(eventOfDocument(JSON.parse(text) as object) as unknown as Record<string, unknown>);
      }
    }
    return seen.take();
  }
  const ledger = openReader(dir);
  const store = await openStore(stored, { ledger });
  try {
    for (const row of await store.query(QUERY)) seen.add(row);
  } finally {
    await store.close();
    await ledger.close();
  }
  return seen.take();
}
