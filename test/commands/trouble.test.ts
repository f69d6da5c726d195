// What goes wrong beside a collector and after it: dead letters that were replayed, a file with two writers, a sink in
// short trouble, blobs that were changed in place.
import { existsSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { Status } from "../../src/status.ts";
import { FaultyServer } from "../sinks/faulty-bulk.ts";
import { configure, entriesOf, newHome, start, tapline } from "./tapline.ts";

const SAMPLE = { type: "file", include: [join(process.cwd(), "sample/*.jsonl")] };

async function server(): Promise<{ faulty: FaultyServer; url: string }> {
  const faulty = new FaultyServer("opensearch");
  const url = await faulty.start();
  onTestFinished(() => faulty.stop());
  return { faulty, url };
}

async function sinkOf(home: string, config: string): Promise<Status["sinks"][number] & { entries: number }> {
  const { stdout } = await tapline(home, ["status", "-c", config, "--json"]);
  const status = JSON.parse(stdout) as Status;
  return { ...status.sinks[0]!, entries: status.entries };
}

test("status: a dead letter that was replayed is no dead letter any more, and the sum holds", async () => {
  const home = newHome();
  const { faulty, url } = await server();
  const config = configure(home, {
    sources: { sample: SAMPLE },
    sinks: { cluster: { type: "opensearch", url } },
  });
  let refused = 3;
  faulty.after = () => ({ kind: "items", status: () => (refused-- > 0 ? 400 : 201) });
  const ran = await tapline(home, ["run", "-c", config, "--once"]);
  expect([ran.code, ran.stdout]).toEqual([0, expect.stringMatching(/^sink .* entries, 3 refused: see/m)]);
  const sum = (sink: Awaited<ReturnType<typeof sinkOf>>): number =>
    sink.created + sink.existing + sink.dead + sink.replayed + sink.filtered + sink.pending;
  const before = await sinkOf(home, config);
  expect([before.dead, before.replayed, sum(before)]).toEqual([3, 0, before.entries]);
  refused = 1;
  const replayed = await tapline(home, ["dlq", "replay", "--sink", "cluster", "-c", config]);
  expect(replayed.code).toBe(1);
  const between = await sinkOf(home, config);
  expect([between.dead, between.replayed, sum(between)]).toEqual([1, 2, between.entries]);
  expect((await tapline(home, ["dlq", "replay", "--sink", "cluster", "-c", config])).code).toBe(0);
  const after = await sinkOf(home, config);
  expect([after.dead, after.replayed, sum(after)]).toEqual([0, 3, after.entries]);
  const text = await tapline(home, ["status", "-c", config]);
  expect(text.stdout).toContain("dead letters 0 + replayed 3 + filtered 0");
});

test("datasets that a sink leaves out are counted, by a replay too, and the rest is there", async () => {
  const home = newHome();
  const { faulty, url } = await server();
  const config = configure(home, {
    sources: { sample: SAMPLE },
    sinks: { cluster: { type: "opensearch", url, leave_out: ["tapline.activity"] } },
  });
  const ran = await tapline(home, ["run", "-c", config, "--once"]);
  expect(ran.code).toBe(0);
  const entries = await entriesOf(join(home, "state", "ledger"));
  const datasets = entries.map((entry) => (entry["data_stream"] as { dataset: string }).dataset);
  const left = datasets.filter((dataset) => dataset === "tapline.activity").length;
  expect(left).toBeGreaterThan(0);
  const all = entries.length;
  expect(ran.stdout).toContain(`cluster: ${all} of ${all} entries, ${left} of them filtered\n`);
  const sink = await sinkOf(home, config);
  expect(sink).toMatchObject({ filtered: left, created: sink.entries - left, dead: 0, pending: 0 });
  expect(faulty.documents().map(({ stream }) => stream)).toEqual(
    expect.arrayContaining(datasets.filter((d) => d !== "tapline.activity").map((d) => `logs-${d}-default`)),
  );
  expect(faulty.streams.has("logs-tapline.activity-default")).toBe(false);
  const replayed = await tapline(home, ["replay", "--sink", "cluster", "--from", "0", "-c", config]);
  expect(replayed.stdout).toContain(
    `${sink.entries} entries = new 0 + there ${sink.created} + filtered ${left} + dead letters 0`,
  );
});

test("a dead letter of a dataset that is left out by now stays listed", async () => {
  const home = newHome();
  const { faulty, url } = await server();
  const configured = (leave_out: readonly string[]): string =>
    configure(home, {
      sources: { sample: SAMPLE },
      sinks: { cluster: { type: "opensearch", url, leave_out } },
    });
  let refused = 1;
  faulty.after = () => ({ kind: "items", status: () => (refused-- > 0 ? 400 : 201) });
  const config = configured([]);
  expect((await tapline(home, ["run", "-c", config, "--once"])).code).toBe(0);
  const kinds = ["activity", "alert", "audit", "decision", "incident", "integrity", "inventory"];
  configured(kinds.map((kind) => `tapline.${kind}`));
  const replay = ["dlq", "replay", "--sink", "cluster", "-c", config];
  const left = await tapline(home, replay);
  expect([left.code, left.stdout]).toEqual([1, expect.stringContaining("filtered 1 + dead letters 0")]);
  expect((await sinkOf(home, config)).dead).toBe(1);
  configured([]);
  expect((await tapline(home, replay)).code).toBe(0);
  expect((await sinkOf(home, config)).dead).toBe(0);
});

test("a replay into the file that a collector writes is refused, and says by whom; afterwards it goes", async () => {
  const home = newHome();
  const out = join(home, "out.ndjson");
  const config = configure(home, {
    sources: { sample: SAMPLE },
    sinks: { out: { type: "file", path: out } },
  });
  const collector = start(home, "run", "-c", config);
  const exit = once(collector, "exit");
  collector.stdout!.resume();
  for (let tries = 0; tries < 200 && (!existsSync(out) || statSync(out).size === 0); tries++) await sleep(50);
  const replay = ["replay", "--sink", "out", "--from", "0", "-c", config];
  const beside = await tapline(home, replay);
  expect([beside.code, beside.stderr]).toEqual([
    3,
    expect.stringContaining(`is being written by process ${collector.pid}`),
  ]);
  collector.kill("SIGTERM");
  await exit;
  expect(existsSync(`${out}.lock`)).toBe(false);
  expect((await tapline(home, replay)).code).toBe(0);
  expect(readFileSync(out, "utf8").trimEnd().split("\n").length).toBe(
    (await entriesOf(join(home, "state", "ledger"))).length,
  );
});

test("run --once waits out a sink's short trouble", async () => {
  const home = newHome();
  const { faulty, url } = await server();
  const config = configure(home, {
    sources: { sample: SAMPLE },
    sinks: { cluster: { type: "opensearch", url } },
  });
  for (let i = 0; i < 4; i++) faulty.script.push({ kind: "answer", status: 503, body: "{}" });
  const ran = await tapline(home, ["run", "-c", config, "--once"]);
  const sink = await sinkOf(home, config);
  expect([ran.code, sink.pending, sink.created, sink.trouble]).toEqual([0, 0, sink.entries, undefined]);
  expect(faulty.script).toEqual([]);
});

test("verify says how blobs were checked: by their text with the key, by length without", async () => {
  const home = newHome();
  const text = "a long text ".repeat(20_000);
  writeFileSync(
    join(home, "long.jsonl"),
    `${JSON.stringify({ session: "s", messages: [{ role: "user", content: text }] })}\n`,
  );
  const config = configure(home, {
    sources: { long: { type: "file", include: [join(home, "long.jsonl")] } },
    sinks: { out: { type: "null" } },
  });
  expect((await tapline(home, ["run", "-c", config, "--once"])).code).toBe(0);
  const verify = ["ledger", "verify", "-c", config];
  const fine = await tapline(home, verify);
  expect([fine.code, fine.stdout]).toEqual([
    0,
    expect.stringMatching(/^note {3}1 texts lie in blobs: each checked/m),
  ]);
  const blobs = join(home, "state", "ledger", "blobs");
  const [blob] = readdirSync(blobs, { recursive: true, encoding: "utf8" })
    .map((name) => join(blobs, name))
    .filter((path) => statSync(path).isFile());
  const bytes = readFileSync(blob!);
  bytes[100] = bytes[100]! ^ 1;
  writeFileSync(blob!, bytes);
  const changed = await tapline(home, verify);
  expect([changed.code, changed.stdout]).toEqual([
    1,
    expect.stringContaining("does not hold the text that it is named after"),
  ]);
  const key = join(home, "state", "keys", "digest.key");
  renameSync(key, `${key}.away`);
  const blind = await tapline(home, verify);
  expect([blind.code, blind.stdout]).toEqual([0, expect.stringContaining("the text was not checked")]);
  expect(existsSync(key)).toBe(false);
});
