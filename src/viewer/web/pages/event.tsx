// One event: its fields, what belongs to it, the entry as it stands in the ledger, and the proof that it stands there, checked in
// this browser.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { EventDetail, Proof } from "../../api.ts";
import { useAnswer } from "../asking.ts";
import { address } from "../client.ts";
import { count } from "../figures.ts";
import { type Pair, pairsOf, useFields, valueText } from "../fields.ts";
import { type Verdict, checkProof } from "../proof.ts";
import { href } from "../route.ts";
import { term } from "../search.ts";
import { Keep } from "../ui/acting.tsx";
import { Holds } from "../ui/badges.tsx";
import { fieldOf, sessionHref } from "../ui/events.tsx";
import { Exhibit } from "../ui/exhibit.tsx";
import { Page, Panel, Trouble, Waiting, useSession } from "../ui/parts.tsx";
import { Block, Text } from "../ui/text.tsx";
import { Time } from "../ui/time.tsx";
import { Related } from "../ui/related.tsx";

export function EventPage({ which }: { which: string }): JSX.Element {
  const answer = useAnswer<EventDetail>(address(["events", which]));
  if (answer.value === undefined) {
    return (
      <Page title="Event">
        {answer.problem === undefined ? (
          <Waiting what="the event" />
        ) : (
          <Trouble problem={answer.problem} again={answer.again} />
        )}
      </Page>
    );
  }
  return <Shown detail={answer.value} />;
}

function Shown({ detail }: { detail: EventDetail }): JSX.Element {
  const { event, entry } = detail;
  const session = useSession();
  const conversation = fieldOf(event, "gen_ai.conversation.id");
  const asked_at = new Date().toISOString();
  return (
    <Page
      title={`Event ${event.index}`}
      about={
        <>
          <Text of={event.action} chars={60} /> at <Time at={event.time} precision="millisecond" />
        </>
      }
      tools={
        <>
          {conversation !== undefined && (
            <a class="button" href={`${sessionHref(conversation)}?at=${event.index}`}>
              Session
            </a>
          )}
          <Keep
            label="Evidence file"
            path={["evidence"]}
            body={{ indexes: [event.index] }}
            name={`evidence-${event.index}.json`}
          />
        </>
      }
    >
      <div class="paper">
        <Exhibit
          header={{
            from: event.time,
            to: event.time,
            q: `entry ${event.index}`,
            asked_at,
            head: session.head,
          }}
        />
      </div>
      {event.message !== null && (
        <p class="lead">
          <Text of={event.message} chars={1000} />
        </p>
      )}
      <div class="columns">
        <Panel title="Fields" flush>
          <FieldTable entry={entry} />
        </Panel>
        <div class="stack">
          <ProofPanel detail={detail} />
          <Panel title="Belongs to it">
            <Related detail={detail} />
          </Panel>
        </div>
      </div>
      <Panel title="Entry, as it stands in the ledger">
        <Block of={entry} label="Entry" />
      </Panel>
    </Page>
  );
}

function FieldTable({ entry }: { entry: string }): JSX.Element {
  const fields = useFields();
  return (
    <table class="pairs">
      <caption class="hidden">Fields of the event</caption>
      <thead class="hidden">
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Value</th>
          <th scope="col">Search</th>
        </tr>
      </thead>
      <tbody>
        {pairsOf(entry, fields).map((pair) => (
          <FieldRow key={pair.name} pair={pair} about={fields.get(pair.name)?.about} />
        ))}
      </tbody>
    </table>
  );
}

function FieldRow({ pair: { name, value }, about }: { pair: Pair; about: string | undefined }): JSX.Element {
  const simple = ["string", "number", "boolean"].includes(typeof value);
  const text = valueText(value);
  const searchable = simple && text.length <= 200 && about !== undefined;
  return (
    <tr>
      <th scope="row" class="mono" title={about}>
        <Text of={name} chars={100} />
      </th>
      <td>
        {text.length > 300 || (typeof value === "object" && text.includes("\n")) ? (
          <Block of={text} label={name} />
        ) : (
          <Text of={text} />
        )}
      </td>
      <td class="tight screen">
        {searchable && (
          <>
            <a
              href={href(["events"], { q: term(name, value as string) })}
              title="Events with this value"
              aria-label={`same ${name} in other events`}
            >
              same
            </a>{" "}
          </>
        )}
      </td>
    </tr>
  );
}

export function ProofPanel({ detail }: { detail: EventDetail }): JSX.Element {
  const { proof } = detail;
  return (
    <Panel title="Proof">
      {proof === null ? (
        <p>
          No proof yet: <Text of={detail.unproven ?? "no checkpoint covers the entry"} />. Open the page again
          when a checkpoint covers entry {detail.event.index}.
        </p>
      ) : (
        <Proven entry={detail.entry} proof={proof} />
      )}
    </Panel>
  );
}

function Proven({ entry, proof }: { entry: string; proof: Proof }): JSX.Element {
  const [verdict, set] = useState<Verdict | "failed" | undefined>(undefined);
  useEffect(() => {
    checkProof(entry, proof).then(set, () => set("failed"));
  }, [entry, proof]);
  return (
    <div class="stack">
      {verdict === undefined && <p class="dim">Checking in this browser …</p>}
      {verdict === "failed" && <p>This browser could not check it: the proof is not readable.</p>}
      {typeof verdict === "object" && (
        <ul class="checks" aria-label="Checked in this browser">
          <li>
            <Holds good={verdict.leaf}>{verdict.leaf ? "Holds" : "Does not hold"}</Holds> The entry’s hash is
            the leaf
          </li>
          <li>
            <Holds good={verdict.root}>{verdict.root ? "Holds" : "Does not hold"}</Holds> Leaf and path give
            the root
          </li>
          <li>
            <Holds good={verdict.checkpoint}>{verdict.checkpoint ? "Holds" : "Does not hold"}</Holds> The
            checkpoint names this root and size
          </li>
          <li>
            {verdict.signature === undefined ? (
              <>This browser cannot check Ed25519 signatures</>
            ) : (
              <>
                <Holds good={verdict.signature}>{verdict.signature ? "Holds" : "Does not hold"}</Holds> The
                key below signed it
              </>
            )}
          </li>
        </ul>
      )}
      <dl class="facts">
        <dt>Ledger</dt>
        <dd>
          <Text of={proof.origin} />
        </dd>
        <dt>Entry</dt>
        <dd>
          {count(proof.index)} of {count(proof.size)} that the checkpoint covers
        </dd>
        <dt>Leaf</dt>
        <dd class="mono">
          <Text of={proof.leaf} />
        </dd>
        <dt>Root</dt>
        <dd class="mono">
          <Text of={proof.root} />
        </dd>
        <dt>Key</dt>
        <dd class="mono">
          <Text of={proof.vkey} />
        </dd>
      </dl>
      <p class="dim">
        Checked in this browser, from the entry below. The key came from this server too: compare it with the
        one that you were given.
      </p>
      <details>
        <summary>Path and checkpoint</summary>
        <Block of={proof.checkpoint} label="Checkpoint" />
        <Block of={proof.path.join("\n")} label="Path, from the leaf's sibling upwards" />
      </details>
    </div>
  );
}
