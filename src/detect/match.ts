// The hot path of detection: an event in, the rules that it matches out. Synchronous; no I/O, no validation,
// nothing kept from one event to the next but what was learned about kinds of events.
import type { Event } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";
import type { FieldSet } from "./fields.ts";
import type { Found, Node } from "./nodes.ts";
import type { Logsource, Problem, Rule } from "./rule.ts";
import { type Slot, View } from "./slot.ts";

export interface CompiledRule {
  readonly rule: Rule;
  readonly test: Node;
}

/** What made the rule match the event, one value a test. For alerts; not for every event. */
export function explain(rule: CompiledRule, e: Event): Found[] {
  const found: Found[] = [];
  const view = new View();
  view.set(e);
  rule.test.explain(view, found);
  return found;
}

export const PRODUCT = "tapline";

/** Candidates that no event can match unless it has one of the fields. */
interface Group {
  readonly needs: readonly Slot[] | undefined;
  readonly places: readonly number[];
}

function anyPresent(slots: readonly Slot[], view: View): boolean {
  for (let i = 0; i < slots.length; i++) {
    slots[i]!.load(view);
    if (slots[i]!.present) return true;
  }
  return false;
}

/** Compiled rules over events. One set serves one thread: tests remember their result for the event in hand. */
export class RuleSet {
  /** 128 bits over the content of all rules and the placeholders, hex. */
  readonly hash: string;
  readonly rules: readonly CompiledRule[];
  readonly problems: readonly Problem[];
  readonly #any: boolean;
  readonly #view = new View();
  readonly #buckets = new Map<string, Map<string, readonly Group[]>>();
  #bucketCount = 0;

  constructor(name: string, rules: readonly CompiledRule[], problems: readonly Problem[], fields: FieldSet) {
    this.hash = name;
    this.rules = rules;
    this.problems = problems;
    this.#any = fields === "any";
  }

  /** Appends to `out` the places in `rules` of all rules that the event matches. */
  match(e: Event, out: number[]): void {
    const groups = this.#candidates(e["data_stream.dataset"] ?? "", e["event.action"] ?? "");
    if (groups.length === 0) return;
    const view = this.#view;
    view.set(e);
    for (let g = 0; g < groups.length; g++) {
      const { needs, places } = groups[g]!;
      if (needs !== undefined && !anyPresent(needs, view)) continue;
      for (let i = 0; i < places.length; i++) {
        const place = places[i]!;
        if (this.rules[place]!.test.test(view)) out.push(place);
      }
    }
  }

  #candidates(dataset: string, action: string): readonly Group[] {
    const known = this.#buckets.get(dataset)?.get(action);
    if (known !== undefined) return known;
    const groups = new Map<string, { needs: readonly Slot[] | undefined; places: number[] }>();
    for (let i = 0; i < this.rules.length; i++) {
      const { rule, test } = this.rules[i]!;
      if (!this.#routes(rule.logsource, dataset, action)) continue;
      const key = JSON.stringify(test.needs?.map((slot) => slot.name).toSorted() ?? null);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { needs: test.needs, places: [i] });
      else group.places.push(i);
    }
    const list = [...groups.values()];
    if (this.#bucketCount >= LIMITS.rule_buckets) return list;
    this.#bucketCount++;
    let actions = this.#buckets.get(dataset);
    if (actions === undefined) this.#buckets.set(dataset, (actions = new Map()));
    actions.set(action, list);
    return list;
  }

  /** Rules of ours go by dataset and action; the log sources of others name nothing that an event here has. */
  #routes({ product, category, service }: Logsource, dataset: string, action: string): boolean {
    if (product !== PRODUCT) return this.#any;
    if (service !== undefined && dataset !== `${PRODUCT}.${service}`) return false;
    return category === undefined || category === action;
  }
}
