// JSON compared to the last digit: numbers by their text, since two that differ can be one and the same in JavaScript.

/** A number as it is written. */
export class Figure {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Parses JSON with every number as a Figure. Throws SyntaxError. */
export function parseExact(text: string): unknown {
  return JSON.parse(text, ((_: string, value: unknown, { source }: { source?: string }) =>
    typeof value === "number" ? new Figure(source!) : value) as never);
}

/** Calls `differs` with the path of every leaf in which two values are not the same, until it returns false. */
export function compareExact(
  expected: unknown,
  actual: unknown,
  differs: (path: string, expected: unknown, actual: unknown) => boolean,
  path = "",
): boolean {
  if (expected instanceof Figure && actual instanceof Figure) {
    return expected.text === actual.text || differs(path, expected, actual);
  }
  if (!isGroup(expected) || !isGroup(actual) || Array.isArray(expected) !== Array.isArray(actual)) {
    return expected === actual || differs(path, expected, actual);
  }
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const at = path === "" ? key : `${path}.${key}`;
    if (!compareExact(ownValue(expected, key), ownValue(actual, key), differs, at)) return false;
  }
  return true;
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !(value instanceof Figure);
}

export function ownValue(value: unknown, key: string): unknown {
  return isGroup(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}
