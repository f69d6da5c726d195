// Keyed digests: equal content gives equal digests on this installation and tells nobody what it was.
import { hash } from "node:crypto";

/** 128 bits as 32 hex digits. Truncated, so that the key cannot be extended past. */
export type Digest = (text: string) => string;

export function createDigest(key: string): Digest {
  const prefix = `${key}\u0000`;
  return (text) => hash("sha256", prefix + text, "hex").slice(0, 32);
}

/** JSON with sorted keys, so that two writers of the same arguments give the same text. */
export function canonical(value: unknown): string {
  const ordered = inOrder(value);
  // A flat text by the runtime's own writer is cheaper to make and to hash than one glued from pieces.
  return ordered === undefined ? written(value) : JSON.stringify(ordered);
}

const DIGIT_0 = 48;
const DIGIT_9 = 57;
const SMALL = 24;

/** The value with the keys of all its objects in order, or undefined when an object cannot hold that order: it puts
 * numbers first, and `__proto__` nowhere. */
function inOrder(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    for (let i = 0; i < value.length; i++) {
      const item = inOrder(value[i]);
      if (item === undefined) return undefined;
      copy.push(item);
    }
    return copy;
  }
  const object = value as Record<string, unknown>;
  const keys = Object.keys(object);
  sort(keys);
  const copy: Record<string, unknown> = {};
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const first = key.charCodeAt(0);
    if ((first >= DIGIT_0 && first <= DIGIT_9) || key === "__proto__") return undefined;
    const item = inOrder(object[key]);
    if (item === undefined) return undefined;
    copy[key] = item;
  }
  return copy;
}

/** By UTF-16 code units. Few keys are sorted faster here than by the runtime. */
function sort(keys: string[]): void {
  if (keys.length > SMALL) {
    keys.sort();
    return;
  }
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i]!;
    let at = i;
    while (at > 0 && keys[at - 1]! > key) {
      keys[at] = keys[at - 1]!;
      at--;
    }
    keys[at] = key;
  }
}

function written(value: unknown): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return "[" + value.map(written).join() + "]";
  const object = value as Record<string, unknown>;
  let text = "{";
  for (const key of Object.keys(object).toSorted()) {
    if (object[key] === undefined) continue;
    text += (text === "{" ? "" : ",") + JSON.stringify(key) + ":" + written(object[key]);
  }
  return text + "}";
}
