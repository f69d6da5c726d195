// Replaces secrets in the text of an event by `[REDACTED:rule:mark]`. The mark is keyed: equal secrets give equal
// marks on one installation. Runs only on records that the prefilter flagged; capture level `full` is left alone.
import type { Event } from "../core/generated/event.ts";
import { createDigest, type Digest } from "../core/digest.ts";
import { LIMITS } from "../core/limits.ts";
import type { Capture } from "../core/stage.ts";
import type { Json } from "../core/text.ts";
import { CONTENT_CLASS, TEXT_FIELDS, TEXT_LIST_FIELDS } from "./content.ts";
import { type Found, findSecrets } from "./find.ts";
import { isPlaceholder, isSecretKey } from "./secrets.ts";

export interface Redactor {
  /** Replaces the event's values where they hold secrets; sets tapline.data.{redacted,secrets,secret_count}. */
  redact(e: Event, capture: Capture): void;
  /** The text without its secrets, for bytes that are no event. */
  readonly redactText: (text: string) => string;
}

const MARK_CHARS = 8;
const KEY_RULE = "secret-key-value";
const SECRET_TEXT_CHARS_MIN = 4;
/** Of four digits. */
const SECRET_NUMBER_MIN = 1_000;
const MARKED = "[REDACTED:";

/** What became of one text, kept for texts that come again. */
interface Redacted {
  readonly text: string;
  readonly rules: readonly string[];
}

export function createRedactor(key: string): Redactor {
  return new TextRedactor(createDigest(key));
}

class TextRedactor implements Redactor {
  readonly #digest: Digest;
  readonly #cache = new Map<string, Redacted>();
  /** Rules of the secrets of the current event, one each time. */
  #rules: string[] = [];

  /** Bound, since it is handed around alone. */
  readonly redactText = (text: string): string => {
    this.#rules = [];
    return this.#text(text);
  };

  constructor(digest: Digest) {
    this.#digest = digest;
  }

  redact(e: Event, capture: Capture): void {
    this.#rules = [];
    const values = e as unknown as Record<string, Json | undefined>;
    for (let i = 0; i < TEXT_FIELDS.length; i++) {
      const name = TEXT_FIELDS[i]!;
      const value = values[name];
      if (value === undefined || isFull(name, capture)) continue;
      values[name] = typeof value === "string" ? this.#text(value) : this.#value(value, 0);
    }
    for (let i = 0; i < TEXT_LIST_FIELDS.length; i++) {
      const list = e[TEXT_LIST_FIELDS[i]!];
      if (list !== undefined) e[TEXT_LIST_FIELDS[i]!] = this.#value(list, 0) as readonly string[];
    }
    if (this.#rules.length === 0) return;
    e["tapline.data.redacted"] = true;
    e["tapline.data.secrets"] = [...new Set(this.#rules)].toSorted();
    e["tapline.data.secret_count"] = this.#rules.length;
  }

  #mark(rule: string, secret: string): string {
    return `${MARKED}${rule}:${this.#digest(secret).slice(0, MARK_CHARS)}]`;
  }

  #text(text: string): string {
    if (text.length < SECRET_TEXT_CHARS_MIN) return text;
    const known = this.#cache.get(text);
    if (known !== undefined) {
      for (let i = 0; i < known.rules.length; i++) this.#rules.push(known.rules[i]!);
      return known.text;
    }
    const found = findSecrets(text);
    const result = found.length === 0 ? { text, rules: NONE } : this.#replace(text, found);
    for (let i = 0; i < result.rules.length; i++) this.#rules.push(result.rules[i]!);
    if (text.length <= LIMITS.redact_cache_chars) {
      if (this.#cache.size >= LIMITS.redact_cache) this.#cache.clear();
      this.#cache.set(text, result);
    }
    return result.text;
  }

  #replace(text: string, found: readonly Found[]): Redacted {
    let out = "";
    let at = 0;
    for (let i = 0; i < found.length; i++) {
      const { start, end, rule } = found[i]!;
      out += text.slice(at, start) + this.#mark(rule, text.slice(start, end));
      at = end;
    }
    return { text: out + text.slice(at), rules: found.map((f) => f.rule) };
  }

  /** The value with its secrets replaced: the same object when there are none. */
  #value(value: Json, depth: number): Json {
    if (typeof value === "string") return this.#text(value);
    if (typeof value !== "object" || value === null) return value;
    // Records nest no deeper than LIMITS.depth; what did would be written as text before.
    if (depth > LIMITS.depth) return this.#text(JSON.stringify(value));
    return Array.isArray(value)
      ? this.#array(value, depth)
      : this.#object(value as Record<string, Json>, depth);
  }

  #array(list: readonly Json[], depth: number): Json {
    let copy: Json[] | undefined;
    for (let i = 0; i < list.length; i++) {
      const after = this.#value(list[i]!, depth + 1);
      if (after === list[i]) continue;
      copy ??= [...list];
      copy[i] = after;
    }
    return copy ?? list;
  }

  #object(object: Readonly<Record<string, Json>>, depth: number): Json {
    const keys = Object.keys(object);
    let entries: [string, Json][] | undefined;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      const value = object[key]!;
      const name = this.#text(key);
      const isSecret = isSecretKey(key) || (key === "value" && isNamedSecret(object));
      const after = isSecret ? this.#secretValue(value, depth) : this.#value(value, depth + 1);
      if (after === value && name === key) continue;
      entries ??= Object.entries(object);
      entries[i] = [name, after];
    }
    // fromEntries defines `__proto__` as a key like any other.
    return entries === undefined ? object : Object.fromEntries(entries);
  }

  /** The value of a key that says "secret": text and numbers are one as a whole, unless they have secrets of their own;
   * of an object its `value` is. */
  #secretValue(value: Json, depth: number): Json {
    if (typeof value === "number" && Math.abs(value) >= SECRET_NUMBER_MIN) return this.#whole(String(value));
    if (typeof value === "object" && value !== null && depth <= LIMITS.depth) {
      if (Array.isArray(value)) return this.#secrets(value, depth);
      const after = this.#value(value, depth + 1) as Readonly<Record<string, Json>>;
      const inner = after["value"];
      const secret = inner === undefined ? undefined : this.#secretValue(inner, depth + 1);
      return secret === inner ? after : { ...after, value: secret! };
    }
    if (typeof value !== "string") return this.#value(value, depth + 1);
    if (value.length < SECRET_TEXT_CHARS_MIN || isPlaceholder(value)) return value;
    const before = this.#rules.length;
    const text = this.#text(value);
    return this.#rules.length > before || text.includes(MARKED) ? text : this.#whole(value);
  }

  #secrets(list: readonly Json[], depth: number): Json {
    const copy = list.map((item) => this.#secretValue(item, depth + 1));
    return copy.every((item, i) => item === list[i]) ? list : copy;
  }

  #whole(secret: string): string {
    this.#rules.push(KEY_RULE);
    return this.#mark(KEY_RULE, secret);
  }
}

/** Whether an object is a name that says "secret" and its value, as in lists of variables. */
function isNamedSecret(object: Readonly<Record<string, Json>>): boolean {
  const name = object["name"] ?? object["key"];
  return typeof name === "string" && isSecretKey(name);
}

const NONE: readonly string[] = [];

function isFull(field: string, capture: Capture): boolean {
  const content = CONTENT_CLASS.get(field);
  if (content === undefined) return false;
  if (content !== "all") return capture[content] === "full";
  return capture.arguments === "full" && capture.results === "full" && capture.messages === "full";
}
