// Anchors against counterparts that are not ours: git, a timestamping authority of openssl, omniwitness. Each takes what
// continues, and each attack on the ledger that it promises to tell is told.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Contradiction } from "../../src/ledger/anchors/contract.ts";
import { parseWitness } from "../../src/ledger/cosignature.ts";
import { proveEntry } from "../../src/ledger/prove.ts";
import { checkProof } from "../../src/ledger/proof-file.ts";
import { parseVerifier } from "../../src/ledger/note.ts";
import { openReader } from "../../src/ledger/reader.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { KINDS, anchorOf, attacked, grow, rewritten, take } from "./anchored.ts";
import { ORIGIN, newDir } from "./helpers.ts";
import { BIN, buildWitness, haveGo } from "./oracle.ts";

describe("the anchor `directory`", () => {
  test("keeps a file a size, and takes the same checkpoint twice", async () => {
    const [dir, kept] = [newDir(), newDir()];
    const anchor = anchorOf("directory", { dir: kept }, dir);
    for (const size of [3, 300, 1_000]) {
      await grow(dir, size);
      expect(await take(anchor, dir)).toBe(`in the directory ${kept}`);
      await take(anchor, dir);
    }
    expect(readdirSync(kept)).toEqual(
      [3, 300, 1_000].map((size) => `${String(size).padStart(20, "0")}.checkpoint`),
    );
    expect(await verifyLedger(dir, { checkpoints: [kept] })).toMatchObject({ findings: [], notes: [] });
  });

  test.each(KINDS)("tells a ledger that was %s, and so does verification", async (kind) => {
    const kept = newDir();
    const bad = await attacked(kind, (dir) => take(anchorOf("directory", { dir: kept }, dir), dir));
    const anchor = anchorOf("directory", { dir: kept }, bad);
    await expect(take(anchor, bad)).rejects.toThrow(Contradiction);
    await expect(take(anchor, bad)).rejects.toThrow(kind === "cut off" ? /cut off/ : /rewritten/);
    const { findings } = await verifyLedger(bad, { checkpoints: [kept] });
    expect(findings[0]!.message).toMatch(kind === "cut off" ? /^truncated/ : /^history was rewritten/);
  });

  test("a directory that is not there is trouble, and no contradiction", async () => {
    const dir = newDir();
    await grow(dir, 3);
    const anchor = anchorOf("directory", { dir: join(dir, "none") }, dir);
    await expect(take(anchor, dir)).rejects.toMatchObject({ code: "ANCHOR_FAILED", retry: true });
  });
});

describe("the anchor `git`", () => {
  /** A bare repository that takes no rewriting, and a working tree of the collector's. */
  function repositories(): { bare: string; tree: string } {
    const [bare, tree] = [join(newDir(), "bare.git"), join(newDir(), "tree")];
    const git = (...args: string[]): void => void execFileSync("git", args, { stdio: "pipe" });
    git("init", "-q", "--bare", "-b", "main", bare);
    git("-C", bare, "config", "receive.denyNonFastForwards", "true");
    git("clone", "-q", bare, tree);
    git("-C", tree, "checkout", "-q", "-b", "main");
    git("-C", tree, "config", "push.autoSetupRemote", "true");
    return { bare, tree };
  }

  test("pushes every checkpoint; a clone of somebody else's verifies the ledger", async () => {
    const { bare, tree } = repositories();
    const dir = newDir();
    const anchor = anchorOf("git", { dir: tree }, dir);
    for (const size of [3, 300]) {
      await grow(dir, size);
      expect(await take(anchor, dir)).toBe(`pushed from the git repository ${tree}`);
      await take(anchor, dir);
    }
    const clone = join(newDir(), "clone");
    execFileSync("git", ["clone", "-q", bare, clone]);
    expect(readdirSync(join(clone, "checkpoints"))).toHaveLength(2);
    const log = execFileSync("git", ["-C", clone, "log", "--format=%s"], { encoding: "utf8" });
    expect(log).toBe("checkpoint at 300\ncheckpoint at 3\n");
    expect(await verifyLedger(dir, { checkpoints: [join(clone, "checkpoints")] })).toMatchObject({
      findings: [],
      notes: [],
    });
  });

  test.each(KINDS)("tells a ledger that was %s", async (kind) => {
    const { tree } = repositories();
    const bad = await attacked(kind, (dir) => take(anchorOf("git", { dir: tree }, dir), dir));
    await expect(take(anchorOf("git", { dir: tree }, bad), bad)).rejects.toThrow(Contradiction);
  });

  test("what cannot be pushed is trouble, and goes with the next", async () => {
    const { bare, tree } = repositories();
    const dir = newDir();
    await grow(dir, 3);
    const anchor = anchorOf("git", { dir: tree }, dir);
    const away = `${bare}.away`;
    cpSync(bare, away, { recursive: true });
    rmSync(bare, { recursive: true });
    await expect(take(anchor, dir)).rejects.toMatchObject({ code: "ANCHOR_FAILED", message: /^git push/ });
    cpSync(away, bare, { recursive: true });
    await take(anchor, dir);
    expect(execFileSync("git", ["-C", bare, "log", "--format=%s", "main"], { encoding: "utf8" })).toBe(
      "checkpoint at 3\n",
    );
  });
});

/** A timestamping authority of openssl's, behind HTTP. */
async function authority(): Promise<{ url: string; ca: string; server: Server }> {
  const dir = newDir();
  const openssl = (...args: string[]): Buffer => execFileSync("openssl", args, { cwd: dir, stdio: "pipe" });
  openssl(
    "req",
    "-x509",
    "-newkey",
    "ed25519",
    "-nodes",
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-subj",
    "/CN=test CA",
    "-days",
    "2",
  );
  openssl(
    "req",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    "tsa.key",
    "-out",
    "tsa.csr",
    "-subj",
    "/CN=test TSA",
  );
  writeFileSync(
    join(dir, "ext"),
    "extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n",
  );
  openssl(
    "x509",
    "-req",
    "-in",
    "tsa.csr",
    "-CA",
    "ca.pem",
    "-CAkey",
    "ca.key",
    "-out",
    "tsa.pem",
    "-days",
    "2",
    "-extfile",
    "ext",
  );
  writeFileSync(join(dir, "serial"), "01\n");
  writeFileSync(
    join(dir, "tsa.cnf"),
    "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_cert=tsa.pem\nsigner_key=tsa.key\nsigner_digest=sha256\n" +
      "default_policy=1.2.3.4.1\ndigests=sha256\naccuracy=secs:1\nordering=yes\ntsa_name=yes\n",
  );
  const server = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on("data", (part: Buffer) => parts.push(part));
    req.on("end", () => {
      writeFileSync(join(dir, "q.tsq"), Buffer.concat(parts));
      openssl("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "q.tsq", "-out", "r.tsr");
      res
        .writeHead(200, { "content-type": "application/timestamp-reply" })
        .end(readFileSync(join(dir, "r.tsr")));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    ca: join(dir, "ca.pem"),
    server,
  };
}

describe("the anchor `timestamp`", () => {
  test("keeps a stamp that openssl verifies for this checkpoint and for no other", async () => {
    const { url, ca } = await authority();
    const [dir, own] = [newDir(), newDir()];
    const anchor = anchorOf("timestamp", { url, ca_file: ca }, dir, own);
    await grow(dir, 300);
    expect(await take(anchor, dir)).toMatch(/^stamped by http:/);
    await grow(dir, 310);
    await take(anchor, dir);
    const [first, stamp] = readdirSync(own).toSorted();
    const verify = (data: string): Buffer =>
      execFileSync("openssl", ["ts", "-verify", "-data", data, "-in", join(own, stamp!), "-CAfile", ca], {
        stdio: "pipe",
      });
    expect(verify(join(own, first!)).toString()).toContain("Verification: OK");
    const bad = await rewritten(dir, 300);
    expect(() => verify(join(bad, "checkpoint"))).toThrow();
    expect(await verifyLedger(dir, { checkpoints: [own] })).toMatchObject({ findings: [], notes: [] });
    expect((await verifyLedger(bad, { checkpoints: [own] })).findings.length).toBeGreaterThan(0);
  });

  test("refuses a stamp of another authority, and one that is none", async () => {
    const [one, other] = [await authority(), await authority()];
    const dir = newDir();
    await grow(dir, 3);
    await expect(
      take(anchorOf("timestamp", { url: one.url, ca_file: other.ca }, dir), dir),
    ).rejects.toMatchObject({
      code: "ANCHOR_FAILED",
      message: /^openssl ts -verify/,
    });
    one.server.removeAllListeners("request").on("request", (_, res) => res.end("no stamp"));
    await expect(
      take(anchorOf("timestamp", { url: one.url, ca_file: one.ca }, dir), dir),
    ).rejects.toMatchObject({
      code: "ANCHOR_FAILED",
    });
  });
});

/** An omniwitness that knows this log's key; its own keys are made anew, one Ed25519 and one ML-DSA-44. */
async function omniwitness(vkey: string): Promise<{ url: string; vkeys: string[] }> {
  const dir = newDir();
  const vkeys: string[] = [];
  const keys: string[] = [];
  for (const [i, more] of [[], ["-mldsa"]].entries()) {
    const [sec, pub] = [join(dir, `${i}.sec`), join(dir, `${i}.pub`)];
    execFileSync(
      join(BIN, "generate_keys"),
      ["-origin", `witness.example/w${i}`, "-out_priv", sec, "-out_pub", pub, ...more],
      { stdio: "pipe" },
    );
    vkeys.push(...readFileSync(pub, "utf8").trim().split("\n"));
    keys.push(`--private_key_path=${sec}`);
  }
  writeFileSync(
    join(dir, "logs.yaml"),
    `Logs:\n  - Origin: ${ORIGIN}\n    URL: http://127.0.0.1:1/\n    PublicKey: ${vkey.trim()}\n`,
  );
  const ports = [await freePort(), await freePort()];
  const child = spawn(
    join(BIN, "omniwitness"),
    [
      `--additional_logs=${join(dir, "logs.yaml")}`,
      ...keys,
      `--db_file=${join(dir, "w.db")}`,
      `--listen=127.0.0.1:${ports[0]}`,
      `--metrics_listen=127.0.0.1:${ports[1]}`,
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await sleep(50);
  });
  const url = `http://127.0.0.1:${ports[0]}`;
  for (let tries = 0; ; tries++) {
    const up = await fetch(url).then(
      () => true,
      () => false,
    );
    if (up) return { url, vkeys };
    if (tries > 300 || child.exitCode !== null)
      throw new Error(`omniwitness does not start: ${said.slice(-500)}`);
    await sleep(100);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

describe.skipIf(!haveGo)("the anchor `witness`, with omniwitness", () => {
  beforeAll(buildWitness, 900_000);

  test("every checkpoint is cosigned, also after a restart; proofs bear the cosignatures", async () => {
    const dir = newDir();
    await grow(dir, 300);
    const { url, vkeys } = await omniwitness(readFileSync(join(dir, "ledger.vkey"), "utf8"));
    const witnesses = vkeys.map((vkey) => ({ url, vkey }));
    const anchor = anchorOf("witness", { witnesses, quorum: vkeys.length }, dir);
    const keys = vkeys.map(parseWitness);
    for (const size of [300, 700, 701, 66_000]) {
      await grow(dir, size);
      expect(await take(anchor, dir)).toBe(`cosigned by ${vkeys.length} of ${vkeys.length} witnesses`);
      await take(anchor, dir); // the same again
    }
    await grow(dir, 66_100);
    // One that knows nothing is told the size, and goes on from there.
    await take(anchorOf("witness", { witnesses, quorum: vkeys.length }, dir), dir);
    const found = await verifyLedger(dir, { witnesses: keys, witnessed_since_ms: Date.now() - 600_000 });
    expect(found).toMatchObject({
      findings: [],
      notes: [/^witnessed: the first 66100 entries, by witness\.example/],
    });
    const reader = openReader(dir);
    const proof = await proveEntry(dir, reader, 65_999);
    await reader.close();
    const verifier = parseVerifier(readFileSync(join(dir, "ledger.vkey"), "utf8"));
    expect(checkProof(proof, { verifier, witnesses: keys })).toMatchObject({ wrong: [], index: 65_999 });
    expect(checkProof(proof, { verifier, witnesses: keys }).cosignatures).toHaveLength(keys.length);
  }, 240_000);

  test.each(KINDS)(
    "a ledger that was %s is not cosigned any more",
    async (kind) => {
      let options: object | undefined;
      const bad = await attacked(kind, async (dir) => {
        if (options === undefined) {
          const { url, vkeys } = await omniwitness(readFileSync(join(dir, "ledger.vkey"), "utf8"));
          options = { witnesses: vkeys.map((vkey) => ({ url, vkey })) };
        }
        await take(anchorOf("witness", options, dir), dir);
      });
      const anchor = anchorOf("witness", options!, bad);
      await expect(take(anchor, bad)).rejects.toThrow(Contradiction);
      await expect(take(anchor, bad)).rejects.toThrow(
        kind === "cut off" ? /409.*cut off/ : /another history \(422\)/,
      );
    },
    240_000,
  );

  test("a log that the witness does not know, and a witness that is not the one configured, are trouble", async () => {
    const [dir, other] = [newDir(), newDir()];
    mkdirSync(other, { recursive: true });
    await grow(dir, 3);
    await grow(other, 3);
    const { url, vkeys } = await omniwitness(readFileSync(join(other, "ledger.vkey"), "utf8"));
    const witnesses = vkeys.map((vkey) => ({ url, vkey }));
    await expect(take(anchorOf("witness", { witnesses }, dir), dir)).rejects.toMatchObject({
      code: "ANCHOR_FAILED",
      message: /403/,
    });
    const { newWitness } = await import("./witness.ts");
    const stranger = [{ url, vkey: newWitness("witness.example/w0").vkey }];
    await expect(take(anchorOf("witness", { witnesses: stranger }, other), other)).rejects.toMatchObject({
      code: "ANCHOR_FAILED",
      message: /no valid cosignature/,
    });
  }, 240_000);
});
