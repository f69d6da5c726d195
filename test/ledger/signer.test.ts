// The signer behind a socket: signs what continues, refuses every attack of who has the ledger's files, also after a restart,
// and may be away. Its key may be in a PKCS#11 token (SoftHSM), which is not ours.
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openCheckpoint } from "../../src/ledger/checkpoint.ts";
import { readVerifiers } from "../../src/ledger/keys.ts";
import type { Ledger } from "../../src/ledger/log.ts";
import { openNote } from "../../src/ledger/note.ts";
import { openToken } from "../../src/ledger/pkcs11.ts";
import { leafHashes } from "../../src/ledger/recover.ts";
import { rotateKey } from "../../src/ledger/rotation.ts";
import { signManifest } from "../../src/ledger/signer-client.ts";
import { SignerServer } from "../../src/ledger/signer-server.ts";
import { type Keys, openKeys } from "../../src/ledger/signing.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { ORIGIN, appendEntries, newDir, openLedger, runOf } from "./helpers.ts";
import { buildVerifiers, fsckAccepts, goverify, haveGo } from "./oracle.ts";

interface Signing {
  readonly dir: string;
  readonly socket: string;
  server: SignerServer;
  restart(keys?: Keys): Promise<void>;
}

async function signing(keys?: Keys): Promise<Signing> {
  const dir = newDir();
  const socket = join(newDir(), "socket");
  const open = async (given?: Keys): Promise<SignerServer> =>
    SignerServer.open({ dir, socket, ...(given ?? (await openKeys(dir, ORIGIN))) });
  const made: Signing = {
    dir,
    socket,
    server: await open(keys),
    async restart(given) {
      await made.server.close().catch(() => {});
      made.server = await open(given ?? keys);
    },
  };
  onTestFinished(() => made.server.close().catch(() => {}));
  return made;
}

async function grow(dir: string, size: number, { socket }: Signing): Promise<Ledger> {
  const { ledger } = await openLedger(dir, { signer: socket });
  if (size > ledger.size) appendEntries(ledger, size - ledger.size);
  await ledger.close();
  return ledger;
}
const sizeOf = (dir: string): number => Number(readFileSync(join(dir, "checkpoint"), "utf8").split("\n")[1]);

test("no key lies beside the ledger, and what the signer signed is accepted by verifiers that are not ours", async () => {
  const at = await signing();
  const dir = newDir();
  for (const size of [3, 300, 1_000, 70_000]) {
    const ledger = await grow(dir, size, at);
    expect(ledger.signer).toMatchObject({
      place: at.socket,
      size,
      trouble: undefined,
      contradiction: undefined,
    });
    await at.restart();
  }
  expect(readdirSync(dir)).not.toContain("ledger.key");
  expect(statSync(join(at.dir, "ledger.key")).mode & 0o777).toBe(0o600);
  expect(statSync(at.socket).mode & 0o007).toBe(0);
  expect(await verifyLedger(dir)).toMatchObject({ findings: [], size: 70_000 });
  if (!haveGo) return;
  buildVerifiers();
  expect(fsckAccepts(dir)).toBe(true);
  expect(goverify(dir)).toBe("0 verified 70000 entries and 0 older checkpoints");
}, 900_000);

/** What who has the ledger's files, and not the signer's, can show it. */
const ATTACKS: readonly [string, (entries: string[]) => void, number, RegExp][] = [
  [
    "the end is cut off",
    () => {},
    400,
    /has signed 700 entries, and the ledger has 400: entries were cut off/,
  ],
  ["an entry is rewritten", (all) => (all[17] = '{"n":"forged"}'), 900, /has signed another history/],
  ["an entry is removed", (all) => all.splice(600, 1), 900, /has signed another history/],
  [
    "two entries are swapped",
    (all) => ([all[1], all[2]] = [all[2]!, all[1]!]),
    700,
    /has signed another history/,
  ],
];

test("a manifest is signed under a first line that no checkpoint has, and nothing else is", async () => {
  const at = await signing();
  const dir = newDir();
  await grow(dir, 3, at);
  const log = (await readVerifiers(dir))!;
  const digest = "ab".repeat(32);
  const note = await signManifest(at.socket, digest, log);
  expect(note.startsWith(`tapline evidence manifest\n${digest}\n\n— ${ORIGIN} `)).toBe(true);
  expect(openNote(note, log)).toBe(`tapline evidence manifest\n${digest}\n`);
  expect(openCheckpoint(note, log)).toBe(`the origin is not ${ORIGIN}`);
  // It holds the signer to nothing: the ledger goes on, and its size is what it was.
  expect(at.server.size).toBe(3);
  await grow(dir, 5, at);
  expect(sizeOf(dir)).toBe(5);
  const body = readFileSync(join(dir, "checkpoint"), "utf8").split("\n\n")[0]!;
  for (const sent of ["", `${digest}\n`, digest.toUpperCase(), `${body}\n`, `${digest}\n${ORIGIN}\n9\n`])
    await expect(signManifest(at.socket, sent, log)).rejects.toMatchObject({
      code: "LEDGER_SIGNER",
      message: expect.stringContaining("answered 400: not the digest of a manifest"),
    });
});

describe("a signer that knows what it signed", () => {
  test.each(ATTACKS)("does not sign when %s", async (_, edit, size, message) => {
    const at = await signing();
    const [dir, forged] = [newDir(), newDir()];
    await grow(dir, 700, at);
    cpSync(join(dir, "ledger.vkey"), join(forged, "ledger.vkey"));
    const entries = Array.from({ length: size }, (__, i) => `{"n":${i},"text":"${"x".repeat(i % 97)}"}`);
    edit(entries);
    await at.restart();
    const logged: string[] = [];
    const { ledger } = await openLedger(forged, {
      signer: at.socket,
      log: (level, text) => logged.push(`${level} ${text}`),
    });
    const run = runOf(entries.map((entry) => Buffer.from(entry)));
    ledger.append({ run, count: entries.length, hashes: leafHashes(run), header: "{}" });
    await ledger.close();
    expect(ledger.signer?.contradiction).toMatch(message);
    expect(existsSync(join(forged, "checkpoint"))).toBe(false);
    // Everything is recorded all the same, and nothing failed.
    expect(ledger.durable).toBe(entries.length);
    expect(logged).toEqual([]);
  });

  test("does not sign an older state that is put back, and the checkpoint of then stays as it is", async () => {
    const at = await signing();
    const [dir, backup] = [newDir(), newDir()];
    await grow(dir, 300, at);
    cpSync(dir, backup, { recursive: true });
    await grow(dir, 700, at);
    const before = readFileSync(join(backup, "checkpoint"), "utf8");
    const ledger = await grow(backup, 350, at);
    expect(ledger.signer?.contradiction).toMatch(/cut off/);
    expect(readFileSync(join(backup, "checkpoint"), "utf8")).toBe(before);
    expect((await verifyLedger(backup)).findings).toEqual([]);
  });

  test("signs nothing but checkpoints of its own log, and two of one size only when they are the same", async () => {
    const at = await signing();
    const ask = (body: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const asked = request({ socketPath: at.socket, method: "POST", path: "/sign" }, (answer) => {
          answer.resume();
          resolve(answer.statusCode!);
        });
        asked.on("error", reject);
        asked.end(body);
      });
    const [one, other] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString("base64"));
    expect(await ask(`old 0\n\n${ORIGIN}\n5\n${one}\n`)).toBe(200);
    expect(await ask(`old 5\n\n${ORIGIN}\n5\n${one}\n`)).toBe(200);
    expect(await ask(`old 5\n\n${ORIGIN}\n5\n${other}\n`)).toBe(422);
    expect(await ask(`old 5\n\n${ORIGIN}\n6\n${other}\n`)).toBe(422);
    expect(await ask(`old 0\n\n${ORIGIN}\n5\n${one}\n`)).toBe(409);
    expect(await ask(`old 5\n\n${ORIGIN}\n4\n${one}\n`)).toBe(409);
    expect(await ask(`old 5\n\nother.example/log\n6\n${one}\n`)).toBe(400);
    expect(await ask(`old 5\n\n${ORIGIN}\n5\n${one}\nmore\n`)).toBe(400);
    for (const body of ["", "old 5", "\n\n", "x".repeat(70_000)])
      expect(await ask(body)).toBeGreaterThanOrEqual(400);
    expect(at.server.size).toBe(5);
  });

  test("a file of what it signed that is damaged ends it, and is not begun anew", async () => {
    const at = await signing();
    await grow(newDir(), 3, at);
    await at.server.close();
    writeFileSync(join(at.dir, "signed.json"), "{}");
    await expect(at.restart()).rejects.toMatchObject({ code: "LEDGER_CORRUPT" });
  });
});

describe("a signer that is away", () => {
  test("lags alone: entries are recorded, and signed when it is back", async () => {
    const at = await signing();
    const dir = newDir();
    await grow(dir, 300, at);
    await at.server.close();
    const { ledger } = await openLedger(dir, { signer: at.socket });
    for (const count of [100, 300]) {
      appendEntries(ledger, count);
      await ledger.commit();
      await ledger.publish();
    }
    expect(ledger.signer).toMatchObject({ trouble: /^the signer at /, contradiction: undefined });
    expect([ledger.durable, sizeOf(dir)]).toEqual([700, 300]);
    expect(await verifyLedger(dir)).toMatchObject({ findings: [], size: 300, entries: 700 });
    await at.restart();
    await ledger.publish();
    expect(ledger.signer).toMatchObject({ trouble: undefined, size: 700 });
    await ledger.close();
    expect(await verifyLedger(dir)).toMatchObject({ findings: [], size: 700 });
    // Partial tiles of the last two checkpoints, which a reader may follow, and of no size that nobody signed.
    const partial = readdirSync(join(dir, "tile/0"), { recursive: true, encoding: "utf8" });
    expect(partial.filter((name) => name.includes(".p/")).toSorted()).toEqual(["001.p/44", "002.p/188"]);
  });

  test("a first start without it is refused, and so are a key beside the ledger and another key", async () => {
    const at = await signing();
    const dir = newDir();
    await at.server.close();
    await expect(openLedger(dir, { signer: at.socket })).rejects.toMatchObject({
      code: "LEDGER_SIGNER",
      retry: true,
    });
    await at.restart();
    await grow(dir, 3, at);
    const other = await signing();
    await expect(openLedger(dir, { signer: other.socket })).rejects.toMatchObject({ code: "LEDGER_KEY" });
    cpSync(join(at.dir, "ledger.key"), join(dir, "ledger.key"));
    await expect(openLedger(dir, { signer: at.socket })).rejects.toMatchObject({
      code: "LEDGER_KEY",
      message: /lies beside/,
    });
  });
});

test("a new key of the signer is followed, the one before it signs too, and what was kept then still counts", async () => {
  const at = await signing();
  const [dir, kept] = [newDir(), newDir()];
  await grow(dir, 300, at);
  cpSync(join(dir, "checkpoint"), join(kept, "300.checkpoint"));
  const old = join(kept, "old.vkey");
  cpSync(join(dir, "ledger.vkey"), old);
  await at.server.close();
  await rotateKey(at.dir, 3_600_000);
  await at.restart();
  await grow(dir, 700, at);
  expect(readFileSync(join(dir, "ledger.vkey"), "utf8")).not.toBe(readFileSync(old, "utf8"));
  expect(await verifyLedger(dir, { checkpoints: [kept] })).toMatchObject({ findings: [], size: 700 });
  // Who has not taken the new key yet verifies with the old one.
  expect(await verifyLedger(dir, { vkeys: [old], checkpoints: [kept] })).toMatchObject({ findings: [] });
});

const TOOL = "pkcs11-tool";
const MODULE = "/usr/lib/softhsm/libsofthsm2.so";
const haveToken = existsSync(MODULE) && spawnSync(TOOL, ["--help"]).error === undefined;
if (!haveToken)
  console.warn("skipping the test of a PKCS#11 token: softhsm2 and opensc are not on this machine");

test.skipIf(!haveToken)(
  "a key in a PKCS#11 token signs, and never leaves it",
  async () => {
    const home = newDir();
    mkdirSync(join(home, "tokens"));
    writeFileSync(join(home, "softhsm2.conf"), `directories.tokendir = ${join(home, "tokens")}\n`);
    process.env["SOFTHSM2_CONF"] = join(home, "softhsm2.conf");
    onTestFinished(() => void delete process.env["SOFTHSM2_CONF"]);
    const pin = "4711-0815";
    const run = (tool: string, ...args: string[]): string =>
      execFileSync(tool, args, { encoding: "utf8", stdio: "pipe" });
    run("softhsm2-util", "--init-token", "--free", "--label", "tapline", "--pin", pin, "--so-pin", pin);
    run(
      TOOL,
      "--module",
      MODULE,
      "--login",
      "--pin",
      pin,
      "--keypairgen",
      "--key-type",
      "EC:edwards25519",
      "--id",
      "01",
      "--label",
      "ledger",
    );
    const key = await openToken(ORIGIN, { module: MODULE, label: "ledger", pin });
    const at = await signing({ verifier: key, signers: () => [key] });
    const dir = newDir();
    for (const size of [3, 300]) await grow(dir, size, at);
    expect(await verifyLedger(dir)).toMatchObject({ findings: [], size: 300 });
    expect([...readdirSync(at.dir), ...readdirSync(dir)]).not.toContain("ledger.key");
    expect(
      run(TOOL, "--module", MODULE, "--login", "--pin", pin, "--list-objects", "--type", "privkey"),
    ).toMatch(/Access:.*never extractable/);
    if (haveGo) {
      buildVerifiers();
      expect(fsckAccepts(dir)).toBe(true);
    }
    // A wrong PIN is told, and is in no message.
    const wrong: unknown = await openToken(ORIGIN, {
      module: MODULE,
      label: "ledger",
      pin: "0000-1111",
    }).catch((e: unknown) => e);
    expect(String(wrong)).toMatch(/PIN/i);
    expect(String(wrong)).not.toContain("0000-1111");
    rmSync(home, { recursive: true });
  },
  900_000,
);
