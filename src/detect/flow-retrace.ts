// Follows the sessions of recorded entries again: after a crash, what flow knew since the last snapshot is rebuilt from
// the ledger. What the capture level, redaction or a bound left out of the entries is not seen. Changes no entry.
import { forEachEntry } from "../core/entry.ts";
import { type Event, newEvent } from "../core/generated/event.ts";
import type { Flow } from "./flow.ts";

type Nested = Record<string, unknown>;

/** All that flow looks at. */
const FIELDS = [
  "event.id",
  "event.action",
  "gen_ai.conversation.id",
  "gen_ai.tool.name",
  "gen_ai.tool.call.arguments",
  "gen_ai.tool.call.result",
  "gen_ai.input.messages",
  "gen_ai.system_instructions",
  "tapline.primary",
  "tapline.server.name",
  "tapline.tool.class",
  "tapline.text.flags",
  "network.direction",
  "file.path",
  "process.command_line",
] as const satisfies readonly (keyof Event)[];
const PATHS = FIELDS.map((name) => name.split("."));
/** What the entries have that say something; their actions stand near the end. */
const SAYS = /"(?:arguments|result|messages|system_instructions)":/;

/** Takes note of the entries of a run. */
export function retrace(flow: Flow, run: Uint8Array): void {
  const bytes = Buffer.from(run.buffer, run.byteOffset, run.length);
  forEachEntry(run, (start, end) => {
    const text = bytes.toString("utf8", start, end);
    if (!SAYS.test(text)) return;
    const document = JSON.parse(text) as Nested;
    const e = newEvent();
    for (let i = 0; i < FIELDS.length; i++)
      (e as unknown as Nested)[FIELDS[i]!] = valueAt(document, PATHS[i]!);
    flow.trace(e);
  });
}

function valueAt(document: Nested, path: readonly string[]): unknown {
  let at: unknown = document;
  for (let i = 0; i < path.length; i++) {
    if (typeof at !== "object" || at === null) return undefined;
    at = (at as Nested)[path[i]!];
  }
  return at;
}
