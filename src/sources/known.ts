// The files that a source knows, by identity, by stream and by name. Holds them; decides nothing.
import type { Descriptors } from "./descriptors.ts";
import { familyOf } from "./identity.ts";
import type { Tail } from "./tail.ts";

export class Known {
  /** By keyOf. */
  readonly tails = new Map<string, Tail>();
  /** Stream ids in use. */
  readonly ids = new Set<string>();
  /** By the file name under which the stream began. */
  readonly #by_name = new Map<string, Set<Tail>>();
  readonly #descriptors: Descriptors;

  constructor(descriptors: Descriptors) {
    this.#descriptors = descriptors;
  }

  add(tail: Tail): void {
    this.tails.set(tail.key, tail);
    if (tail.id !== "") this.ids.add(tail.id);
    for (const name of familyOf(tail.path)) {
      const named = this.#by_name.get(name);
      if (named === undefined) this.#by_name.set(name, new Set([tail]));
      else named.add(tail);
    }
  }

  forget(tail: Tail): void {
    this.#descriptors.close(tail);
    if (this.tails.get(tail.key) === tail) this.tails.delete(tail.key);
    this.ids.delete(tail.id);
    for (const name of familyOf(tail.path)) {
      const named = this.#by_name.get(name);
      named?.delete(tail);
      if (named?.size === 0) this.#by_name.delete(name);
    }
  }

  /** Files whose stream began under this name or under what rotation makes of it. */
  named(name: string): Iterable<Tail> {
    return this.#by_name.get(name) ?? [];
  }
}
