// What can be said of alerts, by key or by button: at once where one word is enough, else after a dialog.
import type { JSX } from "preact";
import type { AlertAction, AlertStatus } from "../../api.ts";
import { Name, Words, actOnAlerts, verdictWords } from "../ui/acting.tsx";
import { useSession } from "../ui/parts.tsx";

export type Asked = "assign" | "note" | "suppress";

export interface Act {
  readonly key: string;
  readonly label: string;
  readonly does: () => void;
  /** Of one alert: whether it makes sense in this state. */
  readonly fits: (status: AlertStatus) => boolean;
}

const always = (): boolean => true;
const unless =
  (state: AlertStatus) =>
  (status: AlertStatus): boolean =>
    status !== state;
const over = (status: AlertStatus): boolean => status === "closed" || status === "suppressed";

/** Acts on the alerts in hand; `done` when they have been handed over. */
export function useActs(
  targets: readonly string[],
  done: () => void,
  ask: (what: Asked) => void,
): readonly Act[] {
  const act = (action: Omit<AlertAction, "alerts">, what: string): void => {
    if (targets.length === 0) return;
    void actOnAlerts({ ...action, alerts: targets }, what).then((handed) => {
      if (handed) done();
    });
  };
  const close = (verdict: "true_positive" | "false_positive"): void =>
    act(
      { transition: "closed", verdict },
      verdict === "true_positive" ? "Closed as true" : "Closed as false",
    );
  return [
    {
      key: "a",
      label: "Acknowledge",
      does: () => act({ transition: "acknowledged" }, "Acknowledged"),
      fits: (status) => status === "open",
    },
    { key: "s", label: "Assign", does: () => ask("assign"), fits: always },
    { key: "n", label: "Note", does: () => ask("note"), fits: always },
    {
      key: "t",
      label: verdictWords("true_positive"),
      does: () => close("true_positive"),
      fits: unless("closed"),
    },
    {
      key: "f",
      label: verdictWords("false_positive"),
      does: () => close("false_positive"),
      fits: unless("closed"),
    },
    { key: "u", label: "Suppress", does: () => ask("suppress"), fits: unless("suppressed") },
    {
      key: "o",
      label: "Open again",
      does: () => act({ transition: "reopened" }, "Opened again"),
      fits: over,
    },
  ];
}

const WEEK_MS = 7 * 86_400_000;
const SAME = [
  { value: "", label: "only these alerts" },
  { value: "gen_ai.conversation.id", label: "alerts of this rule in the same session, for 7 days" },
  { value: "user.name", label: "alerts of this rule for the same user, for 7 days" },
  { value: "tapline.server.name", label: "alerts of this rule on the same server, for 7 days" },
  { value: "gen_ai.tool.name", label: "alerts of this rule on the same tool, for 7 days" },
] as const;

export function Ask({
  asked,
  targets,
  done,
  close,
}: {
  asked: Asked;
  targets: readonly string[];
  done: () => void;
  close: () => void;
}): JSX.Element {
  const { user } = useSession();
  const send = (action: Omit<AlertAction, "alerts">, what: string, leave: boolean): void =>
    void actOnAlerts({ ...action, alerts: targets }, what).then((handed) => {
      if (handed && leave) done();
    });
  if (asked === "assign") {
    return (
      <Name
        mine={user.name}
        close={close}
        done={(assignee) =>
          send(
            { transition: "assigned", assignee },
            assignee === "" ? "Assignment taken back" : "Assigned",
            false,
          )
        }
      />
    );
  }
  if (asked === "note") {
    return (
      <Words
        title="Note"
        label="What others should know"
        needed
        close={close}
        done={(note) => send({ transition: "noted", note }, "Noted", false)}
      />
    );
  }
  return (
    <Words
      title="Suppress"
      label="Why"
      needed
      choices={SAME}
      close={close}
      done={(note, choice) => {
        const same = SAME.find(({ value }) => value === choice)?.value ?? "";
        const until = new Date(Date.now() + WEEK_MS).toISOString();
        send({ transition: "suppressed", note, ...(same === "" ? {} : { same, until }) }, "Suppressed", true);
      }}
    />
  );
}
