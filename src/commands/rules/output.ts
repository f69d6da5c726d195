// Files that the commands for rules write.
import { writeFile } from "node:fs/promises";
import { TaplineError, reasonOf } from "../../core/errors.ts";

/** Throws CANNOT_WRITE. */
export async function writeOut(path: string, text: string, flag: "w" | "wx" = "w"): Promise<void> {
  try {
    await writeFile(path, text, { flag });
  } catch (cause) {
    throw new TaplineError("CANNOT_WRITE", `cannot write ${path}: ${reasonOf(cause)}`, { cause });
  }
}
