// Starts the application: who looks, then the frame and the page that the address names.
import { type JSX, render } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { DashboardList, Session } from "../api.ts";
import { useAnswer } from "./asking.ts";
import { address } from "./client.ts";
import { Frame } from "./frame.tsx";
import { listen } from "./keys.ts";
import { connect } from "./live.ts";
import { AlertsPage } from "./pages/alerts.tsx";
import { ControlPage } from "./pages/control.tsx";
import { ControlsPage } from "./pages/controls.tsx";
import { DashboardPage } from "./pages/dashboard.tsx";
import { EventPage } from "./pages/event.tsx";
import { EventsPage } from "./pages/events.tsx";
import { HealthPage } from "./pages/health.tsx";
import { IncidentPage } from "./pages/incident.tsx";
import { IncidentsPage } from "./pages/incidents.tsx";
import { RulePage } from "./pages/rule.tsx";
import { RulesPage } from "./pages/rules.tsx";
import { SessionPage } from "./pages/session.tsx";
import { SessionsPage } from "./pages/sessions.tsx";
import { TermsPage } from "./pages/terms.tsx";
import { type Route, href, useRoute } from "./route.ts";
import { Nothing, Page, Trouble, Waiting, Who } from "./ui/parts.tsx";

const Missing = (): JSX.Element => (
  <Page title="Nothing here">
    <Nothing title="There is no such page">
      The address may be cut short. <a href={href(["alerts"])}>Go to the alerts</a>.
    </Nothing>
  </Page>
);

function pageOf({ path, query }: Route): JSX.Element {
  const [kind = "alerts", id] = path;
  switch (kind) {
    case "alerts":
      return <AlertsPage query={query} />;
    case "events":
      return id === undefined ? <EventsPage query={query} /> : <EventPage key={id} which={id} />;
    case "sessions":
      return id === undefined ? (
        <SessionsPage query={query} />
      ) : (
        <SessionPage key={id} id={id} query={query} />
      );
    case "incidents":
      return id === undefined ? <IncidentsPage query={query} /> : <IncidentPage key={id} id={id} />;
    case "dashboards":
      return id === undefined ? <Missing /> : <DashboardPage key={id} id={id} query={query} />;
    case "controls":
      return id === undefined ? (
        <ControlsPage query={query} />
      ) : (
        <ControlPage key={id} id={id} query={query} />
      );
    case "rules":
      return id === undefined ? <RulesPage query={query} /> : <RulePage key={id} id={id} query={query} />;
    case "terms":
      return <TermsPage />;
    case "health":
      return <HealthPage />;
    default:
      return <Missing />;
  }
}

function App(): JSX.Element {
  const session = useAnswer<Session>(address(["session"]));
  const known = session.value !== undefined;
  const dashboards = useAnswer<DashboardList>(known ? address(["dashboards"]) : undefined);
  const route = useRoute();
  useEffect(() => {
    if (known) connect();
  }, [known]);
  const page = useMemo(() => pageOf(route), [route]);
  if (session.value === undefined) {
    return (
      <main class="alone" id="main">
        <h1>Tapline</h1>
        {session.problem === undefined ? (
          <Waiting what="who looks" />
        ) : (
          <Trouble problem={session.problem} again={session.again} />
        )}
      </main>
    );
  }
  return (
    <Who.Provider value={session.value}>
      <Frame path={route.path} dashboards={dashboards.value?.dashboards ?? []}>
        {page}
      </Frame>
    </Who.Provider>
  );
}

listen();
render(<App />, document.querySelector("#app")!);
