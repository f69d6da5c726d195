// Which events are drawn for a sample: repeatable by anybody, and not to be steered once the seed is fixed. Pure.
import { hash } from "node:crypto";

/** In words, for the pack. */
export const ALGORITHM =
  "For every event of the population, SHA-256 of the text SEED:INDEX (both as decimal numbers, INDEX being the event's place in the ledger), " +
  "written in hexadecimal. The events with the smallest values are drawn, in the order of the values.";

/** What an event is ordered by, hex. */
export const drawKey = (seed: number, index: number): string => hash("sha256", `${seed}:${index}`, "hex");

/** The same in DuckDB's SQL, over the column of indexes. */
export const drawSql = (seed: number): string => `sha256('${seed}:' || "event.sequence")`;

/** The first `count` of a population, in the order of the draw. */
export function draw(seed: number, population: readonly number[], count: number): number[] {
  const keyed = population.map((index) => ({ index, key: drawKey(seed, index) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : 1));
  return keyed.slice(0, count).map(({ index }) => index);
}

/** The seed when none was named: of a root that nobody can choose and everybody can check. */
export const seedOf = (root: Uint8Array): number => Buffer.from(root).readUIntBE(0, 6);
