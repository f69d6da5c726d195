// Detection rules with their hits, and one rule: how it is written, when it fired, on what.
import type { JSX } from "preact";
import type { RuleList, RuleRow } from "../../api.ts";
import { useAnswer } from "../asking.ts";
import { address } from "../client.ts";
import { count, plural } from "../figures.ts";
import { useAgain } from "../live.ts";
import { choose, href } from "../route.ts";
import { Badge } from "../ui/badges.tsx";
import { Nothing, Page, Panel, Trouble, Waiting } from "../ui/parts.tsx";
import { Period, periodOf } from "../ui/period.tsx";
import { Text } from "../ui/text.tsx";
import { Time } from "../ui/time.tsx";

export const USUAL = "now-30d";

export function RulesPage({ query }: { query: URLSearchParams }): JSX.Element {
  const { from, to, ask } = periodOf(query, USUAL);
  const answer = useAnswer<RuleList>(address(["rules"], ask));
  useAgain(["alerts"], answer.again, 2000);
  const find = (query.get("find") ?? "").toLowerCase();
  const all = answer.value?.rules ?? [];
  const rules = all.filter(({ title, techniques }) =>
    `${title} ${techniques.join(" ")}`.toLowerCase().includes(find),
  );
  return (
    <Page
      title="Rules"
      about={
        answer.value === undefined ? undefined : (
          <>
            {plural(all.filter(({ loaded }) => loaded).length, "rule")} in force, rule set{" "}
            <span class="mono">
              <Text of={answer.value.ruleset} chars={19} />
            </span>
          </>
        )
      }
      tools={<Period from={from} to={to} usual={USUAL} />}
    >
      <div class="bar screen">
        <label>
          Find
          <input
            data-search
            value={query.get("find") ?? ""}
            onInput={(event) => choose({ find: event.currentTarget.value })}
            placeholder="title or technique"
          />
        </label>
      </div>
      {answer.problem !== undefined && <Trouble problem={answer.problem} again={answer.again} />}
      {answer.value === undefined && answer.problem === undefined && <Waiting what="rules" />}
      {answer.value !== undefined && (
        <Panel flush>
          {rules.length === 0 ? (
            <Nothing title="No rule like that">
              <code>tapline rules list</code> shows those that are loaded; <code>rules:</code> of the
              configuration names where they are.
            </Nothing>
          ) : (
            <RuleTable rules={rules} query={query} />
          )}
        </Panel>
      )}
    </Page>
  );
}

function RuleTable({ rules, query }: { rules: readonly RuleRow[]; query: URLSearchParams }): JSX.Element {
  const period = { from: query.get("from") ?? undefined, to: query.get("to") ?? undefined };
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Rules">
      <table>
        <thead>
          <tr>
            <th scope="col">Level</th>
            <th scope="col">Rule</th>
            <th scope="col">Techniques</th>
            <th scope="col" class="number">
              Hits
            </th>
            <th scope="col" class="number">
              Sessions
            </th>
            <th scope="col">Last hit</th>
          </tr>
        </thead>
        <tbody>
          {rules.map((rule) => (
            <tr key={rule.id}>
              <td>
                <Badge of={rule.level} />
              </td>
              <td>
                <a href={href(["rules", rule.id], period)}>
                  <Text of={rule.title} chars={160} />
                </a>
                {!rule.loaded && <span class="dim"> (no longer in force)</span>}
              </td>
              <td class="dim">
                <Text of={rule.techniques.join(", ")} chars={80} />
              </td>
              <td class="number">{count(rule.hits)}</td>
              <td class="number">{count(rule.sessions)}</td>
              <td class="when">
                <Time at={rule.last ?? undefined} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
