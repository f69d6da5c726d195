// The pipeline: whether the accounts add up, how far each sink is behind, what of the ledger is covered, and what the collector
// said of its sources.
import type { JSX } from "preact";
import type { StatusAnswer } from "../../api.ts";
import { useAnswer, useNow } from "../asking.ts";
import { address } from "../client.ts";
import { bytes, count, plural } from "../figures.ts";
import { useAgain } from "../live.ts";
import { ago } from "../time.ts";
import { Holds } from "../ui/badges.tsx";
import { Checkpoint } from "../ui/exhibit.tsx";
import { Nothing, Page, Panel, Trouble, Waiting } from "../ui/parts.tsx";
import { Text } from "../ui/text.tsx";
import { Time } from "../ui/time.tsx";
import { type Json, Pairs, Sinks, list, number, object, text } from "./health-parts.tsx";

export function HealthPage(): JSX.Element {
  const answer = useAnswer<StatusAnswer>(address(["status"]));
  useAgain(["head"], answer.again, 900);
  const now = useNow(1000);
  return (
    <Page
      title="Health"
      about="What was read, where it went, and what is proven of it. Refreshed as the collector tells."
    >
      {answer.problem !== undefined && <Trouble problem={answer.problem} again={answer.again} />}
      {answer.value === undefined && answer.problem === undefined && <Waiting what="the status" />}
      {answer.value !== undefined && <Shown {...answer.value} now={now} />}
    </Page>
  );
}

function Shown({ status, head, store, now }: StatusAnswer & { now: number }): JSX.Element {
  return (
    <>
      {status === null ? (
        <Panel>
          <Nothing title="No collector has run here">
            Start one with <code>tapline run</code>. What is in the store can be looked at all the same.
          </Nothing>
        </Panel>
      ) : (
        <Collector status={status} now={now} />
      )}
      <div class="columns even">
        <Panel title="Ledger">
          <dl class="facts">
            <dt>Origin</dt>
            <dd>
              <Text of={head.origin ?? undefined} />
            </dd>
            <dt>Entries</dt>
            <dd>{count(head.entries)}</dd>
            <dt>Checkpoint</dt>
            <dd>
              <Checkpoint head={head} />
            </dd>
            <dt>Not covered yet</dt>
            <dd>{count(head.entries - head.covered)}</dd>
          </dl>
          <p class="dim">
            A change of entries below a checkpoint that somebody else holds is detected. This page holds none:
            keep copies elsewhere, and check with <code>tapline ledger verify --checkpoint FILE</code>.
          </p>
        </Panel>
        <Panel title="Store, which these pages read">
          <dl class="facts">
            <dt>In files</dt>
            <dd>
              {count(store.entries)} entries, {count(store.files)} files, {bytes(store.bytes)}
            </dd>
            <dt>Not shown yet</dt>
            <dd>
              {store.behind === 0 ? (
                <Holds good>Nothing</Holds>
              ) : (
                <>{count(store.behind)} entries: pages show them when they are in files</>
              )}
            </dd>
            <dt>Oldest event</dt>
            <dd>
              <Time at={store.oldest ?? undefined} />
            </dd>
            <dt>Newest event</dt>
            <dd>
              <Time at={store.newest ?? undefined} />
            </dd>
          </dl>
        </Panel>
      </div>
      {status !== null && <Details status={status} />}
    </>
  );
}

const Sum = ({ parts }: { parts: readonly (readonly [string, number])[] }): JSX.Element => (
  <dl class="sum">
    {parts.map(([name, value], i) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>
          {i > 0 && (
            <span class="sign" aria-hidden="true">
              {i === 1 ? "=" : "+"}
            </span>
          )}
          {count(value)}
        </dd>
      </div>
    ))}
  </dl>
);

function Collector({ status, now }: { status: Json; now: number }): JSX.Element {
  const tally = object(status["tally"]);
  const skipped = Object.entries(object(tally["skipped"])).map(([reason, n]) => [reason, number(n)] as const);
  const skips = skipped.reduce((sum, [, n]) => sum + n, 0);
  const broken = list(status["broken"]).map(text);
  const at = number(status["at_ms"]);
  return (
    <Panel
      title="Accounts of records"
      tools={
        <span class="dim">
          {status["running"] === true ? "Collector running" : "Collector stopped"}, told {ago(at, now)}
        </span>
      }
    >
      <div class="stack">
        <p>
          <Holds good={broken.length === 0}>
            {broken.length === 0 ? "The accounts add up" : "The accounts do not add up"}
          </Holds>
        </p>
        {broken.map((problem) => (
          <p key={problem}>
            <Text of={problem} />
          </p>
        ))}
        <Sum
          parts={[
            ["Read", number(tally["read"])],
            ["Recorded", number(tally["recorded"])],
            ["Merged (logged twice)", number(tally["merged"])],
            ["Skipped, by reason", skips],
          ]}
        />
        {skipped.length > 0 && (
          <p class="dim">
            Skipped:{" "}
            {skipped.map(([reason, n], i) => (
              <span key={reason}>
                {i > 0 && ", "}
                <Text of={reason} chars={60} /> {count(n)}
              </span>
            ))}
          </p>
        )}
        <p class="dim">
          Kept as they are: {count(number(tally["unparsable"]))} that could not be read,{" "}
          {plural(number(tally["gaps"]), "gap")}. {count(number(status["in_flight"]))} batches are read and
          not yet durable.
        </p>
      </div>
    </Panel>
  );
}

function Details({ status }: { status: Json }): JSX.Element {
  const sinks = list(status["sinks"]).map(object);
  const sources = Object.entries(object(status["sources"]));
  return (
    <>
      <Panel title="Sinks: in ledger = new + already there + dead letters + filtered + pending" flush>
        {sinks.length === 0 ? (
          <Nothing title="No sinks">
            Entries stay in the ledger only. Name sinks in the configuration.
          </Nothing>
        ) : (
          <Sinks sinks={sinks} />
        )}
      </Panel>
      <div class="columns even">
        <Panel title="Detection">
          <Pairs of={object(status["detection"])} />
        </Panel>
        <Panel title="Sources">
          {sources.length === 0 ? (
            <p class="dim">None tell of bounds or trouble.</p>
          ) : (
            sources.map(([name, counts]) => (
              <div key={name} class="stack">
                <h3>
                  <Text of={name} chars={80} />
                </h3>
                <Pairs of={object(counts)} />
              </div>
            ))
          )}
        </Panel>
      </div>
    </>
  );
}
