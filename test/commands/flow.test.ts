// What came in a result before a restart is recognised in a call after it: from the snapshot, and from the entries when a
// crash left none.
import { appendFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { actionsOf, configure, entriesOf, field, newHome, tapline } from "./tapline.ts";

let id = 0;
function line(session: string, dir: "c2s" | "s2c", body: object): string {
  const ts = new Date(Date.UTC(2026, 0, 1, 10, 0, id++)).toISOString();
  const msg = { jsonrpc: "2.0", id: Math.floor((id - 1) / 2), ...body };
  return `${JSON.stringify({ ts, dir, conn: session, session, server: { name: "ops" }, msg })}\n`;
}
const call = (session: string, name: string, args: object): string =>
  line(session, "c2s", { method: "tools/call", params: { name, arguments: args } });
const result = (session: string, text: string): string =>
  line(session, "s2c", { result: { content: [{ type: "text", text }] } });

const secretOf = (session: string): string =>
  `Ledger ${session}: 1,204 units of north warehouse stock were moved to bay ${session} before the March audit.`;

test.each(["snapshot", "entries"])("from the %s", async (from) => {
  const home = newHome();
  const log = join(home, "mcp.jsonl");
  const config = configure(home, {
    workers: 2,
    sources: { mcp: { type: "file", include: [log], format: "mcp" } },
    sinks: { none: { type: "null" } },
  });
  const ledger = join(home, "state", "ledger");
  const sessions = ["alpha", "beta", "gamma", "delta"];
  for (const session of sessions)
    appendFileSync(log, call(session, "read_stock", { q: "north" }) + result(session, secretOf(session)));
  expect((await tapline(home, ["run", "--once", "-c", config])).code).toBe(0);
  const read = actionsOf(await entriesOf(ledger), "tool-result");
  if (from === "entries") rmSync(join(ledger, "snapshots"), { recursive: true });
  for (const session of sessions) {
    const body = Buffer.from(secretOf(session)).toString("base64");
    appendFileSync(log, call(session, "post_message", { body }) + result(session, "ok"));
  }
  expect((await tapline(home, ["run", "--once", "-c", config])).code).toBe(0);
  const sent = actionsOf(await entriesOf(ledger), "tool-call").filter(
    (e) => field(e, "gen_ai.tool.name") === "post_message",
  );
  const fromOf = sent.map((e) => [field(e, "tapline.flow.from_event"), field(e, "tapline.flow.encoding")]);
  expect(fromOf).toEqual(read.map((e) => [field(e, "event.id"), "base64"]));
  expect(fromOf.length).toBe(4);
});
