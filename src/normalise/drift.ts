// Drift of formats: record types and fields that a format does not know, counted by format and client version. Agents
// change what they write with every release; nothing is lost by it, but somebody has to be told.
import { LIMITS } from "../core/limits.ts";
import { asObject } from "./format.ts";

/** Fields that a format knows, by the object that holds them: "" is the record itself. */
export type KnownFields = Readonly<Record<string, ReadonlySet<string>>>;

/** Counts by name: format, version, `type` or `field`, and what it is called, with tabs between. */
export type DriftCounts = Record<string, number>;

/** Under which names are counted that came after there were too many. */
const OTHERS = "\t\t\t";
// oxlint-disable-next-line no-control-regex
const ODD = /[^\x20-\x7e]/g;

/** A name from a record, as it may stand in a status: printable and short. */
function shown(name: string): string {
  return name.slice(0, LIMITS.drift_name_chars).replaceAll(ODD, "?");
}

export class Drift {
  #counts: DriftCounts = {};
  #names = 0;

  add(format: string, version: string | undefined, kind: "type" | "field", name: string): void {
    const key = `${format}\t${shown(version ?? "")}\t${kind}\t${shown(name)}`;
    const known = this.#counts[key];
    if (known !== undefined) this.#counts[key] = known + 1;
    else if (this.#names < LIMITS.drift_names) {
      this.#counts[key] = 1;
      this.#names++;
    } else this.#counts[OTHERS] = (this.#counts[OTHERS] ?? 0) + 1;
  }

  /** What was counted since the last call; undefined when nothing was. */
  take(): DriftCounts | undefined {
    if (this.#names === 0) return undefined;
    const counts = this.#counts;
    this.#counts = {};
    this.#names = 0;
    return counts;
  }
}

/** Names of the fields of a record that are not known, nested ones with the object's name before. */
export function unknownFields(known: KnownFields, record: unknown): string[] | undefined {
  const fields = asObject(record);
  if (fields === undefined) return undefined;
  let found: string[] | undefined;
  for (const within in known) {
    const object = within === "" ? fields : asObject(fields[within]);
    if (object === undefined) continue;
    const names = known[within]!;
    for (const key in object) {
      if (names.has(key)) continue;
      found ??= [];
      if (found.length < LIMITS.drift_names) found.push(within === "" ? key : `${within}.${key}`);
    }
  }
  return found;
}
