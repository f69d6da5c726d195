// A dashboard: the definition's rows of panels, each shown when its figures come, under a head that says what they rest on.
import type { JSX } from "preact";
import type { DashboardLayout, DashboardLine, ExhibitHeader, PanelData, Problem } from "../../api.ts";
import { useAnswer, useLines } from "../asking.ts";
import { address } from "../client.ts";
import { choose } from "../route.ts";
import { both, term } from "../search.ts";
import { Exhibit } from "../ui/exhibit.tsx";
import { Filters, withOne } from "../ui/filters.tsx";
import { Page, Trouble, Waiting } from "../ui/parts.tsx";
import { Period, periodOf } from "../ui/period.tsx";
import { SearchBox } from "../ui/searchbox.tsx";
import { type Asked, DashboardPanel } from "./panel.tsx";

interface Figures {
  readonly header: ExhibitHeader | undefined;
  readonly panels: ReadonlyMap<string, PanelData>;
  readonly problems: ReadonlyMap<string, Problem>;
}
const NONE: Figures = { header: undefined, panels: new Map(), problems: new Map() };

function fold(figures: Figures, line: DashboardLine): Figures {
  if (line.type === "begin") return { ...figures, header: line.header };
  if (line.type === "panel")
    return { ...figures, panels: new Map(figures.panels).set(line.data.id, line.data) };
  if (line.type === "problem")
    return { ...figures, problems: new Map(figures.problems).set(line.panel, line.problem) };
  return figures;
}

export function DashboardPage({ id, query }: { id: string; query: URLSearchParams }): JSX.Element {
  const layout = useAnswer<DashboardLayout>(address(["dashboards", id]));
  if (layout.value === undefined) {
    return (
      <Page title="Dashboard">
        {layout.problem === undefined ? (
          <Waiting what="the dashboard" />
        ) : (
          <Trouble problem={layout.problem} again={layout.again} />
        )}
      </Page>
    );
  }
  return <Shown layout={layout.value} query={query} />;
}

function Shown({ layout, query }: { layout: DashboardLayout; query: URLSearchParams }): JSX.Element {
  const q = query.get("q") ?? "";
  const filters = query.getAll("filter");
  const { from, to, ask } = periodOf(query, layout.from);
  // Everything that is held has to be said: without a beginning the dashboard's own period applies.
  const begin = from === "all" ? "1970-01-01T00:00:00Z" : ask.from;
  const whole = both(q, ...filters);
  const url = address(["dashboards", layout.id, "data"], {
    from: begin,
    to: ask.to,
    q: whole,
    tz: -new Date().getTimezoneOffset(),
  });
  const within = { from: begin, to: ask.to };
  const { state, problem, waiting, again } = useLines<Figures>(url, NONE, fold);
  const asked: Asked = {
    dashboard: layout.id,
    from: begin,
    to: ask.to,
    q: whole,
    filter: (field, value) => choose({ filter: withOne(filters, term(field, value)) }, true),
    period: (begin_at, end_at) => choose({ from: begin_at, to: end_at }, true),
  };
  return (
    <Page
      title={layout.title}
      about={layout.shows}
      tools={
        <>
          <button type="button" class="button" onClick={again} disabled={waiting}>
            Ask again
          </button>
          <button type="button" class="button" onClick={() => print()}>
            Print
          </button>
          <Period from={from} to={to} usual={layout.from} />
        </>
      }
    >
      <div class="bar screen">
        <SearchBox q={q} within={within} />
        <Filters filters={filters} fields={layout.filters} within={{ ...within, q: whole }} />
      </div>
      {state.header !== undefined && <Exhibit header={state.header} />}
      {problem !== undefined && <Trouble problem={problem} again={again} />}
      {layout.rows.map((row) => (
        <div class="row" key={row.panels.map((panel) => panel.id).join(" ")}>
          {row.panels.map((panel) => (
            <DashboardPanel
              key={panel.id}
              panel={panel}
              data={state.panels.get(panel.id)}
              problem={state.problems.get(panel.id)}
              waiting={waiting}
              asked={asked}
              height={row.height * 20 - 44}
            />
          ))}
        </div>
      ))}
    </Page>
  );
}
