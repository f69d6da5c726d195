// The same entries through Tessera's own writer and through ours: every tile and every bundle is the same, byte for byte.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { leafHashes } from "../../src/ledger/recover.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { newDir, openLedger, readAll, runOf } from "./helpers.ts";
import { openReader } from "../../src/ledger/reader.ts";
import { BIN, buildTessera, buildVerifiers, fsckAccepts, goverify, haveGo } from "./oracle.ts";

const FULL = process.env["TAPLINE_FULL"] !== undefined;

/** Entries of many lengths, as files of a directory, which is how Tessera's writer takes them. */
function entriesIn(dir: string, count: number): void {
  mkdirSync(dir);
  for (let i = 0; i < count; i++) {
    const text = `{"n":${i},"text":"${"y".repeat((i * 31) % 700)}"}`;
    writeFileSync(join(dir, `${String(i).padStart(7, "0")}.json`), text);
  }
}

/** Writes them with Tessera under the key of the ledger in `ours`. */
function byTessera(entries: string, ours: string): string {
  const dir = newDir();
  const key = join(newDir(), "key");
  writeFileSync(key, readFileSync(join(ours, "ledger.key"), "utf8").trim());
  execFileSync(
    join(BIN, "posix-oneshot"),
    [`--storage_dir=${dir}`, `--entries=${entries}/*.json`, `--private_key=${key}`],
    { stdio: "ignore", timeout: 600_000 }, // it says every entry
  );
  return dir;
}

const filesOf = (dir: string): string[] =>
  readdirSync(join(dir, "tile"), { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(dir, "tile", name)).isFile())
    .toSorted();

describe.skipIf(!haveGo)("Tessera's writer", () => {
  beforeAll(() => {
    buildVerifiers();
    buildTessera();
  }, 900_000);

  test.each([1, 256, 300, ...(FULL ? [70_000] : [1_100])])(
    "makes the same tiles of %i entries",
    async (count) => {
      const entries = join(newDir(), "entries");
      entriesIn(entries, count);
      const ours = newDir();
      const { ledger: empty } = await openLedger(ours); // makes the key
      await empty.close();
      const theirs = byTessera(entries, ours);
      copyFileSync(join(ours, "ledger.vkey"), join(theirs, "ledger.vkey"));
      // It batches as it likes: its order is read back from its bundles.
      const order = (await readOrder(theirs, count)).map((text) => Buffer.from(text));
      expect(order.length).toBe(count);
      const { ledger } = await openLedger(ours);
      for (let at = 0; at < count; at += 777) {
        const run = runOf(order.slice(at, at + 777));
        ledger.append({ run, count: Math.min(777, count - at), hashes: leafHashes(run), header: "{}" });
        await ledger.commit();
      }
      await ledger.close();
      for (const name of filesOf(theirs)) {
        const replaced = /^(.*)\.p\/\d+$/.exec(name)?.[1];
        if (replaced !== undefined && !filesOf(ours).includes(name)) continue; // of a size that is long past
        expect(
          readFileSync(join(ours, "tile", name)).equals(readFileSync(join(theirs, "tile", name))),
          name,
        ).toBe(true);
      }
      for (const name of filesOf(ours)) expect(filesOf(theirs), name).toContain(name);
      const [their, own] = [theirs, ours].map((dir) =>
        readFileSync(join(dir, "checkpoint"), "utf8").split("\n"),
      );
      expect(own!.slice(0, 3)).toEqual(their!.slice(0, 3));
      // And each is accepted by the verifiers of both.
      expect((await verifyLedger(theirs)).findings).toEqual([]);
      expect(fsckAccepts(ours)).toBe(true);
    },
    1_200_000,
  );

  async function readOrder(dir: string, count: number): Promise<string[]> {
    const texts: string[] = [];
    for (let n = 0; texts.length < count; n++) {
      const name = String(n % 1_000).padStart(3, "0");
      const folder = n < 1_000 ? "" : `x${String(Math.floor(n / 1_000)).padStart(3, "0")}/`;
      const width = Math.min(256, count - texts.length);
      const path = join(dir, "tile/entries", `${folder}${name}${width === 256 ? "" : `.p/${width}`}`);
      const bundle = readFileSync(path);
      for (let at = 0; at < bundle.length;) {
        const end = at + 2 + bundle.readUInt16BE(at);
        texts.push(bundle.toString("utf8", at + 2, end));
        at = end;
      }
    }
    return texts;
  }
});

describe.skipIf(!haveGo || !FULL)("a ledger of 100,000 entries, grown in many restarts", () => {
  beforeAll(buildVerifiers, 900_000);

  test("is accepted by verifiers that are not ours, with every checkpoint of before", async () => {
    const [dir, keep] = [newDir(), newDir()];
    const saved: string[] = [];
    let size = 0;
    while (size < 100_000) {
      const { ledger } = await openLedger(dir);
      for (let frames = 1 + Math.floor(Math.random() * 4); frames > 0 && size < 100_000; frames--) {
        const count = Math.min(100_000 - size, 1 + Math.floor(Math.random() ** 2 * 3_000));
        const texts = Array.from({ length: count }, (_, i) =>
          Buffer.from(`{"n":${size + i},"t":"${"z".repeat(400)}"}`),
        );
        const run = runOf(texts);
        ledger.append({ run, count, hashes: leafHashes(run), header: "{}" });
        await ledger.commit();
        size += count;
      }
      await ledger.close();
      saved.push(join(keep, `${size}.checkpoint`));
      copyFileSync(join(dir, "checkpoint"), saved.at(-1)!);
    }
    expect(saved.length).toBeGreaterThan(10);
    expect(fsckAccepts(dir)).toBe(true);
    expect(goverify(dir, saved)).toBe(`0 verified 100000 entries and ${saved.length} older checkpoints`);
    expect((await verifyLedger(dir, { checkpoints: [keep] })).findings).toEqual([]);
    const reader = openReader(dir);
    expect((await readAll(reader, 99_990)).length).toBe(10);
    await reader.close();
  }, 1_200_000);
});
