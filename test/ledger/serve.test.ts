// A ledger that is served: clients that are not ours read it, partial tiles of checkpoints long gone among them, and nobody
// gets more than is published.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { type ServerResponse, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Bearer } from "../../src/core/bearer.ts";
import { rotateKey } from "../../src/ledger/rotation.ts";
import { LedgerServer, tileOf } from "../../src/ledger/serve.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { appendEntries, newDir, openLedger } from "./helpers.ts";
import { buildVerifiers, fsckAcceptsUrl, goverifyUrl, haveGo } from "./oracle.ts";

const TOKEN = "token-for-the-tests-0123456789";

async function serve(dir: string, withToken = true, hosts: readonly string[] = []): Promise<string> {
  const path = join(newDir(), "token");
  writeFileSync(path, `${TOKEN}\n`);
  const server = new LedgerServer({
    dir,
    listen: { host: "127.0.0.1", port: 0 },
    hosts,
    bearer: withToken ? await Bearer.read({ token_file: path }) : undefined,
  });
  await server.open();
  onTestFinished(() => server.close());
  return server.url;
}

interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** A request as it stands: nothing is normalised on the way. */
function get(url: string, path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Got> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(url);
    request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () =>
        resolve({ status: answer.statusCode!, headers: answer.headers, body: Buffer.concat(parts) }),
      );
    })
      .on("error", reject)
      .end();
  });
}
const bearer = { authorization: `Bearer ${TOKEN}` };

/** A ledger with checkpoints at these sizes, each saved; returned open. */
async function made(sizes: readonly number[]) {
  const dir = newDir();
  const keep = newDir();
  const { ledger } = await openLedger(dir);
  onTestFinished(() => ledger.close());
  const saved: string[] = [];
  for (const size of sizes) {
    appendEntries(ledger, size - ledger.size);
    await ledger.commit();
    await ledger.publish();
    saved.push(join(keep, `${size}.checkpoint`));
    copyFileSync(join(dir, "checkpoint"), saved.at(-1)!);
  }
  return { dir, keep, saved, ledger };
}

describe.skipIf(!haveGo)("clients that are not ours", () => {
  beforeAll(buildVerifiers, 600_000);

  test("Tessera's and x/mod's read and verify it, while it is being written", async () => {
    const { dir, saved, ledger } = await made([3, 200, 1_000, 70_000]);
    const url = await serve(dir);
    appendEntries(ledger, 500);
    await ledger.commit();
    const vkey = join(dir, "ledger.vkey");
    expect(await fsckAcceptsUrl(url, vkey, TOKEN)).toBe(true);
    expect(await goverifyUrl(url, vkey, TOKEN, saved)).toBe(
      "0 verified 70000 entries and 4 older checkpoints",
    );
    expect(await fsckAcceptsUrl(url, vkey, "another-token-0123456789")).toBe(false);
    expect(await goverifyUrl(url, vkey, "another-token-0123456789")).toMatch(/^1 FAILED: .* 401/);
  }, 120_000);

  test("a checkpoint of before is verified from the partial tiles of its size", async () => {
    const sizes = [1, 7, 255, 256, 300, 511, 513, 66_000];
    const { dir, saved } = await made(sizes);
    const url = await serve(dir);
    const vkey = join(dir, "ledger.vkey");
    for (const [i, size] of sizes.entries()) {
      // A directory of the client's own: this checkpoint, and tiles from the server.
      const old = newDir();
      copyFileSync(saved[i]!, join(old, "checkpoint"));
      const proxy = await oldView(url, readFileSync(saved[i]!));
      expect(await goverifyUrl(proxy, vkey, TOKEN)).toBe(
        `0 verified ${size} entries and 0 older checkpoints`,
      );
      expect(await fsckAcceptsUrl(proxy, vkey, TOKEN)).toBe(true);
    }
  }, 120_000);
});

/** The server behind `url` as a client sees it that holds an older checkpoint. */
async function oldView(url: string, checkpoint: Buffer): Promise<string> {
  const server = createServer((req, res) => {
    if (req.url === "/checkpoint") res.end(checkpoint);
    else void pass(url, req.url!, req.headers.authorization ?? "", res);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function pass(url: string, path: string, authorization: string, res: ServerResponse): Promise<void> {
  const { status, body } = await get(url, path, { authorization });
  res.writeHead(status).end(body);
}

describe("tapline's own verifier", () => {
  test("over HTTP finds what it finds in the directory; without a token it says that it saw no entries", async () => {
    const { dir, keep } = await made([300, 700, 900]);
    const url = await serve(dir);
    const vkey = join(dir, "ledger.vkey");
    const whole = await verifyLedger(url, { vkeys: [vkey], token: TOKEN, checkpoints: [keep] });
    expect(whole).toMatchObject({ findings: [], notes: [], entries: 900, size: 900 });
    const hashes = await verifyLedger(url, { vkeys: [vkey], checkpoints: [keep, `${url}checkpoint`] });
    expect(hashes).toMatchObject({
      findings: [],
      notes: ["hashes were checked, and not the entries: these need a token"],
    });
    const path = join(dir, "tile/entries/001");
    const bundle = readFileSync(path);
    bundle[9]! ^= 1;
    writeFileSync(path, bundle);
    expect(await verifyLedger(url, { vkeys: [vkey], token: TOKEN })).toMatchObject({ wrong_from: 256 });
    expect(await verifyLedger(url, { vkeys: [vkey] })).toMatchObject({ findings: [] });
    const tile = readFileSync(join(dir, "tile/0/001"));
    tile[64 * 32]! ^= 1; // entry 320
    writeFileSync(join(dir, "tile/0/001"), tile);
    expect(await verifyLedger(url, { vkeys: [vkey], checkpoints: [keep] })).toMatchObject({
      findings: [
        { message: /^the tiles do not add up .* at 700 entries .*; the first 300 are as they were signed/ },
        { message: /900/ },
        { message: /900/ },
        { index: 256, message: /^tile\/1\/000.p\/3 does not agree/ },
      ],
      wrong_from: 256,
    });
    await expect(
      verifyLedger(url, { vkeys: [vkey], token: "another-token-0123456789" }),
    ).rejects.toMatchObject({
      code: "LEDGER_TOKEN",
    });
    await expect(verifyLedger("http://127.0.0.1:1/", { vkeys: [vkey] })).rejects.toMatchObject({
      code: "LEDGER_UNREACHABLE",
    });
  });
});

describe("what is served", () => {
  test("has the types and the caching that tlog-tiles asks for", async () => {
    const { dir } = await made([300]);
    const url = await serve(dir);
    const checkpoint = await get(url, "/checkpoint");
    expect([
      checkpoint.status,
      checkpoint.headers["content-type"],
      checkpoint.headers["cache-control"],
    ]).toEqual([200, "text/plain; charset=utf-8", "no-cache"]);
    expect(checkpoint.body).toEqual(readFileSync(join(dir, "checkpoint")));
    const tile = await get(url, "/tile/0/001.p/44");
    expect([tile.status, tile.headers["content-type"], tile.headers["cache-control"]]).toEqual([
      200,
      "application/octet-stream",
      "public, max-age=31536000, immutable",
    ]);
    expect(tile.body).toEqual(readFileSync(join(dir, "tile/0/001.p/44")));
    const bundle = await get(url, "/tile/entries/000", { ...bearer, "accept-encoding": "gzip" });
    expect([bundle.headers["content-encoding"], bundle.headers["cache-control"]]).toEqual([
      "gzip",
      "private, max-age=31536000, immutable",
    ]);
    expect(gunzipSync(bundle.body)).toEqual(readFileSync(join(dir, "tile/entries/000")));
    const head = await get(url, "/tile/0/000", {}, "HEAD");
    expect([head.status, head.headers["content-length"], head.body.length]).toEqual([200, "8192", 0]);
  });

  test("is nothing that the checkpoint does not cover", async () => {
    const { dir, ledger } = await made([300]);
    const url = await serve(dir);
    appendEntries(ledger, 700);
    await ledger.commit();
    for (let tries = 0; ledger.published < 1_000 && tries < 1_000; tries++) {
      // The full tile is in its file well before a checkpoint covers it.
      if (readIfThere(join(dir, "tile/0/001")) !== undefined) break;
      await new Promise((done) => setTimeout(done, 5));
    }
    expect(readIfThere(join(dir, "tile/0/001"))).toHaveLength(8_192);
    for (const path of ["/tile/0/001", "/tile/entries/001", "/tile/0/001.p/45", "/tile/1/000.p/2"])
      expect((await get(url, path, bearer)).status, path).toBe(404);
    await ledger.publish();
    for (const path of ["/tile/0/001", "/tile/entries/001", "/tile/0/001.p/45", "/tile/1/000.p/2"])
      expect((await get(url, path, bearer)).status, path).toBe(200);
  });

  test("goes on when the key of the ledger changes", async () => {
    const dir = newDir();
    const { ledger } = await openLedger(dir);
    appendEntries(ledger, 300);
    await ledger.close();
    const url = await serve(dir);
    expect((await get(url, "/tile/0/000")).status).toBe(200);
    await rotateKey(dir, 0);
    // The checkpoint that is there still bears the signature of the key before.
    expect((await get(url, "/tile/0/000")).status).toBe(200);
    const again = await openLedger(dir);
    onTestFinished(() => again.ledger.close());
    expect((await get(url, "/tile/0/000")).status).toBe(200);
    expect((await verifyLedger(url, { vkeys: [join(dir, "ledger.vkey")] })).findings).toEqual([]);
  });

  test("is no other file and no odd spelling of one", async () => {
    const { dir } = await made([300]);
    const url = await serve(dir);
    for (const path of [
      "/",
      "/ledger.key",
      "/ledger.vkey",
      "/lock",
      "/wal/00000000000000000000.wal",
      "/tile/../ledger.key",
      "/tile/0/../../ledger.key",
      "/tile/%2e%2e/ledger.key",
      "//checkpoint",
      "/checkpoint/",
      "/checkpoint?x",
      "/checkpoint.cosigned",
      "/tile/0/000?x",
      "/tile/00/000",
      "/tile/64/000",
      "/tile/-1/000",
      "/tile/0/x000/000",
      "/tile/0/000.p/0",
      "/tile/0/000.p/256",
      "/tile/0/000.p/044",
      "/tile/0/001.p",
      "/tile/0/1",
      "/tile/0/000/",
      "/tile/entries/000/x",
      "/tile/0/x999/x999/x999/x999/x999/999",
      "http://127.0.0.1/checkpoint",
    ])
      expect((await get(url, path, bearer)).status, path).toBe(404);
    expect(tileOf("/tile/0/x001/x234/067.p/3")).toEqual({ level: 0, index: 1_234_067, width: 3 });
  });

  test("entries go to who shows the token, and to nobody where there is none", async () => {
    const { dir } = await made([300]);
    const url = await serve(dir);
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await get(url, "/tile/entries/000", headers)).status;
    expect(await status(bearer)).toBe(200);
    expect(await status({})).toBe(401);
    expect(await status({ authorization: `Bearer ${TOKEN}x` })).toBe(401);
    expect(await status({ authorization: `Basic ${TOKEN}` })).toBe(401);
    expect((await get(url, "/tile/0/000")).status).toBe(200);
    const closed = await serve(dir, false);
    expect((await get(closed, "/tile/entries/000", bearer)).status).toBe(403);
  });

  test("goes to nobody who calls by another name, to no page, and for no other method", async () => {
    const { dir } = await made([3]);
    const url = await serve(dir, true, ["Ledger.Example"]);
    const { port } = new URL(url);
    const status = async (headers: Record<string, string>, method = "GET"): Promise<number> =>
      (await get(url, "/checkpoint", headers, method)).status;
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example", "x/y"])
      expect(await status({ host }), host).toBe(403);
    for (const host of ["localhost", `127.0.0.1:${port}`, "[::1]:1", "ledger.example"])
      expect(await status({ host }), host).toBe(200);
    expect(await status({ origin: "http://localhost" })).toBe(403);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"])
      expect(await status({}, method), method).toBe(405);
  });
});

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
