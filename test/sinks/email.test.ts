// Notification by e-mail, against a server that is not ours (smtp-server): what arrives, what a server can refuse, TLS and
// passwords, and that text of an attacker makes no header, link or second message.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { TaplineError } from "../../src/core/errors.ts";
import email from "../../src/sinks/email.ts";
import { type NoticeContext, alertEvent, batch, incidentEvent, noticeContext } from "./notices.ts";
import { type ServerOptions, smtp } from "./smtp.ts";

const never = new AbortController().signal;
const dir = mkdtempSync(join(tmpdir(), "tapline-email-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let context: NoticeContext;
beforeEach(() => {
  context = noticeContext();
});
const BASE = {
  type: "email",
  host: "127.0.0.1",
  security: "none",
  from: "tapline@example.com",
  to: ["soc@example.com", "bob@example.com"],
};
const sinkOf = (options: Record<string, unknown>) =>
  email.create(email.config.parse({ ...BASE, ...options }), context);
const thrown = (work: Promise<unknown>): Promise<TaplineError> =>
  work.then(
    () => expect.fail("it does not throw"),
    (error: unknown) => error as TaplineError,
  );

/** Headers and body of a message; a header that goes on over lines is one. */
function parts(raw: string): { headers: string[]; body: string } {
  const at = raw.indexOf("\r\n\r\n");
  const headers = raw
    .slice(0, at)
    .replaceAll(/\r\n[ \t]+/g, " ")
    .split("\r\n");
  return { headers, body: raw.slice(at + 4) };
}

test("it arrives, in plain text, and what the server answered is recorded", async () => {
  const { port, mails } = await smtp();
  const sink = sinkOf({ port });
  await sink.open(never);
  expect(await sink.write(batch([incidentEvent("e", 1)], 3), false, never)).toMatchObject({ created: 1 });
  const [mail] = mails;
  expect([mail!.from, mail!.to]).toEqual([BASE.from, BASE.to]);
  const { headers, body } = parts(mail!.raw);
  expect(headers).toContain("Subject: tapline: [high] incident 01234567 opened");
  expect(headers.find((one) => one.startsWith("Content-Type:"))).toMatch(/^Content-Type: text\/plain/);
  expect(headers).toContain("Auto-Submitted: auto-generated");
  expect(body).toContain("tapline incident show 01234567");
  const { notice } = context.said[0]!;
  expect(notice).toMatchObject({
    channel: "email",
    recipients: BASE.to,
    answer: "250 queued as 42",
    attempts: 1,
    delivered: true,
  });
  expect(headers).toContain(`Message-ID: <${notice!.id}@tapline.invalid>`);
  await sink.close();
});

describe("a server that refuses", () => {
  test("some recipients: the others are told, and the record says who", async () => {
    const { port } = await smtp({
      onRcptTo: ({ address }, _, done) =>
        done(
          address.startsWith("bob") ? Object.assign(new Error("no such user"), { responseCode: 550 }) : null,
        ),
    });
    const sink = sinkOf({ port });
    await sink.open(never);
    await sink.write(batch([incidentEvent("e", 1)]), false, never);
    expect(context.said[0]!.notice).toMatchObject({
      recipients: ["soc@example.com"],
      answer: "250 queued as 42; refused for bob@example.com",
    });
    await sink.close();
  });

  test.each([
    [550, false],
    [451, true],
  ])("the sender, with %i", async (responseCode, again) => {
    const { port } = await smtp({
      onMailFrom: (_, __, done) => done(Object.assign(new Error("not from you"), { responseCode })),
    });
    const sink = sinkOf({ port });
    await sink.open(never);
    const writing = sink.write(batch([incidentEvent("e", 1)]), false, never);
    if (again) {
      const error = await thrown(writing);
      expect([error.code, error.message.includes("may have arrived")]).toEqual(["NOTIFY_FAILED", false]);
    } else {
      expect((await writing).dead).toMatchObject([
        { status: 550, reason: expect.stringContaining("not from you") },
      ]);
      expect(context.said[0]!.notice).toMatchObject({ delivered: false });
    }
    await sink.close();
  });

  test("nobody there, and somebody who says nothing", async () => {
    const silent: Server = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const sink = sinkOf({ port, timeout_s: 1 });
    await sink.open(never);
    expect((await thrown(sink.write(batch([incidentEvent("e", 1)]), false, never))).retry).toBe(true);
    expect((await thrown(sinkOf({ port, timeout_s: 1 }).check(AbortSignal.timeout(3_000)))).code).toBe(
      "SINK_UNREACHABLE",
    );
    await sink.close();
    silent.close();
    const closed = sinkOf({ port: 1 });
    await closed.open(never).catch(() => {});
    expect((await thrown(closed.check(never))).message).toMatch(/ECONNREFUSED/);
    await closed.close();
  });
});

describe("TLS and passwords", () => {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: dir, stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const authOf = (password: string): ServerOptions => ({
    authOptional: false,
    disabledCommands: [],
    onAuth: ({ username, password: given }, _, done) =>
      given === password ? done(null, { user: username }) : done(new Error(`wrong: ${given}`)),
  });

  test.each(["starttls", "tls"])(
    "%s: only with an authority that is known; a password only then",
    async (security) => {
      openssl(
        "req",
        "-x509",
        ...key,
        "-subj",
        "/CN=x",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        "k",
        "-out",
        "c",
      );
      const pem = { key: readFileSync(join(dir, "k")), cert: readFileSync(join(dir, "c")) };
      const { port, mails } = await smtp({ ...pem, ...authOf("s3cr3t"), secure: security === "tls" });
      const password_file = join(dir, "password");
      writeFileSync(password_file, "s3cr3t\n");
      const login = { port, security, username: "ann", password_file };
      const stranger = sinkOf(login);
      expect((await thrown(stranger.check(never))).message).toMatch(/certificate|self[- ]signed/i);
      await stranger.close();
      const sink = sinkOf({ ...login, ca_file: join(dir, "c") });
      await sink.check(never);
      await sink.open(never);
      expect(await sink.write(batch([incidentEvent("e", 1)]), false, never)).toMatchObject({ created: 1 });
      expect(mails.map(({ user, secure }) => [user, secure])).toEqual([["ann", true]]);
      // A password that is wrong shows nowhere, whatever the server answers; the next one is read anew.
      writeFileSync(password_file, "wr0ng-s3cr3t\n");
      const result = await sink.write(batch([incidentEvent("e", 2)]), false, never);
      expect(result.dead).toHaveLength(1);
      expect(JSON.stringify([result, context.said, context.lines])).not.toContain("s3cr3t");
      writeFileSync(password_file, "s3cr3t\n");
      expect(await sink.write(batch([incidentEvent("e", 2)]), true, never)).toMatchObject({ created: 1 });
      await sink.close();
    },
  );

  test("a server without STARTTLS gets nothing", async () => {
    const { port, mails } = await smtp();
    const sink = sinkOf({ port, security: "starttls" });
    await sink.open(never);
    const { dead } = await sink.write(batch([incidentEvent("e", 1)]), false, never);
    expect([dead.map(({ status }) => status), mails]).toEqual([[500], []]);
    await sink.close();
  });

  test.each([
    { host: "mail.example.com" },
    { username: "ann" },
    { password_file: "x" },
    { to: [] },
    { to: ["a@example.com\r\nBcc: x@example.com"] },
    { from: "no address" },
  ])("the configuration refuses %j", (options) => {
    expect(email.config.safeParse({ ...BASE, ...options }).success).toBe(false);
  });
});

test.each([
  "x\r\nBcc: eve@evil.example\r\n\r\nsecond body",
  "\u001b[31mred\u202egnp.exe https://evil.example/a <img src=http://evil.example>",
  "\r\n.\r\nMAIL FROM:<eve@evil.example>",
])("text of an attacker stays text: %j", async (text) => {
  const { port, mails } = await smtp();
  const sink = sinkOf({ port, alerts: "high" });
  await sink.open(never);
  const fields = { "tapline.incident.group.value": text, "tapline.incident.note": text };
  await sink.write(
    batch([incidentEvent("e", 1, fields), alertEvent(2, { "rule.name": text, message: text })]),
    false,
    never,
  );
  expect(mails).toHaveLength(2);
  for (const { raw, from, to } of mails) {
    expect([from, to]).toEqual([BASE.from, BASE.to]);
    const { headers, body } = parts(raw);
    expect(headers.filter((one) => /^(?:bcc|cc)\s*:/i.test(one))).toEqual([]);
    expect(headers.filter((one) => /^(?:to|subject|from)\s*:/i.test(one))).toHaveLength(3);
    const decoded = /quoted-printable/i.test(raw) ? body.replaceAll("=\r\n", "") : body;
    expect(decoded).not.toMatch(/\u001b|\u202e|=1B|=E2=80=AE|evil\.example|:\/\//);
  }
  await sink.close();
});
