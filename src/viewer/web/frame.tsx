// What stands around every page: the way to the others, the state of ledger and connection, help on keys.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { DashboardInfo } from "../api.ts";
import { count } from "./figures.ts";
import { keysInForce, keysOn, setKeys, useKeys } from "./keys.ts";
import { type LiveState, pause, useLive } from "./live.ts";
import { go, href } from "./route.ts";
import { zoneText } from "./time.ts";
import { Dialog, Said, useSession } from "./ui/parts.tsx";
import { Shape } from "./ui/badges.tsx";
import { Text } from "./ui/text.tsx";

const Mark = (): JSX.Element => (
  <svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true">
    <path d="M2 6h18M11 6v8" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" fill="none" />
    <circle cx="11" cy="17" r="2.6" fill="currentColor" />
  </svg>
);

interface Place {
  readonly path: readonly string[];
  readonly label: string;
  readonly key?: string;
}
const TRIAGE: readonly Place[] = [
  { path: ["alerts"], label: "Alerts", key: "a" },
  { path: ["incidents"], label: "Incidents", key: "i" },
  { path: ["events"], label: "Events", key: "e" },
  { path: ["sessions"], label: "Sessions", key: "s" },
];
const PIPELINE: readonly Place[] = [
  { path: ["health"], label: "Health", key: "h" },
  { path: ["rules"], label: "Rules", key: "r" },
];
const CONTROLS: Place = { path: ["controls"], label: "Controls", key: "c" };

function Places({
  title,
  places,
  at,
}: {
  title: string;
  places: readonly Place[];
  at: readonly string[];
}): JSX.Element {
  const id = `nav-${title}`;
  return (
    <div>
      <h2 id={id}>{title}</h2>
      <ul aria-labelledby={id}>
        {places.map(({ path, label }) => (
          <li key={path.join("/")}>
            <a href={href(path)} aria-current={path.every((part, i) => part === at[i]) ? "page" : undefined}>
              {label}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

const LIVE: Readonly<Record<LiveState, { readonly shape: string; readonly says: string }>> = {
  live: { shape: "dot", says: "Live" },
  connecting: { shape: "half", says: "Connecting" },
  paused: { shape: "bar", says: "Paused" },
  lost: { shape: "cross", says: "Not connected" },
};

function State(): JSX.Element {
  const session = useSession();
  const live = useLive();
  const head = live.head ?? session.head;
  const collecting = live.collecting ?? session.collecting;
  const moving = live.state === "live" || live.state === "connecting";
  return (
    <div class="state">
      <div class="line">
        <span>
          <Shape name={LIVE[live.state].shape} /> {LIVE[live.state].says}
        </span>
        <button type="button" class="plain" onClick={() => pause(moving)}>
          {moving ? "Pause" : "Go on"}
        </button>
      </div>
      <dl>
        <dt>Collector</dt>
        <dd>{collecting ? "running" : "not running"}</dd>
        <dt>Entries</dt>
        <dd>{count(head.entries)}</dd>
        <dt>Covered</dt>
        <dd>{count(head.covered)}</dd>
        <dt>User</dt>
        <dd>
          <Text of={session.user.name} chars={24} />
          {session.role === "reader" && " (reads only)"}
        </dd>
      </dl>
      <p class="dim" title="Times are shown in this zone; point at one to see UTC">
        {zoneText(Date.now())}
      </p>
    </div>
  );
}

function Help({ close }: { close: () => void }): JSX.Element {
  const [on, set] = useState(keysOn);
  return (
    <Dialog title="Keys" close={close}>
      <div class="body keys">
        <h2>Keys</h2>
        {keysInForce()
          .toReversed()
          .map(({ title, keys }) => (
            <section key={title}>
              <h3>{title}</h3>
              <dl>
                {keys.map(({ key, says }) => (
                  <div key={key}>
                    <dt>
                      {key.split(" ").map((one) => (
                        <kbd key={one}>{one}</kbd>
                      ))}
                    </dt>
                    <dd>{says}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        <label class="check">
          <input
            type="checkbox"
            checked={on}
            onChange={(event) => {
              setKeys(event.currentTarget.checked);
              set(event.currentTarget.checked);
            }}
          />
          Letters act as keys
        </label>
        <div class="tools">
          <button type="button" class="button main" onClick={close}>
            Close
          </button>
        </div>
      </div>
    </Dialog>
  );
}

export function Frame({
  path,
  dashboards,
  children,
}: {
  path: readonly string[];
  dashboards: readonly DashboardInfo[];
  children: ComponentChildren;
}): JSX.Element {
  const [help, set] = useState(false);
  const at = path.length === 0 ? ["alerts"] : path;
  const evidence = [
    ...dashboards.map(({ id, short }): Place => ({ path: ["dashboards", id], label: short })),
    CONTROLS,
  ];
  const place = at.join("/");
  const first = useRef(true);
  useEffect(() => {
    // Another page is told to screen readers by moving to it; the first one opens as any page does.
    if (first.current) first.current = false;
    else document.querySelector<HTMLElement>("#main")?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [place]);
  useKeys("Everywhere", [
    { key: "?", says: "These keys", does: () => set(true) },
    {
      key: "/",
      says: "Go to the search box",
      does: () => document.querySelector<HTMLElement>("[data-search]")?.focus(),
    },
    ...[...TRIAGE, ...PIPELINE, CONTROLS].map((to) => ({
      key: `g ${to.key}`,
      says: to.label,
      does: () => go(href(to.path)),
    })),
  ]);
  return (
    <div class="frame">
      <button
        type="button"
        class="skip screen"
        onClick={() => document.querySelector<HTMLElement>("#main")?.focus()}
      >
        Skip to the page
      </button>
      <aside class="rail screen" aria-label="Tapline">
        <a class="brand" href={href(["alerts"])}>
          <Mark />
          Tapline
        </a>
        <nav aria-label="Pages">
          <Places title="Triage" places={TRIAGE} at={at} />
          <Places title="Evidence" places={evidence} at={at} />
          <Places title="Pipeline" places={PIPELINE} at={at} />
        </nav>
        <button type="button" class="plain" onClick={() => set(true)}>
          Keys <kbd>?</kbd>
        </button>
        <State />
      </aside>
      {children}
      <Said />
      {help && <Help close={() => set(false)} />}
    </div>
  );
}
