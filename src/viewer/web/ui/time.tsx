// A moment in the reader's zone; UTC when pointed at, and for machines in the element itself.
import type { JSX } from "preact";
import { type Precision, local, offsetOf, utc } from "../time.ts";

export function Time({
  at,
  precision = "second",
}: {
  at: string | number | undefined;
  precision?: Precision;
}): JSX.Element {
  const ms = typeof at === "string" ? Date.parse(at) : (at ?? Number.NaN);
  if (Number.isNaN(ms)) return <span class="none">–</span>;
  return (
    <time class="number" dateTime={utc(ms)} title={`${utc(ms)}\n${local(ms, "millisecond")} ${offsetOf(ms)}`}>
      {local(ms, precision)}
    </time>
  );
}
