// Changing a ledger's key: both sign for a time, whoever has either verifies, what was kept from before still counts, and a
// key that is past signs nothing that is taken for the ledger's own.
import { cpSync, existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { signCheckpoint } from "../../src/ledger/checkpoint.ts";
import { readSigner } from "../../src/ledger/keys.ts";
import { proveEntry } from "../../src/ledger/prove.ts";
import { readPublished } from "../../src/ledger/published.ts";
import { openReader } from "../../src/ledger/reader.ts";
import { finishRotation, readRotation, rotateKey } from "../../src/ledger/rotation.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { KINDS, anchorOf, grow, rewritten, take } from "./anchored.ts";
import { newDir, openLedger } from "./helpers.ts";
import { buildVerifiers, fsckAccepts, goverify, haveGo } from "./oracle.ts";

const HOUR_MS = 3_600_000;
const signatures = (dir: string): number =>
  readFileSync(join(dir, "checkpoint"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("— ")).length;

/** A ledger of 300 entries whose checkpoint and key somebody kept, then a new key, then 700. */
async function changed(
  overlap_ms = HOUR_MS,
): Promise<{ dir: string; kept: string; vkey: string; key: string }> {
  const [dir, kept] = [newDir(), newDir()];
  await grow(dir, 300);
  cpSync(join(dir, "checkpoint"), join(kept, "300.checkpoint"));
  const [vkey, key] = [join(kept, "first.vkey"), join(kept, "first.key")];
  cpSync(join(dir, "ledger.vkey"), vkey);
  cpSync(join(dir, "ledger.key"), key);
  await rotateKey(dir, overlap_ms);
  await grow(dir, 700);
  return { dir, kept, vkey, key };
}

describe("while both keys sign", () => {
  beforeAll(() => {
    if (haveGo) buildVerifiers();
  }, 900_000);

  test("whoever has either key verifies, with what was kept from before", async () => {
    const { dir, kept, vkey } = await changed();
    expect(signatures(dir)).toBe(2);
    const vkeys = [join(dir, "ledger.vkey"), vkey];
    for (const options of [{}, { vkeys }, { vkeys: [vkey] }])
      expect(await verifyLedger(dir, { ...options, checkpoints: [kept] })).toMatchObject({
        findings: [],
        size: 700,
      });
    // The new key alone does not vouch for what it has not signed.
    const { findings } = await verifyLedger(dir, { vkeys: [join(dir, "ledger.vkey")], checkpoints: [kept] });
    expect(findings[0]!.message).toMatch(/300\.checkpoint: the signature is not valid$/);
    const reader = openReader(dir);
    expect(await proveEntry(dir, reader, 500)).toContain("index 500");
    await reader.close();
  });

  test.skipIf(!haveGo)("verifiers that are not ours accept it with either key", async () => {
    const { dir, kept, vkey } = await changed();
    expect(fsckAccepts(dir)).toBe(true);
    expect(goverify(dir)).toBe("0 verified 700 entries and 0 older checkpoints");
    expect(goverify(dir, [join(kept, "300.checkpoint")])).toMatch(/^1 FAILED/);
    const both = join(dir, "ledger.vkey");
    writeFileSync(both, readFileSync(both, "utf8") + readFileSync(vkey, "utf8"));
    expect(goverify(dir, [join(kept, "300.checkpoint")])).toBe(
      "0 verified 700 entries and 1 older checkpoints",
    );
    cpSync(vkey, both);
    expect(fsckAccepts(dir)).toBe(true);
    expect(goverify(dir)).toBe("0 verified 700 entries and 0 older checkpoints");
  });

  test("another change is refused until the overlap has ended", async () => {
    const { dir } = await changed();
    await expect(rotateKey(dir, HOUR_MS)).rejects.toMatchObject({
      code: "LEDGER_KEY",
      message: /two keys at a time/,
    });
  });
});

describe("when the key before signs no more", () => {
  test("it is gone, and whoever has it alone is told", async () => {
    const { dir, kept, vkey } = await changed(0);
    expect(signatures(dir)).toBe(1);
    expect(existsSync(join(dir, "ledger.old.key"))).toBe(false);
    expect(await verifyLedger(dir, { checkpoints: [kept] })).toMatchObject({ findings: [], size: 700 });
    const { findings } = await verifyLedger(dir, { vkeys: [vkey] });
    expect(findings[0]!.message).toMatch(/the signature is not valid$/);
  });

  test("a checkpoint that only the key before signed is not the ledger's own, though it counts as kept", async () => {
    const { dir, kept, key, vkey } = await changed(0);
    const { size, root } = (await readPublished(dir))!;
    const text = await signCheckpoint(size, root, [await readSigner(key)]);
    writeFileSync(join(kept, "700.checkpoint"), text);
    const vkeys = [join(dir, "ledger.vkey"), vkey];
    expect((await verifyLedger(dir, { vkeys, checkpoints: [kept] })).findings).toEqual([]);
    writeFileSync(join(dir, "checkpoint"), text);
    for (const options of [{}, { vkeys }])
      expect((await verifyLedger(dir, options)).findings[0]!.message).toMatch(/the signature is not valid$/);
  });

  test("a second change keeps both public keys of before", async () => {
    const { dir, kept } = await changed(0);
    await rotateKey(dir, 0);
    await grow(dir, 900);
    expect(readFileSync(join(dir, "ledger.old.vkey"), "utf8").trim().split("\n")).toHaveLength(2);
    expect(await verifyLedger(dir, { checkpoints: [kept] })).toMatchObject({ findings: [], size: 900 });
  });
});

test.each(KINDS)(
  "an anchor that holds checkpoints of the key before tells a ledger that was %s",
  async (kind) => {
    const [dir, kept] = [newDir(), newDir()];
    await grow(dir, 300);
    await take(anchorOf("directory", { dir: kept }, dir), dir);
    const backup = newDir();
    cpSync(dir, backup, { recursive: true });
    await grow(dir, 700);
    await take(anchorOf("directory", { dir: kept }, dir), dir);
    const bad = kind === "cut off" ? backup : await rewritten(dir, 900);
    await rotateKey(bad, 0);
    await grow(bad, kind === "cut off" ? 350 : 950);
    await expect(take(anchorOf("directory", { dir: kept }, bad), bad)).rejects.toThrow(
      kind === "cut off" ? /cut off/ : /rewritten/,
    );
  },
);

test("the same size under another key is taken by an anchor as it is", async () => {
  const [dir, kept] = [newDir(), newDir()];
  await grow(dir, 300);
  await take(anchorOf("directory", { dir: kept }, dir), dir);
  await rotateKey(dir, HOUR_MS);
  await grow(dir, 300);
  expect(signatures(dir)).toBe(2);
  expect(await take(anchorOf("directory", { dir: kept }, dir), dir)).toContain(kept);
  expect(readdirSync(kept)).toHaveLength(1);
});

test("a change that a crash cut short is either not begun, or finished at the next start", async () => {
  const dir = newDir();
  await grow(dir, 3);
  const before = newDir();
  cpSync(dir, before, { recursive: true });
  const rotation = await rotateKey(dir, HOUR_MS);
  // As it is just before the new key takes its place.
  for (const name of ["rotation.json", "ledger.old.vkey", "ledger.old.key"])
    cpSync(join(dir, name), join(before, name));
  cpSync(join(dir, "ledger.key"), join(before, "ledger.key.new"));
  for (const step of ["before the public key", "between the two"]) {
    const cut = newDir();
    cpSync(before, cut, { recursive: true });
    if (step === "between the two") cpSync(join(dir, "ledger.vkey"), join(cut, "ledger.vkey"));
    const { ledger } = await openLedger(cut);
    await ledger.close();
    expect((await readSigner(join(cut, "ledger.key"))).id.toString("hex"), step).toBe(rotation.to);
    expect((await verifyLedger(cut)).findings).toEqual([]);
  }
  // A new key that nobody decided on is left aside.
  const begun = newDir();
  cpSync(before, begun, { recursive: true });
  writeFileSync(join(begun, "rotation.json"), JSON.stringify({ ...rotation, to: "00000000" }));
  await finishRotation(begun);
  expect((await readSigner(join(begun, "ledger.key"))).id.toString("hex")).toBe(rotation.from);
  expect((await readRotation(dir))?.from).toBe(rotation.from);
});
