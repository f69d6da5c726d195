// The sink of the present of incidents against a stub: what it sends, and what becomes of every answer. What a server
// makes of it is tested on real ones (test/integration/incident-state.ts).
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TaplineError } from "../../src/core/errors.ts";
import { flatten } from "../../src/core/flatten.ts";
import incidentState from "../../src/sinks/incident-state.ts";
import { sinkContract } from "../contract/sink.ts";
import {
  INCIDENT,
  type NoticeContext,
  type Receiver,
  alertEvent,
  batch,
  incidentEvent,
  incidentSeries,
  noticeContext,
  receiver,
} from "./notices.ts";

const never = new AbortController().signal;
const OTHER = "f".repeat(32);
let server: Receiver;
let context: NoticeContext;
/** Status of each item, by id of the incident; 200 for the others. */
let fates: Record<string, number>;
/** Status of a whole bulk request. */
let whole: number;
let versions: Map<string, number>;

interface Action {
  readonly index: {
    readonly _index: string;
    readonly _id: string;
    readonly version: number;
    readonly version_type: string;
  };
}

beforeEach(async () => {
  [fates, whole, versions] = [{}, 200, new Map()];
  context = noticeContext();
  server = await receiver();
  server.answer = answer;
});
afterEach(() => server.end());

function answer(response: ServerResponse): void {
  const { path, body } = server.received.at(-1)!;
  response.setHeader("content-type", "application/json");
  if (!path.startsWith("/_bulk")) response.end("{}");
  else if (whole !== 200) response.writeHead(whole).end('{"error":{"type":"no","reason":"not now"}}');
  else {
    const items = actionsOf(body).map(({ index: { _id, version } }) => {
      const old = (versions.get(_id) ?? -1) >= version;
      if (!old) versions.set(_id, version);
      const status = fates[_id] ?? (old ? 409 : 200);
      return { index: { _id, status, ...(status < 300 ? {} : { error: { type: "t", reason: "r" } }) } };
    });
    response.end(JSON.stringify({ errors: true, items }));
  }
}

function actionsOf(body: string): Action[] {
  const lines = body.trimEnd().split("\n");
  return lines.filter((_, i) => i % 2 === 0).map((line) => JSON.parse(line) as Action);
}
const documentsOf = (body: string): Record<string, unknown>[] =>
  body
    .trimEnd()
    .split("\n")
    .filter((_, i) => i % 2 === 1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const bulks = () => server.received.filter(({ path }) => path.startsWith("/_bulk"));
const sinkOf = () =>
  incidentState.create(
    incidentState.config.parse({ type: "incident-state", engine: "opensearch", url: server.url }),
    context,
  );
const other = (n: number) => incidentEvent("o", n, { "tapline.incident.id": OTHER });

sinkContract("incident-state", async () => ({
  sink: sinkOf(),
  series: incidentSeries,
  stored: undefined,
  end: async () => {},
}));

test("an incident once a batch, with its last entry as version; other entries are filtered", async () => {
  const sink = sinkOf();
  await sink.open(never);
  const ack = incidentEvent("e", 3, { "tapline.incident.transition": "acknowledged", "user.name": "ann" });
  const mapped = incidentEvent("e", 5, { "tapline.vantage": "other" });
  const result = await sink.write(
    batch([incidentEvent("e", 1), alertEvent(2), ack, other(4), mapped], 40),
    false,
    never,
  );
  expect(result).toEqual({ created: 3, existing: 0, dead: [], filtered: 2 });
  expect(bulks()).toHaveLength(1);
  const { body } = bulks()[0]!;
  expect(actionsOf(body).map(({ index }) => index)).toEqual([
    { _index: "tapline-incident-state", _id: INCIDENT, version: 42, version_type: "external" },
    { _index: "tapline-incident-state", _id: OTHER, version: 43, version_type: "external" },
  ]);
  const [document] = documentsOf(body);
  expect(document).toMatchObject({
    tapline: { incident: { status: "acknowledged", acknowledged_by: "ann" } },
  });
  await sink.close();
});

test("every field of a document is in the index's mapping", async () => {
  const sink = sinkOf();
  await sink.open(never);
  const due = new Date(Date.now() + 1_000).toISOString();
  const events = [
    incidentEvent("e", 1, {
      "tapline.backfill": true,
      "tapline.incident.rule": "session",
      "tapline.incident.alert_ids": ["a"],
      "tapline.incident.alert_count": 1,
      "tapline.incident.rules": ["R"],
      "tapline.incident.window.start": due,
      "tapline.incident.window.end": due,
      "tapline.incident.deadlines": { serious: { due, until: "reported" } },
    }),
    incidentEvent("e", 2, { "tapline.incident.transition": "acknowledged", "user.name": "ann" }),
    incidentEvent("e", 3, {
      "tapline.incident.transition": "overdue",
      "tapline.incident.deadline.name": "serious",
    }),
    incidentEvent("e", 4, {
      "tapline.incident.transition": "notified",
      "tapline.incident.notice.recipients": ["x"],
    }),
    incidentEvent("e", 5, {
      "tapline.incident.transition": "closed",
      "tapline.incident.verdict": "true_positive",
    }),
  ];
  await sink.write(batch(events), false, never);
  const [document] = documentsOf(bulks()[0]!.body);
  const path = "mappings/generated/opensearch/index-tapline-incident-state.json";
  const { mappings } = JSON.parse(readFileSync(path, "utf8")) as { mappings: { properties: Tree } };
  const known = leaves(mappings.properties);
  const names = Object.keys(flatten(document!));
  expect(names.length).toBeGreaterThan(25);
  for (const name of names) expect(known).toContain(name);
  await sink.close();
});

type Tree = { readonly [name: string]: { readonly properties?: Tree } };
const leaves = (tree: Tree, above = ""): string[] =>
  Object.entries(tree).flatMap(([name, { properties }]) =>
    properties === undefined ? [above + name] : leaves(properties, `${above}${name}.`),
  );

describe("answers", () => {
  const thrown = (work: Promise<unknown>): Promise<TaplineError> =>
    work.then(
      () => expect.fail("it does not throw"),
      (error: unknown) => error as TaplineError,
    );

  test("a document that is refused is a dead letter of each entry behind it; the others are there", async () => {
    const sink = sinkOf();
    await sink.open(never);
    fates = { [OTHER]: 400 };
    const result = await sink.write(batch([other(1), incidentEvent("e", 2), other(3)], 5), false, never);
    expect(result).toMatchObject({ created: 1, filtered: 0 });
    expect(result.dead).toEqual([
      { index: 5, id: "o-00000001", status: 400, reason: "t: r" },
      { index: 7, id: "o-00000003", status: 400, reason: "t: r" },
    ]);
    await sink.close();
  });

  test.each([429, 503])(
    "%i on an item or on all of them is tried again, and changes nothing twice",
    async (status) => {
      const sink = sinkOf();
      await sink.open(never);
      const events = batch([incidentEvent("e", 1), other(2)], 5);
      fates = { [OTHER]: status };
      expect((await thrown(sink.write(events, false, never))).retry).toBe(true);
      [fates, whole] = [{}, status];
      expect((await thrown(sink.write(events, true, never))).retry).toBe(true);
      whole = 200;
      expect(await sink.write(events, true, never)).toMatchObject({ created: 2, dead: [] });
      const [document] = documentsOf(bulks().at(-1)!.body);
      expect(document).toMatchObject({ tapline: { incident: { odd: 0 } } });
      await sink.close();
    },
  );

  test.each([
    [401, "SINK_UNAUTHORIZED"],
    [403, "SINK_FORBIDDEN"],
  ])("%i says what to do and waits", async (status, code) => {
    const sink = sinkOf();
    await sink.open(never);
    whole = status;
    const error = await thrown(sink.write(batch([incidentEvent("e", 1)]), false, never));
    expect([error.code, error.retry]).toEqual([code, true]);
    whole = 200;
    expect(await sink.write(batch([incidentEvent("e", 1)]), true, never)).toMatchObject({ created: 1 });
    await sink.close();
  });

  test("one that does not account for every document is none", async () => {
    const sink = sinkOf();
    await sink.open(never);
    server.answer = (response) => void response.end('{"errors":false,"items":[]}');
    expect((await thrown(sink.write(batch([incidentEvent("e", 1)]), false, never))).retry).toBe(true);
    server.answer = (response) => void response.end("<html>");
    expect((await thrown(sink.write(batch([incidentEvent("e", 1)]), false, never))).retry).toBe(true);
    await sink.close();
  });

  test("without the template it says to run setup", async () => {
    server.answer = (response) => void response.writeHead(404).end("{}");
    const error = await thrown(sinkOf().open(never));
    expect([error.code, error.remedy]).toEqual(["SINK_NO_TEMPLATE", "run `tapline setup`"]);
  });
});

test("at the start everything of the ledger is put, and what comes goes on from it", async () => {
  const early = incidentEvent("e", 1);
  context.incidents = async () => [{ index: 3, step: early }];
  const sink = sinkOf();
  await sink.open(never);
  expect(actionsOf(bulks()[0]!.body).map(({ index: { version } }) => version)).toEqual([3]);
  // The first was there before the cursor; it is not applied twice.
  const close = incidentEvent("e", 2, { "tapline.incident.transition": "closed", "user.name": "bob" });
  await sink.write(batch([early, close], 3), true, never);
  const [document] = documentsOf(bulks()[1]!.body);
  expect(document).toMatchObject({ tapline: { incident: { status: "closed", odd: 0 } } });
  await sink.close();
});
