// What words, figures and colours mean: the text that the dashboards of the cluster have, too.
import type { JSX } from "preact";
import type { Terms } from "../../api.ts";
import { useAnswer } from "../asking.ts";
import { address } from "../client.ts";
import { Markdown } from "../ui/markdown.tsx";
import { Page, Panel, Trouble, Waiting } from "../ui/parts.tsx";

export function TermsPage(): JSX.Element {
  const { value, problem, again } = useAnswer<Terms>(address(["terms"]));
  return (
    <Page
      title="Terms"
      about="What words, figures and colours mean, on these pages and on the dashboards of the cluster."
    >
      {problem !== undefined && <Trouble problem={problem} again={again} />}
      {value === undefined && problem === undefined && <Waiting what="the terms" />}
      {value !== undefined && (
        <Panel>
          <Markdown of={value.text} />
        </Panel>
      )}
    </Page>
  );
}
