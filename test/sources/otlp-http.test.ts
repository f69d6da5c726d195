// The receiver's HTTP end: who is let in, every refusal with its Status in the client's encoding, bounds on bodies,
// slow clients and many connections.
import { type Socket, connect } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import otlp from "../../src/sources/otlp.ts";
import { hostOf } from "../../src/core/own-hosts.ts";
import { type Bench, removeDir, tempDir } from "./harness.ts";
import {
  type Answer,
  type Receiver,
  type Sent,
  logRecord,
  logs,
  otlpBench,
  pumpUntil,
  send,
} from "./otlp-client.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const PROTOBUF = "application/x-protobuf";
const BODY = logs([logRecord("s1", "one")]);

let dir: string;
let bench: Bench;
let sockets: Socket[];
const open = async (config: object = {}): Promise<void> => {
  bench = await otlpBench(dir, config).open();
};
beforeEach(() => {
  dir = tempDir();
  sockets = [];
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await bench.source.close();
  removeDir(dir);
});

const receiver = (): Receiver => bench.source as Receiver;
const ask = (sent: Omit<Sent, "port"> = {}): Promise<Answer> =>
  pumpUntil(bench, send({ port: receiver().port, body: BODY, ...sent }));
const told = (answer: Answer): [number, number] => [
  answer.status,
  (JSON.parse(answer.body.toString()) as { code: number }).code,
];

/** Sends raw bytes; what comes back until the connection ends. */
function raw(bytes: string | Buffer, hold = false): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(receiver().port, "127.0.0.1", () =>
    hold ? socket.write(bytes) : socket.end(bytes),
  );
  sockets.push(socket);
  let text = "";
  socket.on("data", (piece) => (text += piece.toString("latin1")));
  socket.on("error", () => {}).on("close", () => resolve(text));
  return promise;
}

describe("who is let in", () => {
  test.each([
    ["127.0.0.1:4318", 200],
    ["localhost", 200],
    ["LocalHost.:80", 200],
    ["[::1]:4318", 200],
    ["collector.internal:4318", 200],
    ["evil.example:4318", 403],
    ["127.0.0.1.evil.example", 403],
    ["127.0.0.2", 403],
    ["localhost:4318@evil.example", 403],
  ])("Host %s: %i", async (host, status) => {
    await open({ hosts: ["Collector.internal"] });
    const answer = await ask({ headers: { host } });
    expect(answer.status).toBe(status);
    if (status === 403) expect(told(answer)).toEqual([403, 7]);
  });

  test("without Host: 403, with a Status", async () => {
    await open();
    for (const host of ["", "host:\r\n", "host: a, localhost\r\n"]) {
      const answer = await raw(
        `POST /v1/logs HTTP/1.1\r\n${host}content-length: 0\r\nconnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 403 [^]*"code":7/);
    }
  });

  test("pages do not get in, whatever their origin says", async () => {
    await open();
    for (const origin of ["https://evil.example", "http://localhost:4318", "null"])
      expect(told(await ask({ headers: { origin } }))).toEqual([403, 7]);
    expect(bench.records).toEqual([]);
  });

  test("hosts as names and addresses", () => {
    expect(hostOf("A.b:1")).toBe("a.b");
    expect(hostOf("[2001:db8::1]:99")).toBe("2001:db8::1");
    for (const odd of ["a/b", "a b", "a:b", "[x]", "a:1:2", ""]) expect(hostOf(odd)).toBeUndefined();
  });

  const digest = "sha256:3eb6e3e9abf8f4a44e2ee4a4d7eb3b2e3b5a2a4d0e7d3cba9b4f0b3e0d2f5a11";
  test.each([
    ["as it is", TOKEN, `Bearer ${TOKEN}`, 200],
    ["with a line's end", `${TOKEN}\n`, `bearer ${TOKEN}`, 200],
    ["another", TOKEN, `Bearer ${TOKEN}x`, 401],
    ["shorter", TOKEN, `Bearer ${TOKEN.slice(1)}`, 401],
    ["none", TOKEN, undefined, 401],
    ["no bearer", TOKEN, `Basic ${TOKEN}`, 401],
    ["its digest instead", digest, `Bearer ${digest}`, 401],
  ])("token %s", async (_, held, shown, status) => {
    writeFileSync(join(dir, "token"), held);
    await open({ token_file: join(dir, "token") });
    const answer = await ask({ headers: shown === undefined ? {} : { authorization: shown } });
    expect(answer.status).toBe(status);
    if (status === 200) return;
    expect(told(answer)).toEqual([401, 16]);
    expect(answer.headers["www-authenticate"]).toBe("Bearer");
    expect(answer.body.toString() + bench.warnings.join()).not.toContain(TOKEN.slice(1));
  });

  test("a token known by its digest alone, from the environment", async () => {
    const { hash } = await import("node:crypto");
    process.env["TAPLINE_TEST_TOKEN"] = `sha256:${hash("sha256", TOKEN)}`;
    await open({ token_env: "TAPLINE_TEST_TOKEN" });
    expect((await ask({ headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200);
    expect((await ask({ headers: { authorization: `Bearer ${TOKEN}0` } })).status).toBe(401);
  });

  test("a token that is none, a port that is taken: the start says so", async () => {
    await open();
    writeFileSync(join(dir, "token"), "short");
    const short = otlpBench(dir, { token_file: join(dir, "token") });
    await expect(short.open()).rejects.toMatchObject({ code: "SOURCE_SECRET" });
    await expect(otlpBench(dir, { token_file: join(dir, "none") }).open()).rejects.toMatchObject({
      code: "SOURCE_SECRET",
    });
    const taken = otlpBench(dir, { listen: `127.0.0.1:${receiver().port}` });
    await expect(taken.open()).rejects.toMatchObject({ code: "SOURCE_LISTEN" });
  });

  test("beyond loopback only with a token", async () => {
    await open();
    const wrong = (options: object) =>
      otlp.config.safeParse({ type: "otlp", ...options }).error?.issues[0]?.message;
    expect(wrong({})).toBeUndefined();
    expect(wrong({ listen: "[::1]:4318" })).toBeUndefined();
    expect(wrong({ listen: "0.0.0.0:4318", token_env: "T" })).toBeUndefined();
    expect(wrong({ listen: "0.0.0.0:4318" })).toMatch(/token_file or token_env/);
    expect(wrong({ listen: "[::]:4318" })).toMatch(/token_file or token_env/);
    expect(wrong({ listen: "4318" })).toMatch(/address and a port/);
    expect(wrong({ token_env: "T", token_file: "f" })).toMatch(/only one/);
  });
});

describe("what may be asked", () => {
  test.each<[string, Omit<Sent, "port">, number, number]>([
    ["another path", { path: "/v1/profiles" }, 404, 5],
    ["a path that objects have", { path: "/constructor" }, 404, 5],
    ["GET", { method: "GET", body: "" }, 405, 12],
    ["OPTIONS", { method: "OPTIONS", body: "" }, 405, 12],
    ["another type", { headers: { "content-type": "text/plain" } }, 415, 3],
    ["another packing", { headers: { "content-encoding": "br" } }, 415, 3],
    ["packed twice", { headers: { "content-encoding": "gzip, gzip" } }, 415, 3],
    ["no gzip", { headers: { "content-encoding": "gzip" } }, 400, 3],
    ["cut gzip", { headers: { "content-encoding": "gzip" }, body: gzipSync(BODY).subarray(0, 60) }, 400, 3],
    ["no JSON", { body: "{" }, 400, 3],
  ])("%s", async (_, sent, status, code) => {
    await open();
    const answer = await ask(sent);
    expect(told(answer)).toEqual([status, code]);
    if (status === 405) expect(answer.headers["allow"]).toBe("POST");
    if (status === 415) expect(answer.headers["accept-encoding"]).toBe("identity, gzip, deflate");
    expect(receiver().counts[`refused_${status}`]).toBe(1);
  });

  test("a Status in protobuf for who sends protobuf", async () => {
    await open();
    const answer = await ask({ headers: { "content-type": PROTOBUF }, body: Buffer.from([0x0b]) });
    expect([answer.status, answer.headers["content-type"]]).toEqual([400, PROTOBUF]);
    const message = answer.body.subarray(4);
    expect([...answer.body.subarray(0, 4)]).toEqual([0x08, 3, 0x12, message.length]);
    expect(message.toString()).toBe("wire type 3");
  });

  test.each([
    ["gzip", gzipSync(BODY)],
    ["deflate", deflateSync(BODY)],
    ["GZIP", Buffer.concat([gzipSync(BODY.slice(0, 40)), gzipSync(BODY.slice(40))])],
  ])("packed as %s", async (packing, body) => {
    await open();
    const headers = { "content-encoding": packing, "content-type": "application/json; charset=utf-8" };
    expect((await ask({ headers, body })).status).toBe(200);
    expect(bench.records.length).toBe(1);
  });

  test("raw deflate is not what the name says", async () => {
    await open();
    expect(
      (await ask({ headers: { "content-encoding": "deflate" }, body: deflateRawSync(BODY) })).status,
    ).toBe(400);
  });

  test("headers that are no HTTP or too long", async () => {
    await open();
    expect(await raw("nonsense\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 [^]*"code":3/);
    const long = `POST /v1/logs HTTP/1.1\r\nhost: localhost\r\nx: ${"y".repeat(LIMITS.otlp_header_bytes)}\r\n\r\n`;
    expect(await raw(long)).toMatch(/^HTTP\/1\.1 431 [^]*"code":8/);
  });
});

describe("how much", () => {
  const large = Buffer.alloc(LIMITS.otlp_body_bytes + 1, " ");

  test("too large: told at once by its length, else when it has come so far; the connection lives", async () => {
    await open();
    expect(told(await ask({ body: large }))).toEqual([413, 8]);
    expect(told(await ask({ body: large, headers: { "transfer-encoding": "chunked" } }))).toEqual([413, 8]);
    await pumpUntil(bench, sleep(20));
    expect(bench.gaps).toMatchObject([
      { reason: "too_large", bytes: large.length },
      { reason: "too_large", bytes: undefined },
    ]);
  });

  test("a bomb is refused while it unpacks, with no more memory than its bound", async () => {
    await open();
    const unpacked = 256 * 1024 * 1024;
    const bombs: [string, Buffer][] = [
      ["gzip", gzipSync(Buffer.alloc(unpacked, "["))],
      ["deflate", deflateSync(Buffer.alloc(unpacked))],
    ];
    // Below the ratio and above the size.
    const mixed = Buffer.alloc(LIMITS.otlp_body_bytes * 2);
    for (let i = 0; i < mixed.length; i += 512) mixed.writeUInt32LE((i * 2_654_435_761) >>> 0, i);
    bombs.push(["gzip", gzipSync(mixed)]);
    for (const [packing, body] of bombs) {
      globalThis.gc?.();
      const before = process.memoryUsage();
      let most = 0;
      const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().external)), 1);
      const headers = { "content-encoding": packing };
      const answers = await Promise.all(Array.from({ length: 8 }, () => ask({ headers, body })));
      clearInterval(watch);
      // Eight at once may also be more than there is room for.
      for (const { status } of answers) expect([413, 503]).toContain(status);
      expect(told(await ask({ headers, body }))).toEqual([413, 8]);
      expect(most - before.external).toBeLessThan(8 * (LIMITS.otlp_body_bytes + 2 * 1024 * 1024));
    }
    expect((await ask()).status).toBe(200);
  });

  test("under pressure: 503 with Retry-After, and room again when things are durable", async () => {
    await open();
    const padded = (n: number) => logs([logRecord("s1", `n${n}`, 9_000_000)]);
    const first: Promise<Answer>[] = [];
    for (let n = 0; n < 12; n++) first.push(send({ port: receiver().port, body: padded(n) }));
    while (receiver().counts["refused_503"] === undefined) await sleep(20);
    const late = await send({ port: receiver().port, body: BODY });
    expect([...told(late), late.headers["retry-after"]]).toEqual([503, 14, String(LIMITS.otlp_retry_s)]);
    expect(receiver().counts["held_bytes"]).toBeLessThanOrEqual(LIMITS.otlp_held_bytes);
    const answers = await pumpUntil(bench, Promise.all(first));
    const taken = answers.filter(({ status }) => status === 200).length;
    // On a slow machine some are told to come again although they are kept, and wait still.
    const kept = (): number => taken + (receiver().counts["late"] ?? 0);
    await pumpUntil(
      bench,
      vi.waitUntil(() => bench.records.length >= kept(), 60_000),
    );
    expect(bench.records.length).toBe(kept());
    expect(bench.records.length).toBeGreaterThan(0);
    expect(bench.records.length).toBeLessThan(12);
    expect((await ask()).status).toBe(200);
  });

  test("clients that send nothing more are cut off, those that never end a header too", async () => {
    await open();
    const started = Date.now();
    const head = "POST /v1/logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    const header = raw(head, true);
    expect(await header).toMatch(/^HTTP\/1\.1 408 [^]*"code":4/);
    expect(Date.now() - started).toBeLessThan(LIMITS.otlp_header_ms * 3);
  });

  test.runIf(process.env["TAPLINE_FULL"] === "1")(
    "a client that sends its body drop by drop is cut off",
    async () => {
      await open();
      const started = Date.now();
      const head = "POST /v1/logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
      const ended = raw(`${head}content-length: 1000\r\n\r\n{`, true);
      const drip = setInterval(() => sockets.at(-1)!.write(" "), 500);
      await ended;
      clearInterval(drip);
      expect(Date.now() - started).toBeLessThan(LIMITS.otlp_request_ms + 5_000);
      expect(receiver().counts["refused_408"]).toBeGreaterThan(0);
    },
    60_000,
  );

  test("a client that goes away in the middle leaves nothing behind", async () => {
    await open();
    const head = `POST /v1/logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
    for (const packing of ["identity", "gzip"]) {
      const half = packing === "gzip" ? gzipSync(BODY) : Buffer.from(BODY);
      const done = raw(
        Buffer.concat([
          Buffer.from(`${head}content-encoding: ${packing}\r\ncontent-length: ${half.length + 10}\r\n\r\n`),
          half,
        ]),
        true,
      );
      await sleep(100);
      sockets.at(-1)!.destroy();
      await done;
    }
    await sleep(100);
    expect(receiver().counts["refused_408"]).toBe(2);
    expect(bench.source.drained).toBe(true);
  });

  test("no more connections than the bound; the others go on", async () => {
    await open();
    for (let n = 0; n < LIMITS.otlp_connections + 40; n++) {
      const socket = connect(receiver().port, "127.0.0.1").on("error", () => {});
      sockets.push(socket);
    }
    while ((receiver().counts["connections_dropped"] ?? 0) < 40) await sleep(10);
    expect(receiver().counts["connections_dropped"]).toBe(40);
    for (const socket of sockets.splice(0, 20)) socket.destroy();
    await sleep(100);
    expect((await ask()).status).toBe(200);
  });
});
