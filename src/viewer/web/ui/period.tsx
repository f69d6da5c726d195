// Choosing a period. Relative ones stay relative in the address; absolute ones are entered in the reader's zone and kept in UTC.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { choose } from "../route.ts";
import { ZONE, local, utc } from "../time.ts";
import { Dialog } from "./parts.tsx";

const PRESETS = [
  ["now-1h", "Last hour"],
  ["now-24h", "Last 24 hours"],
  ["now-7d", "Last 7 days"],
  ["now-30d", "Last 30 days"],
  ["now-90d", "Last 90 days"],
  ["all", "All that is held"],
] as const;

const OWN = "own";

/** For `datetime-local`, in the reader's zone. */
function field(at: string | undefined): string {
  const ms = Date.parse(at ?? "");
  return Number.isNaN(ms) ? "" : local(ms).replace(" ", "T");
}
const stored = (entered: string): string => (entered === "" ? "" : utc(new Date(entered).getTime()));

const pointName = (at: string, none: string): string =>
  at === "" ? none : at.startsWith("now") ? at : local(Date.parse(at));

function nameOf(from: string, to: string): string {
  return `${pointName(from, "the beginning")} to ${pointName(to, "now")}`;
}

export function Period({
  from,
  to,
  usual,
}: {
  from: string;
  to: string;
  /** What applies when the address names none. */
  usual: string;
}): JSX.Element {
  const [open, set] = useState(false);
  const preset = to === "" && PRESETS.some(([value]) => value === from) ? from : OWN;
  const picked = (value: string): void => {
    if (value === OWN) set(true);
    else choose({ from: value === usual ? "" : value, to: "", after: "" }, true);
  };
  return (
    <>
      <label>
        Period
        <select value={preset} onChange={(event) => picked(event.currentTarget.value)}>
          {PRESETS.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
          <option value={OWN}>{preset === OWN ? nameOf(from, to) : "From … to …"}</option>
        </select>
      </label>
      {preset === OWN && (
        <button type="button" class="button" onClick={() => set(true)}>
          Change
        </button>
      )}
      {open && <Own from={from} to={to} close={() => set(false)} />}
    </>
  );
}

function Own({ from, to, close }: { from: string; to: string; close: () => void }): JSX.Element {
  const [begin, setBegin] = useState(field(from));
  const [end, setEnd] = useState(field(to));
  const wrong = begin !== "" && end !== "" && begin >= end;
  return (
    <Dialog title="Period" close={close}>
      <form
        method="dialog"
        onSubmit={() => {
          if (!wrong) choose({ from: stored(begin) || "all", to: stored(end) }, true);
        }}
      >
        <h2>Period, in {ZONE}</h2>
        <label>
          From
          <input
            type="datetime-local"
            step="1"
            value={begin}
            onInput={(event) => setBegin(event.currentTarget.value)}
          />
        </label>
        <label>
          To, not included; empty means now
          <input
            type="datetime-local"
            step="1"
            value={end}
            onInput={(event) => setEnd(event.currentTarget.value)}
          />
        </label>
        {wrong && <p role="alert">The end has to come after the beginning.</p>}
        <div class="tools">
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="button main" disabled={wrong}>
            Show
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Of the address: what the server is asked for. `all` asks without a beginning. */
export function periodOf(
  query: URLSearchParams,
  usual: string,
): {
  readonly from: string;
  readonly to: string;
  readonly ask: { readonly from: string | undefined; readonly to: string | undefined };
} {
  const from = query.get("from") ?? usual;
  const to = query.get("to") ?? "";
  return { from, to, ask: { from: from === "all" ? undefined : from, to: to === "" ? undefined : to } };
}

const SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  y: 31_536_000,
};

/** A relative time as the moment that it is now, for the heads of pages. */
export function momentOf(text: string | undefined, none: string): string {
  if (text === undefined) return none;
  const found = /^now(?:-(\d+)([smhdwy]))?$/.exec(text);
  if (found === null) return text;
  const seconds = Number(found[1] ?? 0) * (SECONDS[found[2] ?? "s"] ?? 1);
  return new Date(Date.now() - seconds * 1000).toISOString();
}
