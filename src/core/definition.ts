// The hash of a tool's definition, by which it is pinned: over what a model reads of it and what it demands. Icons and
// `_meta` are no part of it.
import { hash } from "node:crypto";
import { canonical } from "./digest.ts";

/** Keys that a definition is pinned by. */
export const DEFINITION_PARTS = [
  "name",
  "title",
  "description",
  "inputSchema",
  "outputSchema",
  "annotations",
] as const;

/** Hash of a definition as `tools/list` gives it; the order of keys is no difference. */
export function definitionHash(tool: Readonly<Record<string, unknown>>): string {
  const parts: Record<string, unknown> = {};
  for (const part of DEFINITION_PARTS) if (tool[part] !== undefined) parts[part] = tool[part];
  return `sha256:${hash("sha256", canonical(parts), "hex")}`;
}
