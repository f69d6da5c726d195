// `tapline run --once` and the commands that look at what it left: positions are kept, sources and workers may change,
// the ledger verifies, the conservation law holds in numbers counted here.
import { spawnSync } from "node:child_process";
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Status } from "../../src/status.ts";
import {
  NODE,
  actionsOf,
  type Document,
  checkDocument,
  configure,
  countBy,
  countTranscript,
  documents,
  ended,
  entriesOf,
  field,
  newHome,
  start,
  tapline,
} from "./tapline.ts";

const SESSION = "sample/claude-code-session.jsonl";
const MCP = "sample/mcp-session.jsonl";
const linesOf = (path: string): number => readFileSync(path, "utf8").trimEnd().split("\n").length;

interface Told extends Status {
  readonly problems: readonly string[];
}

async function statusOf(home: string, config: string): Promise<{ code: number | null; told: Told }> {
  const { code, stdout } = await tapline(home, ["status", "-c", config, "--json"]);
  return { code, told: JSON.parse(stdout) as Told };
}

/** A home with the bundled sample in `logs`, and a configuration of two sources into a file and the store. */
function twoSources(workers = 2): { home: string; config: string; logs: string; out: string } {
  const home = newHome();
  const logs = join(home, "logs");
  mkdirSync(logs);
  copyFileSync(SESSION, join(logs, "claude.jsonl"));
  copyFileSync(MCP, join(logs, "mcp.jsonl"));
  return { home, logs, out: join(home, "out.ndjson"), config: write(home, logs, workers) };
}

function write(home: string, logs: string, workers: number): string {
  return configure(home, {
    workers,
    sources: {
      claude: { type: "file", include: [join(logs, "claude*.jsonl")] },
      mcp: { type: "file", include: [join(logs, "mcp*.jsonl")], format: "mcp" },
      nothing: { type: "file", include: [join(logs, "none*.jsonl")] },
    },
    sinks: { out: { type: "file", path: join(home, "out.ndjson") }, local: { type: "store" } },
  });
}

describe("run --once over two sources", () => {
  const { home, config, logs, out } = twoSources();
  const ledger = join(home, "state", "ledger");

  test("everything is recorded once, and the sinks have it", async () => {
    const { code, stdout, stderr } = await tapline(home, ["run", "-c", config, "--once"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/ALERT +(high|critical)/);
    const entries = await entriesOf(ledger);
    for (const entry of entries) checkDocument(entry);
    const told = /^this run +(.+)$/m
      .exec(stdout)![1]!
      .split(", ")
      .map((row) => row.split(" "));
    expect(new Map(told.map(([action, count]) => [action!, Number(count)]))).toEqual(
      countBy(entries, "event.action"),
    );
    const { calls, results } = countTranscript(readFileSync(SESSION, "utf8"));
    const of = (source: string, action: string) =>
      actionsOf(entries, action).filter((entry) => field(entry, "tapline.source") === source).length;
    expect([of("claude", "tool-call"), of("claude", "tool-result")]).toEqual([calls, results]);
    const requests = documents(readFileSync(MCP, "utf8")).filter(
      (line) => field(line, "msg.method") === "tools/call",
    );
    expect(of("mcp", "tool-call")).toBe(requests.length);
    expect(actionsOf(entries, "collector-start").length).toBe(1);
    expect(actionsOf(entries, "collector-stop").length).toBe(1);
    const [began, stopped] = [
      actionsOf(entries, "collector-start")[0]!,
      actionsOf(entries, "collector-stop")[0]!,
    ];
    const silent = (entry: Document) => field(entry, "tapline.sources.silent");
    for (const entry of [began, stopped])
      expect(field(entry, "tapline.sources.expected")).toEqual(["claude", "mcp", "nothing"]);
    expect([silent(began), silent(stopped)]).toEqual([undefined, ["nothing"]]);
    expect(field(began, "tapline.integrity.checkpoint_size")).toBe(0);
    const written = documents(readFileSync(out, "utf8"));
    expect(written.map((document) => field(document, "event.id"))).toEqual(
      entries.map((entry) => field(entry, "event.id")),
    );
    expect(written.map((document) => field(document, "event.sequence"))).toEqual(
      entries.map((_, index) => index),
    );
  });

  test("status: the law holds, with the numbers of the input", async () => {
    const { code, told } = await statusOf(home, config);
    expect([code, told.problems, told.broken, told.running]).toEqual([0, [], [], false]);
    const { tally } = told;
    expect(tally.read).toBe(linesOf(SESSION) + linesOf(MCP));
    const skipped = Object.values(tally.skipped).reduce((a, b) => a + b, 0);
    expect(tally.recorded + tally.merged + skipped).toBe(tally.read);
    const entries = await entriesOf(ledger);
    expect([told.entries, told.checkpoint_size, tally.events]).toEqual([
      entries.length,
      entries.length,
      entries.length,
    ]);
    expect(tally.alerts).toBe(actionsOf(entries, "rule-alert").length);
    for (const sink of told.sinks) {
      expect(sink.created + sink.existing + sink.dead + sink.filtered + sink.pending, sink.name).toBe(
        told.entries,
      );
      expect([sink.pending, sink.dead, sink.trouble], sink.name).toEqual([0, 0, undefined]);
    }
    const text = await tapline(home, ["status", "-c", config]);
    expect(text.code).toBe(0);
    expect(text.stdout).toContain(`records     read ${tally.read} = recorded`);
  });

  test.each([2, 1, 3])(
    "another run, with %i workers, adds no record; what was appended is added once",
    async (workers) => {
      const before = await statusOf(home, write(home, logs, workers));
      const idle = await tapline(home, ["run", "-c", config, "--once"]);
      expect([idle.code, idle.stderr]).toEqual([0, ""]);
      const after = await statusOf(home, config);
      expect(after.told.tally.read).toBe(before.told.tally.read);
      expect(after.told.sinks.every((sink) => sink.pending === 0)).toBe(true);
      const line = `${JSON.stringify({ type: "user", sessionId: "s", uuid: `u${workers}`, message: { role: "user", content: "x" } })}\n`;
      appendFileSync(join(logs, "claude.jsonl"), line);
      expect((await tapline(home, ["run", "-c", config, "--once"])).code).toBe(0);
      const last = await statusOf(home, config);
      expect([last.code, last.told.tally.read]).toEqual([0, before.told.tally.read + 1]);
      const verified = await tapline(home, ["ledger", "verify", ledger]);
      expect(verified.code).toBe(0);
      const ids = (await entriesOf(ledger)).map((entry) => field(entry, "event.id"));
      expect(new Set(ids).size).toBe(ids.length);
    },
  );

  test("a result finds its call although the process and the number of workers changed between them", async () => {
    const lines = readFileSync(MCP, "utf8").trimEnd().split("\n");
    const half = lines.findIndex((line) => line.includes("tools/call")) + 1;
    const path = join(logs, "mcp-2.jsonl");
    writeFileSync(path, `${lines.slice(0, half).join("\n")}\n`.replaceAll("sample-mcp", "second"));
    await tapline(home, ["run", "-c", write(home, logs, 1), "--once"]);
    appendFileSync(path, `${lines.slice(half).join("\n")}\n`.replaceAll("sample-mcp", "second"));
    await tapline(home, ["run", "-c", write(home, logs, 3), "--once"]);
    const entries = (await entriesOf(ledger)).filter(
      (entry) => field(entry, "gen_ai.conversation.id") === "second",
    );
    const calls = actionsOf(entries, "tool-call");
    const results = actionsOf(entries, "tool-result");
    expect(results.map((entry) => field(entry, "tapline.call_key"))).toEqual(
      calls.map((entry) => field(entry, "tapline.call_key")),
    );
    expect(results.every((entry) => typeof field(entry, "gen_ai.tool.name") === "string")).toBe(true);
  });
});

test("with no configuration and no agent it reads the bundled sample and says so; next time it goes on", async () => {
  const home = newHome();
  const first = await tapline(home, ["run", "--once"]);
  expect(first.code).toBe(0);
  expect(first.stdout).toContain("no agent on this machine: reading the bundled sample instead");
  // What the guide for analysts says that one sees.
  const guide = readFileSync("docs/guides/analyst.md", "utf8");
  const [, alerts, shipped] = /^It prints (\d+) alerts, and near its end `([^`]*)`/m.exec(guide)!;
  expect(first.stdout.match(/^ALERT /gm)!.length).toBe(Number(alerts));
  expect(first.stdout).toContain(`${shipped}\n`);
  const dir = join(home, "state-home", "tapline", "ledger");
  const calls = actionsOf(await entriesOf(dir), "tool-call").length;
  const second = await tapline(home, ["run", "--once"]);
  expect(second.stdout).toMatch(/^ledger +\S+: [1-9]\d* entries$/m);
  expect(actionsOf(await entriesOf(dir), "tool-call").length).toBe(calls);
  expect((await tapline(home, ["ledger", "verify"])).code).toBe(0);
  expect((await tapline(home, ["status"])).code).toBe(0);
});

test("PATH on the command line: a directory; one that is missing is an error of the world", async () => {
  const { home, logs } = twoSources();
  const config = configure(home, { sinks: { out: { type: "null" } } }, "bare.yml");
  expect((await tapline(home, ["run", "-c", config, "--once", logs])).code).toBe(0);
  expect((await statusOf(home, config)).told.tally.read).toBe(linesOf(SESSION) + linesOf(MCP));
  const missing = await tapline(home, ["run", "-c", config, "--once", join(home, "nowhere")]);
  expect([missing.code, missing.stderr.includes("does not exist")]).toEqual([3, true]);
});

test("a collector that is killed shows in status, and the next one goes on", async () => {
  const { home, config, logs } = twoSources();
  const collector = start(home, "run", "-c", config);
  const exit = once(collector, "exit");
  collector.stdout!.resume();
  for (let waited = 0; waited < 200; waited++) {
    await sleep(100);
    const { code, stdout } = await tapline(home, ["status", "-c", config, "--json"]);
    if (code === 0 && (JSON.parse(stdout) as Told).tally.read === linesOf(SESSION) + linesOf(MCP)) break;
  }
  const locked = await tapline(home, ["run", "-c", config, "--once"]);
  expect([locked.code, locked.stderr.includes("in use by process")]).toEqual([3, true]);
  const alive = await statusOf(home, config);
  expect([alive.code, alive.told.running, alive.told.pid]).toEqual([0, true, collector.pid]);
  collector.kill("SIGKILL");
  await exit;
  const died = await statusOf(home, config);
  expect(died.code).toBe(1);
  expect(died.told.problems).toEqual([`the collector (pid ${collector.pid}) died without stopping`]);
  const text = await tapline(home, ["status", "-c", config]);
  expect([text.code, text.stdout.includes("PROBLEM")]).toEqual([1, true]);
  expect((await tapline(home, ["run", "-c", config, "--once"])).code).toBe(0);
  const after = await statusOf(home, config);
  expect([after.code, after.told.tally.read]).toEqual([0, linesOf(SESSION) + linesOf(MCP)]);
  expect((await tapline(home, ["ledger", "verify", "-c", config])).code).toBe(0);
  expect(actionsOf(await entriesOf(join(home, "state", "ledger")), "stream-found").length).toBe(2);
  expect(logs).toContain(home);
});

test("a signal stops it cleanly, with a final checkpoint over everything", async () => {
  const { home, config } = twoSources();
  const collector = start(home, "run", "-c", config);
  collector.stdout!.on("data", (chunk: Buffer) => {
    if (chunk.toString().includes("rules ")) setTimeout(() => collector.kill("SIGTERM"), 500);
  });
  const { code, stdout } = await ended(collector);
  expect([code, stdout.includes("stopping")]).toEqual([0, true]);
  const { code: fine, told } = await statusOf(home, config);
  expect([fine, told.running, told.checkpoint_size, told.sinks.map((sink) => sink.pending)]).toEqual([
    0,
    false,
    told.entries,
    [0, 0],
  ]);
});

test("records of no format, in files of several batches, are kept by whichever of two workers has the file", async () => {
  const home = newHome();
  for (const name of ["a", "b", "c", "d"])
    writeFileSync(join(home, `${name}.log`), `{"text":"${"x".repeat(200)}"}\n`.repeat(6_000));
  const config = configure(home, {
    workers: 2,
    sources: { logs: { type: "file", include: [join(home, "*.log")], format: "unknown" } },
    sinks: { none: { type: "null" } },
  });
  const ran = await tapline(home, ["run", "-c", config, "--once"]);
  expect([ran.code, ran.stderr]).toEqual([0, expect.not.stringContaining("worker")]);
  expect((await statusOf(home, config)).told.tally).toMatchObject({ read: 24_000, recorded: 24_000 });
});

test("a sink that cannot be reached: the ledger has everything, the exit code is 3, status names it", async () => {
  const { home, logs } = twoSources();
  const config = configure(home, {
    sources: { all: { type: "file", include: [join(logs, "*.jsonl")] } },
    sinks: {
      cluster: { type: "opensearch", url: "http://127.0.0.1:1" },
      out: { type: "file", path: join(home, "out.ndjson") },
    },
  });
  expect((await tapline(home, ["run", "-c", config, "--once"])).code).toBe(3);
  const { code, told } = await statusOf(home, config);
  expect(code).toBe(1);
  const [cluster, out] = told.sinks;
  expect([cluster!.pending, out!.pending, told.tally.read]).toEqual([
    told.entries,
    0,
    linesOf(SESSION) + linesOf(MCP),
  ]);
  expect(told.problems.join()).toContain("cannot be reached");
});

test("one press of Ctrl-C is several signals, from the terminal, npm and the launcher: they are one clean stop", async () => {
  const { home, config } = twoSources();
  const child = start(home, "run", "-c", config);
  const end = ended(child);
  for (let said = ""; !said.includes("rules ");) said += String((await once(child.stdout!, "data"))[0]);
  for (const pause_ms of [0, 30, 60]) {
    await sleep(pause_ms);
    child.kill("SIGINT");
  }
  const { code, stdout } = await end;
  expect([code, stdout.match(/^stopping/gm)?.length]).toEqual([0, 1]);
  expect(actionsOf(await entriesOf(join(home, "state", "ledger")), "collector-stop").length).toBe(1);
});

test("its memory is bounded, unless somebody says otherwise", () => {
  const home = newHome();
  const look = join(home, "look.mjs");
  writeFileSync(
    look,
    'import v8 from "node:v8"; import { isMainThread } from "node:worker_threads";\n' +
      "if (isMainThread) console.error(`limit ${Math.round(v8.getHeapStatistics().heap_size_limit / 2 ** 20)} arenas ${process.env.MALLOC_ARENA_MAX}`);\n",
  );
  const run = (options: string, more: NodeJS.ProcessEnv = {}): string => {
    const { MALLOC_ARENA_MAX: _, ...plain } = process.env;
    const env = { ...plain, ...more, HOME: home, NODE_OPTIONS: `--import=${look} ${options}` };
    const config = configure(home, { workers: 1, bundled_rules: false });
    const { stderr } = spawnSync(NODE, [resolve("bin/tapline.js"), "run", "--once", "-c", config], { env });
    return stderr.toString();
  };
  const limits = (said: string): number[] =>
    [...said.matchAll(/limit (\d+)/g)].map((found) => Number(found[1]));
  const arenas = (said: string): string[] | null => said.match(/arenas \w+/g);
  const bounded = run("");
  expect(limits(bounded).at(-1)).toBeLessThan(1_300);
  expect(arenas(bounded)).toEqual(["arenas undefined", "arenas 2"]);
  const own = limits(run("--max-old-space-size=1900"));
  expect(own.length).toBe(1);
  expect(own[0]).toBeGreaterThan(1_900);
  expect(arenas(run("", { MALLOC_ARENA_MAX: "7" }))?.at(-1)).toBe("arenas 7");
});
