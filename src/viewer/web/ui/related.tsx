// What belongs to an event or alert: other events by their relation, and what people said, in order.
import type { JSX } from "preact";
import type { AlertDetail, AlertStep } from "../../api.ts";
import { href } from "../route.ts";
import { Badge } from "../ui/badges.tsx";
import { eventHref, targetOf, toolOf } from "../ui/events.tsx";
import { Text } from "../ui/text.tsx";
import { Time } from "../ui/time.tsx";

const RELATIONS: Readonly<Record<string, string>> = {
  call: "call",
  observation: "same call, from elsewhere",
  result: "result",
  decision: "decision",
  alert: "alert",
  evidence: "event of the alert",
  cause: "cause",
  source: "where the content came from",
};

export function Related({
  detail,
}: {
  detail: Pick<AlertDetail["detail"], "related" | "related_cut">;
}): JSX.Element {
  if (detail.related.length === 0) return <p class="dim">Nothing else that is held here.</p>;
  return (
    <>
      <ul class="related">
        {detail.related.map(({ relation, event }) => (
          <li key={`${relation} ${event.index}`}>
            <a href={eventHref(event)}>
              <Text of={event.action} chars={40} /> {event.index}
            </a>{" "}
            <span class="dim">{RELATIONS[relation] ?? ""}</span>
            <div>
              <Text
                of={event.message ?? [toolOf(event), targetOf(event)].filter(Boolean).join(" ")}
                chars={200}
              />
            </div>
          </li>
        ))}
      </ul>
      {detail.related_cut && <p class="dim">There are more than these {detail.related.length}.</p>}
    </>
  );
}

export function History({ steps }: { steps: readonly AlertStep[] }): JSX.Element {
  if (steps.length === 0) return <p class="dim">Nothing yet.</p>;
  return (
    <ol class="history">
      {steps.map((step) => (
        <li key={step.index}>
          <div>
            <strong>
              <Text of={step.transition} />
            </strong>{" "}
            by <Text of={step.by} chars={60} />
            {step.assignee !== null && (
              <>
                {" "}
                to <Text of={step.assignee} chars={60} />
              </>
            )}
            {step.verdict !== null && (
              <>
                {" "}
                <Badge of={step.verdict} />
              </>
            )}
          </div>
          {step.note !== null && (
            <p>
              <Text of={step.note} chars={2000} />
            </p>
          )}
          {step.odd !== null && (
            <p class="dim">
              Changed nothing: <Text of={step.odd} />
            </p>
          )}
          <div class="dim">
            <Time at={step.at} />, <a href={href(["events", String(step.index)])}>entry {step.index}</a>
            {step.until !== null && (
              <>
                , until <Time at={step.until} />
              </>
            )}
          </div>
        </li>
      ))}
    </ol>
  );
}
