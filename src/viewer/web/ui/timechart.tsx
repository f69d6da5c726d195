// Figures over time: bars drawn by ECharts, which is loaded when the first is wanted, or the same as a table. Text in the chart is
// drawn, never markup; its tooltip too.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Drawn } from "../chart.ts";
import { type TimeFigures, figure } from "../figures.ts";
import { bucketName, utc } from "../time.ts";
import { Text } from "./text.tsx";

export function TimeChart({
  height,
  pick,
  ...figures
}: TimeFigures & {
  height: number;
  /** A bucket was chosen. */
  pick?: (from: string, to: string) => void;
}): JSX.Element {
  const element = useRef<HTMLDivElement>(null);
  const [failed, fail] = useState(false);
  const latest = useRef(pick);
  latest.current = pick;
  const { label, step_ms, times, series } = figures;
  useEffect(() => {
    let drawn: Drawn | undefined;
    let gone = false;
    import("../chart.ts").then(
      ({ draw }) => {
        if (gone || element.current === null) return;
        drawn = draw(element.current, figures, (i) => {
          const begin = times[i];
          if (begin !== undefined) latest.current?.(utc(begin), utc(begin + step_ms));
        });
      },
      () => fail(true),
    );
    return () => {
      gone = true;
      drawn?.dispose();
    };
  }, [times, series, label]);
  if (failed) return <TimeTable {...figures} />;
  const total = series.reduce(
    (sum, { values }) => sum + values.reduce<number>((s, v) => s + Number(v ?? 0), 0),
    0,
  );
  const first = times[0];
  const last = times.at(-1);
  const span =
    first === undefined || last === undefined
      ? ""
      : `, ${bucketName(first, step_ms)} to ${bucketName(last + step_ms, step_ms)}`;
  return (
    <div
      class="chart"
      style={{ minHeight: `${height}px` }}
      ref={element}
      role="img"
      aria-label={`${label}: bars${span}, ${series.length} series, in all ${figure(total, figures.unit)}`}
    />
  );
}

/** Only buckets in which there is something. */
export function TimeTable({ label, step_ms, times, series, unit }: TimeFigures): JSX.Element {
  const rows = times
    .map((at, i) => ({ at, values: series.map(({ values }) => values[i] ?? null) }))
    .filter(({ values }) => values.some((value) => value !== null && value !== 0));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            <th scope="col">From</th>
            {series.map(({ name }) => (
              <th scope="col" class="number" key={name}>
                <Text of={name} chars={40} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ at, values }) => (
            <tr key={at}>
              <td class="when">{bucketName(at, step_ms)}</td>
              {values.map((value, i) => (
                <td class="number" key={i}>
                  {figure(value, unit)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
