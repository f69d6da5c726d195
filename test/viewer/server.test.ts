// Who gets in, and what hostile requests come to: addresses, origins, links, cookies, paths, lengths, slowness, values.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { serialise } from "../../src/core/generated/event.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { LedgerReader } from "../../src/ledger/reader.ts";
import { StoreWriter } from "../../src/store/writer.ts";
import { ROUTES } from "../../src/viewer/routes.ts";
import { memoryLedger } from "../store/ledgers.ts";
import { madeEvents } from "./made.ts";
import { type Served, SECRETS, ask, lines, newAssets, newDir, serve } from "./serve.ts";

const EVENTS = madeEvents(300);
const FORMULA = '=HYPERLINK("http://evil.example")';
EVENTS[5]!["message"] = FORMULA;
EVENTS[5]!["gen_ai.tool.name"] = "<img src=x onerror=alert(1)>\r\nSet-Cookie: a=b";

let served: Served;
let state_dir: string;
beforeAll(async () => {
  state_dir = newDir();
  const store_dir = join(state_dir, "local");
  const memory = memoryLedger(EVENTS.map((event) => serialise(event)));
  const writer = new StoreWriter({
    dir: store_dir,
    ledger: memory,
    memory_mb: 256,
    now: Date.now,
    warn: () => {},
  });
  await writer.write(0, 200);
  writer.close();
  const ledger: LedgerReader = {
    first: () => Promise.resolve(0),
    erased: () => Promise.resolve([]),
    size: () => Promise.resolve(memory.size()),
    read: (from, entries, bytes) => Promise.resolve(memory.read(from, entries, bytes)),
    checkpoint: () => Promise.resolve(undefined),
    close: () => Promise.resolve(),
  };
  const place = {
    state_dir,
    store_dir,
    ledger_dir: join(state_dir, "ledger"),
    host: "h",
    namespace: "default",
    memory_mb: 256,
  };
  served = await serve(place, ledger, [], newAssets());
});

const submissions = (): string[] => {
  const dir = join(state_dir, "submissions");
  if (!existsSync(dir)) return [];
  return readdirSync(dir).flatMap((name) =>
    readFileSync(join(dir, name), "utf8")
      .split("\n")
      .filter((line) => line.includes('"submit"')),
  );
};

describe("the address and the origin", () => {
  test.each([
    ["another name (DNS rebinding)", { host: "evil.example" }],
    ["another name with our port", { host: "evil.example:PORT" }],
    ["another port", { host: "127.0.0.1:1" }],
    ["a name that ends in ours", { host: "evil.127.0.0.1:PORT" }],
    ["another origin", { origin: "http://evil.example" }],
    ["the origin of another port of this machine", { origin: "http://127.0.0.1:1" }],
    ["an origin that is hidden", { origin: "null" }],
    [
      "a frame or script of another site",
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" },
    ],
    [
      "another port's page",
      { "sec-fetch-site": "same-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" },
    ],
  ])("%s is refused, with a cookie too", async (_, headers) => {
    const named = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace("PORT", String(served.port))]),
    );
    for (const path of ["/api/session", "/", "/open?token=owner-token-of-a-test"])
      expect((await ask(served.port, path, { headers: named })).status).toBe(403);
  });

  test("two Host headers are refused", async () => {
    const socket = connect(served.port, "127.0.0.1");
    socket.write(
      `GET /api/session HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nHost: evil.example\r\nCookie: tapline-viewer-${served.port}=owner-cookie\r\nConnection: close\r\n\r\n`,
    );
    const text = await new Promise<string>((resolve) => {
      let all = "";
      socket.on("data", (chunk) => (all += chunk.toString()));
      socket.on("close", () => resolve(all));
    });
    expect(text).not.toContain("200 OK");
    expect(text).not.toContain('"role"');
  });

  test("a POST without an Origin, or as a form sends it, does nothing", async () => {
    const before = submissions().length;
    const body = JSON.stringify({ what: "events" });
    const cookie = `tapline-viewer-${served.port}=owner-cookie`;
    const bare = await ask(served.port, "/api/exports", {
      method: "POST",
      body,
      as: "none",
      headers: { cookie, origin: [] },
    });
    expect(bare.status).toBe(403);
    const form = await ask(served.port, "/api/exports", {
      method: "POST",
      body,
      headers: { "content-type": "text/plain" },
    });
    expect(form.status).toBe(400);
    expect(submissions()).toHaveLength(before);
  });
});

describe("the link and the cookie", () => {
  test("without a cookie nothing but words is shown", async () => {
    for (const path of ["/", "/index.html", "/app-12345678.js", "/api/session", "/api/live", "/api/nope"]) {
      const { status, body } = await ask(served.port, path, { as: "none" });
      expect(status, path).toBe(401);
      expect(body).not.toContain("page");
    }
  });

  test("the token becomes a cookie that scripts and other sites do not get, and leaves the address", async () => {
    const { status, headers } = await ask(served.port, `/open?token=${SECRETS.owner}`, { as: "none" });
    expect(status).toBe(303);
    expect(headers.location).toBe("/");
    expect(headers["set-cookie"]).toEqual([
      `tapline-viewer-${served.port}=owner-cookie; Path=/; HttpOnly; SameSite=Strict`,
    ]);
  });

  test.each([
    "",
    "owner",
    "owner-token-of-a-tesT",
    "owner-token-of-a-test ",
    "owner-cookie",
    "x".repeat(4_000),
  ])("a token that is not one opens nothing: %s", async (token) => {
    const { status, headers } = await ask(served.port, `/open?token=${encodeURIComponent(token)}`, {
      as: "none",
    });
    expect(status).toBe(403);
    expect(headers["set-cookie"]).toBeUndefined();
  });

  test.each(["owner-cooki", "owner-cookie2", "", "owner-token-of-a-test"])(
    "nor does a cookie: %s",
    async (value) => {
      const headers = { cookie: `tapline-viewer-${served.port}=${value}` };
      expect((await ask(served.port, "/api/session", { as: "none", headers })).status).toBe(401);
    },
  );

  test("a reader looks, and neither acts nor exports", async () => {
    const session = JSON.parse((await ask(served.port, "/api/session", { as: "reader" })).body) as object;
    expect(session).toMatchObject({ role: "reader", user: { name: "reader" } });
    expect((await ask(served.port, "/api/events?limit=1", { as: "reader" })).status).toBe(200);
    const before = submissions().length;
    for (const route of ROUTES.filter(({ method }) => method === "POST")) {
      const { status } = await ask(served.port, route.path.replace("*", "x"), {
        method: "POST",
        body: "{}",
        as: "reader",
      });
      expect(status, route.path).toBe(403);
    }
    expect(submissions()).toHaveLength(before);
  });
});

test("every answer has the headers that bind a browser", async () => {
  for (const [path, as] of [
    ["/", "owner"],
    ["/api/session", "owner"],
    ["/api/nope", "owner"],
    ["/", "none"],
    ["/open?token=x", "none"],
    ["/api/events?limit=1", "owner"],
  ] as const) {
    const { headers } = await ask(served.port, path, { as });
    expect(headers, path).toMatchObject({
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin",
      "cross-origin-opener-policy": "same-origin",
    });
    const policy = headers["content-security-policy"] as string;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*|data:/);
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  }
});

describe("paths and lengths", () => {
  test.each([
    "/../package.json",
    "/%2e%2e/package.json",
    "/..%2fpackage.json",
    "//etc/passwd",
    "/./index.html",
    "/index.html/",
    "/app-12345678.js%00.html",
    "/api/../index.html",
  ])("%s leads to no file", async (path) => {
    const { status, body } = await ask(served.port, path);
    expect(status).toBe(404);
    expect(body).not.toMatch(/root:|"name"|page/);
  });

  test("what is too long is refused and read no further", async () => {
    expect((await ask(served.port, `/api/events?q=${"x".repeat(LIMITS.viewer_url_chars)}`)).status).toBe(414);
    expect(
      (await ask(served.port, `/api/events?q=${"x".repeat(LIMITS.viewer_query_chars + 1)}`)).status,
    ).toBe(400);
    const body = JSON.stringify({ what: "events", q: "x".repeat(LIMITS.viewer_body_bytes) });
    expect((await ask(served.port, "/api/exports", { method: "POST", body })).status).toBe(413);
    const headers = { "x-long": "x".repeat(LIMITS.viewer_header_bytes) };
    await expect(ask(served.port, "/api/session", { headers })).rejects.toThrow();
    expect((await ask(served.port, "/api/session")).status).toBe(200);
  });

  test("terms and values of a search are bounded", async () => {
    const terms = Array.from({ length: LIMITS.viewer_terms + 1 }, (_, i) => `w${i}`).join("+");
    expect((await ask(served.port, `/api/events?q=${terms}`)).status).toBe(400);
    const values = Array.from({ length: LIMITS.viewer_values + 1 }, (_, i) => `v${i}`).join("+");
    expect((await ask(served.port, `/api/events?q=tool:(${values})`)).status).toBe(400);
  });
});

test("a client that sends its request drop by drop is let go, and others are served meanwhile", async () => {
  const socket = connect(served.port, "127.0.0.1");
  const began_ms = performance.now();
  socket.write(`GET /api/session HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\n`);
  const drip = setInterval(() => socket.write("x: y\r\n"), 400);
  socket.on("error", () => {});
  await new Promise((resolve) => socket.on("close", resolve));
  clearInterval(drip);
  expect(performance.now() - began_ms).toBeLessThan(LIMITS.viewer_header_ms * 4);
  expect((await ask(served.port, "/api/session")).status).toBe(200);
});

describe("hostile values", () => {
  const VALUES = [
    "'; DROP TABLE tail; --",
    '"',
    "\\",
    "$1",
    "?",
    "%00",
    "../../etc/passwd",
    "<script>",
    "\u202e",
    "a".repeat(2_000),
    "1e999",
    "-1",
    "NaN",
    "[]",
    "{}",
  ];
  test("in every route and parameter come to an answer, never a failure of ours", async () => {
    for (const route of ROUTES.filter(({ method, path }) => method === "GET" && path !== "/api/live")) {
      for (const value of VALUES) {
        const path = route.path.replace("*", encodeURIComponent(value));
        const { status } = await ask(served.port, path);
        expect([200, 400, 404], path).toContain(status);
      }
      for (const name of route.parameters) {
        for (const value of ["'; --", '"', "-1", "\u0000", "now-99999999y", "9".repeat(30)]) {
          const path = `${route.path.replace("*", "operation")}?${name}=${encodeURIComponent(value)}`;
          const { status, body } = await ask(served.port, path);
          expect([200, 400, 404], path).toContain(status);
          expect(body, path).not.toMatch(/Parser Error|Binder Error|VIEWER_BUG|at Object/);
        }
      }
    }
    expect(served.bugs).toEqual([]);
    // The store is whole.
    const found = lines<{ type: string; total?: number }>((await ask(served.port, "/api/events")).body);
    expect(found.findLast(({ type }) => type === "total")?.total).toBe(EVENTS.length);
  });

  test("unknown and repeated parameters, and unknown keys of a body, are refused", async () => {
    expect((await ask(served.port, "/api/events?from=now-1d&from=now")).status).toBe(400);
    expect((await ask(served.port, "/api/events?evil=1")).status).toBe(400);
    for (const body of [
      "",
      "[]",
      "null",
      "{",
      '{"what":"events","evil":1}',
      '{"what":"/etc/passwd"}',
      '{"what":"events","fields":["entry; --"]}',
    ])
      expect((await ask(served.port, "/api/exports", { method: "POST", body })).status, body).toBe(400);
    for (const body of [
      '{"alerts":[],"transition":"noted"}',
      '{"alerts":["x"],"transition":"deleted"}',
      '{"alerts":["x"],"transition":"closed"}',
    ])
      expect((await ask(served.port, "/api/alerts", { method: "POST", body })).status, body).toBe(400);
  });

  test("texts of records stay data: JSON, and no header has any of them", async () => {
    const { headers, body } = await ask(served.port, "/api/events/5");
    expect(headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(JSON.stringify(headers)).not.toContain("onerror");
    expect((JSON.parse(body) as { event: { message: string } }).event.message).toBe(FORMULA);
  });
});

test("an export is recorded before it is sent, and no spreadsheet takes a cell of it for a formula", async () => {
  const before = submissions().length;
  const body = JSON.stringify({ what: "events", q: "index:5", fields: ["gen_ai.tool.name"] });
  const { status, headers, body: csv } = await ask(served.port, "/api/exports", { method: "POST", body });
  expect(status).toBe(200);
  expect(headers["content-disposition"]).toBe('attachment; filename="tapline-events.csv"');
  expect(csv).toContain(`"'=HYPERLINK(""http://evil.example"")"`);
  expect(csv).not.toMatch(/(^|,)"?=/m);
  const [recorded] = submissions().slice(before);
  expect(JSON.parse(recorded!)).toMatchObject({
    submit: "export",
    kind: "events",
    query: "event.sequence:5",
  });
});

test("what a page asks is bounded in memory, whatever it asks", async () => {
  const { figures } = served.context;
  for (let i = 0; i < 40; i++) await ask(served.port, `/api/events?q=user:ann+index:>${i}`);
  expect(figures.cells).toBeLessThanOrEqual(LIMITS.viewer_cache_cells);
});
