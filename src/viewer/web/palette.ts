// Colours of charts, from the style sheet's own, so that there is one place for them. Colours that a definition gives are for
// white: in the dark their lightness is turned round, which keeps what is apart in greys apart.

/** What charts are drawn in. */
export interface Ink {
  readonly text: string;
  readonly dim: string;
  readonly line: string;
  readonly panel: string;
  readonly hover: string;
  readonly font: string;
  readonly series: (i: number) => string;
  readonly given: (colour: string) => string;
}

// Light to dark and dark to light, so that neighbours differ in greys too.
const LIGHT = [
  "#2f6f9f",
  "#0f2f45",
  "#8fb8d3",
  "#8a6d1f",
  "#5b3a6e",
  "#3d9a74",
  "#7a1f1f",
  "#8a93a5",
  "#1f5c4a",
  "#b07d54",
  "#4c5768",
];

type Hsl = readonly [number, number, number];

export function hslOf(hex: string): Hsl {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  const most = Math.max(r, g, b);
  const least = Math.min(r, g, b);
  const light = (most + least) / 2;
  const range = most - least;
  if (range === 0) return [0, 0, light];
  const saturation = range / (1 - Math.abs(2 * light - 1));
  const hue = most === r ? ((g - b) / range + 6) % 6 : most === g ? (b - r) / range + 2 : (r - g) / range + 4;
  return [hue * 60, saturation, light];
}

const percent = (value: number): string => `${Math.round(value * 100)}%`;

/** For a dark ground: dark becomes light. */
export function turned(hex: string): string {
  const [hue, saturation, light] = hslOf(hex);
  return `hsl(${Math.round(hue)}, ${percent(Math.min(0.62, saturation))}, ${percent(0.92 - light * 0.72)})`;
}

export function themed(dark: boolean): Ink {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  const given = (colour: string): string =>
    dark && /^#[0-9a-f]{6}$/i.test(colour) ? turned(colour) : colour;
  return {
    text: of("--text"),
    dim: of("--dim"),
    line: of("--line"),
    panel: of("--panel"),
    hover: dark ? "rgba(255,255,255,0.07)" : "rgba(10,40,70,0.07)",
    font: style.fontFamily,
    series: (i) => given(LIGHT[i % LIGHT.length]!),
    given,
  };
}
