// Notification over HTTP: the contract of a sink, what is told and what never, every way a receiver can fail, and that
// neither a secret nor anybody's markup gets out.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TaplineError } from "../../src/core/errors.ts";
import { LIMITS } from "../../src/core/limits.ts";
import slack from "../../src/sinks/slack.ts";
import webhook from "../../src/sinks/webhook.ts";
import { sinkContract } from "../contract/sink.ts";
import {
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
let hook: Receiver;
let context: NoticeContext;
beforeEach(async () => {
  hook = await receiver();
  context = noticeContext();
});
afterEach(() => hook.end());

const sinkOf = (options: Record<string, unknown> = {}) =>
  webhook.create(webhook.config.parse({ type: "webhook", url: `${hook.url}/in`, ...options }), context);
const thrown = (work: Promise<unknown>): Promise<TaplineError> =>
  work.then(
    () => expect.fail("it does not throw"),
    (error: unknown) => error as TaplineError,
  );
const bodies = (): Record<string, unknown>[] =>
  hook.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);

sinkContract("webhook", async () => ({
  sink: sinkOf(),
  series: incidentSeries,
  stored: undefined,
  end: async () => {},
}));

describe("what is told", () => {
  test("transitions asked for, once; what came of it is submitted", async () => {
    const sink = sinkOf();
    await sink.open(never);
    const events = [
      incidentEvent("e", 1),
      incidentEvent("e", 2, { "tapline.incident.transition": "acknowledged" }),
      incidentEvent("e", 3, { "tapline.incident.transition": "notified" }),
      incidentEvent("e", 4, { "tapline.incident.transition": "overdue" }),
      alertEvent(5),
    ];
    const result = await sink.write(batch(events, 70), false, never);
    expect(result).toEqual({ created: 2, existing: 0, dead: [], filtered: 3 });
    expect(await sink.write(batch(events, 70), true, never)).toMatchObject({ created: 0, existing: 2 });
    expect(bodies().map((one) => (one["event"] as Record<string, unknown>)["event.sequence"])).toEqual([
      70, 73,
    ]);
    expect(hook.received[0]!.headers["idempotency-key"]).toBe(bodies()[0]!["id"]);
    const host = new URL(hook.url).host;
    expect(context.said).toHaveLength(2);
    expect(context.said[0]).toEqual({
      incident: incidentEvent("e", 1)["tapline.incident.id"],
      transition: "notified",
      notice: {
        id: bodies()[0]!["id"],
        channel: "webhook",
        sink: "test",
        recipients: [host],
        answer: "200 ok",
        attempts: 1,
        repeat: false,
        delivered: true,
        cause: "e-00000001",
      },
    });
    await sink.close();
  });

  test("alerts of a level; never the past, and no mapping's word", async () => {
    const sink = sinkOf({ alerts: "high", transitions: [] });
    await sink.open(never);
    const old = new Date(Date.now() - 60_000).toISOString();
    const events = [
      alertEvent(1),
      alertEvent(2, { "tapline.alert.level": "medium" }),
      alertEvent(3, { "tapline.alert.level": "critical" }),
      alertEvent(4, { "tapline.backfill": true }),
      alertEvent(5, { "event.created": old }),
      incidentEvent("e", 6, { "tapline.backfill": true }),
    ];
    expect(await sink.write(batch(events), false, never)).toMatchObject({ created: 2, filtered: 4 });
    expect(bodies().map(({ kind }) => kind)).toEqual(["alert", "alert"]);
    expect(context.said.map(({ incident }) => incident)).toEqual([undefined, undefined]);
    await sink.close();
    const told = sinkOf();
    await told.open(never);
    const mapped = incidentEvent("m", 1, { "tapline.vantage": "other" });
    const past = incidentEvent("m", 2, { "tapline.backfill": true });
    expect(await told.write(batch([mapped, past]), false, never)).toMatchObject({ created: 0, filtered: 2 });
    await told.close();
  });

  test("of a flood of alerts, the first one by one and the others counted in the next", async () => {
    const sink = sinkOf({ alerts: "high" });
    await sink.open(never);
    const flood = Array.from({ length: LIMITS.notify_alerts_per_hour + 7 }, (_, i) => alertEvent(i));
    expect(await sink.write(batch(flood), false, never)).toMatchObject({
      created: LIMITS.notify_alerts_per_hour,
      filtered: 7,
    });
    await sink.write(batch([incidentEvent("e", 1)], 500), false, never);
    await sink.write(batch([incidentEvent("e", 2)], 501), false, never);
    expect(
      bodies()
        .slice(-2)
        .map((one) => one["alerts_withheld"]),
    ).toEqual([7, 0]);
    await sink.close();
  });
});

describe("a receiver that fails", () => {
  test.each([
    [
      "500",
      (r: { writeHead(s: number): { end(t: string): unknown } }) => r.writeHead(500).end("no"),
      "500 no",
      true,
    ],
    [
      "429",
      (r: { writeHead(s: number): { end(t: string): unknown } }) => r.writeHead(429).end(""),
      "429",
      false,
    ],
  ])(
    "%s is tried again, and after a while a dead letter that is recorded",
    async (_, answer, told, unsure) => {
      const sink = sinkOf();
      await sink.open(never);
      hook.answer = answer;
      const events = batch([incidentEvent("e", 1)], 9);
      for (let tries = 1; tries < LIMITS.notify_tries; tries++) {
        const error = await thrown(sink.write(events, tries > 1, never));
        expect([error.code, error.retry]).toEqual(["NOTIFY_FAILED", true]);
      }
      expect((await thrown(sink.write(batch([incidentEvent("e", 2)], 10), false, never))).code).toBe(
        "NOTIFY_WAITS",
      );
      // Enough attempts, but not for long enough.
      expect((await thrown(sink.write(events, true, never))).retry).toBe(true);
      context.later_ms = LIMITS.notify_give_up_ms;
      const result = await sink.write(events, true, never);
      expect(result.dead).toEqual([expect.objectContaining({ index: 9, id: "e-00000001", reason: told })]);
      const attempts = LIMITS.notify_tries + 1;
      expect(context.said.map(({ notice }) => notice)).toEqual([
        expect.objectContaining({ delivered: false, attempts, answer: told, repeat: false }),
      ]);
      // A replay sends it after all, and says when it may have arrived before.
      hook.answer = (response) => void response.end("ok");
      expect(await sink.write(events, true, never)).toMatchObject({ created: 1, dead: [] });
      expect(context.said.at(-1)!.notice).toMatchObject({
        delivered: true,
        attempts: attempts + 1,
        repeat: unsure,
      });
      expect(bodies().at(-1)!["repeat"]).toBe(unsure);
      await sink.close();
    },
  );

  test("a refusal and a redirect are final; nothing goes where the redirect points", async () => {
    const other = await receiver();
    const sink = sinkOf();
    await sink.open(never);
    hook.answer = (response, nth) => {
      if (nth === 1) response.writeHead(307, { location: `${other.url}/steal` }).end();
      else response.writeHead(403).end("<b>forbidden</b>\u001b[31m");
    };
    const result = await sink.write(batch([incidentEvent("e", 1), incidentEvent("e", 2)]), false, never);
    expect(result.dead.map(({ status, reason }) => [status, reason])).toEqual([
      [307, "307: it sends elsewhere, which is not followed"],
      [403, "403 <b>forbidden</b> [31m"],
    ]);
    expect(other.received).toEqual([]);
    await sink.close();
    await other.end();
  });

  test("nobody listens: certain that it did not arrive", async () => {
    const sink = sinkOf();
    await sink.open(never);
    await hook.end();
    const error = await thrown(sink.write(batch([incidentEvent("e", 1)]), false, never));
    expect(error.message).toMatch(/ECONNREFUSED/);
    expect(error.message).not.toContain("may have arrived");
    await sink.close();
  });

  test("no answer, and an answer that never ends: given up in time, and it may have arrived", async () => {
    const sink = sinkOf({ timeout_s: 1 });
    await sink.open(never);
    hook.answer = () => {};
    const error = await thrown(sink.write(batch([incidentEvent("e", 1)]), false, never));
    expect(error.message).toContain("no answer in 1 s; it may have arrived");
    hook.answer = (response) => {
      response.writeHead(200);
      response.write("x".repeat(1 << 20));
    };
    expect(await sink.write(batch([incidentEvent("e", 1)]), true, never)).toMatchObject({ created: 1 });
    expect(context.said[0]!.notice!.answer!.length).toBeLessThanOrEqual(LIMITS.notify_answer_chars);
    expect(context.said[0]!.notice!.repeat).toBe(true);
    await sink.close();
  }, 20_000);

  test("a crash between sending and recording: told again as a repeat, or only recorded", async () => {
    const first = sinkOf();
    await first.open(never);
    hook.answer = () => {};
    const stop = new AbortController();
    const events = batch([incidentEvent("e", 1)]);
    const writing = thrown(first.write(events, false, stop.signal));
    await expect.poll(() => hook.received.length).toBe(1);
    stop.abort();
    expect((await writing).code).toBe("SINK_STOPPED");
    await first.close();
    hook.answer = (response) => void response.end("ok");
    const next = noticeContext(context.state_dir);
    next.submit = () => {
      throw new TaplineError("SPOOL_FULL", "no room", { retry: true });
    };
    const second = webhook.create(webhook.config.parse({ type: "webhook", url: hook.url }), next);
    await second.open(never);
    expect((await thrown(second.write(events, true, never))).code).toBe("SPOOL_FULL");
    expect([hook.received.length, bodies()[1]!["repeat"]]).toEqual([2, true]);
    await second.close();
    const third = webhook.create(webhook.config.parse({ type: "webhook", url: hook.url }), context);
    await third.open(never);
    expect(await third.write(events, true, never)).toMatchObject({ created: 1 });
    expect([hook.received.length, context.said[0]!.notice!.repeat]).toEqual([2, true]);
    await third.close();
  });

  test("a journal that a crash cut is read as far as it is whole; two processes do not share one", async () => {
    const path = join(context.state_dir, "notices", "test.ndjson");
    const first = sinkOf();
    await first.open(never);
    await first.write(batch([incidentEvent("e", 1)]), false, never);
    expect((await thrown(sinkOf().open(never))).code).toBe("NOTICES_LOCKED");
    await first.close();
    writeFileSync(path, `${readFileSync(path, "utf8")}{"id":"x","send`);
    const again = sinkOf();
    await again.open(never);
    expect(await again.write(batch([incidentEvent("e", 1)]), true, never)).toMatchObject({ existing: 1 });
    await again.close();
  });
});

describe("secrets", () => {
  test("of the address and the token nothing is in errors, answers, logs or what is submitted", async () => {
    const url_file = join(context.state_dir, "url");
    const token_file = join(context.state_dir, "token");
    writeFileSync(url_file, `${hook.url}/services/T0/s3cr3t-path?k=s3cr3t-query\n`);
    writeFileSync(token_file, "s3cr3t-token\n");
    const sink = sinkOf({ url: undefined, url_file, token_file });
    await sink.open(never);
    hook.answer = (response, nth) => {
      const { path, headers } = hook.received.at(-1)!;
      response.writeHead(nth === 1 ? 500 : 400).end(`${path} ${headers.authorization} ${hook.url}${path}`);
    };
    const error = await thrown(sink.write(batch([incidentEvent("e", 1)]), false, never));
    const result = await sink.write(batch([incidentEvent("e", 1)]), true, never);
    const [request] = hook.received;
    expect([request!.path, request!.headers.authorization]).toEqual([
      "/services/T0/s3cr3t-path?k=s3cr3t-query",
      "Bearer s3cr3t-token",
    ]);
    const journal = readFileSync(join(context.state_dir, "notices", "test.ndjson"), "utf8");
    const told = JSON.stringify([error.message, error.remedy, result, context.said, context.lines, journal]);
    expect(told).not.toContain("s3cr3t");
    expect(result.dead[0]!.reason).toContain("***");
    await sink.close();
  });

  test.each([
    ["http://example.com/x", /not https/],
    ["https://user:s3cr3t@example.com/", /user or password/],
    ["s3cr3t", /does not hold a URL/],
  ])("a URL that no secret may go to is refused: %s", async (url, why) => {
    const url_file = join(context.state_dir, "url");
    writeFileSync(url_file, url);
    const sink = slack.create(slack.config.parse({ type: "slack", url_file }), context);
    const error = await thrown(sink.check(never));
    expect([error.code, error.message]).toEqual(["SINK_SECRET", expect.stringMatching(why)]);
    expect(error.message).not.toContain("s3cr3t");
    await sink.close();
  });

  test("check: a receiver that is there, and one that is not", async () => {
    await sinkOf().check(never);
    expect(hook.received).toEqual([]);
    await hook.end();
    expect((await thrown(sinkOf().check(never))).code).toBe("SINK_UNREACHABLE");
  });

  test("the address of a hook of Slack is no option of the configuration's text", () => {
    expect(slack.config.safeParse({ type: "slack", url: hook.url }).success).toBe(false);
    expect(slack.config.safeParse({ type: "slack" }).success).toBe(false);
    expect(webhook.config.safeParse({ type: "webhook" }).success).toBe(false);
  });
});

const HOSTILE = [
  "<!channel> <https://evil.example/x|click> @here #general",
  "*bold* _it_ ~gone~ `code` :smile: https://evil.example/?q=1 evil.example",
  "[text](javascript:alert(1)) ![](http://evil.example/p.png) <script>alert(1)</script>",
  "a\r\nSubject: x\u001b[2J\u202eb\u2028",
];

describe("text of an attacker", () => {
  test.each(HOSTILE)("is no mark, link or mention for Slack: %j", async (text) => {
    const url_file = join(context.state_dir, "url");
    writeFileSync(url_file, hook.url);
    const sink = slack.create(slack.config.parse({ type: "slack", url_file, alerts: "high" }), context);
    await sink.open(never);
    const fields = {
      "tapline.incident.group.value": text,
      "tapline.incident.note": text,
      "tapline.incident.rules": [text],
    };
    await sink.write(
      batch([incidentEvent("e", 1, fields), alertEvent(2, { "rule.name": text, message: text })]),
      false,
      never,
    );
    expect(hook.received).toHaveLength(2);
    for (const body of bodies()) {
      const shown = String(body["text"]);
      expect(body).toMatchObject({ mrkdwn: false, parse: "none", link_names: false, unfurl_links: false });
      expect(shown).not.toMatch(/[<>*`~#|@\u001b\u202e\u2028\r](?<!\[@)/u);
      expect(shown).not.toMatch(/:\/\/|evil\.example|:smile:|\]\(/);
      // Lines are ours: a label each.
      for (const line of shown.split("\n").slice(1)) expect(line).toMatch(/^(?:[a-z]+ ?[a-z]*) {2,}\S/);
    }
    await sink.close();
  });

  test.each(HOSTILE)("is a value and a text without addresses for a webhook: %j", async (text) => {
    const sink = sinkOf();
    await sink.open(never);
    await sink.write(batch([incidentEvent("e", 1, { "tapline.incident.group.value": text })]), false, never);
    const [body] = bodies();
    expect((body!["event"] as Record<string, unknown>)["tapline.incident.group.value"]).toBe(text);
    expect(String(body!["text"])).not.toMatch(/:\/\/|evil\.example|[\u001b\u202e\u2028\r]/u);
    await sink.close();
  });
});
