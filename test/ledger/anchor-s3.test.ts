// The anchor `s3` against an object store that is not ours (MinIO) and enforces its locks: what is there verifies the ledger,
// tells every attack, also under what covers it up, and cannot be removed, by the store's own administrator neither.
import { spawn } from "node:child_process";
import { hash } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AwsClient } from "aws4fetch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Contradiction, type Held } from "../../src/ledger/anchors/contract.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { KINDS, anchorOf, attacked, grow, take } from "./anchored.ts";
import { newDir, ORIGIN } from "./helpers.ts";
import { BIN, buildMinio, haveGo } from "./oracle.ts";

const never = new AbortController().signal;
const ACCESS = { accessKeyId: "tapline-test", secretAccessKey: "tapline-test-secret" };
process.env["TAPLINE_TEST_S3"] = ACCESS.secretAccessKey;

// Its build takes ten minutes and more: full runs, and where it has been built before.
const wanted = haveGo && (process.env["TAPLINE_FULL"] !== undefined || existsSync(join(BIN, "minio")));
if (!wanted)
  console.warn("skipping the tests against MinIO: set TAPLINE_FULL=1, with Go installed, to run them");

describe.skipIf(!wanted)("the anchor `s3`, with MinIO", () => {
  let endpoint: string;
  let stop: () => void;
  const client = new AwsClient({ ...ACCESS, region: "us-east-1", service: "s3" });

  async function ask(
    method: string,
    path: string,
    body = "",
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const digest = {
      "x-amz-content-sha256": hash("sha256", body, "hex"),
      "content-md5": hash("md5", body, "base64"),
    };
    const init = { method, headers: { ...digest, ...headers }, ...(body === "" ? {} : { body }) };
    return fetch(await client.sign(`${endpoint}${path}`, init));
  }

  beforeAll(async () => {
    buildMinio();
    const dir = mkdtempSync(join(tmpdir(), "tapline-minio-"));
    const probe = createServer();
    await new Promise<void>((done) => probe.listen(0, "127.0.0.1", done));
    const { port } = probe.address() as AddressInfo;
    await new Promise((done) => probe.close(done));
    endpoint = `http://127.0.0.1:${port}`;
    const child = spawn(join(BIN, "minio"), ["server", dir, "--address", `127.0.0.1:${port}`], {
      env: {
        PATH: process.env["PATH"],
        HOME: dir,
        MINIO_ROOT_USER: ACCESS.accessKeyId,
        MINIO_ROOT_PASSWORD: ACCESS.secretAccessKey,
        MINIO_BROWSER: "off",
        MINIO_UPDATE: "off",
      },
      stdio: "ignore",
    });
    stop = () => {
      child.kill("SIGKILL");
      rmSync(dir, { recursive: true, force: true });
    };
    for (;;) {
      if (child.exitCode !== null) throw new Error("MinIO does not start");
      const up = await fetch(`${endpoint}/minio/health/ready`).catch(() => undefined);
      if (up?.ok === true) break;
      await sleep(100);
    }
  }, 3_600_000);
  afterAll(() => stop?.());

  let buckets = 0;
  /** A new bucket, with object lock unless told otherwise. */
  async function bucket(locked = true): Promise<string> {
    const name = `checkpoints-${buckets++}`;
    const made = await ask(
      "PUT",
      `/${name}`,
      "",
      locked ? { "x-amz-bucket-object-lock-enabled": "true" } : {},
    );
    expect(made.status).toBe(200);
    return name;
  }
  const options = (name: string, more: object = {}): object => ({
    endpoint,
    bucket: name,
    access_key_id: ACCESS.accessKeyId,
    secret_key_env: "TAPLINE_TEST_S3",
    retention_days: 400,
    ...more,
  });
  async function heldIn(name: string): Promise<Held[]> {
    const held: Held[] = [];
    for await (const one of anchorOf("s3", options(name), newDir()).held!(ORIGIN, never)) held.push(one);
    return held;
  }

  test("each is put there once, and verifies the ledger", async () => {
    const [dir, name] = [newDir(), await bucket()];
    for (const size of [3, 300, 1_000]) {
      await grow(dir, size);
      const anchor = anchorOf("s3", options(name), dir);
      expect(await take(anchor, dir)).toBe(`in the bucket ${name}, locked for 400 days (compliance)`);
      await take(anchor, dir);
    }
    const held = await heldIn(name);
    expect(held.map(({ text }) => text.split("\n")[1])).toEqual(["3", "300", "1000"]);
    expect(held[1]!.place).toMatch(/^test\.example\/ledger\/0{17}300\.checkpoint \(version .+\)$/);
    expect(await verifyLedger(dir, { held })).toMatchObject({ findings: [], notes: [] });
  });

  test("more than one page of objects", async () => {
    const [dir, name] = [newDir(), await bucket()];
    for (let i = 0; i < 1_100; i++)
      await ask("PUT", `/${name}/${ORIGIN}/${String(i).padStart(20, "0")}.checkpoint`, "none");
    await grow(dir, 3_000);
    await expect(take(anchorOf("s3", options(name), dir), dir)).rejects.toMatchObject({
      code: "ANCHOR_FAILED",
      message: /none of the 1000 last objects/,
    });
    expect(await heldIn(name)).toHaveLength(1_100);
  });

  test.each(KINDS)("tells a ledger that was %s, also when what is there was covered up", async (kind) => {
    const name = await bucket();
    const bad = await attacked(kind, (dir) => take(anchorOf("s3", options(name), dir), dir));
    // The attacker has the credential: the objects are deleted, and others are put over them.
    for (const size of [300, 700]) {
      const path = `/${name}/${ORIGIN}/${String(size).padStart(20, "0")}.checkpoint`;
      expect((await ask("DELETE", path)).status).toBe(204);
      expect((await ask("GET", path)).status).toBe(404);
      expect((await ask("PUT", path, "another text")).status).toBe(200);
    }
    await expect(take(anchorOf("s3", options(name), bad), bad)).rejects.toThrow(Contradiction);
    await expect(take(anchorOf("s3", options(name), bad), bad)).rejects.toThrow(
      kind === "cut off" ? /cut off/ : /rewritten/,
    );
    const { findings } = await verifyLedger(bad, { held: await heldIn(name) });
    expect(findings.map(({ message }) => message).join("\n")).toMatch(
      kind === "cut off" ? /^truncated/m : /^history was rewritten/m,
    );
  });

  test("a version under its lock cannot be removed, nor the lock be lifted", async () => {
    const [dir, name] = [newDir(), await bucket()];
    await grow(dir, 3);
    await take(anchorOf("s3", options(name), dir), dir);
    const before = await heldIn(name);
    const [, key, id] = /^(.*) \(version (.*)\)$/.exec(before[0]!.place)!;
    const path = `/${name}/${key}?versionId=${encodeURIComponent(id!)}`;
    const bypass = { "x-amz-bypass-governance-retention": "true" };
    const soon = `<Retention xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Mode>GOVERNANCE</Mode><RetainUntilDate>${new Date(Date.now() + 60_000).toISOString()}</RetainUntilDate></Retention>`;
    for (const answer of [
      await ask("DELETE", path),
      await ask("DELETE", path, "", bypass),
      await ask("PUT", `${path}&retention`, soon, bypass),
      await ask("DELETE", `/${name}`),
    ])
      expect(answer.status, await answer.text()).toBeGreaterThanOrEqual(400);
    expect(await heldIn(name)).toEqual(before);
  });

  test("a bucket without object lock, or none at all, and a wrong secret are trouble, without the secret", async () => {
    const dir = newDir();
    await grow(dir, 3);
    process.env["TAPLINE_TEST_S3_WRONG"] = "not-the-secret";
    const [plain, locked] = [await bucket(false), await bucket()];
    for (const given of [
      options(plain),
      options("no-such-bucket"),
      options(locked, { secret_key_env: "TAPLINE_TEST_S3_WRONG" }),
      options(locked, { endpoint: "http://127.0.0.1:1" }),
    ]) {
      const trouble: unknown = await take(anchorOf("s3", given, dir), dir).catch((error: unknown) => error);
      expect(trouble).toMatchObject({ code: "ANCHOR_FAILED", retry: true });
      expect(String(trouble)).not.toMatch(/secret/);
    }
    expect(await heldIn(locked)).toEqual([]);
  });
});
