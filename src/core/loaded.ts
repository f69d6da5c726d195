// Packages that are loaded when they are needed. What keeps one from being loaded then (no descriptors left, an installation
// that is being replaced) is trouble with the world, and may pass.
import { TaplineError, reasonOf } from "./errors.ts";

/** What `load` imports. Throws NOT_LOADED. */
export async function loaded<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new TaplineError("NOT_LOADED", `cannot load the package ${name}: ${reasonOf(cause)}`, {
      retry: true,
      remedy: "see to the limit of open files (ulimit -n), and that the installation is whole",
      cause,
    });
  }
}
