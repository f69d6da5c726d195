// Two members of a group, each a collector of its own with its own ledger, against a real broker: members come, go and
// are killed while records come. Nothing is lost; no ledger has anything twice; what a crash put into two ledgers has
// the same id in both, so that a sink sees it once, and without a crash there is no such thing.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { field, tapline } from "../commands/tapline.ts";
import { GroupLag, deleteTopic, newTopic, send, startKafka } from "../kafka/topics.ts";
import { Member } from "./kafka-member.ts";

const PARTITIONS = 4;
const CHUNK = 200;
const SESSIONS = 16;
const broker = await startKafka();

interface Seen {
  readonly id: string;
  readonly n: number;
  readonly place: string;
}

/** The calls in a ledger, in order. */
async function callsOf(member: Member): Promise<Seen[]> {
  return (await member.entries())
    .filter((document) => field(document, "event.action") === "tool-call")
    .map((document) => ({
      id: String(field(document, "event.id")),
      n: Number(field(document, "jsonrpc.request.id")),
      place: `${String(field(document, "log.file.path"))}@${String(field(document, "log.offset"))}`,
    }));
}

describe.skipIf(broker === undefined)("two members of a group", () => {
  let topic: string;
  let lag: GroupLag;
  let sent = 0;
  let members: Member[] = [];
  const setUp = async (session_s: number): Promise<[Member, Member]> => {
    topic = await newTopic(broker!, PARTITIONS);
    lag = await GroupLag.open(broker!, topic, topic, PARTITIONS);
    sent = 0;
    const source = { type: "kafka", brokers: broker, topics: [topic], group: topic, format: "mcp" };
    members = ["a", "b"].map((host) => new Member(host, { ...source, session_s }));
    return members as [Member, Member];
  };
  const tearDown = async (): Promise<void> => {
    await lag.close();
    await deleteTopic(broker!, topic);
  };

  /** Calls with numbers that go on, those of a session in one partition. */
  const feed = async (chunks = 1): Promise<void> => {
    for (let chunk = 0; chunk < chunks; chunk++) {
      const messages = Array.from({ length: CHUNK }, () => {
        const id = sent++;
        const session = `session-${id % SESSIONS}`;
        const params = { name: `tool_${id % 5}`, arguments: { n: id } };
        const msg = { jsonrpc: "2.0", id, method: "tools/call", params };
        const record = { ts: "2026-11-20T10:00:00.000Z", dir: "c2s", conn: session, session, msg };
        return { value: Buffer.from(JSON.stringify(record)), key: session };
      });
      await send(broker!, topic, messages);
    }
  };
  const allCommitted = async (): Promise<void> => {
    while ((await lag.lag()) > 0) await sleep(100);
  };

  /** What must hold whatever happened. Returns how many calls are in both ledgers. */
  const check = async (): Promise<number> => {
    const [a, b] = [await callsOf(members[0]!), await callsOf(members[1]!)];
    for (const calls of [a, b]) {
      expect(new Set(calls.map(({ id }) => id)).size, "ids in one ledger").toBe(calls.length);
      expect(new Set(calls.map(({ n }) => n)).size, "calls in one ledger").toBe(calls.length);
      const by_session = Map.groupBy(calls, ({ n }) => n % SESSIONS);
      for (const of of by_session.values())
        expect(of.map(({ n }) => n)).toEqual(of.map(({ n }) => n).toSorted((x, y) => x - y));
    }
    const by_id = new Map(a.map((call) => [call.id, call]));
    let both = 0;
    for (const call of b) {
      if (by_id.has(call.id)) both++;
      // Under one id is one record, and one record is under one id.
      expect(by_id.get(call.id) ?? call).toEqual(call);
      by_id.set(call.id, call);
    }
    const numbers = [...by_id.values()].map(({ n }) => n).toSorted((x, y) => x - y);
    expect(numbers).toEqual(Array.from({ length: sent }, (_, n) => n));
    return both;
  };

  test("one joins while the other reads, and one leaves: every call is in exactly one ledger", async () => {
    const [a, b] = await setUp(6);
    a.start();
    await feed(3);
    await a.until(({ partitions }) => partitions === PARTITIONS);
    b.start();
    await feed(2);
    await b.until(({ partitions }) => partitions === PARTITIONS / 2);
    await feed(2);
    await a.end("SIGTERM");
    await feed(2);
    await b.until(({ partitions }) => partitions === PARTITIONS);
    await allCommitted();
    await b.end("SIGTERM");
    expect(await check()).toBe(0);
    await tearDown();
  }, 600_000);

  test("one that is killed and comes back goes on in its own ledger: every call is in exactly one", async () => {
    const [a, b] = await setUp(300);
    a.start();
    b.start();
    await feed();
    for (const member of members) await member.until(({ partitions }) => partitions === PARTITIONS / 2);
    for (let round = 0; round < 3; round++) {
      const read = a.status!.tally.read;
      await feed(2);
      await a.until((_, { tally }) => tally.read > read);
      await a.end("SIGKILL");
      a.start();
      await a.until(({ connected }) => connected === 1);
    }
    await allCommitted();
    await a.end("SIGTERM");
    await b.end("SIGTERM");
    expect(await check()).toBe(0);
    await tearDown();
  }, 600_000);

  test("one that is killed is taken over, and takes back: nothing is lost, and nothing is seen twice", async () => {
    const [a, b] = await setUp(6);
    a.start();
    b.start();
    for (const member of members) await member.until(({ partitions }) => partitions === PARTITIONS / 2);
    for (let round = 0; round < 2; round++) {
      for (const [killed, other] of [
        [a, b],
        [b, a],
      ] as const) {
        const read = killed.status!.tally.read;
        await feed(2);
        await killed.until((_, { tally }) => tally.read > read);
        await killed.end("SIGKILL");
        await feed();
        await other.until(({ partitions }) => partitions === PARTITIONS);
        await feed();
        killed.start();
        await killed.until(({ partitions }) => partitions! > 0);
      }
    }
    await allCommitted();
    await a.end("SIGTERM");
    await b.end("SIGTERM");
    const both = await check();
    console.log(`calls in both ledgers after four kills: ${both} of ${sent}`);
    await tearDown();
  }, 600_000);
});

describe.skipIf(broker === undefined)("hosts and a central collector", () => {
  let topic: string;
  beforeAll(async () => {
    topic = await newTopic(broker!, 3);
  });
  afterAll(() => deleteTopic(broker!, topic));

  test("what two hosts recorded is in the central ledger once, under the same ids, with where it came from", async () => {
    const kafka = { type: "kafka", brokers: broker, topic };
    const files = ["test/fixtures/mcp/deny.jsonl", "sample/mcp-session.jsonl"];
    const hosts = files.map((path, i) => {
      const source = { type: "file", include: [path], follow: false };
      return new Member(`host-${i}`, source, { kafka: { ...kafka, encoding: i === 0 ? "avro" : "json" } });
    });
    for (const { home, config } of hosts)
      expect((await tapline(home, ["run", "-c", config, "--once"])).code).toBe(0);
    const source = { type: "kafka", brokers: broker, topics: [topic], group: topic };
    const central = new Member("central", source);
    const run = await tapline(central.home, ["run", "-c", central.config, "--once"]);
    expect([run.code, run.stderr]).toEqual([0, ""]);
    const entries = await central.entries();
    const forwarded = entries.filter((document) => field(document, "tapline.upstream.origin") !== undefined);
    const recorded: string[] = [];
    for (const [i, host] of hosts.entries())
      for (const [index, document] of (await host.entries()).entries())
        recorded.push(`tapline/host-${i} ${index} ${String(field(document, "event.id"))}`);
    const got = forwarded.map((document) =>
      ["tapline.upstream.origin", "tapline.upstream.sequence", "event.id"]
        .map((name) => String(field(document, name)))
        .join(" "),
    );
    expect(got.toSorted()).toEqual(recorded.toSorted());
    // Nothing new comes of another run.
    await tapline(central.home, ["run", "-c", central.config, "--once"]);
    const again = await central.entries();
    expect(again.filter((document) => field(document, "tapline.upstream.origin") !== undefined).length).toBe(
      forwarded.length,
    );
  }, 600_000);
});
