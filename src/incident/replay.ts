// Incidents as the events of a ledger make them: each with its history. Pure.
import { type Incident, type Step, applyStep } from "./present.ts";

/** An event of an incident at its place in the ledger. */
export interface Placed {
  readonly index: number;
  readonly step: Step;
}

export interface Told extends Placed {
  readonly odd: string | undefined;
}

export interface Replayed {
  readonly incident: Incident;
  readonly told: readonly Told[];
}

/** All incidents from their events, which may come in any order and more than once. */
export function replayed(events: Iterable<Placed>): Map<string, Replayed> {
  const all = new Map<string, { incident: Incident; told: Told[] }>();
  for (const { index, step } of [...events].toSorted((a, b) => a.index - b.index)) {
    const id = step["tapline.incident.id"] ?? "";
    const known = all.get(id);
    const applied = applyStep(known?.incident, step, index);
    if (applied === undefined) continue;
    const { incident, odd } = applied;
    const told = { index, step, odd };
    if (known === undefined) all.set(id, { incident, told: [told] });
    else {
      known.incident = incident;
      known.told.push(told);
    }
  }
  return all;
}
