// What an owner says of an incident, by key or by button.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { IncidentAction, IncidentRow } from "../../api.ts";
import { useKeys } from "../keys.ts";
import { Words, submit, verdictWords } from "../ui/acting.tsx";
import { useOwner } from "../ui/parts.tsx";

type Asking = "noted" | "notified" | "closed" | undefined;

export function Actions({ incident }: { incident: IncidentRow }): JSX.Element | null {
  const owner = useOwner();
  const [asking, ask] = useState<Asking>(undefined);
  const say = (action: IncidentAction, what: string): void =>
    void submit(["incidents", incident.id], action, what);
  const open = incident.status === "open";
  const closed = incident.status === "closed";
  const acts = [
    {
      key: "a",
      label: "Acknowledge",
      does: () => say({ transition: "acknowledged" }, "Acknowledged"),
      fits: open,
    },
    { key: "n", label: "Note", does: () => ask("noted"), fits: true },
    { key: "m", label: "Record a notification", does: () => ask("notified"), fits: true },
    { key: "c", label: "Close", does: () => ask("closed"), fits: !closed },
    {
      key: "o",
      label: "Open again",
      does: () => say({ transition: "reopened" }, "Opened again"),
      fits: closed,
    },
  ].filter(({ fits }) => fits);
  useKeys("Incident", owner ? acts.map(({ key, label, does }) => ({ key, says: label, does })) : []);
  if (!owner) return null;
  return (
    <div class="acts screen" role="group" aria-label="For this incident">
      {acts.map(({ key, label, does }) => (
        <button type="button" class="button" key={key} onClick={does} aria-keyshortcuts={key}>
          {label} <kbd aria-hidden="true">{key}</kbd>
        </button>
      ))}
      {asking !== undefined && (
        <Ask asking={asking} incident={incident} say={say} close={() => ask(undefined)} />
      )}
    </div>
  );
}

function Ask({
  asking,
  incident,
  say,
  close,
}: {
  asking: Asking;
  incident: IncidentRow;
  say: (action: IncidentAction, what: string) => void;
  close: () => void;
}): JSX.Element {
  if (asking === "notified") return <Notified incident={incident} say={say} close={close} />;
  if (asking === "closed") {
    return (
      <Words
        title="Close"
        label="Why"
        needed={false}
        choices={[
          { value: "true_positive", label: verdictWords("true_positive") },
          { value: "false_positive", label: verdictWords("false_positive") },
        ]}
        close={close}
        done={(note, choice) => {
          const verdict = choice === "false_positive" ? "false_positive" : "true_positive";
          say({ transition: "closed", verdict, ...(note === "" ? {} : { note }) }, "Closed");
        }}
      />
    );
  }
  return (
    <Words
      title="Note"
      label="What others should know"
      needed
      close={close}
      done={(note) => say({ transition: "noted", note }, "Noted")}
    />
  );
}

function Notified({
  incident,
  say,
  close,
}: {
  incident: IncidentRow;
  say: (action: IncidentAction, what: string) => void;
  close: () => void;
}): JSX.Element {
  const open = incident.deadlines.filter(({ until, met_at }) => until === "reported" && met_at === null);
  return (
    <Words
      title="Record a notification"
      label="Who was told, separated by commas"
      needed
      choices={[
        { value: "", label: "no deadline" },
        ...open.map(({ name }) => ({ value: name, label: `the deadline ${name}` })),
      ]}
      close={close}
      done={(words, meets) => {
        const recipients = words
          .split(",")
          .map((one) => one.trim())
          .filter((one) => one !== "");
        say(
          { transition: "notified", recipients, ...(meets === "" ? {} : { meets }) },
          "Notification recorded",
        );
      }}
    />
  );
}
