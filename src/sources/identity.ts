// Which file is which. Neither path nor inode alone tells, so identity is device, inode, birth time, a hash of the
// head and a hash of the bytes before the offset. Pure; reads no files.
import { hash } from "node:crypto";
import { basename } from "node:path";
import { z } from "zod";
import type { Position } from "../core/stage.ts";

export type Packing = "gz" | "zst";

const factsSchema = z.object({
  transcript: z.boolean(),
  branch: z.boolean().optional(),
  pid: z.number().optional(),
  started_ms: z.number().optional(),
  cwd: z.string().optional(),
  from_ms: z.number().optional(),
});

const chainSchema = z.object({
  segment: z.number(),
  n: z.number(),
  prev: z.string(),
  closed: z.boolean(),
  pid: z.number().optional(),
  start: z.string().optional(),
});

/** Where the source stands in one generation of a file. Lengths, offsets and sizes in bytes. */
const markSchema = z.object({
  /** Where the file was first seen: the name of the stream. */
  path: z.string(),
  /** Where it is now, when it was renamed. */
  at: z.string().optional(),
  dev: z.number(),
  ino: z.number(),
  birth_ms: z.number(),
  /** Counts truncations. */
  gen: z.int().min(0),
  head_len: z.int().min(0),
  head_hash: z.string(),
  offset: z.int().min(0),
  tail_len: z.int().min(0),
  tail_hash: z.string(),
  format: z.string(),
  session: z.string().optional(),
  /** How records end, when not with their line. */
  framing: z.literal("block").optional(),
  /** What the first records told of the client, and how the session was found with it. */
  facts: factsSchema.optional(),
  resolved_by: z.enum(["pid", "cwd", "ambiguous", "none"]).optional(),
  /** The file is compressed; offsets count its content. */
  packed: z.enum(["gz", "zst"]).optional(),
  /** Compressed and read to its end at this size. */
  packed_size: z.number().optional(),
  /** Read to an end after which nothing is written; the file may be deleted. */
  complete: z.boolean().optional(),
  /** Where the chain of a spool's stream stands. */
  chain: chainSchema.optional(),
  /** The generation ended by truncation, and its end is recorded; the next one starts at 0. */
  ended: z.boolean().optional(),
});
export type Mark = z.output<typeof markSchema>;

/** A position as the ledger gave it back; undefined when it is none of ours. */
export function parseMark(position: Position): Mark | undefined {
  const parsed = markSchema.safeParse(position);
  return parsed.success ? parsed.data : undefined;
}

export function digest(bytes: Uint8Array): string {
  return hash("sha256", bytes, "base64url").slice(0, 22);
}

export const NOTHING: string = digest(new Uint8Array(0));

/** The file behind a name, whatever its content. */
export function keyOf(file: {
  readonly dev: number;
  readonly ino: number;
  readonly birthtimeMs: number;
}): string {
  return `${file.dev}:${file.ino}:${file.birthtimeMs}`;
}

/** Id of a file's first generation. The first line, not the head: it does not depend on when we looked. */
export function firstId(source: string, key: string, first_line: Uint8Array): string {
  return hash("sha256", `${source}\n${key}\n${digest(first_line)}`, "base64url").slice(0, 22);
}

/** Id of the generation after a truncation. */
export function nextId(id: string, gen: number): string {
  return hash("sha256", `${id}\n${gen}`, "base64url").slice(0, 22);
}

export function packingOf(path: string): Packing | undefined {
  return path.endsWith(".gz") ? "gz" : path.endsWith(".zst") ? "zst" : undefined;
}

const ROTATED = /^(.+?)[.-]\d[\dTZ:_.-]*?(?:\.(?:gz|zst))?$/;
const PACKED = /^(.+)\.(?:gz|zst)$/;

/** A file's own name and the ones whose rotation may have given it. */
export function familyOf(path: string): string[] {
  const name = basename(path);
  return [name, ...rotationBases(name)];
}

/** Names whose rotation may have given this one: `a.log.1`, `a.log-20260101.gz` → `a.log`; `a.log.zst` → `a.log`. */
export function rotationBases(name: string): string[] {
  return [ROTATED.exec(name)?.[1], PACKED.exec(name)?.[1]].filter((base) => base !== undefined);
}
