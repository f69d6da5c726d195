// Colours of values that are known beforehand. On white every one has a contrast of 3 : 1 or more, and within a set each
// is told from the next by its lightness alone, so that a print in greys can be read; a test holds them to both.
const LIGHT = "#3D9A74";
const MIDDLE = "#8A6D1F";
const DARK = "#7A1F1F";

/** Of figures that are not split. */
export const PLAIN = "#2F6F9F";
export const OUTCOME = { success: LIGHT, unknown: MIDDLE, failure: DARK } as const;
export const VERDICT = { allow: LIGHT, ask: MIDDLE, deny: DARK } as const;
export const LEVEL = {
  informational: "#8A93A5",
  low: "#2B7BB0",
  medium: "#8A4B08",
  high: "#7C1D14",
  critical: "#2A0606",
} as const;
export const LIFE = {
  heartbeat: "#8A93A5",
  "collector-start": "#2B7BB0",
  "collector-stop": "#8A4B08",
  gap: "#7C1D14",
} as const;
export const OVERSIGHT = { hole: MIDDLE, bypass: DARK } as const;
/** Of the cells of a heat map, from none to many. The first is the absence of a mark. */
export const GREYS = ["#F7F7F7", "#BDBDBD", "#7A7A7A", "#2E2E2E"] as const;
/** Sets by the name of what they colour, for the test. */
export const SETS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  PLAIN: { plain: PLAIN },
  OUTCOME,
  VERDICT,
  LEVEL,
  LIFE,
  OVERSIGHT,
};
