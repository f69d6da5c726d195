// What a page says of itself, so that printed it is an exhibit: whose events, which period in which zone, which filters, what of
// the ledger was asked and what a checkpoint covers.
import type { JSX } from "preact";
import type { ExhibitHeader, Head } from "../../api.ts";
import { count } from "../figures.ts";
import { offsetOf, utc, zoneText } from "../time.ts";
import { useSession } from "./parts.tsx";
import { Text } from "./text.tsx";
import { Time } from "./time.tsx";

export interface Exhibited {
  readonly header: Pick<ExhibitHeader, "from" | "to" | "q" | "asked_at" | "head"> &
    Partial<Pick<ExhibitHeader, "shown" | "host">>;
}

export function Checkpoint({ head }: { head: Head }): JSX.Element {
  if (head.covered === 0 || head.root === null)
    return <>none yet: {count(head.entries)} entries, none of them covered</>;
  return (
    <>
      covers {count(head.covered)} of {count(head.entries)} entries, root{" "}
      <span class="mono">
        <Text of={head.root} />
      </span>
    </>
  );
}

/** `when` is the moment for which the zone is named. */
export function Exhibit({ header, filters }: Exhibited & { filters?: string | undefined }): JSX.Element {
  const session = useSession();
  const asked = Date.parse(header.asked_at);
  const q = [header.q, filters].filter((text) => text !== undefined && text !== "").join(" ");
  return (
    <dl class="exhibit" aria-label="What this page shows">
      <div>
        <dt>Scope</dt>
        <dd>
          host <Text of={header.host ?? session.host} />, namespace <Text of={session.namespace} />
          {header.shown !== undefined && <>, entries 0 to {count(Math.max(0, header.shown - 1))}</>}
        </dd>
      </div>
      <div>
        <dt>Period</dt>
        <dd>
          {Date.parse(header.from) <= 0 ? "the beginning" : <Time at={header.from} />} to{" "}
          <Time at={header.to} />
        </dd>
      </div>
      <div>
        <dt>Time zone</dt>
        <dd>{zoneText(asked)}</dd>
      </div>
      <div>
        <dt>Filters</dt>
        <dd>{q === "" ? "none" : <Text of={q} />}</dd>
      </div>
      <div class="wide">
        <dt>Checkpoint</dt>
        <dd>
          <Text of={header.head.origin ?? "no ledger"} />, <Checkpoint head={header.head} />
        </dd>
      </div>
      <div class="paper">
        <dt>Made</dt>
        <dd>
          {utc(asked)} ({offsetOf(asked)}) for <Text of={session.user.name} />, Tapline {session.version}
        </dd>
      </div>
    </dl>
  );
}
