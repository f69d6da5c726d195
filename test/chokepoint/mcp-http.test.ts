// `tapline mcp --listen --upstream` end to end, in front of a server that writes down what reaches it, and of the SDK's own.
import { createHash } from "node:crypto";
import { once } from "node:events";
import * as http from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import {
  CallToolRequestSchema,
  ElicitRequestSchema,
  ListToolsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { Home, startTarget, stop } from "./proxy.ts";

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}
type Answer = (seen: Seen, response: http.ServerResponse, request: http.IncomingMessage) => void;

const servers: http.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close(() => {});
});
const clients: Client[] = [];
afterAll(() => Promise.all(clients.map((client) => client.close().catch(() => {}))));

/** A server that keeps what it was sent. */
async function upstream(answer: Answer): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const one = { method, url, headers, body: Buffer.concat(chunks) };
      seen.push(one);
      answer(one, response, request);
    });
    request.on("error", () => {});
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, seen };
}

const json: Answer = ({ body }, response) => {
  const read = JSON.parse(body.toString()) as { id?: unknown } | { id?: unknown }[];
  const answers = [read].flat().map(({ id }) => ({ jsonrpc: "2.0", id, result: { content: [] } }));
  response
    .setHeader("content-type", "application/json")
    .end(JSON.stringify(Array.isArray(read) ? answers : answers[0]));
};
const event = (message: unknown): string => `event: message\ndata: ${JSON.stringify(message)}\n\n`;

interface Got {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/** A request as written: headers are not changed on their way. */
async function post(
  url: string,
  body: Buffer | string,
  headers: Record<string, string> = {},
  method = "POST",
): Promise<Got> {
  const request = http.request(url, {
    method,
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...headers,
    },
  });
  request.on("error", () => {}); // also after the answer, when a listener does not take the rest of a body
  request.end(body);
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  let text = "";
  for await (const chunk of response as AsyncIterable<Buffer>) text += chunk.toString();
  return { status: response.statusCode!, headers: response.headers, text };
}

const call = (id: unknown, name: string, args: object = {}, params: object = {}) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args, ...params },
});
const VERSION = "io.modelcontextprotocol/protocolVersion";
const META = { _meta: { [VERSION]: "2026-07-28" } };
const enforce = (url: string, tools: object = {}, rest: object = {}) =>
  new Home().policy({
    mode: "enforce",
    servers: { up: { url, tools: { deny: "deny", ...tools }, ...rest } },
  });
const tools = (id: number, names: readonly string[]) => ({
  jsonrpc: "2.0",
  id,
  result: { tools: names.map((name) => ({ name, inputSchema: { type: "object" } })) },
});
const violations = (home: Home) =>
  home
    .events()
    .filter((e) => e["event.action"] === "protocol-violation")
    .map((e) => [e["error.type"], e["tapline.decision.action"]]);

const LONG = Buffer.alloc(LIMITS.message_bytes + 1, 32);

describe("what passes, passes as it came", () => {
  test("method, path, query, headers and body to the server; status, headers and body back", async () => {
    const up = await upstream((_seen, response) => {
      response.writeHead(201, "Made", {
        "x-own": "1",
        "mcp-session-id": "s-1",
        "content-type": "application/json",
        "set-cookie": ["a=1", "b=2"],
      });
      response.end('{"jsonrpc":"2.0",  "id":1,"result":{}}');
    });
    const { url } = await new Home().listen(up.url);
    const body = '{ "jsonrpc" : "2.0",\n "id":1, "method":"ping" }';
    const kept = {
      host: `localhost:${new URL(url).port}`,
      origin: "http://localhost:9",
      authorization: "Bearer t0ken",
      "mcp-session-id": "s-0",
      "mcp-protocol-version": "2025-11-25",
      accept: "application/json, text/event-stream",
      "x-custom": "v",
    };
    const got = await post(`${url}?q=1`, body, { ...kept, connection: "close, x-hop", "x-hop": "no" });
    expect(got).toMatchObject({ status: 201, text: '{"jsonrpc":"2.0",  "id":1,"result":{}}' });
    expect(got.headers).toMatchObject({
      "x-own": "1",
      "mcp-session-id": "s-1",
      "set-cookie": ["a=1", "b=2"],
    });
    const [seen] = up.seen;
    expect([seen!.method, seen!.url, seen!.body.toString()]).toEqual(["POST", "/mcp?q=1", body]);
    expect(seen!.headers).toMatchObject(kept);
    expect(seen!.headers["x-hop"]).toBeUndefined();
  });

  test("events at once, not when the stream ends; comments too; the server notices who hangs up", async () => {
    const gone = Promise.withResolvers<void>();
    const up = await upstream((_seen, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(": hello\n\n");
      response.write(`id: 1\n${event({ jsonrpc: "2.0", method: "notifications/message", params: {} })}`);
      response.on("close", () => gone.resolve());
    });
    const { url } = await new Home().listen(up.url);
    const request = http.request(url, { method: "POST", headers: { "content-type": "application/json" } });
    request.on("error", () => {});
    request.end(JSON.stringify(call(1, "t")));
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    let text = "";
    response.on("data", (chunk: Buffer) => (text += chunk.toString()));
    response.on("error", () => {});
    for (let i = 0; i < 100 && !text.includes("notifications"); i++) await sleep(20);
    expect(text).toMatch(/^: hello\n\nid: 1\nevent: message\ndata: /);
    request.destroy();
    await gone.promise;
  });

  test("an upstream that is not there, or breaks off: an error, and the listener lives", async () => {
    const up = await upstream(({ url }, response) => {
      if (url.endsWith("cut")) {
        response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
        response.write('{"jsonrpc"');
        setTimeout(() => response.destroy(), 20);
      } else response.end();
    });
    const { url } = await new Home().listen(up.url);
    await expect(post(`${url}?cut`, JSON.stringify(call(1, "t")))).rejects.toThrow();
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
    expect(await post(url, JSON.stringify(call(1, "t")))).toMatchObject({ status: 502 });
  });

  test("one slow connection does not hold up another; headers that never end are cut off", async () => {
    const up = await upstream(json);
    const { url } = await new Home().listen(up.url);
    const { port, host } = new URL(url);
    const slow = connect(Number(port), "127.0.0.1");
    slow.on("error", () => {});
    slow.write(`POST /mcp HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000\r\n\r\n{`);
    const slower = connect(Number(port), "127.0.0.1");
    slower.on("error", () => {});
    slower.write("POST /mcp HTTP/1.1\r\nHost:");
    const started = Date.now();
    for (let i = 0; i < 20; i++) expect((await post(url, JSON.stringify(call(i, "t")))).status).toBe(200);
    expect(Date.now() - started).toBeLessThan(5_000);
    slow.destroy();
    slower.destroy();
  });
});

describe("policy holds", () => {
  test("denied in both eras: an error result with status 200; the server sees nothing", async () => {
    const up = await upstream(json);
    const home = enforce(up.url);
    const { url, child } = await home.listen(up.url);
    for (const [params, type] of [
      [{}, undefined],
      [META, "complete"],
    ] as const) {
      const { status, text } = await post(url, JSON.stringify(call(1, "deny", {}, params)));
      expect([status, JSON.parse(text)]).toMatchObject([200, { id: 1, result: { isError: true } }]);
      expect((JSON.parse(text) as { result: { resultType?: string } }).result.resultType).toBe(type);
    }
    const { id: _, ...notification } = call(2, "deny");
    expect(await post(url, JSON.stringify(notification))).toMatchObject({ status: 202, text: "" });
    expect((await post(url, JSON.stringify(call(3, "t")))).status).toBe(200);
    expect(up.seen.map(({ body }) => (JSON.parse(body.toString()) as { id: number }).id)).toEqual([3]);
    await stop(child);
    const actions = home.events().map((e) => [e["event.action"], e["tapline.decision.executed"]]);
    expect(actions.filter(([action]) => action === "tool-call-decision").map(([, done]) => done)).toEqual([
      false,
      false,
      false,
      true,
    ]);
    expect(actions.at(-1)![0]).toBe("chokepoint-stop");
  });

  test.each([
    ["mcp-method", { "mcp-method": "ping" }],
    ["mcp-name", { "mcp-method": "tools/call", "mcp-name": "other" }],
    ["mcp-name in base64", { "mcp-name": "=?base64?b3RoZXI=?=" }],
    ["mcp-protocol-version", { "mcp-protocol-version": "2025-11-25" }],
  ])(
    "a header that says other than the body is told, and refused where policy is enforced: %s",
    async (_name, headers) => {
      const up = await upstream(json);
      const body = JSON.stringify(call(7, "t", {}, META));
      const enforced = enforce(up.url);
      const refused = await post((await enforced.listen(up.url)).url, body, headers);
      expect([refused.status, JSON.parse(refused.text)]).toMatchObject([
        400,
        { id: 7, error: { code: -32020 } },
      ]);
      expect(up.seen).toEqual([]);
      const observed = new Home();
      expect((await post((await observed.listen(up.url)).url, body, headers)).status).toBe(200);
      expect(violations(enforced)).toEqual([["header_mismatch", "block"]]);
      expect(violations(observed)).toEqual([["header_mismatch", "pass"]]);
    },
  );

  test("headers that say the same pass, in plain and in base64", async () => {
    const up = await upstream(json);
    const home = enforce(up.url);
    const { url } = await home.listen(up.url);
    const headers = { "mcp-method": "tools/call", "mcp-protocol-version": "2026-07-28" };
    for (const [tool, name] of [
      ["t", "t"],
      ["grüße", `=?base64?${Buffer.from("grüße").toString("base64")}?=`],
    ])
      expect(
        (await post(url, JSON.stringify(call(1, tool!, {}, META)), { ...headers, "mcp-name": name! })).status,
      ).toBe(200);
    expect(violations(home)).toEqual([]);
  });

  test("what cannot be looked at does not pass: encoded, too long, no JSON, keys repeated", async () => {
    const up = await upstream(json);
    const home = enforce(up.url);
    const { url } = await home.listen(up.url);
    const denied = JSON.stringify(call(1, "deny"));
    const zipped = await post(url, gzipSync(denied), { "content-encoding": "gzip" });
    const cut = await post(url, denied.slice(0, -1));
    const plain = await post(url, denied, { "content-type": "text/plain" });
    const twice = await post(url, denied.replace('"method"', '"method":"ping","method"'));
    const elsewhere = await post(url.replace("/mcp", "/other"), denied);
    const long = await post(url, LONG);
    expect([zipped, cut, plain, twice, elsewhere, long].map(({ status }) => status)).toEqual([
      415, 400, 200, 400, 200, 413,
    ]);
    expect(plain.text).toContain("isError");
    expect(elsewhere.text).toContain("isError");
    expect(up.seen).toEqual([]);
  });

  test.each(["application/json", "text/event-stream"])(
    "bodies and answers that nobody would hold pass as they came where policy observes, %s",
    async (type) => {
      const digest = (text: Buffer | string) => createHash("sha256").update(text).digest("hex");
      const sent = Buffer.concat([LONG, Buffer.alloc(9 * 1024 * 1024, "x")]);
      const answer = `data: ${"y".repeat(LIMITS.sse_event_bytes + 2 ** 20)}\n\n`;
      const up = await upstream((_seen, response) => {
        response.writeHead(200, { "content-type": type, "content-length": answer.length }).end(answer);
      });
      const observed = new Home();
      const got = await post((await observed.listen(up.url)).url, sent);
      expect([digest(up.seen[0]!.body), digest(got.text)]).toEqual([digest(sent), digest(answer)]);
      const told = violations(observed).filter(([what]) => what === "too_long");
      expect(told).toEqual([
        ["too_long", "pass"],
        ["too_long", "pass"],
      ]);
      const enforced = enforce(up.url);
      const { url } = await enforced.listen(up.url);
      expect((await post(url, sent)).status).toBe(413);
      const refused = await post(url, JSON.stringify(call(1, "t"))).catch(() => ({ status: 502 }));
      expect(refused.status).toBe(502);
      expect(up.seen).toHaveLength(2);
    },
    60_000,
  );

  test("an answer that is called JSON and never ends, a message a line: each passes at once, through the gate", async () => {
    const lines = [{ jsonrpc: "2.0", method: "notifications/message" }, tools(2, ["a", "deny"])];
    const up = await upstream((_seen, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      for (const line of lines) response.write(`${JSON.stringify(line)}\n`);
    });
    const { url } = await enforce(up.url).listen(up.url);
    const headers = { "content-type": "application/json" };
    const request = http.request(url, { method: "POST", headers });
    request.end(JSON.stringify({ jsonrpc: "2.0", id: 2, method: "tools/list" }));
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    let text = "";
    for await (const chunk of response as AsyncIterable<Buffer>) {
      text += chunk.toString();
      if (text.split("\n").length > 2) break;
    }
    expect(
      text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([lines[0], tools(2, ["a"])]);
  });

  test("a stream that ends while a question of the server waits for a person: it goes on after the answer", async () => {
    const asked = { jsonrpc: "2.0", id: "q1", method: "roots/list" };
    const up = await upstream(({ body }, response) => {
      if (!body.includes('"tools/call"')) response.writeHead(202).end();
      else response.writeHead(200, { "content-type": "text/event-stream" }).end(event(asked));
    });
    const home = enforce(up.url, {}, { requests: { "roots/list": "ask" } });
    const { url } = await home.listen(up.url);
    const session = { "mcp-session-id": "s" };
    const hello = { protocolVersion: "2025-11-25", capabilities: { elicitation: {} } };
    await post(url, JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params: hello }), session);
    const request = http.request(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream", ...session },
    });
    request.end(JSON.stringify(call(1, "t")));
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    let text = "";
    for await (const chunk of response as AsyncIterable<Buffer>) {
      text += chunk.toString();
      const id = /"id":"(tapline[^"]*)"/.exec(text)?.[1];
      if (id === undefined || text.includes('roots/list"')) continue;
      await sleep(200); // the server's end of the stream has come
      const result = { action: "accept", content: { allow: true } };
      await post(url, JSON.stringify({ jsonrpc: "2.0", id, result }), session);
    }
    expect(text).toContain(JSON.stringify(asked));
    expect((await post(url, JSON.stringify(call(2, "deny")), session)).status).toBe(200);
  });

  test("a batch: what is refused is answered beside the server's answers, JSON or events", async () => {
    const batch = JSON.stringify([call(1, "t"), call(2, "deny")]);
    const up = await upstream((seen, response, request) => {
      if (seen.url.endsWith("events"))
        response
          .writeHead(200, { "content-type": "text/event-stream" })
          .end(event({ jsonrpc: "2.0", id: 1, result: {} }));
      else json(seen, response, request);
    });
    const { url } = await enforce(up.url).listen(up.url);
    const whole = JSON.parse((await post(url, batch)).text) as { id: number; result: object }[];
    expect(whole.toSorted((a, b) => a.id - b.id)).toMatchObject([
      { id: 1 },
      { id: 2, result: { isError: true } },
    ]);
    const { text } = await post(`${url}?events`, batch);
    expect(text.match(/"id":\d/g)!.toSorted()).toEqual(['"id":1', '"id":2']);
    const none = JSON.parse((await post(url, JSON.stringify([call(3, "deny")]))).text) as object[];
    expect(none).toMatchObject([{ id: 3 }]);
    expect(up.seen.map(({ body }) => (JSON.parse(body.toString()) as object[]).length)).toEqual([1, 1]);
  });

  test("what the server asks for and policy denies is refused to it, and never shown to the client", async () => {
    const asked = {
      jsonrpc: "2.0",
      id: "q1",
      method: "sampling/createMessage",
      params: { messages: [], maxTokens: 1 },
    };
    const up = await upstream(({ body }, response) => {
      if (body.includes('"q1"')) response.writeHead(202).end();
      else
        response
          .writeHead(200, { "content-type": "text/event-stream" })
          .end(event(asked) + event({ jsonrpc: "2.0", id: 1, result: {} }));
    });
    const { url } = await enforce(up.url, {}, { requests: { "sampling/createMessage": "deny" } }).listen(
      up.url,
    );
    const { text } = await post(url, JSON.stringify(call(1, "t")), {
      authorization: "Bearer x",
      "mcp-session-id": "s",
    });
    expect(text).not.toContain("sampling");
    for (let i = 0; i < 100 && up.seen.length < 2; i++) await sleep(20);
    expect(JSON.parse(up.seen[1]!.body.toString())).toMatchObject({ id: "q1", error: { code: -32010 } });
    expect(up.seen[1]!.headers).toMatchObject({ authorization: "Bearer x", "mcp-session-id": "s" });
  });

  test("other names for this machine are refused: Host and Origin of other sites", async () => {
    const up = await upstream(json);
    const home = new Home();
    const { url } = await home.listen(up.url);
    const body = JSON.stringify(call(1, "t"));
    const { port } = new URL(url);
    for (const headers of [
      { host: "evil.example:80" },
      { host: `127.0.0.1.evil.example:${port}` },
      { origin: "https://evil.example" },
      { origin: "null" },
    ])
      expect((await post(url, body, headers as never)).status).toBe(403);
    for (const headers of [
      { host: `[::1]:${port}` },
      { host: "localhost" },
      { origin: "http://localhost:3000" },
    ])
      expect((await post(url, body, headers as never)).status).toBe(200);
    expect(up.seen).toHaveLength(3);
    expect(violations(home)).toEqual(Array.from({ length: 4 }, () => ["foreign_host", "block"]));
  });
});

describe("through the SDK", () => {
  test("ask over Streamable HTTP: the form comes on the stream of the call", async () => {
    const target = await startTarget("test/chokepoint/target.child.ts");
    const home = new Home().policy({
      mode: "enforce",
      servers: { t: { url: target.url, tools: { test_simple_text: "ask", test_error_handling: "deny" } } },
    });
    const { url } = await home.listen(target.url);
    const client = new Client({ name: "c", version: "1" }, { capabilities: { elicitation: {} } });
    clients.push(client);
    const answers = [{ action: "accept", content: { allow: true } }, { action: "cancel" }];
    client.setRequestHandler(ElicitRequestSchema, (() => answers.shift()) as never);
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    expect((await client.listTools()).tools.map(({ name }) => name)).not.toContain("test_error_handling");
    expect(await client.callTool({ name: "test_simple_text", arguments: {} })).toMatchObject({
      content: [{ type: "text" }],
    });
    expect(await client.callTool({ name: "test_simple_text", arguments: {} })).toMatchObject({
      isError: true,
    });
    const users = home
      .events()
      .filter(
        (e) => e["event.action"] === "tool-call-decision" && e["tapline.decision.decider.type"] === "user",
      );
    expect(users.map((e) => e["tapline.decision.action"])).toEqual(["pass", "block"]);
    const results = home.events().filter((e) => e["event.action"] === "tool-result");
    expect(results.every((e) => e["tapline.call.joined"] === true)).toBe(true);
  }, 60_000);

  test.each(["relative", "absolute", "foreign"])(
    "the older transport, endpoint %s: messages come back through the proxy",
    async (kind) => {
      const reached: string[] = [];
      const transports = new Map<string, SSEServerTransport>();
      const server = http.createServer((request, response) => {
        const id = new URL(request.url!, "http://x").searchParams.get("sessionId");
        if (request.method === "POST") {
          reached.push(id ?? "");
          void transports.get(id ?? "")?.handlePostMessage(request, response);
          return;
        }
        const { port } = server.address() as AddressInfo;
        const base =
          kind === "relative" ? "" : kind === "absolute" ? `http://127.0.0.1:${port}` : "http://127.0.0.1:1";
        const write = response.write.bind(response) as (text: string) => boolean;
        response.write = ((text: string) =>
          write(text.replace("data: /messages", `data: ${base}/messages`))) as never;
        const transport = new SSEServerTransport("/messages", response);
        transports.set(transport.sessionId, transport);
        const mcp = new Server({ name: "old", version: "1" }, { capabilities: { tools: {} } });
        mcp.setRequestHandler(ListToolsRequestSchema, () => ({
          tools: [{ name: "t", inputSchema: { type: "object" as const } }],
        }));
        mcp.setRequestHandler(CallToolRequestSchema, () => ({ content: [{ type: "text", text: "done" }] }));
        void mcp.connect(transport);
      });
      servers.push(server);
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const upstream_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sse`;
      const home = enforce(upstream_url);
      const { url } = await home.listen(upstream_url);
      const client = new Client({ name: "c", version: "1" });
      clients.push(client);
      const connected = client.connect(new SSEClientTransport(new URL(url)));
      if (kind === "foreign") {
        for (let i = 0; i < 100 && violations(home).length === 0; i++) await sleep(20);
        expect(violations(home)).toEqual([["foreign_endpoint", "block"]]);
        await client.close();
        void connected.catch(() => {});
        return;
      }
      await connected;
      expect(await client.callTool({ name: "t", arguments: {} })).toMatchObject({
        content: [{ text: "done" }],
      });
      expect(await client.callTool({ name: "deny", arguments: {} })).toMatchObject({ isError: true });
      expect(reached.length).toBe(3); // initialize, initialized, the call
      const events = home.events();
      const result = events.find((e) => e["event.action"] === "tool-result");
      expect(result).toMatchObject({ "tapline.call.joined": true, "gen_ai.tool.name": "t" });
    },
    60_000,
  );
});

test("kill -9 in mid-call: what reached the server has its decision", async () => {
  const up = await upstream(json);
  const home = new Home();
  const { url, child } = await home.listen(up.url);
  const sent = Array.from({ length: 200 }, (_, i) =>
    post(url, JSON.stringify(call(i, "t"))).catch(() => undefined),
  );
  for (let i = 0; i < 200 && up.seen.length < 20; i++) await sleep(5);
  await stop(child, "SIGKILL");
  await Promise.all(sent);
  const decided = new Set(
    home
      .lines()
      .filter((l) => l["decision"] !== undefined)
      .map((l) => l.msg!["id"]),
  );
  const reached = up.seen.map(({ body }) => (JSON.parse(body.toString()) as { id: number }).id);
  expect(reached.length).toBeGreaterThanOrEqual(20);
  expect(reached.filter((id) => !decided.has(id))).toEqual([]);
});

test("wrong options: usage, exit code 2", async () => {
  for (const args of [
    ["--listen", "127.0.0.1:0"],
    ["--listen", "nonsense", "--upstream", "http://127.0.0.1:1/"],
    ["--listen", "127.0.0.1:0", "--upstream", "ftp://x"],
    ["--listen", "127.0.0.1:0", "--upstream", "http://u:p@x"],
    ["--listen", "127.0.0.1:0", "--upstream", "http://x", "--", "cat"],
    [],
  ]) {
    const child = new Home().start(...args);
    const [code] = (await once(child, "close")) as [number];
    expect([args, code]).toEqual([args, 2]);
  }
}, 60_000);
