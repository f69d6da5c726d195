// Where things that come with Tapline are.
import { fileURLToPath } from "node:url";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export const BUNDLED_RULES = here("../detections");
export const BUNDLED_SAMPLE = here("../sample");
export const CONTROLS = here("../mappings/controls.yml");
