// One panel of a dashboard, whatever its kind: a figure, bars over time, a grid of days, bars, a table, events, or text of ours.
// A click on a value narrows the page to it.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { PanelData, PanelLayout, Problem } from "../../api.ts";
import { type Series, type TimeFigures, count, figure } from "../figures.ts";
import { href } from "../route.ts";
import { both } from "../search.ts";
import { Keep } from "../ui/acting.tsx";
import { EventTable } from "../ui/events.tsx";
import { Markdown } from "../ui/markdown.tsx";
import { Nothing, Trouble } from "../ui/parts.tsx";
import { Time } from "../ui/time.tsx";
import { TimeChart, TimeTable } from "../ui/timechart.tsx";
import { type Filter, Value } from "../ui/value.tsx";
import { Bars, Heat } from "./panel-charts.tsx";

/** What the page asks for; a panel's own condition comes on top. */
export interface Asked {
  readonly dashboard: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly q: string;
  readonly filter: Filter;
  readonly period: (from: string, to: string) => void;
}

interface PanelProps {
  readonly panel: PanelLayout;
  readonly data: PanelData | undefined;
  readonly problem: Problem | undefined;
  readonly waiting: boolean;
  readonly asked: Asked;
  readonly height: number;
}

const COLUMNS = 48;
const CUT =
  "Cut: of some files only the 20,000 largest groups were counted. Rare values are missing, and sums are too small. A shorter period or a filter shows all.";

export function DashboardPanel({ panel, data, problem, waiting, asked, height }: PanelProps): JSX.Element {
  const [table, turn] = useState(false);
  const charted = panel.kind === "time" || panel.kind === "heat";
  const { dashboard, from, to, q } = asked;
  return (
    <section
      class={`panel kind-${panel.kind}`}
      style={{ "--wide": Math.min(COLUMNS, panel.width) }}
      aria-label={panel.title}
      id={`panel-${panel.id}`}
    >
      <div class="head">
        <h2>{panel.title}</h2>
        {panel.kind !== "text" && panel.kind !== "number" && (
          <div class="tools screen">
            {charted && (
              <button
                type="button"
                class="plain"
                aria-pressed={table ? "true" : "false"}
                onClick={() => turn(!table)}
              >
                {table ? "Chart" : "Table"}
              </button>
            )}
            <a href={href(["events"], { q: both(panel.q, q), from: from ?? "all", to })}>Events</a>
            <Keep
              label="CSV"
              path={["exports"]}
              body={{
                what: "panel",
                dashboard,
                panel: panel.id,
                from,
                to,
                q,
                tz: -new Date().getTimezoneOffset(),
              }}
              name={`${dashboard}-${panel.id}.csv`}
            />
          </div>
        )}
      </div>
      {data?.cut === true && <p class="cut">{CUT}</p>}
      {problem === undefined ? (
        <Content panel={panel} data={data} waiting={waiting} asked={asked} height={height} table={table} />
      ) : (
        <Trouble problem={problem} />
      )}
    </section>
  );
}

function Content({
  panel,
  data,
  waiting,
  asked,
  height,
  table,
}: Omit<PanelProps, "problem"> & { table: boolean }): JSX.Element {
  if (panel.kind === "text") return <Markdown of={panel.text} />;
  if (data === undefined) return <p class="waiting">{waiting ? "…" : "No answer came for this panel."}</p>;
  switch (data.kind) {
    case "number": {
      if (panel.kind !== "number") break;
      return (
        <p class="figure">
          <a href={href(["events"], { q: both(panel.q, asked.q), from: asked.from ?? "all", to: asked.to })}>
            {panel.metric.about ? "≈ " : ""}
            {figure(data.value, panel.metric.unit)}
          </a>
          <span class="dim" title={panel.metric.about ? "An estimate, within 1 in 100" : undefined}>
            {panel.metric.label}
          </span>
        </p>
      );
    }
    case "time":
    case "heat": {
      if (panel.kind !== "time" && panel.kind !== "heat") break;
      const figures: TimeFigures = {
        label: panel.title,
        step_ms: data.step_ms,
        times: data.times,
        unit: panel.metric.unit,
        series: data.series.map(({ key, other, values }): Series => ({
          name: other ? "others" : key === null ? panel.metric.label : String(key),
          values,
          colour: panel.by?.colours?.[String(key)],
        })),
      };
      if (data.series.every(({ values }) => values.every((value) => value === null || value === 0))) break;
      if (table) return <TimeTable {...figures} />;
      return data.kind === "time" ? (
        <TimeChart {...figures} height={Math.max(120, height)} pick={asked.period} />
      ) : (
        <Heat {...figures} by={panel.by} filter={asked.filter} />
      );
    }
    case "bar":
      if (panel.kind !== "bar" || data.bars.length === 0) break;
      return <Bars panel={panel} data={data} filter={asked.filter} />;
    case "table":
      if (panel.kind !== "table" || data.rows.length === 0) break;
      return <Rows panel={panel} data={data} filter={asked.filter} />;
    case "events":
      if (panel.kind !== "events" || data.events.length === 0) break;
      return (
        <EventTable
          events={data.events}
          columns={panel.columns}
          label={panel.title}
          message={panel.columns.includes("message")}
        />
      );
  }
  return <Nothing title="Nothing in this period">Choose a longer period, or take a filter away.</Nothing>;
}

function Rows({
  panel,
  data,
  filter,
}: {
  panel: Extract<PanelLayout, { kind: "table" }>;
  data: Extract<PanelData, { kind: "table" }>;
  filter: Filter;
}): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={panel.title}>
      <table>
        <thead>
          <tr>
            {panel.by.map(({ label, field }) => (
              <th scope="col" key={label} title={field ?? undefined}>
                {label}
              </th>
            ))}
            {panel.metrics.map(({ label, about, unit }) => (
              <th
                scope="col"
                class={unit === "time" ? "" : "number"}
                key={label}
                title={about ? "Within 1 in 100" : undefined}
              >
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.rows.map((row, r) => (
            <tr key={r}>
              {row.keys.map((key, k) => (
                <td key={k}>
                  <Value of={key} field={panel.by[k]?.field ?? null} filter={filter} />
                </td>
              ))}
              {row.values.map((value, v) => {
                const unit = panel.metrics[v]?.unit ?? "number";
                return (
                  <td key={v} class={unit === "time" ? "when" : "number"}>
                    {unit === "time" ? <Time at={value ?? undefined} /> : figure(value, unit)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {data.more > 0 && <p class="more dim">and {count(data.more)} more</p>}
    </div>
  );
}
