// One rule: how it is written, when it fired, on what.
import type { JSX } from "preact";
import type { RuleDetail } from "../../api.ts";
import { useAnswer } from "../asking.ts";
import { address } from "../client.ts";
import { plural } from "../figures.ts";
import { useAgain } from "../live.ts";
import { choose, href } from "../route.ts";
import { term } from "../search.ts";
import { Badge } from "../ui/badges.tsx";
import { AlertTable } from "../ui/events.tsx";
import { Nothing, Page, Panel, Trouble, Waiting } from "../ui/parts.tsx";
import { Period, periodOf } from "../ui/period.tsx";
import { Block, Text } from "../ui/text.tsx";
import { TimeChart } from "../ui/timechart.tsx";
import { USUAL } from "./rules.tsx";

export function RulePage({ id, query }: { id: string; query: URLSearchParams }): JSX.Element {
  const { from, to, ask } = periodOf(query, USUAL);
  const answer = useAnswer<RuleDetail>(address(["rules", id], ask));
  useAgain(["alerts", "changed"], answer.again, 2000);
  const period = <Period from={from} to={to} usual={USUAL} />;
  if (answer.value === undefined) {
    return (
      <Page title="Rule" tools={period}>
        {answer.problem === undefined ? (
          <Waiting what="the rule" />
        ) : (
          <Trouble problem={answer.problem} again={answer.again} />
        )}
      </Page>
    );
  }
  const { rule, source, hits, histogram } = answer.value;
  return (
    <Page
      title="Rule"
      recorded={rule.title}
      about={
        <span class="badges">
          <Badge of={rule.level} />
          <span>
            {plural(rule.hits, "hit")} in {plural(rule.sessions, "session")}
            {!rule.loaded && ", no longer in force"}
          </span>
        </span>
      }
      tools={period}
    >
      <Panel class="histogram" title="Hits over time">
        <TimeChart
          label="Hits over time"
          step_ms={histogram.step_ms}
          times={histogram.times}
          series={[{ name: "Hits", values: histogram.values }]}
          unit="number"
          height={120}
          pick={(begin, end) => choose({ from: begin, to: end }, true)}
        />
      </Panel>
      <div class="columns even">
        <Panel title="What it looks for">
          <About detail={answer.value} />
        </Panel>
        <Panel title="As it is written">
          {source === null ? (
            <Nothing title="Not loaded">
              Its hits are held, the rule is not in the set that is in force.
            </Nothing>
          ) : (
            <Block of={source} label="Rule" />
          )}
        </Panel>
      </div>
      <Panel title="Newest hits" flush>
        {hits.length === 0 ? (
          <Nothing title="No hits in this period">
            Choose a longer period, or try it: <code>tapline rules backtest</code> runs it over what was
            recorded.
          </Nothing>
        ) : (
          <AlertTable alerts={hits} label="Newest hits" />
        )}
      </Panel>
    </Page>
  );
}

/** Addresses are shown to be read, never to be followed. */
function List({ title, of }: { title: string; of: readonly string[] }): JSX.Element | null {
  if (of.length === 0) return null;
  return (
    <div>
      <h3>{title}</h3>
      <ul class="plainlist">
        {of.map((text) => (
          <li key={text}>
            <Text of={text} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function About({ detail }: { detail: RuleDetail }): JSX.Element {
  const { rule, description, false_positives, references } = detail;
  return (
    <div class="words">
      <p>
        <Text of={description ?? "The rule does not say."} chars={2000} />
      </p>
      <List title="Known false positives" of={false_positives} />
      <List title="References" of={references} />
      <List title="Techniques" of={rule.techniques} />
      <p class="inline">
        <a href={href(["alerts"], { status: "all", q: term("rule.id", rule.id) })}>Alerts of this rule</a>
      </p>
    </div>
  );
}
