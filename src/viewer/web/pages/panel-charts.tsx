// Charts that need no library: a grid of days with shades in steps, and bars side by side. Figures stand beside or behind every
// shade, so that nothing hangs on colour.
import type { JSX } from "preact";
import type { ByLayout, PanelData, PanelLayout } from "../../api.ts";
import { type TimeFigures, count, figure } from "../figures.ts";
import { bucketName } from "../time.ts";
import { Text } from "../ui/text.tsx";
import { type Filter, Value } from "../ui/value.tsx";

const STEPS = 5;

/** 0 for nothing, else 1 to 5 of the greatest, by the square root: few and many both show. */
const stepOf = (value: number, most: number): number =>
  value <= 0 || most <= 0 ? 0 : Math.max(1, Math.ceil(Math.sqrt(value / most) * STEPS));

/** Values with a meaning have its colour on every page. */
const MEANT: Readonly<Record<string, string>> = {
  success: "good",
  allow: "good",
  failure: "critical",
  deny: "critical",
  unknown: "medium",
  ask: "medium",
};
const partOf = (key: string, i: number): string => `part-${Object.hasOwn(MEANT, key) ? MEANT[key] : i % 6}`;

const num = (value: unknown): number => (typeof value === "number" ? value : 0);

export function Heat({
  by,
  filter,
  ...figures
}: TimeFigures & { by: ByLayout | null; filter: Filter }): JSX.Element {
  const { label, step_ms, times, series, unit } = figures;
  const most = Math.max(...series.flatMap(({ values }) => values.map(num)));
  const begin = times[0];
  const end = times.at(-1);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table class="heat">
        <thead>
          <tr>
            <th scope="col">{by?.label ?? ""}</th>
            <th scope="col" class="days">
              {begin !== undefined && end !== undefined && (
                <span>
                  <span>{bucketName(begin, step_ms)}</span>
                  <span>{bucketName(end, step_ms)}</span>
                </span>
              )}
            </th>
            <th scope="col" class="number">
              In all
            </th>
          </tr>
        </thead>
        <tbody>
          {series.map(({ name, values }) => (
            <tr key={name}>
              <th scope="row">
                <Value of={name} field={by?.field ?? null} filter={filter} />
              </th>
              <td class="days">
                <svg
                  viewBox={`0 0 ${values.length} 1`}
                  preserveAspectRatio="none"
                  role="img"
                  aria-label={`${values.filter((value) => num(value) > 0).length} of ${values.length} with something`}
                >
                  {values.map((value, i) => (
                    <rect
                      key={i}
                      x={i + 0.04}
                      y="0"
                      width="0.92"
                      height="1"
                      class={`shade-${stepOf(num(value), most)}`}
                    >
                      <title>{`${bucketName(times[i] ?? 0, step_ms)}: ${figure(value, unit)}`}</title>
                    </rect>
                  ))}
                </svg>
              </td>
              <td class="number">
                {figure(
                  values.reduce<number>((sum, value) => sum + num(value), 0),
                  unit,
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Bars({
  panel,
  data,
  filter,
}: {
  panel: Extract<PanelLayout, { kind: "bar" }>;
  data: Extract<PanelData, { kind: "bar" }>;
  filter: Filter;
}): JSX.Element {
  const most = Math.max(1, ...data.bars.map(({ value }) => num(value)));
  const parts = [...new Set(data.bars.flatMap((bar) => bar.parts.map(({ key }) => String(key))))];
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={panel.title}>
      {parts.length > 0 && <Legend parts={parts} />}
      <table class="bars">
        <thead class="hidden">
          <tr>
            <th scope="col">{panel.by.label}</th>
            <th scope="col">Bar</th>
            <th scope="col">{panel.metric.label}</th>
          </tr>
        </thead>
        <tbody>
          {data.bars.map((bar) => {
            let at = 0;
            const pieces = bar.parts.length > 0 ? bar.parts : [{ key: bar.key, value: bar.value }];
            return (
              <tr key={String(bar.key)}>
                <th scope="row">
                  <Value of={bar.key} field={panel.by.field} filter={filter} />
                </th>
                <td class="days">
                  <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
                    {pieces.map(({ key, value }) => {
                      const width = (num(value) / most) * 100;
                      const x = at;
                      at += width;
                      const part = parts.indexOf(String(key));
                      return (
                        <rect
                          key={String(key)}
                          x={x}
                          width={width}
                          height="1"
                          class={partOf(String(key), Math.max(0, part))}
                        />
                      );
                    })}
                  </svg>
                </td>
                <td class="number">{figure(bar.value, panel.metric.unit)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {data.more > 0 && <p class="more dim">and {count(data.more)} more</p>}
    </div>
  );
}

const Legend = ({ parts }: { parts: readonly string[] }): JSX.Element => (
  <ul class="legend">
    {parts.map((part, i) => (
      <li key={part}>
        <svg width="10" height="10" aria-hidden="true">
          <rect width="10" height="10" class={partOf(part, i)} />
        </svg>{" "}
        <Text of={part} chars={40} />
      </li>
    ))}
  </ul>
);
