// Correlations across the members of a group, against a real broker: members come, go and are killed while calls come,
// and the group makes the alerts that one collector makes which reads the same topic alone.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { field, newHome } from "../commands/tapline.ts";
import { random } from "../detect/correlations.ts";
import { type ToSend, deleteTopic, newTopic, send, startKafka } from "../kafka/topics.ts";
import { Member } from "./kafka-member.ts";

const PARTITIONS = 4;
const MATCHES = 3;
const SESSIONS = 12;
const TOOLS = 6;
const broker = await startKafka();

const baseRule = (name: string): string =>
  `title: ${name}\nname: ${name}\nid: 00000000-0000-4000-8000-0000000000${name.charCodeAt(0)}\nlogsource: {product: tapline, category: tool-call}\n` +
  `detection: {s: {gen_ai.tool.name|startswith: ${name}_}, condition: s}\nlevel: low\n---\n`;
let number = 0;
const correlation = (title: string, body: string): string =>
  `title: ${title}\nname: ${title}\nid: 00000000-0000-4000-8000-00000000100${(number++).toString(16)}\ncorrelation: {${body}}\nlevel: high\n---\n`;
const RULES = [
  baseRule("a"),
  baseRule("b"),
  baseRule("z"),
  correlation(
    "count",
    "type: event_count, rules: [a], group-by: [gen_ai.tool.name], timespan: 5s, condition: {gte: 5}",
  ),
  correlation(
    "sessions",
    "type: value_count, rules: [a, b], group-by: [gen_ai.tool.name], timespan: 20s, condition: {gte: 4, field: gen_ai.conversation.id}",
  ),
  correlation(
    "session",
    "type: event_count, rules: [b], group-by: [gen_ai.conversation.id], timespan: 20s, condition: {gte: 4}",
  ),
  correlation(
    "order",
    "type: temporal_ordered, rules: [a, b], group-by: [gen_ai.conversation.id], timespan: 3s",
  ),
  correlation("both", "type: temporal, rules: [a, b], timespan: 10s"),
  correlation(
    "outer",
    "type: event_count, rules: [count], group-by: [gen_ai.tool.name], timespan: 30s, condition: {gte: 2}",
  ),
  correlation(
    "absent",
    'type: temporal, rules: [a, b], group-by: [gen_ai.conversation.id], timespan: 4s, condition: "a and not b"',
  ),
  // The last window of all, which ends by the watermark.
  correlation("last", 'type: temporal, rules: [z, b], timespan: 5s, condition: "z and not b"'),
].join("");

interface Alert {
  readonly id: string;
  readonly name: string;
}

async function alertsOf(member: Member): Promise<Alert[]> {
  return (await member.entries())
    .filter((document) => field(document, "event.action") === "rule-alert")
    .map((document) => ({
      id: String(field(document, "event.id")),
      name: `${String(field(document, "rule.name"))} ${JSON.stringify(field(document, "tapline.alert.group"))}`,
    }));
}

const namesOf = (alerts: Iterable<Alert>): string[] =>
  [...alerts].map(({ id, name }) => `${id} ${name}`).toSorted();

describe.skipIf(broker === undefined)("correlations across a group", () => {
  test("members that come, go and are killed alert as one collector does that reads everything", async () => {
    const topic = await newTopic(broker!, PARTITIONS);
    const matches = await newTopic(broker!, MATCHES);
    const rules = join(newHome(), "rules");
    writeFileSync(`${rules}.yml`, RULES);
    const source = { type: "kafka", brokers: broker, topics: [topic], format: "mcp", session_s: 6 };
    const none = { none: { type: "null" } };
    const alone = new Member("alone", { ...source, group: `${topic}-alone` }, none, [`${rules}.yml`]);
    const members = ["a", "b", "c"].map(
      (host) => new Member(host, { ...source, group: topic, matches }, none, [`${rules}.yml`]),
    );
    const [a, b, c] = members as [Member, Member, Member];
    const next = random(7);
    let sent = 0;
    const call = (tool: string, session: string): object => ({
      ts: new Date().toISOString(),
      dir: "c2s",
      conn: session,
      session,
      msg: { jsonrpc: "2.0", id: sent++, method: "tools/call", params: { name: tool, arguments: {} } },
    });
    const message = (session: string, tool: string): ToSend => ({
      value: Buffer.from(JSON.stringify(call(tool, session))),
      key: session,
    });
    /** Calls for so many rounds, of about a second. Those of a round go together: on a busy machine each connection takes
     * long, and the windows would pass between two calls. */
    const feed = async (rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) {
        const calls: ToSend[] = [];
        for (let n = 1 + next(4); n > 0; n--) {
          calls.push(message(`session-${next(SESSIONS)}`, `${"aab"[next(3)]}_${next(TOOLS / 2)}`));
          await sleep(2); // no two have the same time
        }
        await send(broker!, topic, calls);
        await sleep(600);
      }
    };
    const all = PARTITIONS + MATCHES;
    for (const member of [alone, a, b]) member.start();
    await alone.until(({ partitions }) => partitions === PARTITIONS);
    await a.until(({ partitions }) => partitions! < all && partitions! > 0);
    await b.until(({ partitions }) => partitions! > 0);
    await feed(10);
    c.start();
    await c.until(({ partitions }) => partitions! > 0);
    await feed(10);
    await b.end("SIGKILL");
    await feed(15);
    b.start();
    await b.until(({ partitions }) => partitions! > 0);
    await feed(5);
    await a.end("SIGTERM");
    await feed(5);
    await c.end("SIGKILL");
    // It comes back before others take over.
    c.start();
    await feed(5);
    a.start();
    await a.until(({ partitions }) => partitions! > 0);
    await feed(10);
    await send(broker!, topic, [message("session-0", "z_end")]);
    const fired = async (who: readonly Member[]): Promise<boolean> => {
      for (const member of who)
        if ((await alertsOf(member)).some(({ name }) => name.startsWith("last "))) return true;
      return false;
    };
    while (!(await fired([alone]))) await sleep(1_000);
    while (!(await fired(members))) await sleep(1_000);
    for (const member of [alone, ...members]) await member.end("SIGTERM");
    const expected = await alertsOf(alone);
    const found = (await Promise.all(members.map((member) => alertsOf(member)))).flat();
    const by_id = new Map(found.map((alert) => [alert.id, alert]));
    console.log(
      `${sent} calls, ${expected.length} alerts of one collector; of the group ${by_id.size}, in ledgers ${found.length}`,
    );
    expect(new Set(expected.map(({ name }) => name.split(" ")[0])).size, "rules that fired").toBeGreaterThan(
      6,
    );
    expect(namesOf(by_id.values())).toEqual(namesOf(expected));
    await deleteTopic(broker!, topic);
    await deleteTopic(broker!, matches);
  }, 600_000);
});
