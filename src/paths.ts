// Where things that come with Tapline are.
import { fileURLToPath } from "node:url";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export const BUNDLED_RULES = here("../detections");
export const BUNDLED_SAMPLE = here("../sample");
export const CONTROLS = here("../mappings/controls.yml");
export const CROSSWALK = here("../mappings/crosswalk.yml");
/** The hook as clients run it, made by `npm run gen`. */
export const HOOK_BUNDLE = here("../bin/tapline-hook.cjs");
/** The viewer's pages, made by `npm run prepare`. */
export const VIEWER_PAGES = here("../dist/viewer");
