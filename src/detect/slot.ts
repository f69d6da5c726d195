// The values of one field of the event under test: read, lower-cased and looked up at most once an event.
// Arrays stand for their elements, objects for every string in them. Keeps nothing from one event to the next.
import { LIMITS } from "../core/limits.ts";
import type { Answers } from "./answers.ts";
import type { SlotIndex } from "./index-slot.ts";

export type Value = string | number | boolean;

const KEPT_MAX = 256;

// Counts over all views, since slots and tests remember a generation and not the view it came from.
let generations = 0;

/** The event under test. `generation` names it, so that memos need no clearing. */
export class View {
  event: Readonly<Record<string, unknown>> = {};
  generation = 0;

  set(event: object): void {
    this.event = event as Readonly<Record<string, unknown>>;
    this.generation = ++generations;
  }
}

/** How a slot finds its values. `path` walks keys inside the object field `field`; `foreign` tries both. */
export type Read = "field" | "path" | "foreign" | "keywords";

/** The values of one field, in the event under test. */
export class Slot {
  readonly name: string;
  readonly field: string;
  readonly read: Read;
  readonly #path: readonly string[];
  /** The first `count` are this event's. Arrays are reused, since to empty one is to allocate it again. */
  readonly values: Value[] = [];
  count = 0;
  present = false;
  absent = true;
  /** Set once all rules are compiled. */
  index: SlotIndex | undefined;
  #answers: Answers | undefined;
  readonly #texts: string[] = [];
  readonly #lower: string[] = [];
  #at = 0;
  #textsAt = 0;
  #lowerAt = 0;
  #answeredAt = 0;

  constructor(name: string, field: string, read: Read) {
    this.name = name;
    this.field = field;
    this.read = read;
    this.#path = read === "path" ? name.slice(field.length + 1).split(".") : name.split(".");
  }

  load(view: View): void {
    if (this.#at === view.generation) return;
    this.#at = view.generation;
    this.count = 0;
    if (this.values.length > KEPT_MAX) this.#trim();
    this.present = false;
    this.absent = true;
    if (this.read === "keywords") this.#take(view.event, true, 0);
    else if (this.read === "foreign") {
      const value = this.#path.length === 1 ? view.event[this.name] : undefined;
      // Nothing that an object inherits is a string.
      if (typeof value === "string") this.#take(value, false, 0);
      else this.#walk(view.event, 0, 0);
    } else {
      const value = view.event[this.field];
      if (value === undefined) return;
      if (this.read === "path") this.#walk(value, 0, 0);
      else this.#take(value, false, 0);
    }
  }

  /** Keys may hold dots: every way that spells the name counts, or one would hide what stands on the others. An array
   * stands for its elements. No value lies on two ways, so that an event of many takes no longer than its size. */
  #walk(value: unknown, step: number, depth: number): void {
    if (step === this.#path.length) return this.#take(value, false, depth);
    if (typeof value !== "object" || value === null || depth > LIMITS.depth) return;
    if (Array.isArray(value)) {
      for (const element of value) this.#walk(element, step, depth + 1);
      return;
    }
    for (let end = this.#path.length; end > step; end--) {
      const key = end === step + 1 ? this.#path[step]! : this.#path.slice(step, end).join(".");
      if (Object.hasOwn(value, key)) this.#walk((value as Record<string, unknown>)[key], end, depth + 1);
    }
  }

  /** A scalar as it is, of an array any element, of an object any string at any depth. */
  #take(value: unknown, inside: boolean, depth: number): void {
    if (value === undefined) return;
    this.present = true;
    if (value === null) return;
    this.absent = false;
    if (typeof value === "string") this.values[this.count++] = value;
    else if (typeof value === "number" || typeof value === "boolean") {
      if (!inside) this.values[this.count++] = value;
    } else if (typeof value !== "object" || depth > LIMITS.depth) return;
    else if (Array.isArray(value)) for (const element of value) this.#take(element, inside, depth + 1);
    else for (const key in value) this.#take((value as Record<string, unknown>)[key], true, depth + 1);
  }

  #trim(): void {
    this.values.length = 0;
    this.#texts.length = 0;
    this.#lower.length = 0;
  }

  /** The values as text; the first `count` are this event's. */
  texts(view: View): readonly string[] {
    this.load(view);
    if (this.#textsAt !== view.generation) {
      this.#textsAt = view.generation;
      for (let i = 0; i < this.count; i++) this.#texts[i] = String(this.values[i]);
    }
    return this.#texts;
  }

  /** The values as lower-case text; the first `count` are this event's. */
  lower(view: View): readonly string[] {
    this.load(view);
    if (this.#lowerAt !== view.generation) {
      this.#lowerAt = view.generation;
      for (let i = 0; i < this.count; i++) {
        const value = this.values[i]!;
        this.#lower[i] = typeof value === "string" ? value.toLowerCase() : String(value);
      }
    }
    return this.#lower;
  }

  /** What is known of the tests of the field. */
  answers(view: View): Answers {
    if (this.#answeredAt === view.generation) return this.#answers!;
    this.load(view);
    const answers = this.index!.search(this.values, this.count);
    this.#answers = answers;
    this.#answeredAt = view.generation;
    return answers;
  }

  /** Keys of an event with which a path to a foreign field can begin; undefined for other fields. */
  get heads(): readonly string[] | undefined {
    if (this.read !== "foreign") return undefined;
    return this.#path.map((_, i) => this.#path.slice(0, i + 1).join("."));
  }
}
