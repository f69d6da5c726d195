// Streams that name no session, end to end: a proxy's spool beside transcripts, in either order, late, over restarts;
// and the finder alone, where the order in which things are learned must not matter.
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { LIMITS } from "../src/core/limits.ts";
import type { Finding, StreamFacts } from "../src/core/stage.ts";
import { probe } from "../src/normalise/probe.ts";
import { Resolver } from "../src/resolver.ts";
import {
  type Document,
  actionsOf,
  configure,
  entriesOf,
  field,
  newHome,
  start,
  tapline,
} from "./commands/tapline.ts";

const A = "aaaaaaaa-0000-4000-8000-000000000001";
const B = "bbbbbbbb-0000-4000-8000-000000000002";
const at = (s: number): string => new Date(Date.UTC(2026, 10, 20, 10, 0, s)).toISOString();

/** A transcript with one call of an MCP tool, begun `from` seconds after ten and ended `length` later. */
function transcript(session: string, cwd: string, from: number, length: number, title: string): string {
  const common = { sessionId: session, cwd, version: "2.1.0", isSidechain: false };
  const call = {
    type: "tool_use",
    id: `toolu_${title}`,
    name: "mcp__github__create_issue",
    input: { title },
  };
  const result = { type: "tool_result", tool_use_id: call.id, content: "made" };
  return [
    { type: "user", message: { role: "user", content: "make an issue" } },
    { type: "assistant", message: { id: "m1", role: "assistant", model: "m", content: [call] } },
    { type: "user", message: { role: "user", content: [result] } },
  ]
    .map((record, i) => ({
      ...common,
      ...record,
      uuid: `${session}-${i}`,
      timestamp: at(from + (i * length) / 2),
    }))
    .map((record) => `${JSON.stringify(record)}\n`)
    .join("");
}

/** A proxy's spool of the same call; the client started at ten. */
function spool(client: object | undefined, title: string, session?: string): string {
  const server = { name: "github", transport: "stdio" };
  const line = (s: number, dir: string, msg: object): string =>
    `${JSON.stringify({ ts: at(s), dir, conn: "c1", server, client, session, msg: { jsonrpc: "2.0", ...msg } })}\n`;
  return (
    line(1, "c2s", {
      id: 0,
      method: "initialize",
      params: { protocolVersion: "2025-11-25", clientInfo: { name: "claude-code", version: "2.1.0" } },
    }) +
    line(62, "c2s", { id: 1, method: "tools/call", params: { name: "create_issue", arguments: { title } } }) +
    line(63, "s2c", { id: 1, result: { content: [{ type: "text", text: "made" }] } })
  );
}

interface Place {
  readonly home: string;
  readonly transcripts: string;
  readonly spools: string;
}

function newPlace(): Place {
  const home = newHome();
  const place = { home, transcripts: join(home, "transcripts"), spools: join(home, "spools") };
  mkdirSync(place.transcripts);
  mkdirSync(place.spools);
  return place;
}

/** The first source is looked at first. */
function config({ home, transcripts, spools }: Place, order: "transcript first" | "spool first"): string {
  const sources = [
    ["agent", { type: "file", include: [join(transcripts, "*.jsonl")], poll_ms: 50 }],
    ["proxy", { type: "spool", dir: spools, poll_ms: 50 }],
  ];
  const named = Object.fromEntries(order === "spool first" ? sources.toReversed() : sources) as object;
  return configure(home, { sources: named, sinks: { out: { type: "null" } }, bundled_rules: false });
}

const entries = async ({ home }: Place): Promise<Document[]> => entriesOf(join(home, "state", "ledger"));
const values = (all: readonly Document[], name: string): unknown[] => all.map((entry) => field(entry, name));
const fromProxy = (all: readonly Document[]): Document[] =>
  all.filter((entry) => field(entry, "tapline.vantage") === "proxy");

async function once_(place: Place, order: "transcript first" | "spool first" = "spool first"): Promise<void> {
  const ran = await tapline(place.home, ["run", "-c", config(place, order), "--once"]);
  expect([ran.code, ran.stderr]).toEqual([0, ""]);
}

const CLIENT = { name: "claude-code", pid: 4711, started: at(0) };

/** What does not depend on when and where it was read. */
function content(all: readonly Document[]): string[] {
  const names = [
    "gen_ai.conversation.id",
    "tapline.call_key",
    "tapline.session.resolved_by",
    "tapline.primary",
  ];
  return fromProxy(all)
    .map((entry) => JSON.stringify(names.map((name) => field(entry, name))))
    .toSorted();
}

describe.each(["transcript first", "spool first"] as const)("%s", (order) => {
  test("a spool without session joins the transcript of its directory, and the call counts once", async () => {
    const place = newPlace();
    writeFileSync(join(place.transcripts, `${A}.jsonl`), transcript(A, "/work/a", 60, 5, "one"));
    writeFileSync(join(place.transcripts, `${B}.jsonl`), transcript(B, "/work/b", 60, 5, "two"));
    writeFileSync(join(place.spools, "github.1.spool"), spool({ ...CLIENT, cwd: "/work/a/" }, "one"));
    await once_(place, order);
    const all = await entries(place);
    const calls = actionsOf(all, "tool-call").filter((e) => field(e, "gen_ai.conversation.id") === A);
    expect(values(calls, "tapline.vantage").toSorted()).toEqual(["proxy", "transcript"]);
    expect(new Set(values(calls, "tapline.call_key")).size).toBe(1);
    expect(values(calls, "tapline.primary").toSorted()).toEqual([false, true]);
    const proxied = fromProxy(all);
    expect(new Set(values(proxied, "gen_ai.conversation.id"))).toEqual(new Set([A]));
    expect(new Set(values(proxied, "tapline.session.resolved_by"))).toEqual(new Set(["cwd"]));
    expect(values(proxied, "process.pid").every((pid) => pid === 4711)).toBe(true);
    const own = all.filter((e) => field(e, "tapline.vantage") === "transcript");
    expect(new Set(values(own, "tapline.session.resolved_by"))).toEqual(new Set([undefined]));
  });

  test("two transcripts were active there: no join, and the events say so", async () => {
    const place = newPlace();
    for (const [id, title] of [
      [A, "one"],
      [B, "two"],
    ] as const)
      writeFileSync(join(place.transcripts, `${id}.jsonl`), transcript(id, "/work/a", 60, 5, title));
    writeFileSync(join(place.spools, "github.1.spool"), spool({ ...CLIENT, cwd: "/work/a" }, "one"));
    await once_(place, order);
    const all = await entries(place);
    const proxied = fromProxy(all);
    expect(new Set(values(proxied, "tapline.session.resolved_by"))).toEqual(new Set(["ambiguous"]));
    expect(new Set(values(proxied, "gen_ai.conversation.id"))).toEqual(
      new Set(values(proxied, "tapline.stream")),
    );
  });

  test("a process that another stream names the session of comes before the directory", async () => {
    const place = newPlace();
    writeFileSync(join(place.transcripts, `${A}.jsonl`), transcript(A, "/work/a", 60, 5, "one"));
    writeFileSync(join(place.spools, "github.1.spool"), spool({ ...CLIENT, cwd: "/work/a" }, "one"));
    writeFileSync(join(place.spools, "hook.1.spool"), spool(CLIENT, "two", B));
    await once_(place, order);
    const proxied = fromProxy(await entries(place));
    expect(new Set(values(proxied, "gen_ai.conversation.id"))).toEqual(new Set([B]));
    expect(new Set(values(proxied, "tapline.session.resolved_by"))).toEqual(new Set(["pid", undefined]));
  });
});

test("nothing to go by, or nothing there: read alone, said in the events where there was something to go by", async () => {
  const place = newPlace();
  writeFileSync(join(place.transcripts, `${A}.jsonl`), transcript(A, "/work/a", 60, 5, "one"));
  writeFileSync(join(place.spools, "bare.1.spool"), spool(undefined, "one"));
  writeFileSync(join(place.spools, "far.1.spool"), spool({ ...CLIENT, cwd: "/elsewhere" }, "one"));
  await once_(place);
  const proxied = fromProxy(await entries(place));
  expect(values(proxied, "gen_ai.conversation.id")).toEqual(values(proxied, "tapline.stream"));
  const by = new Map(
    proxied.map((e) => [field(e, "log.file.path"), field(e, "tapline.session.resolved_by")]),
  );
  expect([...by.values()].toSorted()).toEqual(["none", undefined]);
});

test("a restart goes on as it began, whatever there is by then; a new reading gives the same", async () => {
  const text = spool({ ...CLIENT, cwd: "/work/a" }, "one");
  const half = text.indexOf("\n") + 1;
  const place = newPlace();
  const path = join(place.spools, "github.1.spool");
  writeFileSync(join(place.transcripts, `${A}.jsonl`), transcript(A, "/work/a", 60, 5, "one"));
  writeFileSync(path, text.slice(0, half));
  await once_(place);
  // A second candidate turns up: what was decided stands, for the stream and for the next segment of its process.
  writeFileSync(join(place.transcripts, `${B}.jsonl`), transcript(B, "/work/a", 60, 5, "two"));
  appendFileSync(path, text.slice(half));
  writeFileSync(join(place.spools, "github.2.spool"), spool({ ...CLIENT, cwd: "/work/a" }, "three"));
  await once_(place, "transcript first");
  const all = await entries(place);
  const proxied = fromProxy(all);
  expect(proxied.length).toBe(6);
  expect(new Set(values(proxied, "gen_ai.conversation.id"))).toEqual(new Set([A]));
  expect(new Set(values(all, "event.id")).size).toBe(all.length);
  const fresh = newPlace();
  writeFileSync(join(fresh.transcripts, `${A}.jsonl`), transcript(A, "/work/a", 60, 5, "one"));
  writeFileSync(join(fresh.spools, "github.1.spool"), text);
  const first = newPlace();
  writeFileSync(join(first.transcripts, `${A}.jsonl`), transcript(A, "/work/a", 60, 5, "one"));
  writeFileSync(join(first.spools, "github.1.spool"), text);
  await once_(fresh, "transcript first");
  await once_(first, "spool first");
  expect(content(await entries(fresh)).map(shape)).toEqual(content(await entries(first)).map(shape));
});

/** Keyed digests differ between installations. */
const shape = (text: string): string => text.replaceAll(/\.[0-9a-f]{16}\./g, ".hash.");

test("a transcript that turns up later: what comes from then on joins it, on its lane, with nothing read twice", async () => {
  const place = newPlace();
  const now = new Date().toISOString();
  const client = { name: "claude-code", pid: 4711, started: now, cwd: "/work/a" };
  const lines = spool(client, "one")
    .replaceAll(/"ts":"[^"]*"/g, `"ts":"${now}"`)
    .split(/(?<=\n)/);
  const path = join(place.spools, "github.1.spool");
  writeFileSync(path, lines[0]!);
  const collector = start(place.home, "run", "-c", config(place, "transcript first"));
  const exit = once(collector, "exit");
  collector.stdout!.resume();
  const until = async (reached: (all: Document[]) => boolean): Promise<Document[]> => {
    for (let tries = 0; tries < 200; tries++) {
      await sleep(100);
      const all = await entries(place).catch(() => []);
      if (reached(all)) return all;
    }
    throw new Error("not reached");
  };
  await until((all) => fromProxy(all).length === 1);
  const text = transcript(A, "/work/a", 60, 5, "one").replaceAll(
    /"timestamp":"[^"]*"/g,
    `"timestamp":"${new Date().toISOString()}"`,
  );
  writeFileSync(join(place.transcripts, `${A}.jsonl`), text);
  await until((all) => actionsOf(all, "tool-call").length === 1);
  await sleep(LIMITS.session_quiet_ms + 1_000);
  appendFileSync(path, lines.slice(1).join(""));
  const all = await until((some) => fromProxy(some).length === 3);
  collector.kill("SIGTERM");
  await exit;
  const proxied = fromProxy(all);
  expect(values(proxied, "tapline.session.resolved_by")).toEqual(["none", "cwd", "cwd"]);
  expect(values(proxied, "gen_ai.conversation.id").slice(1)).toEqual([A, A]);
  const calls = actionsOf(all, "tool-call");
  expect(new Set(values(calls, "tapline.call_key")).size).toBe(1);
  expect(values(calls, "tapline.primary")).toEqual([true, false]);
});

describe("the finder", () => {
  const dir = mkdtempSync(join(tmpdir(), "tapline-resolver-"));
  let now = 1_000_000;
  const asked: StreamFacts = { transcript: false, pid: 7, started_ms: Date.parse(at(0)), cwd: "x" };
  function path(name: string, last: string, modified?: Date): string {
    const file = join(dir, name);
    writeFileSync(file, `${JSON.stringify({ timestamp: last })}\n{"cut`);
    if (modified !== undefined) utimesSync(file, modified, modified);
    return file;
  }
  const find = (resolver: Resolver, facts = asked): Finding => {
    now += LIMITS.session_wait_ms;
    return resolver.find(facts, now - LIMITS.session_wait_ms);
  };
  test("a transcript is a candidate when it was active at the client's start", () => {
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    const cases = [
      [at(5), at(9), "s"],
      [at(-60), at(9), "s"],
      [at(-60), at(-1), undefined],
      [at(LIMITS.session_start_ms / 1000 + 1), at(9_000), undefined],
    ] as const;
    for (const [from, last, session] of cases) {
      const resolver = new Resolver(() => now);
      resolver.learn(
        "s",
        { transcript: true, cwd: "x", from_ms: Date.parse(from) },
        path("t", last),
        undefined,
      );
      expect(find(resolver).session, `${from} to ${last}`).toBe(session);
    }
    // The file's time is no proof of activity, but its age is a proof of none.
    const resolver = new Resolver(() => now);
    const old = path("old", at(9), new Date(at(-3_600)));
    resolver.learn("s", { transcript: true, cwd: "x", from_ms: Date.parse(at(-7_200)) }, old, undefined);
    expect(find(resolver).session).toBe(undefined);
    // A branch's events go to a session of another name.
    resolver.learn(
      "b",
      { transcript: true, branch: true, cwd: "x", from_ms: Date.parse(at(1)) },
      path("b", at(9)),
      undefined,
    );
    expect(find(resolver)).toEqual({ session: undefined, by: "ambiguous", again: undefined });
  });

  test("what other streams tell of a branch goes where the branch is read", () => {
    const resolver = new Resolver(() => now);
    const [own, origin] = ["019fc8be-3658-7ca3-9e29-00000000000b", "019fc8be-3658-7ca3-9e29-00000000000a"];
    expect(resolver.placeOf(own)).toBe(own);
    const branch = { transcript: true, branch: true };
    resolver.learn(origin, branch, `/s/rollout-2026-08-03T10-48-56-${own}.jsonl`, undefined);
    resolver.learn(origin, branch, `/s/rollout-2026-08-03T10-00-00-${origin}.jsonl`, undefined);
    expect([resolver.placeOf(own), resolver.placeOf(origin)]).toEqual([origin, origin]);
    for (let i = 0; i < LIMITS.session_index; i++) {
      const id = `${String(i).padStart(8, "0")}-3658-7ca3-9e29-00000000000c`;
      resolver.learn(origin, branch, `/p/${id}.jsonl.gz`, undefined);
    }
    expect([resolver.placeOf(own), resolver.evicted]).toEqual([own, 1]);
  });

  test("it waits until nothing new was learned for a while, but not for ever", () => {
    const resolver = new Resolver(() => now);
    const since = now;
    expect(resolver.find(asked, since).again).toBe("soon");
    for (let step = 0; step < 10; step++) {
      now += LIMITS.session_quiet_ms - 1;
      if (now - since >= LIMITS.session_wait_ms) break;
      resolver.learn(`s${step}`, { transcript: true, cwd: "y" }, join(dir, "none"), undefined);
      expect(resolver.find(asked, since).again).toBe("soon");
    }
    now = since + LIMITS.session_wait_ms;
    expect(resolver.find(asked, since).again).not.toBe("soon");
  });

  test("a process seen in two sessions is no answer; another process of the same id is another process", () => {
    const resolver = new Resolver(() => now);
    resolver.learn("s", asked, "p", undefined);
    expect(resolver.find(asked, now)).toEqual({ session: "s", by: "pid", again: undefined });
    expect(find(resolver, { ...asked, started_ms: 1 }).session).toBe(undefined);
    resolver.learn("t", asked, "p", undefined);
    expect(resolver.find(asked, now)).toEqual({ session: undefined, by: "ambiguous", again: undefined });
  });

  test("what it remembers is bounded, and it counts what it forgot", () => {
    const resolver = new Resolver(() => now);
    for (let i = 0; i < LIMITS.session_index + 5; i++)
      resolver.learn(`s${i}`, { transcript: true, cwd: `d${i % 7}` }, "p", undefined);
    for (let i = 0; i < LIMITS.session_processes + 5; i++)
      resolver.learn("s", { transcript: false, pid: i + 1, started_ms: 1 }, "p", undefined);
    expect(resolver.evicted).toBe(10);
    expect(find(resolver, { transcript: false, pid: 1, started_ms: 1 }).session).toBe(undefined);
  });
});

test("what the first records of each agent's transcript tell", () => {
  const lines = (...records: object[]): Buffer =>
    Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  const sample = "sample/claude-code-session.jsonl";
  const heads: [Uint8Array, string][] = [
    [readFileSync(sample), sample],
    [
      lines({ timestamp: at(1), type: "session_meta", payload: { id: A, timestamp: at(0), cwd: "/work/a" } }),
      "/x/rollout.jsonl",
    ],
    [
      lines({
        id: "1",
        parentId: null,
        type: "session.start",
        timestamp: at(1),
        data: { sessionId: A, context: { cwd: "/work/a/" } },
      }),
      `/x/${A}/events.jsonl`,
    ],
  ];
  const facts = heads.map(([head, path]) => probe(head, path).facts);
  for (const told of facts)
    expect(told).toMatchObject({ transcript: true, cwd: expect.any(String) as string });
  expect(facts[1]).toEqual(facts[2]);
  expect(facts[1]!.from_ms).toBe(Date.parse(at(1)));
});
