// Files that may go on where another one ended: in its place with its content (a copy that was put there, a file that its system
// numbers anew: another mount, a restart of the machine, the upper layer of an overlay), or under the name of its rotation.
// Tells which to look into; whether it is one, its content says (twin.ts).
import { basename } from "node:path";
import { familyOf, rotationBases } from "./identity.ts";
import type { Known } from "./known.ts";
import type { Tail } from "./tail.ts";

/** Whether a new file lies where another one lay that has no name any more. */
export function isMoved(file: Tail, tail: Tail): boolean {
  if (file === tail || file.recorded) return false;
  if (tail.done || tail.links > 0 || tail.copy_of !== undefined) return false;
  return tail.at === file.at && tail.head_len > 0;
}

/** Whether a file in its place has to be looked into before this one can be given up. */
export function mayBeMoved(tail: Tail, known: Known): boolean {
  for (const file of known.named(basename(tail.at)))
    if (isMoved(file, tail) && file.size > 0 && !file.denied && file.probed_size !== file.size) return true;
  return false;
}

/** Whether there is a file that may prove to be a copy once it is looked into. */
export function mayBeCopied(tail: Tail, known: Known): boolean {
  const family = new Set(familyOf(tail.path));
  for (const other of known.tails.values()) {
    if (other === tail || other.recorded || other.done || other.denied) continue;
    if (other.links === 0 || other.size === 0 || other.probed_size === other.size) continue;
    const open = other.queue < 0 || other.copy_of === tail;
    if (open && rotationBases(basename(other.at)).some((base) => family.has(base))) return true;
  }
  return false;
}
