// Controls of ISO/IEC 42001 Annex A: what events are evidence for, directly or in support, and what is not collected here. Counts
// by control, never a share of them all.
import type { JSX } from "preact";
import type { ControlList, ControlRow, ExhibitHeader } from "../../api.ts";
import { useAnswer } from "../asking.ts";
import { address } from "../client.ts";
import { count } from "../figures.ts";
import { href } from "../route.ts";
import { Exhibit } from "../ui/exhibit.tsx";
import { Page, Panel, Trouble, Waiting, useSession } from "../ui/parts.tsx";
import { Period, momentOf, periodOf } from "../ui/period.tsx";
import { Text } from "../ui/text.tsx";
import { Time } from "../ui/time.tsx";

export const USUAL = "now-90d";

const GROUPS = [
  ["direct", "Direct: the events are the evidence"],
  ["supporting", "Supporting: beside a document or process, never in its place"],
  ["none", "Not collected here: no event speaks to these"],
] as const;

export const Print = (): JSX.Element => (
  <button type="button" class="button" onClick={() => print()}>
    Print
  </button>
);

export function ControlsPage({ query }: { query: URLSearchParams }): JSX.Element {
  const { from, to, ask } = periodOf(query, USUAL);
  const answer = useAnswer<ControlList>(address(["controls"], ask));
  const { head } = useSession();
  const list = answer.value;
  const asked_at = new Date().toISOString();
  const header: Pick<ExhibitHeader, "from" | "to" | "q" | "asked_at" | "head"> = {
    from: momentOf(ask.from, "1970-01-01T00:00:00Z"),
    to: momentOf(ask.to, asked_at),
    q: "",
    asked_at,
    head,
  };
  return (
    <Page
      title="Controls"
      about="An event that is tagged with a control is about its subject. That the control is met, no event shows."
      tools={
        <>
          <Print />
          <Period from={from} to={to} usual={USUAL} />
        </>
      }
    >
      <Exhibit header={header} />
      {answer.problem !== undefined && <Trouble problem={answer.problem} again={answer.again} />}
      {list === undefined && answer.problem === undefined && <Waiting what="controls" />}
      {list !== undefined && (
        <>
          <p class="dim">
            <Text of={list.framework} chars={80} /> Annex A, ids and titles; map{" "}
            <Text of={list.map_version} chars={20} />
          </p>
          {GROUPS.map(([evidence, title]) => (
            <Panel key={evidence} title={title} flush>
              <ControlTable
                controls={list.controls.filter((control) => control.evidence === evidence)}
                none={evidence === "none"}
                label={title}
                query={query}
              />
            </Panel>
          ))}
        </>
      )}
    </Page>
  );
}

function ControlTable({
  controls,
  none,
  label,
  query,
}: {
  controls: readonly ControlRow[];
  none: boolean;
  label: string;
  query: URLSearchParams;
}): JSX.Element {
  const period = { from: query.get("from") ?? undefined, to: query.get("to") ?? undefined };
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table class="controls">
        <thead>
          <tr>
            <th scope="col">Control</th>
            <th scope="col">{none ? "What is needed in place of events" : "What events show"}</th>
            {!none && (
              <>
                <th scope="col" class="number">
                  Direct
                </th>
                <th scope="col" class="number">
                  Supporting
                </th>
                <th scope="col">Last evidence</th>
              </>
            )}
          </tr>
        </thead>
        <tbody>
          {controls.map((control) => (
            <tr key={control.id}>
              <th scope="row">
                <a href={href(["controls", control.id], period)}>{control.id}</a> {control.title}
              </th>
              <td class="dim">{control.shows}</td>
              {!none && (
                <>
                  <td class="number">{count(control.direct)}</td>
                  <td class="number">{count(control.supporting)}</td>
                  <td class="when">
                    {control.last === null ? (
                      <span class="none">none in this period</span>
                    ) : (
                      <Time at={control.last} />
                    )}
                  </td>
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
