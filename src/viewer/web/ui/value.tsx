// A value of a bucket: pressed, it narrows the page to itself.
import type { JSX } from "preact";
import type { Key } from "../../api.ts";
import { Badge } from "./badges.tsx";
import { Text } from "./text.tsx";

export type Filter = (field: string, value: Key) => void;

const WORDS = ["tapline.alert.level", "tapline.decision.verdict", "event.outcome"];

export function Value({ of, field, filter }: { of: Key; field: string | null; filter: Filter }): JSX.Element {
  const shown =
    field !== null && WORDS.includes(field) ? (
      <Badge of={String(of)} />
    ) : (
      <Text of={String(of)} chars={120} />
    );
  if (field === null) return shown;
  return (
    <button
      type="button"
      class="value"
      title="Narrow the page to this value"
      onClick={() => filter(field, of)}
    >
      {shown}
    </button>
  );
}
