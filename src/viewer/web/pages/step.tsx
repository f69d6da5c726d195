// One step of a session's timeline: who did what, what came of it, how it was decided; its entry and proof on demand.
import type { ComponentChildren, JSX } from "preact";
import type { TimelineRow } from "../../api.ts";
import { href } from "../route.ts";
import { local, span } from "../time.ts";
import { Badge, Shape } from "../ui/badges.tsx";
import { fieldOf, targetOf, toolOf } from "../ui/events.tsx";
import { Text } from "../ui/text.tsx";
import { Time } from "../ui/time.tsx";

const GAP_MS = 60_000;

interface Kind {
  readonly name: string;
  readonly class: string;
  readonly shape: string;
}
const KINDS: Readonly<Record<string, Kind>> = {
  prompt: { name: "Asked", class: "said", shape: "question" },
  "model-call": { name: "Model", class: "model", shape: "ring" },
  "tool-call": { name: "Call", class: "call", shape: "dot" },
  "tool-result": { name: "Result", class: "result", shape: "half" },
  "resource-read": { name: "Read", class: "call", shape: "dot" },
  "resource-result": { name: "Result", class: "result", shape: "half" },
  "tool-call-decision": { name: "Decision", class: "decision", shape: "diamond" },
  "permission-change": { name: "Permission", class: "decision", shape: "diamond" },
  "rule-alert": { name: "Alert", class: "alert", shape: "triangle" },
  bypass: { name: "Bypass", class: "alert", shape: "octagon" },
  hole: { name: "Hole", class: "alert", shape: "octagon" },
  incident: { name: "Incident", class: "alert", shape: "octagon" },
  egress: { name: "Egress", class: "call", shape: "dot" },
  "session-start": { name: "Start", class: "", shape: "bar" },
  "session-end": { name: "End", class: "", shape: "bar" },
};

const kindOf = (action: string): Kind =>
  Object.hasOwn(KINDS, action) ? KINDS[action]! : { name: action, class: "", shape: "ring" };

function Marks({ event }: { event: TimelineRow }): JSX.Element {
  const verdict = fieldOf(event, "tapline.decision.verdict");
  const outcome = fieldOf(event, "event.outcome");
  const flow = fieldOf(event, "tapline.flow.from_tool");
  const source = fieldOf(event, "tapline.provenance.source_tool");
  const secrets = fieldOf(event, "tapline.data.secrets");
  const labels = fieldOf(event, "tapline.data.classification");
  return (
    <>
      {event.action === "rule-alert" && <Badge of={fieldOf(event, "tapline.alert.level")} />}
      {verdict !== undefined && <Badge of={verdict} />}
      {outcome !== undefined && outcome !== "unknown" && <Badge of={outcome} />}
      {event.fields["tapline.server.sanctioned"] === false && (
        <Mark class="high" shape="cross" word="Not sanctioned" />
      )}
      {secrets !== undefined && (
        <Mark class="critical" shape="octagon" word="Secret">
          <Text of={secrets} chars={60} />
        </Mark>
      )}
      {labels !== undefined && (
        <Mark class="medium" shape="diamond" word="Data">
          <Text of={labels} chars={60} />
        </Mark>
      )}
      {flow !== undefined && (
        <Mark class="high" shape="triangle" word="Content from">
          <Text of={flow} chars={60} />
        </Mark>
      )}
      {source !== undefined && (
        <Mark class="medium" shape="triangle" word="Instructed by">
          <Text of={source} chars={60} />
        </Mark>
      )}
    </>
  );
}

const Mark = ({
  class: look,
  shape,
  word,
  children,
}: {
  class: string;
  shape: string;
  word: string;
  children?: ComponentChildren;
}): JSX.Element => (
  <span class={`badge ${look}`}>
    <Shape name={shape} />
    {word}
    {children !== undefined && <> {children}</>}
  </span>
);

function What({ event }: { event: TimelineRow }): JSX.Element {
  const rule = fieldOf(event, "rule.name");
  if (event.action === "rule-alert" && rule !== undefined) {
    return (
      <a href={href(["alerts"], { status: "all", from: "all", alert: event.id })}>
        <Text of={rule} chars={160} />
      </a>
    );
  }
  // Of what is neither call nor result, the sentence says most.
  const tool = toolOf(event);
  if (!Object.hasOwn(KINDS, event.action) && event.message !== null) {
    return (
      <>
        <Text of={event.message} chars={240} />
        {tool !== undefined && (
          <span class="dim">
            <Text of={tool} chars={80} />
          </span>
        )}
      </>
    );
  }
  const target = targetOf(event);
  const model = fieldOf(event, "gen_ai.request.model");
  return (
    <>
      {tool !== undefined && <Text of={tool} chars={80} />}
      {tool === undefined && model !== undefined && <Text of={model} chars={60} />}
      {target !== undefined && (
        <span class="target mono">
          <Text of={target} chars={200} />
        </span>
      )}
      {tool === undefined && target === undefined && model === undefined && event.content === null && (
        <Text of={event.message ?? fieldOf(event, "mcp.method.name") ?? ""} chars={200} />
      )}
    </>
  );
}

/** Time that passed, where it is long enough to mean something. */
function Pause({
  before,
  event,
}: {
  before: TimelineRow | undefined;
  event: TimelineRow;
}): JSX.Element | null {
  if (before === undefined) return null;
  const passed = Date.parse(event.time) - Date.parse(before.time);
  if (local(Date.parse(event.time), "day") !== local(Date.parse(before.time), "day"))
    return <li class="pause">{local(Date.parse(event.time), "day")}</li>;
  return passed >= GAP_MS ? <li class="pause">{span(passed)} later</li> : null;
}

export function Step({
  event,
  before,
  here,
  open,
  toggle,
  children,
}: {
  event: TimelineRow;
  before: TimelineRow | undefined;
  /** The address points at it. */
  here: boolean;
  open: boolean;
  toggle: () => void;
  children: JSX.Element;
}): JSX.Element {
  const kind = kindOf(event.action);
  const vantage = fieldOf(event, "tapline.vantage");
  const told = event.action === "rule-alert" ? (event.message ?? event.content) : event.content;
  const said = told === event.message && !Object.hasOwn(KINDS, event.action) ? null : told;
  return (
    <>
      <Pause before={before} event={event} />
      <li
        id={`step-${event.index}`}
        class={`step ${kind.class}${here ? " here" : ""}${event.call !== null ? " inner" : ""}`}
      >
        <span class="when">
          <Time at={event.time} precision="clock" />
        </span>
        <span class="knot">
          <Shape name={kind.shape} />
        </span>
        <div class="told">
          <div class="first">
            <strong>
              <Text of={kind.name} chars={40} />
            </strong>
            <What event={event} />
            <Marks event={event} />
          </div>
          {said !== null && said !== "" && (
            <p class="content">
              <Text of={said} chars={400} />
            </p>
          )}
          {open && children}
        </div>
        <span class="side">
          {vantage !== undefined && (
            <span class="dim" title="Where it was seen">
              <Text of={vantage} chars={16} />
            </span>
          )}
          <a href={href(["events", String(event.index)])} title="The event by itself">
            {event.index}
          </a>
          <button type="button" class="plain screen" aria-expanded={open ? "true" : "false"} onClick={toggle}>
            {open ? "Close" : "Entry and proof"}
          </button>
        </span>
      </li>
    </>
  );
}
