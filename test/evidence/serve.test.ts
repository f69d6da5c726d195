// A pack behind `tapline serve-auditor`: the files of its manifest as they are, and nothing else by any way of asking.
import { once } from "node:events";
import { appendFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { signerOf } from "../../src/evidence/manifest.ts";
import { writePack } from "../../src/evidence/pack.ts";
import { PackServer } from "../../src/evidence/serve.ts";
import { start } from "../commands/tapline.ts";
import { everything, newDir, report, world } from "./world.ts";

const dir = join(newDir(), "pack");
let server: PackServer;
let port = 0;
beforeAll(async () => {
  const made = await world(everything());
  const done = await report(made.config, { ids: ["A.6.2.6"] });
  const signer = await signerOf(join(made.dir, "ledger"), undefined);
  await writePack(dir, done, { signer, attached: new Map() });
  server = await PackServer.open(dir, { host: "127.0.0.1", port: 0 });
  port = Number(new URL(server.url).port);
});
afterAll(() => server.close());

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Record<string, unknown>;
}
async function ask(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  const asked = request({ host: "127.0.0.1", port, path, method, headers, agent: false });
  asked.end();
  const [response] = (await once(asked, "response")) as [import("node:http").IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode!, body: Buffer.concat(chunks).toString(), headers: response.headers };
}

test("the page, its files and the manifest, each with its type and a policy", async () => {
  for (const [path, type] of [
    ["/", "text/html; charset=utf-8"],
    ["/index.html", "text/html; charset=utf-8"],
    ["/report.pdf", "application/pdf"],
    ["/VERIFY.md", "text/plain; charset=utf-8"],
    ["/manifest.json", "application/json"],
    ["/manifest.note", "text/plain; charset=utf-8"],
    ["/checkpoints/log.vkey", "text/plain; charset=utf-8"],
  ] as const) {
    const { status, headers, body } = await ask(path);
    expect([path, status, headers["content-type"]]).toEqual([path, 200, type]);
    expect(body.length).toBeGreaterThan(0);
    expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "cache-control": "no-store" });
    expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
  }
  expect((await ask("/", {}, "HEAD")).body).toBe("");
  expect((await ask("/index.html?x=1")).status).toBe(200);
});

/** As it stands on the wire: clients tidy paths up. */
async function raw(path: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.end(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text.slice(9, 12);
}

test("no path leads out of the pack", async () => {
  writeFileSync(join(dir, "secret.txt"), "not in the manifest");
  const hostile = [
    "/../pack/index.html",
    "/..%2f..%2fetc/passwd",
    "/proofs/../index.html",
    "//index.html",
    "/./index.html",
    "/index.html/",
    "/%69ndex.html",
    "/proofs",
    "/secret.txt",
    "/etc/passwd",
    "/__proto__",
    "/constructor",
  ];
  for (const path of hostile) expect([path, await raw(path)]).toEqual([path, "404"]);
  expect(["400", "404"]).toContain(await raw("index.html"));
  expect((await ask("/", { host: "evil.example" })).status).toBe(403);
  expect((await ask("/", { origin: "http://evil.example" })).status).toBe(403);
  expect((await ask("/", {}, "POST")).status).toBe(405);
  rmSync(join(dir, "secret.txt"));
});

test("a file that was changed, is a link, or is gone is not served", async () => {
  appendFileSync(join(dir, "events.csv"), "one more\r\n");
  const changed = await ask("/events.csv");
  expect([changed.status, changed.body]).toEqual([409, "the file is not the one that the manifest names\n"]);
  renameSync(join(dir, "events.ndjson"), join(dir, "elsewhere"));
  expect((await ask("/events.ndjson")).status).toBe(404);
  symlinkSync(join(dir, "elsewhere"), join(dir, "events.ndjson"));
  expect((await ask("/events.ndjson")).status).toBe(404);
});

test("what is no pack is refused", async () => {
  const empty = newDir();
  const listen = { host: "127.0.0.1", port: 0 };
  await expect(PackServer.open(empty, listen)).rejects.toMatchObject({ code: "PACK_INVALID" });
  for (const path of ["../x", "/etc/passwd", "a/../b", ".hidden", "a//b", "a\\b"]) {
    const files = [{ path, sha256: "0".repeat(64), bytes: 1 }];
    writeFileSync(join(empty, "manifest.json"), JSON.stringify({ format: "tapline-manifest-1", files }));
    await expect(PackServer.open(empty, listen)).rejects.toMatchObject({ code: "PACK_INVALID" });
  }
});

test("the command serves on loopback until it is told to stop", async () => {
  const child = start(newDir(), "serve-auditor", dir, "--listen", "127.0.0.1:0");
  let said = "";
  for await (const chunk of child.stdout!) {
    said += String(chunk);
    if (said.includes("\n")) break;
  }
  const url = /at (http:\/\/127\.0\.0\.1:\d+\/)/.exec(said)![1]!;
  const ended = once(child, "exit");
  expect((await fetch(url)).status).toBe(200);
  child.kill("SIGTERM");
  expect((await ended)[0]).toBe(0);
});
