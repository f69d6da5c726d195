// The HTTP listener in front of servers, clients and headers that let two readers differ: whatever one of them may take
// for a message goes through the gate, or does not pass where policy is enforced.
import { once } from "node:events";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { Gate } from "../../src/chokepoint/gate.ts";
import { type Listener, listenHttp } from "../../src/chokepoint/mcp-http.ts";
import { Recorder } from "../../src/chokepoint/recorder.ts";
import type { Decision, Mode, Policy, Verdict } from "../../src/policy/contract.ts";

type Line = { msg?: object; notice?: Record<string, string> & { details?: Record<string, unknown> } };
interface Got {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A listener with a policy that goes by names, and the server behind it. */
class Bench {
  readonly lines: Line[] = [];
  readonly seen: { url: string; body: string }[] = [];
  readonly policy: Policy;
  url = "";
  upstream = "";
  answer: (response: http.ServerResponse, body: string) => unknown = (response) =>
    response.writeHead(202).end();

  constructor(mode: Mode) {
    this.policy = {
      hash: "h",
      decide({ tool, method }): Decision {
        const verdict = (/deny|ask/.exec(tool)?.[0] ??
          (method === "sampling/createMessage" ? "deny" : "allow")) as Verdict;
        return { verdict, mode, rule: "r", reason: "Why.", policy: "h" };
      },
      enforces: () => mode === "enforce",
      expects: () => false,
      list: () => ({ hidden: new Set(), changed: [] }),
    };
  }

  async open(): Promise<this> {
    const up = http.createServer((request, response) => {
      let body = "";
      request.setEncoding("latin1").on("data", (text: string) => (body += text));
      request.on("end", () => {
        this.seen.push({ url: request.url!, body });
        this.answer(response, body);
      });
    });
    up.listen(0, "127.0.0.1");
    await once(up, "listening");
    this.upstream = `http://127.0.0.1:${(up.address() as AddressInfo).port}`;
    const spool = { append: (line: string) => this.lines.push(JSON.parse(line) as Line), end: () => {} };
    const recorder = new Recorder(
      () => spool,
      () => {},
    );
    const upstream = new URL(`${this.upstream}/mcp`);
    const server = { name: "s", transport: "http", url: upstream.href } as const;
    const gate = new Gate({ policy: this.policy, recorder, server, user: undefined, cwd: undefined });
    const listener: Listener = await listenHttp({
      address: "127.0.0.1",
      port: 0,
      upstream,
      gate,
      warn: () => {},
    });
    this.url = listener.url;
    closing.push(() => {
      void listener.close();
      up.closeAllConnections();
      up.close();
    });
    return this;
  }

  send(body: Buffer | string, headers: object = {}, path = "/mcp", method = "POST"): http.ClientRequest {
    const { hostname, port, host } = new URL(this.url);
    const json = { host, "content-type": "application/json", accept: "application/json, text/event-stream" };
    const request = http.request({ hostname, port, path, method, headers: { ...json, ...headers } as never });
    request.on("error", () => {});
    request.end(body);
    return request;
  }

  async post(body: Buffer | string, headers: object = {}, path = "/mcp", method = "POST"): Promise<Got> {
    const [response] = (await once(this.send(body, headers, path, method), "response")) as [
      http.IncomingMessage,
    ];
    let text = "";
    response.setEncoding("utf8");
    for await (const part of response as AsyncIterable<string>) text += part;
    return { status: response.statusCode!, headers: response.headers, text };
  }

  violations(): string[] {
    return this.lines.flatMap(({ notice }) =>
      notice?.["type"] === "violation" ? [`${notice["error"]} ${notice["action"]}`] : [],
    );
  }
}

const open = (mode: Mode) => new Bench(mode).open();
const call = (name: string, x = "1", id = 1) =>
  `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${name}","arguments":{"x":${x}}}}`;
const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
const SAMPLING = '{"jsonrpc":"2.0","id":77,"method":"sampling/createMessage","params":{"messages":[]}}';
const EVENT = `event: message\ndata: ${SAMPLING}\n\n`;
const batch = `[${Array.from({ length: 1_001 }, () => call("deny")).join()}]`;

describe("bodies", () => {
  test.each([
    ["absolute form", "http://127.0.0.1/whatever", "text/plain"],
    ["another type that begins like JSON", "/messages/?session_id=1", "application/jsonx"],
    ["two types", "/mcp/", "text/plain, application/json"],
    ["a fragment", "/mcp#x", "text/plain"],
    ["a form by its type alone", "/elsewhere", "application/x-www-form-urlencoded"],
    ["parts by their type alone", "/elsewhere", "multipart/form-data; boundary=b"],
    ["a form at the endpoint", "/mcp/", "application/x-www-form-urlencoded"],
  ])("nothing passes unread, whatever the target and the type: %s", async (_name, path, type) => {
    const enforced = await open("enforce");
    for (const body of [call("deny", "NaN"), call("deny").replace("deny", "deny\u00ff"), batch])
      expect((await enforced.post(Buffer.from(body, "latin1"), { "content-type": type }, path)).status).toBe(
        400,
      );
    expect(enforced.seen).toEqual([]);
    expect(enforced.violations()).toEqual(["not_json block", "not_utf8 block", "too_many block"]);
    const observed = await open("observe");
    await observed.post(call("deny", "NaN"), { "content-type": type }, path);
    expect(observed.violations()).toEqual(["not_json pass"]);
    expect(observed.seen).toHaveLength(1);
  });

  test("forms for an authorization server pass, and that they did is recorded, without what is in them", async () => {
    const b = await open("enforce");
    b.answer = (response) =>
      response.writeHead(200, { "content-type": "application/json" }).end('{"access_token":"t"}');
    const form = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
    const sent = "grant_type=refresh_token&refresh_token=s3cret%7B";
    expect(await b.post(sent, form, "/token?x=1")).toMatchObject({
      status: 200,
      text: '{"access_token":"t"}',
    });
    const parts = '--b\r\nContent-Disposition: form-data; name="code"\r\n\r\ns3cret\r\n--b--\r\n';
    await b.post(parts, { ...form, "content-type": "multipart/form-data; boundary=b" }, "/token");
    expect(b.seen.map(({ body }) => body)).toEqual([sent, parts]);
    expect(b.violations()).toEqual(["form pass", "form pass"]);
    expect(b.lines[0]!.notice!.details).toEqual({
      path: "/token",
      content_type: form["content-type"],
      bytes: sent.length,
    });
  });

  test("a target that is another server's, or has a fragment, reaches the endpoint", async () => {
    const b = await open("enforce");
    for (const path of ["http://127.0.0.1/x", "/mcp#x", "/", "/mcp"]) await b.post(PING, {}, path);
    expect(b.seen.map(({ url }) => url)).toEqual(["/mcp", "/mcp", "/mcp", "/mcp"]);
  });

  test.each([
    ["application/json; charset=utf-7", false],
    ["application/json; charset=utf-8; charset=utf-16", false],
    ["application/json; charset*=utf-8''utf-7", false],
    ['application/json; charset="UTF-8"', true],
    ["application/json;charset=us-ascii", true],
  ])("text in another encoding is not looked at, and does not pass: %s", async (type, passes) => {
    const enforced = await open("enforce");
    const got = await enforced.post(PING, { "content-type": type });
    expect([got.status, enforced.seen.length]).toEqual(passes ? [202, 1] : [415, 0]);
    expect(enforced.violations()).toEqual(passes ? [] : ["encoded block"]);
    const observed = await open("observe");
    expect((await observed.post(PING, { "content-type": type })).status).toBe(202);
    expect(observed.violations()).toEqual(passes ? [] : ["encoded pass"]);
  });
});

describe("answers", () => {
  test.each([
    ["text/event-streamx"],
    ["TEXT/Event-Stream"],
    ["text/plain; of=text/event-stream"],
    [["text/plain", "text/event-stream"]],
  ])("events by whatever somebody may take for their type: %j", async (type) => {
    const b = await open("enforce");
    b.answer = (response) => response.setHeader("content-type", type).end(EVENT);
    expect((await b.post(PING)).text).toBe("");
    expect(b.lines.filter(({ msg }) => JSON.stringify(msg) === SAMPLING)).toHaveLength(1);
  });

  test.each([
    ["text/plain", SAMPLING],
    ["text/html", "<p>"],
    ["application/octet-stream", EVENT],
    ["text/plain", "word ".repeat(100)],
    [["application/json", "text/event-stream"], EVENT],
    [undefined, SAMPLING],
  ])("an answer of a type that is no message's does not pass: %j", async (type, body) => {
    const answer = (response: http.ServerResponse) => {
      if (type !== undefined) response.setHeader("content-type", type);
      response.end(body);
    };
    const enforced = await open("enforce");
    const observed = await open("observe");
    enforced.answer = observed.answer = answer;
    expect(await enforced.post(PING)).toMatchObject({ status: 502 });
    expect(enforced.violations()).toEqual(["unknown_type block"]);
    expect(await observed.post(PING)).toMatchObject({ status: 200, text: body });
    expect(observed.violations()).toEqual(["unknown_type pass"]);
  });

  test("words, nothing at all, errors, and what an authorization server says pass", async () => {
    const b = await open("enforce");
    const json = { "content-type": "application/json" };
    const said = async (status: number, headers: object, text: string, path = "/mcp", rest: object = {}) => {
      b.answer = (response) => response.writeHead(status, headers as never).end(text);
      expect(await b.post(path === "/mcp" ? PING : "", rest, path, path === "/mcp" ? "POST" : "GET")).toEqual(
        {
          status,
          headers: expect.objectContaining(headers),
          text,
        },
      );
    };
    const elsewhere = { accept: "application/json" };
    await said(202, { "content-type": "text/plain" }, "Accepted");
    await said(202, json, "");
    await said(200, { ...json, "content-length": "0" }, "");
    await said(401, { "content-type": "text/plain", "www-authenticate": "Bearer" }, "{no}");
    await said(400, json, '{"error":"invalid_token"}');
    await said(200, json, '{"issuer":"https://x"}', "/.well-known/oauth-authorization-server", elsewhere);
    await said(200, { "content-type": "text/html" }, "<p>", "/authorize", { accept: "text/html" });
    b.answer = (response) => response.writeHead(200, json).end('{"ended":true}');
    expect((await b.post("", {}, "/mcp", "DELETE")).text).toBe('{"ended":true}');
    expect(b.violations()).toEqual([]);
    b.answer = (response) => response.writeHead(400, json).end(SAMPLING.replace("jsonrpc", "\\u006asonrpc"));
    expect((await b.post(PING)).text).not.toContain("sampling");
  });

  test.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
    ["zstd", (text: string) => Buffer.from(text)],
  ])("encoded although it was asked not to be: %s", async (coding, encode) => {
    for (const [type, body] of [
      ["text/event-stream", EVENT],
      ["application/json", SAMPLING],
    ] as const) {
      const headers = { "content-type": type, "content-encoding": coding };
      const enforced = await open("enforce");
      const observed = await open("observe");
      enforced.answer = observed.answer = (response) => response.writeHead(200, headers).end(encode(body));
      expect((await enforced.post(PING)).status).toBe(502);
      expect(enforced.violations()).toEqual(["encoded block"]);
      const got = await observed.post(PING);
      const unread = coding === "zstd";
      expect([got.text, got.headers["content-encoding"]]).toEqual([body, unread ? coding : undefined]);
      expect(observed.violations()).toEqual(["encoded pass"]);
      const recorded = observed.lines.some(({ msg }) => JSON.stringify(msg) === SAMPLING);
      expect(recorded).toBe(!unread);
    }
  });

  test("text in another encoding does not pass", async () => {
    const b = await open("enforce");
    b.answer = (response) =>
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-16le" }).end(EVENT);
    expect((await b.post(PING)).status).toBe(502);
    expect(b.violations()).toEqual(["encoded block"]);
  });

  test.each([
    ["no JSON", "application/json", `\ufeff${SAMPLING}`, "not_json"],
    ["no JSON in an event", "text/event-stream", `data: \ufeff${SAMPLING}\n\n`, "not_json"],
    ["a return before JSON", "text/event-stream", `data:\r${SAMPLING}\n\n`, "line_break"],
    ["a return within JSON", "text/event-stream", `data: ${SAMPLING.replace(",", "\r,")}\n\n`, "line_break"],
    [
      "bytes that are no text",
      "text/event-stream",
      Buffer.from(`data: ${PING}\xff\n\n`, "latin1"),
      "not_utf8",
    ],
  ])("%s: no text beside messages, over HTTP", async (_name, type, body, error) => {
    const enforced = await open("enforce");
    const observed = await open("observe");
    enforced.answer = observed.answer = (response) =>
      response.writeHead(200, { "content-type": type }).end(body);
    const got = await enforced.post(PING);
    expect(got.text).not.toContain('"method"');
    expect([got.status, enforced.violations()]).toEqual([
      type === "application/json" ? 502 : 200,
      [`${error} block`],
    ]);
    expect((await observed.post(PING)).text).toBe(body.toString());
    expect(observed.violations()[0]).toBe(`${error} pass`);
  });

  test.each([`data: ${SAMPLING}`, `data: ${SAMPLING}\n`])(
    "a stream that ends within an event: %j",
    async (rest) => {
      const b = await open("enforce");
      b.answer = (response) =>
        response.writeHead(200, { "content-type": "text/event-stream" }).end(`: hello\n\n${rest}`);
      expect((await b.post(PING)).text).toBe(": hello\n\n");
      b.answer = (response) =>
        response.writeHead(200, { "content-type": "text/event-stream" }).end(`: hello\n\ndata: ${PING}\n`);
      expect((await b.post(PING)).text).toBe(`: hello\n\ndata: ${PING}\n`);
    },
  );

  test("a redirection leads through the proxy; one to another server does not pass", async () => {
    const enforced = await open("enforce");
    const observed = await open("observe");
    const to = async (location: string, b = enforced, path = "/mcp", headers: object = {}) => {
      b.answer = (response) => response.writeHead(307, { location }).end();
      const got = await (path === "/mcp" ? b.post(PING) : b.post("", headers, path, "GET"));
      return `${got.status} ${got.headers.location}`;
    };
    const { host } = new URL(enforced.url);
    expect(await to(`${enforced.upstream}/mcp/?a=1`)).toBe("307 /mcp/?a=1");
    expect(await to(`https://${host}/mcp/`)).toBe("307 /mcp/");
    expect(await to("/mcp/")).toBe("307 /mcp/");
    expect(enforced.violations()).toEqual([]);
    for (const foreign of [
      "http://127.0.0.1:1/mcp",
      "//evil.example/mcp",
      `${enforced.upstream}//evil.example/`,
      "/\\evil.example/",
      "ftp://x/",
    ])
      expect([foreign, await to(foreign)]).toEqual([foreign, "502 undefined"]);
    expect(enforced.violations()).toEqual(Array.from({ length: 5 }, () => "foreign_redirect block"));
    const sign_in = "https://idp.example/login";
    expect(await to(sign_in, enforced, "/authorize", { accept: "text/html" })).toBe(`307 ${sign_in}`);
    expect(await to("http://127.0.0.1:1/mcp", observed)).toBe("307 http://127.0.0.1:1/mcp");
    expect(observed.violations()).toEqual(["foreign_redirect pass"]);
  });

  test("an endpoint whose path would name another server does not pass", async () => {
    const b = await open("enforce");
    for (const [path, data] of [
      ["/sse", "/.//evil.example/x"],
      ["//", "http://127.0.0.1:1/"],
    ]) {
      b.answer = (response) =>
        response
          .writeHead(200, { "content-type": "text/event-stream" })
          .end(`event: endpoint\ndata: ${data}\n\n`);
      expect(await b.post("", {}, path, "GET")).toMatchObject({ status: 200, text: "" });
    }
    expect(b.violations()).toEqual(["foreign_endpoint block", "foreign_endpoint block"]);
  });
});

test.each(["application/json", "text/event-stream"])(
  "an answer that nobody can look at ends alone, and is told: %s",
  async (type) => {
    const b = await open("observe");
    const tools = '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"t"}]}}';
    b.policy.list = () => {
      throw new RangeError("Maximum call stack size exceeded");
    };
    b.answer = (response) =>
      response
        .writeHead(200, { "content-type": type })
        .end(type === "application/json" ? tools : `data: ${tools}\n\ndata: ${PING}\n\n`);
    await expect(b.post(PING)).rejects.toThrow();
    expect(b.violations()).toEqual(["failed block"]);
    b.answer = (response) => response.writeHead(200, { "content-type": "application/json" }).end(PING);
    expect((await b.post(PING)).text).toBe(PING);
  },
);

test("of a batch what is refused is answered when the server has nothing to say", async () => {
  const b = await open("enforce");
  const sent = `[${call("deny")},{"jsonrpc":"2.0","method":"notifications/x"}]`;
  expect(await b.post(sent)).toMatchObject({ status: 200, text: expect.stringMatching(/^\[.*"id":1.*\]$/) });
});

test("a status that is none ends one answer", async () => {
  const b = await open("observe");
  b.answer = (response) => response.socket!.end("HTTP/1.1 000 x\r\nContent-Length: 0\r\n\r\n");
  await expect(b.post(PING)).rejects.toThrow();
  b.answer = (response) => response.writeHead(202).end();
  expect((await b.post(PING)).status).toBe(202);
});

test("a question about a call comes on its own stream, also when another request came and went meanwhile", async () => {
  const b = await open("enforce");
  b.policy.expects = () => true; // the call waits for a listing first
  const listed = Promise.withResolvers<void>();
  b.answer = async (response, body) => {
    const { id, method } = JSON.parse(body) as { id: unknown; method: string };
    if (method === "tools/list") await listed.promise;
    const result = method === "tools/list" ? { tools: [{ name: "ask" }] } : {};
    response
      .writeHead(200, { "content-type": "application/json", "mcp-session-id": "S" })
      .end(JSON.stringify({ jsonrpc: "2.0", id, result }));
  };
  const params = { protocolVersion: "2025-11-25", capabilities: { elicitation: {} } };
  await b.post(JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params }));
  const session = { "mcp-session-id": "S" };
  const called = once(b.send(call("ask"), session), "response");
  for (let i = 0; i < 200 && b.seen.length < 2; i++) await sleep(5);
  expect((await b.post(PING, session)).text).not.toContain("elicitation");
  listed.resolve();
  const [stream] = (await called) as [http.IncomingMessage];
  const [first] = (await once(stream, "data")) as [Buffer];
  expect(first.toString()).toContain("elicitation/create");
  stream.destroy();
}, 10_000);

test("what the server asks on a stream is put to the client on that stream", async () => {
  const b = await open("enforce");
  const go = Promise.withResolvers<void>();
  const asks = '{"jsonrpc":"2.0","id":9,"method":"ask/x","params":{}}';
  b.answer = async (response, body) => {
    const { method } = JSON.parse(body) as { method: string };
    response.setHeader("mcp-session-id", "S");
    if (method !== "tools/call") {
      const answer = '{"jsonrpc":"2.0","id":0,"result":{}}';
      response.writeHead(200, { "content-type": "application/json" }).end(answer);
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    await go.promise;
    response.write(`data: ${asks}\n\n`);
  };
  const params = { protocolVersion: "2025-11-25", capabilities: { elicitation: {} } };
  await b.post(JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params }));
  const session = { "mcp-session-id": "S" };
  const [stream] = (await once(b.send(call("t"), session), "response")) as [http.IncomingMessage];
  await b.post(PING, session);
  go.resolve();
  const [first] = (await once(stream, "data")) as [Buffer];
  expect(first.toString()).toContain("elicitation/create");
  stream.destroy();
}, 10_000);
