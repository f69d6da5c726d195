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
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return "[" + value.map(canonical).join() + "]";
  const object = value as Record<string, unknown>;
  let text = "{";
  for (const key of Object.keys(object).toSorted()) {
    if (object[key] === undefined) continue;
    text += (text === "{" ? "" : ",") + JSON.stringify(key) + ":" + canonical(object[key]);
  }
  return text + "}";
}
