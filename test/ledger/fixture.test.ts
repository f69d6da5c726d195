// The ledger that version 0.1.0 left: this version must verify, read, recover and ship it.
import { createHash } from "node:crypto";
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { verifyLedger } from "../../src/ledger/verify.ts";
import type { Status } from "../../src/status.ts";
import { openStore } from "../../src/store/reader.ts";
import {
  actionsOf,
  checkDocument,
  configure,
  countBy,
  entriesOf,
  field,
  newHome,
  tapline,
} from "../commands/tapline.ts";

const FIXTURE = "test/fixtures/ledger-0.1";
const CHECKPOINTS = [1, 2, 3].map((n) => join(FIXTURE, "checkpoints", String(n)));
const ENTRIES = 283;
const RECORDS = 200;

/** A copy in `<home>/state`, with the modes that git does not keep. */
function copy(): string {
  const home = newHome();
  cpSync(join(FIXTURE, "state"), join(home, "state"), { recursive: true });
  for (const path of ["keys", "ledger"]) chmodSync(join(home, "state", path), 0o700);
  for (const path of ["keys/digest.key", "ledger/ledger.key"]) chmodSync(join(home, "state", path), 0o600);
  return home;
}

test("it verifies, and so do the checkpoints that were kept elsewhere", async () => {
  const dir = join(FIXTURE, "state", "ledger");
  const found = await verifyLedger(dir, { checkpoints: CHECKPOINTS });
  expect(found).toMatchObject({ findings: [], unlisted: 0, entries: ENTRIES, size: ENTRIES });
  const { code } = await tapline(newHome(), [
    "ledger",
    "verify",
    dir,
    ...CHECKPOINTS.flatMap((path) => ["--checkpoint", path]),
  ]);
  expect(code).toBe(0);
});

test("every entry is read, and fits this version's field table", async () => {
  const entries = await entriesOf(join(FIXTURE, "state", "ledger"));
  expect(entries.length).toBe(ENTRIES);
  for (const entry of entries) checkDocument(entry);
  const actions = countBy(entries, "event.action");
  expect([actions.get("tool-call"), actions.get("tool-result")]).toEqual([59, 58]);
  expect(JSON.stringify(entries)).not.toMatch(/AKIAQ3EGRT7XLMVB2WNP/);
});

test("its documents are shipped as they were by 0.1.0, and once", async () => {
  const home = copy();
  const out = join(home, "out.ndjson");
  const config = configure(home, { host: "fixture", sinks: { out: { type: "file", path: out } } });
  const replay = ["replay", "--sink", "out", "--from", "0", "-c", config, "--json"];
  expect(JSON.parse((await tapline(home, replay)).stdout)).toMatchObject({
    created: ENTRIES,
    existing: 0,
    dead: 0,
  });
  const digest = createHash("sha256").update(readFileSync(out)).digest("hex");
  expect(digest).toBe(readFileSync(join(FIXTURE, "documents.sha256"), "utf8").trim());
  expect(JSON.parse((await tapline(home, replay)).stdout)).toMatchObject({ created: 0, existing: ENTRIES });
});

test("a run goes on where it was killed: counters, open calls, sinks, one tree", async () => {
  const home = copy();
  const logs = join(home, "logs");
  mkdirSync(logs);
  const sample = readFileSync("sample/mcp-session.jsonl", "utf8").trimEnd().split("\n");
  const rest = sample.slice(5).map((line) => `${line.replaceAll("sample-mcp", "open")}\n`);
  writeFileSync(join(logs, "mcp-rest.jsonl"), rest.join(""));
  const config = configure(home, {
    host: "fixture",
    sources: { mcp: { type: "file", include: [join(logs, "*.jsonl")], format: "mcp" } },
    sinks: { documents: { type: "null" }, local: { type: "store" } },
  });
  const { code, stderr } = await tapline(home, ["run", "-c", config, "--once"]);
  expect([code, stderr]).toEqual([0, ""]);

  const entries = await entriesOf(join(home, "state", "ledger"));
  const before = await entriesOf(join(FIXTURE, "state", "ledger"));
  expect(entries.slice(0, ENTRIES)).toEqual(before);
  const call = actionsOf(before, "tool-call").find(
    (entry) => field(entry, "gen_ai.conversation.id") === "open",
  )!;
  const [result] = actionsOf(entries.slice(ENTRIES), "tool-result");
  for (const name of ["tapline.call_key", "gen_ai.tool.name", "tapline.server.name", "gen_ai.tool.call.id"]) {
    expect(field(result!, name), name).toBe(field(call, name));
  }
  const found = await verifyLedger(join(home, "state", "ledger"), { checkpoints: CHECKPOINTS });
  expect(found).toMatchObject({ findings: [], entries: entries.length });

  const status = await tapline(home, ["status", "-c", config, "--json"]);
  expect(status.code).toBe(0);
  const { tally, sinks } = JSON.parse(status.stdout) as Status;
  expect(tally.read).toBe(RECORDS + rest.length);
  expect(tally.events).toBe(entries.length);
  // The sink of 0.1.0 goes on at its cursor, the new one takes everything.
  const shipped = entries.length;
  expect(sinks).toMatchObject([
    { name: "documents", created: shipped, pending: 0 },
    { name: "local", created: shipped, pending: 0 },
  ]);
  const store = await openStore(join(home, "state", "local"));
  const [row] = (await store.query(`SELECT count(*) AS n FROM events`)) as { n: bigint }[];
  await store.close();
  expect(Number(row!.n)).toBe(entries.length);
});
