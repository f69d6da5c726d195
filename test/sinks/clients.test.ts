// Both search sinks, over their official clients, against a server that misbehaves. Whatever it does: every entry
// gets one fate, nothing is lost, nothing is stored twice.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TaplineError } from "../../src/core/errors.ts";
import type { EntryBatch, Sink, WriteResult } from "../../src/core/stage.ts";
import elasticsearch from "../../src/sinks/elasticsearch.ts";
import opensearch from "../../src/sinks/opensearch.ts";
import { sinkContract } from "../contract/sink.ts";
import { expected, series, testContext } from "./batches.ts";
import { type Fault, FaultyServer, type Simple } from "./faulty-bulk.ts";

const never = new AbortController().signal;
const engines = ["elasticsearch", "opensearch"] as const;
type Engine = (typeof engines)[number];

function create(engine: Engine, url: string, more: object = {}): Sink {
  const options = { type: engine, url, timeout_s: 1, ...more };
  return engine === "elasticsearch"
    ? elasticsearch.create(elasticsearch.config.parse(options), testContext())
    : opensearch.create(opensearch.config.parse(options), testContext());
}

for (const engine of engines) {
  sinkContract(engine, async () => {
    const server = new FaultyServer(engine);
    const sink = create(engine, await server.start());
    return { sink, stored: async () => server.documents() as never, end: () => server.stop() };
  });
}

/** As the pipeline does: again, marked as resent, until it succeeds. */
async function ship(
  sink: Sink,
  batch: EntryBatch,
  between: (error: TaplineError) => void = () => {},
): Promise<WriteResult> {
  for (let resent = false; ; resent = true) {
    try {
      return await sink.write(batch, resent, never);
    } catch (error) {
      if (!(error instanceof TaplineError) || !error.retry) throw error;
      between(error);
    }
  }
}

describe.each(engines)("%s", (engine) => {
  let server: FaultyServer;
  let sink: Sink;
  let url: string;
  beforeEach(async () => {
    server = new FaultyServer(engine);
    url = await server.start();
    sink = create(engine, url);
    await sink.open(never);
  });
  afterEach(async () => {
    await sink.close();
    await server.stop();
  });

  function expectAll(batch: EntryBatch, without: readonly number[] = []): void {
    const want = expected(batch).filter((_, i) => !without.includes(batch.first + i));
    expect(server.documents().toSorted(byId)).toEqual(want.toSorted(byId));
  }

  // Requests of unknown or bad outcome: thrown to the caller, who resends.
  const whole: [Simple | number, string, created: number][] = [
    ["reset", "SINK_UNREACHABLE", 40],
    ["apply-reset", "SINK_UNREACHABLE", 0],
    ["apply-half", "SINK_UNREACHABLE", 0],
    ["never", "SINK_UNREACHABLE", 40],
    ["apply-slow", "SINK_UNREACHABLE", 0],
    ["truncated", "SINK_ANSWER", 0],
    ["html", "SINK_ANSWER", 40],
    ["short", "SINK_ANSWER", 0],
    [500, "SINK_FAILED", 40],
    [502, "SINK_FAILED", 40],
    [503, "SINK_FAILED", 40],
    [404, "SINK_FAILED", 40],
    [401, "SINK_UNAUTHORIZED", 40],
    [403, "SINK_FORBIDDEN", 40],
  ];
  test.each(whole)(
    "%s: %s, then resent without a duplicate, even after a rollover",
    async (kind, code, created) => {
      const fault: Fault =
        typeof kind === "number"
          ? { kind: "answer", status: kind, body: "<html>no</html>", type: "text/html" }
          : { kind };
      server.script.push(fault);
      const batch = series("whole", 40, 500);
      const codes: string[] = [];
      const result = await ship(sink, batch, (error) => {
        codes.push(error.code);
        server.rollover();
      });
      expect(codes).toEqual([code]);
      expect(result).toEqual({ created, existing: 40 - created, dead: [], filtered: 0 });
      expectAll(batch);
    },
  );

  test("without the lookup, a rollover between apply and resend would store twice", async () => {
    const batch = series("twice", 10);
    await sink.write(batch, false, never);
    server.rollover();
    await sink.write(batch, false, never);
    expect(server.documents().length).toBe(20);
  });

  test("every item status at once", async () => {
    const statuses = [201, 409, 429, 503, 400, 404, 200, 413];
    server.script.push({ kind: "items", status: (_, i) => statuses[i % 8]! });
    const batch = series("mix", 80, 7_000);
    const result = await sink.write(batch, false, never);
    // 404 is tried again; the endpoint never stored what it answered 200, 409 to.
    const dead = batchIndexes(batch, (i) => i % 8 === 4 || i % 8 === 7);
    expect(result.dead.map((letter) => letter.index)).toEqual(dead);
    expect(result.dead[0]).toEqual({
      index: 7_004,
      id: "mix-00007004",
      status: 400,
      reason: "test_exception: status 400",
    });
    expect(result).toMatchObject({ created: 50, existing: 10, filtered: 0 });
    expectAll(
      batch,
      batchIndexes(batch, (i) => [1, 4, 6, 7].includes(i % 8)),
    );
  });

  test("a whole 429 is waited out inside the call, without a lookup", async () => {
    const busy: Fault = {
      kind: "answer",
      status: 429,
      body: '{"error":{"type":"es_rejected_execution_exception"}}',
    };
    server.script.push(busy, busy);
    const batch = series("busy", 20);
    expect(await sink.write(batch, false, never)).toMatchObject({ created: 20 });
    expect(server.requests.filter((r) => r.endsWith("_search"))).toEqual([]);
    expectAll(batch);
  });

  test.each(["120", "Fri, 01 Jan 2100 00:00:00 GMT"])(
    "a server that says when to come back (%s) is not asked before",
    async (when) => {
      server.after = () => ({ kind: "answer", status: 429, body: "{}", retry_after: when });
      const stop = new AbortController();
      const writing = sink.write(series("later", 5), false, stop.signal);
      // Without the header it would have been asked again several times by then.
      setTimeout(() => stop.abort(), 800);
      await expect(writing).rejects.toMatchObject({ code: "SINK_STOPPED", retry: true });
      expect(server.requests.filter((r) => r.endsWith("_bulk")).length).toBe(1);
    },
  );

  test("an item that stays put off does not end until the call is stopped", async () => {
    server.after = () => ({ kind: "items", status: (_, i) => (i === 0 ? 429 : 201) });
    const stop = new AbortController();
    const writing = sink.write(series("stuck", 5), false, stop.signal);
    setTimeout(() => stop.abort(), 800);
    await expect(writing).rejects.toMatchObject({ code: "SINK_STOPPED", retry: true });
    expect(server.requests.filter((r) => r.endsWith("_bulk")).length).toBeGreaterThan(2);
  });

  test.each([413, 400])("a whole %i is halved until the item at fault stands alone", async (status) => {
    const body = status === 413 ? "<html>too large</html>" : '{"error":{"type":"x","reason":"id is bad"}}';
    server.after = () => ({ kind: "refuse", id: "half-00000013", status, body });
    const batch = series("half", 30);
    const result = await sink.write(batch, false, never);
    expect(result).toMatchObject({ created: 29, existing: 0 });
    expect(result.dead).toEqual([
      { index: 13, id: "half-00000013", status, reason: status === 413 ? body : "id is bad" },
    ]);
    expectAll(batch, [13]);
  });

  test("a request that the server does not understand is not blamed on the items", async () => {
    const body =
      '{"error":{"type":"illegal_argument_exception","reason":"request contains unrecognized parameter"}}';
    server.script.push({ kind: "answer", status: 400, body });
    await expect(sink.write(series("x", 3), false, never)).rejects.toMatchObject({
      code: "SINK_FAILED",
      retry: true,
    });
  });

  test("an answer in another order is read by id", async () => {
    server.script.push({ kind: "items", status: (_, i) => (i === 2 ? 400 : 201) });
    const batch = series("order", 6);
    await sink.write(batch, false, never);
    server.script.push({ kind: "reordered" });
    const again = await sink.write(batch, false, never);
    expect(again).toEqual({ created: 1, existing: 5, dead: [], filtered: 0 });
  });

  test("what the failure store took is a dead letter, since no search finds it", async () => {
    server.script.push({ kind: "failure-store" });
    const result = await sink.write(series("fs", 3), false, never);
    expect(result.created).toBe(0);
    expect(result.dead.map((l) => [l.status, l.reason])).toEqual(
      Array.from({ length: 3 }, () => [201, "kept in the failure store, not searchable"]),
    );
  });

  test("a missing template stops the sink and says what to do; missing index ends as a dead letter", async () => {
    server.template = false;
    const fresh = create(engine, url);
    const error: unknown = await fresh.open(never).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "SINK_NO_TEMPLATE", retry: true, remedy: "run `tapline setup`" });
    await fresh.close();
    server.script.push({ kind: "items", status: () => 404 });
    await expect(sink.write(series("nt", 3), false, never)).rejects.toMatchObject({
      code: "SINK_NO_TEMPLATE",
    });
    server.template = true;
    server.after = () => ({ kind: "items", status: (_, i) => (i === 0 ? 404 : 201) });
    const result = await sink.write(series("ni", 1), false, never);
    expect(result.dead).toMatchObject([{ status: 404, reason: "the index is missing" }]);
  });

  test("a rotated password is read again after a 401, and no message holds it", async () => {
    const dir = await mkdtemp(join(tmpdir(), "tapline-"));
    const file = join(dir, "password");
    await writeFile(file, "first-secret\n");
    const secured = create(engine, url, { username: "writer", password_file: file });
    await secured.open(never);
    server.unauthorized = true;
    const error = (await secured
      .write(series("pw", 2), false, never)
      .catch((e: unknown) => e)) as TaplineError;
    expect(error).toMatchObject({ code: "SINK_UNAUTHORIZED", retry: true });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("secret");
    await writeFile(file, "second-secret\n");
    server.unauthorized = false;
    expect(await secured.write(series("pw", 2), true, never)).toMatchObject({ created: 2 });
    expect([...server.authorizations]).toEqual([header("first-secret"), header("second-secret")]);
    await secured.close();
    await rm(dir, { recursive: true });
  });

  test("a server that is down is a retry, not a crash", async () => {
    await server.stop();
    await expect(sink.write(series("down", 2), false, never)).rejects.toMatchObject({
      code: "SINK_UNREACHABLE",
      retry: true,
    });
    await expect(create(engine, url).open(never)).rejects.toMatchObject({ code: "SINK_UNREACHABLE" });
    server = new FaultyServer(engine);
    await server.start();
  });

  test("any order of faults: created, existing and dead add up, and each document is there once", async () => {
    const simple: Simple[] = [
      "ok",
      "reset",
      "apply-reset",
      "apply-half",
      "truncated",
      "html",
      "short",
      "reordered",
    ];
    const mixed = fc.array(fc.constantFrom(201, 201, 429, 503), { minLength: 5, maxLength: 5 });
    const fault = fc.oneof(
      fc.constantFrom(...simple).map((kind): Fault => ({ kind })),
      mixed.map((codes): Fault => ({ kind: "items", status: (_, i) => codes[i % 5]! })),
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { maxLength: 4 }), fc.boolean(), async (script, rollover) => {
        server.streams.clear();
        server.script.splice(0, Infinity, ...script);
        const batch = series(`any${run++}`, 25);
        const result = await ship(sink, batch, () => rollover && server.rollover());
        expect(result.created + result.existing + result.dead.length).toBe(25);
        expectAll(batch);
      }),
      { numRuns: 25 },
    );
  });
});

const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);

function header(password: string): string {
  return `Basic ${Buffer.from(`writer:${password}`).toString("base64")}`;
}

function batchIndexes(batch: EntryBatch, want: (i: number) => boolean): number[] {
  return Array.from({ length: batch.count }, (_, i) => i)
    .filter(want)
    .map((i) => batch.first + i);
}
