// Follows the sessions of recorded entries again: after a crash, what flow knew since the last snapshot is rebuilt from
// the ledger. What the capture level, redaction or a bound left out of the entries is not seen. Changes no entry.
import { forEachEntry } from "../core/entry.ts";
import { type Event, newEvent } from "../core/generated/event.ts";
import { flatten } from "./document.ts";
import type { Flow } from "./flow.ts";

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
/** What the entries have that say something; their actions stand near the end. */
const SAYS = /"(?:arguments|result|messages|system_instructions)":/;

/** Takes note of the entries of a run. */
export function retrace(flow: Flow, run: Uint8Array): void {
  const bytes = Buffer.from(run.buffer, run.byteOffset, run.length);
  forEachEntry(run, (start, end) => {
    const text = bytes.toString("utf8", start, end);
    if (!SAYS.test(text)) return;
    const fields = flatten(JSON.parse(text) as object);
    const e = newEvent() as Event & Record<string, unknown>;
    for (const name of FIELDS) (e as Record<string, unknown>)[name] = fields[name];
    flow.trace(e);
  });
}
