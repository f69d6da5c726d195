// The ledgers that version 0.1.0 left: this version must verify, read, recover and ship them. The first spans tiles and
// snapshots; the second has a blob, sealed names and a correlation that was half full.
import { createHash } from "node:crypto";
import { chmodSync, cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
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
import { buildVerifiers, fsckAccepts, goverify, haveGo } from "./oracle.ts";

interface Fixture {
  readonly dir: string;
  readonly checkpoints: readonly string[];
  readonly entries: number;
  readonly calls: number;
  readonly results: number;
  /** What must not be in the ledger: a secret of the records, and a name that is sealed. */
  readonly absent: RegExp;
}

function fixture(name: string, checkpoints: number): Pick<Fixture, "dir" | "checkpoints"> {
  const dir = join("test/fixtures", name);
  const paths = Array.from({ length: checkpoints }, (_, n) => join(dir, "checkpoints", String(n + 1)));
  return { dir, checkpoints: paths };
}

const SECRET = /AKIAQ3EGRT7XLMVB2WNP/;
const TILES: Fixture = {
  ...fixture("ledger-0.1", 3),
  entries: 283,
  calls: 59,
  results: 58,
  absent: SECRET,
};
const STATE: Fixture = {
  ...fixture("ledger-0.1-state", 2),
  entries: 52,
  calls: 9,
  results: 4,
  absent: /AKIAQ3EGRT7XLMVB2WNP|"name":"sam"/,
};
/** Whose names are sealed in it. */
const SUBJECT = "f17726f4350a2563c7e81fc5cfd64393";
const RECORDS = 200;

/** A copy in `<home>/state`, with the modes that git does not keep. */
function copy({ dir }: Fixture): string {
  const home = newHome();
  const state = join(home, "state");
  cpSync(join(dir, "state"), state, { recursive: true });
  for (const name of readdirSync(state, { recursive: true, encoding: "utf8" })) {
    if (name.endsWith(".key")) chmodSync(join(state, name), 0o600);
  }
  for (const name of ["keys", "ledger"]) chmodSync(join(state, name), 0o700);
  return home;
}

describe.each([TILES, STATE])("$dir", (of) => {
  const { dir, entries: count } = of;

  test("it verifies, and so do the checkpoints that were kept elsewhere", async () => {
    const ledger = join(dir, "state", "ledger");
    const found = await verifyLedger(ledger, { checkpoints: of.checkpoints });
    expect(found).toMatchObject({ findings: [], unlisted: 0, entries: count, size: count });
    const kept = of.checkpoints.flatMap((path) => ["--checkpoint", path]);
    const { code, stdout } = await tapline(newHome(), ["ledger", "verify", ledger, ...kept]);
    expect(code).toBe(0);
    expect(stdout.includes("2 texts lie in blobs: each checked against its keyed digest")).toBe(of === STATE);
  });

  test("verifiers that are not ours accept it", () => {
    if (!haveGo) return;
    buildVerifiers();
    const ledger = resolve(dir, "state", "ledger");
    expect(fsckAccepts(ledger)).toBe(true);
    expect(goverify(ledger, of.checkpoints)).toBe(
      `0 verified ${count} entries and ${of.checkpoints.length} older checkpoints`,
    );
  }, 600_000);

  test("every entry is read, and fits this version's field table", async () => {
    const entries = await entriesOf(join(dir, "state", "ledger"));
    expect(entries.length).toBe(count);
    for (const entry of entries) checkDocument(entry);
    const actions = countBy(entries, "event.action");
    expect([actions.get("tool-call"), actions.get("tool-result")]).toEqual([of.calls, of.results]);
    expect(JSON.stringify(entries)).not.toMatch(of.absent);
  });

  test("its documents are shipped as they were by 0.1.0, and once", async () => {
    const home = copy(of);
    const out = join(home, "out.ndjson");
    const config = configure(home, { host: "fixture", sinks: { out: { type: "file", path: out } } });
    const replay = ["replay", "--sink", "out", "--from", "0", "-c", config, "--json"];
    expect(JSON.parse((await tapline(home, replay)).stdout)).toMatchObject({
      created: count,
      existing: 0,
      dead: 0,
    });
    const digest = createHash("sha256").update(readFileSync(out)).digest("hex");
    expect(digest).toBe(readFileSync(join(dir, "documents.sha256"), "utf8").trim());
    expect(readFileSync(out, "utf8")).toContain('"user":{"name":"sam"}');
    expect(JSON.parse((await tapline(home, replay)).stdout)).toMatchObject({ created: 0, existing: count });
  });
});

test("a run rebuilds the half full window from the snapshot and the frames after it, and the alert fires", async () => {
  const home = copy(STATE);
  const logs = join(home, "logs");
  mkdirSync(logs);
  const post = {
    ts: "2026-11-20T10:03:00.000Z",
    dir: "c2s",
    conn: "posts",
    session: "posts",
    user: "sam",
    server: { name: "board" },
    msg: { jsonrpc: "2.0", id: 3, method: "tools/call", params: { name: "post", arguments: { text: "x" } } },
  };
  writeFileSync(join(logs, "third.jsonl"), `${JSON.stringify(post)}\n`);
  const config = configure(home, {
    host: "fixture",
    bundled_rules: false,
    rules: [resolve(STATE.dir, "posts.yml")],
    sources: {
      mcp: { type: "file", include: [join(logs, "*.jsonl")], format: "mcp", capture: { identity: "sealed" } },
    },
    sinks: { documents: { type: "null" } },
  });
  const { code, stderr } = await tapline(home, ["run", "-c", config, "--once"]);
  expect([code, stderr]).toEqual([0, ""]);
  const entries = await entriesOf(join(home, "state", "ledger"));
  const alerts = actionsOf(entries.slice(STATE.entries), "rule-alert");
  expect(alerts.map((alert) => field(alert, "gen_ai.conversation.id"))).toEqual(["posts"]);
  expect(field(alerts[0]!, "tapline.alert.count")).toBe(3);
  // The same person has the same key as before.
  const subjects = actionsOf(entries, "tool-call").map(
    (entry) => String(field(entry, "user.name")).split(":")[2],
  );
  expect([...new Set(subjects)]).toEqual([SUBJECT]);
  const found = await verifyLedger(join(home, "state", "ledger"), { checkpoints: STATE.checkpoints });
  expect(found).toMatchObject({ findings: [], entries: entries.length });
});

test("a run goes on where it was killed: counters, open calls, sinks, one tree", async () => {
  const home = copy(TILES);
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
  const before = await entriesOf(join(TILES.dir, "state", "ledger"));
  expect(entries.slice(0, TILES.entries)).toEqual(before);
  const call = actionsOf(before, "tool-call").find(
    (entry) => field(entry, "gen_ai.conversation.id") === "open",
  )!;
  const [result] = actionsOf(entries.slice(TILES.entries), "tool-result");
  for (const name of ["tapline.call_key", "gen_ai.tool.name", "tapline.server.name", "gen_ai.tool.call.id"]) {
    expect(field(result!, name), name).toBe(field(call, name));
  }
  const found = await verifyLedger(join(home, "state", "ledger"), { checkpoints: TILES.checkpoints });
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
