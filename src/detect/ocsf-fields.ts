// A document of the alerts, taken apart field by field; what nobody takes is left over. For `ocsf.ts`, which puts it together
// again in another schema.
import { flatten } from "../core/flatten.ts";
import { toMs } from "../core/time.ts";

export type Shape = Readonly<Record<string, unknown>>;

/** An object of what is there, or undefined when nothing is. */
export function shape(fields: Shape): Shape | undefined {
  const there = Object.entries(fields).filter(([, value]) => value !== undefined);
  return there.length === 0 ? undefined : Object.fromEntries(there);
}

/** A list of what is there, or undefined when nothing is. */
export function listed(items: readonly (Shape | undefined)[]): readonly Shape[] | undefined {
  const there = items.filter((item) => item !== undefined);
  return there.length === 0 ? undefined : there;
}

/** `fields` beside what names the thing, or undefined when nothing does. */
export function shapeWith(name: string, value: string | undefined, fields: Shape): Shape | undefined {
  return value === undefined ? undefined : shape({ [name]: value, ...fields });
}

const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((item) => typeof item === "string");

/** The fields of a document; what nobody takes is unmapped. */
export class Fields {
  readonly #rest: Map<string, unknown>;

  /** All but the fields in `without`. */
  constructor(document: object, without: readonly string[]) {
    this.#rest = new Map(Object.entries(flatten(document)).filter(([, value]) => value !== null));
    for (const name of without) this.#rest.delete(name);
  }

  /** Takes a field that fits, as it is. */
  take(name: string, fits: (value: unknown) => boolean): unknown {
    const value = this.#rest.get(name);
    if (value === undefined || !fits(value)) return undefined;
    this.#rest.delete(name);
    return value;
  }

  text(name: string, fits: (value: string) => boolean = () => true): string | undefined {
    return this.take(name, (value) => typeof value === "string" && fits(value)) as string | undefined;
  }

  number(name: string, fits: (value: number) => boolean = () => true): number | undefined {
    return this.take(name, (v) => Number.isSafeInteger(v) && fits(v as number)) as number | undefined;
  }

  texts(name: string): readonly string[] | undefined {
    return this.take(name, isTexts) as readonly string[] | undefined;
  }

  /** Milliseconds since 1970. */
  time(name: string): number | undefined {
    const text = this.text(name, (value) => !Number.isNaN(toMs(value)));
    return text === undefined ? undefined : toMs(text);
  }

  object(name: string): unknown {
    return this.take(name, (value) => typeof value === "object");
  }

  has(name: string): boolean {
    return this.#rest.has(name);
  }

  get rest(): Shape | undefined {
    return shape(Object.fromEntries(this.#rest));
  }
}
