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
}

interface Sighting {
  readonly first: string;
  readonly last: string;
  readonly tools: Iterable<string>;
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
      one = { name, command, url, tools: new Set(), first: "", last: "" };
      this.#all.set(key, one);
    }
    const tool = text("gen_ai.tool.name");
    merge(one, {
      first: text("first") ?? text("@timestamp") ?? "",
      last: text("last") ?? text("@timestamp") ?? "",
      tools: tool === undefined ? [] : [tool],
    });
  }

  /** Each server once. Results and transcripts know no more than a name: what they saw is of the servers of that name. */
  take(): Seen[] {
    const all = [...this.#all.values()];
    const byName = Map.groupBy(all.filter(isStarted), ({ name }) => name);
    for (const one of all)
      if (!isStarted(one)) for (const server of byName.get(one.name) ?? []) merge(server, one);
    const shown = all.filter((one) => isStarted(one) || !byName.has(one.name));
    return shown.map((one) => ({ ...one, tools: [...one.tools].toSorted() }));
  }
}

/** Whether it says what started it. */
const isStarted = ({ command, url }: Building): boolean => (command ?? url) !== undefined;

/** Adds a sighting to what is known of a server. */
function merge(server: Building, { first, last, tools }: Sighting): void {
  if (server.first === "" || first < server.first) server.first = first;
  if (last > server.last) server.last = last;
  for (const tool of tools) if (server.tools.size < LIMITS.policy_pins_server) server.tools.add(tool);
}

function storeDir(config: Config): string | undefined {
  const [name, options] = sinksOf(config).find(([, sink]) => sink.type === "store") ?? ["local", {}];
  const dir = (options as { path?: string }).path ?? join(config.state_dir, name);
  return existsSync(join(dir, "manifest.json")) ? dir : undefined;
}

const QUERY = `SELECT "tapline.server.name", "tapline.server.command", "tapline.server.url", "gen_ai.tool.name",
    min("@timestamp") AS first, max("@timestamp") AS last
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
