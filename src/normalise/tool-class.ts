// What a tool does with data, told by its name and the table in mappings/tools.yml. Names are few: each is classed once.
import { TOOL_NAMES, TOOL_WORDS, type ToolClass } from "../core/generated/tools.ts";
import { LIMITS } from "../core/limits.ts";

const names = new Map<string, ToolClass>(Object.entries(TOOL_NAMES));
const classes = new Map<string, ToolClass>();

/** Class of the tool of that name. */
export function toolClass(name: string): ToolClass {
  let found = classes.get(name);
  if (found === undefined) {
    found = classify(name.slice(0, LIMITS.tool_name_chars));
    if (classes.size >= LIMITS.tool_classes) classes.clear();
    classes.set(name, found);
  }
  return found;
}

function classify(name: string): ToolClass {
  const own = name.startsWith("mcp__") ? name.slice(name.lastIndexOf("__") + 2) : name;
  const whole = names.get(own.toLowerCase());
  if (whole !== undefined) return whole;
  const words = new Set(
    own
      .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
      .toLowerCase()
      .split(/[^a-z0-9]+/),
  );
  for (const line of TOOL_WORDS) {
    const any = line.any.some((word) => words.has(word));
    if (any && (line.with.length === 0 || line.with.some((word) => words.has(word)))) return line.class;
  }
  return "other";
}
