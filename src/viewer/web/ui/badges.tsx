// Levels, verdicts and outcomes: a shape, a word and a colour, so that a print in greys says the same.
import type { JSX } from "preact";
import { Text } from "./text.tsx";

const SHAPES: Readonly<Record<string, JSX.Element>> = {
  ring: <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="1.6" />,
  dot: <circle cx="6" cy="6" r="4" fill="currentColor" />,
  diamond: <path d="M6 1l5 5-5 5-5-5z" fill="currentColor" />,
  triangle: <path d="M6 1l5.4 10H.6z" fill="currentColor" />,
  octagon: (
    <path
      d="M3.8.6h4.4l3.2 3.2v4.4l-3.2 3.2H3.8L.6 8.2V3.8zM5.2 2.6l.3 4.4h1l.3-4.4zM5.2 8.1v1.4h1.6V8.1z"
      fill="currentColor"
      fill-rule="evenodd"
    />
  ),
  tick: <path d="M1.8 6.4l2.9 3 5.5-6.6" fill="none" stroke="currentColor" stroke-width="1.9" />,
  cross: <path d="M2.2 2.2l7.6 7.6M9.8 2.2L2.2 9.8" fill="none" stroke="currentColor" stroke-width="1.9" />,
  question: (
    <path
      d="M3.4 4.2a2.6 2.6 0 1 1 3.8 2.3C6.3 7 6 7.3 6 8.2M6 9.6v1.5"
      fill="none"
      stroke="currentColor"
      stroke-width="1.7"
    />
  ),
  half: (
    <path d="M6 2a4 4 0 1 1 0 8 4 4 0 0 1 0-8zm0 0v8" fill="none" stroke="currentColor" stroke-width="1.6" />
  ),
  bar: <path d="M2 6h8" stroke="currentColor" stroke-width="2" />,
};

export const Shape = ({ name }: { name: string }): JSX.Element => (
  <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
    {SHAPES[name]}
  </svg>
);

interface Look {
  readonly shape: string;
  readonly class: string;
  readonly word?: string;
}
const LOOKS: Readonly<Record<string, Look>> = {
  critical: { shape: "octagon", class: "critical", word: "Critical" },
  high: { shape: "triangle", class: "high", word: "High" },
  medium: { shape: "diamond", class: "medium", word: "Medium" },
  low: { shape: "dot", class: "low", word: "Low" },
  informational: { shape: "ring", class: "", word: "Info" },
  allow: { shape: "tick", class: "good", word: "Allow" },
  deny: { shape: "cross", class: "critical", word: "Deny" },
  ask: { shape: "question", class: "medium", word: "Ask" },
  success: { shape: "tick", class: "good", word: "Success" },
  failure: { shape: "cross", class: "critical", word: "Failure" },
  unknown: { shape: "question", class: "", word: "Unknown" },
  open: { shape: "ring", class: "high", word: "Open" },
  acknowledged: { shape: "half", class: "low", word: "Acknowledged" },
  closed: { shape: "tick", class: "", word: "Closed" },
  suppressed: { shape: "bar", class: "", word: "Suppressed" },
  true_positive: { shape: "triangle", class: "high", word: "True positive" },
  false_positive: { shape: "ring", class: "", word: "False positive" },
  direct: { shape: "dot", class: "good", word: "Direct" },
  supporting: { shape: "half", class: "low", word: "Supporting" },
  none: { shape: "bar", class: "", word: "Not collected here" },
  met: { shape: "tick", class: "good", word: "Met" },
  due: { shape: "half", class: "medium", word: "Due" },
  overdue: { shape: "octagon", class: "critical", word: "Overdue" },
};

/** A value of a field whose values are known; others are shown as the recorded text that they are. */
export function Badge({ of }: { of: string | undefined }): JSX.Element {
  if (of === undefined || of === "") return <span class="none">–</span>;
  const look = Object.hasOwn(LOOKS, of) ? LOOKS[of] : undefined;
  if (look === undefined) return <Text of={of} chars={40} />;
  return (
    <span class={`badge ${look.class}`}>
      <Shape name={look.shape} />
      {look.word}
    </span>
  );
}

/** A statement that holds or does not, in words. */
export const Holds = ({ good, children }: { good: boolean; children: string }): JSX.Element => (
  <span class={`badge ${good ? "good" : "critical"}`}>
    <Shape name={good ? "tick" : "cross"} />
    {children}
  </span>
);
