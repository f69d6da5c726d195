// The attacks on a ledger, one a row, against what an auditor may hold: nothing, checkpoints kept elsewhere, a witness's
// key. Each is found and named where it is promised, and where it is not, the verification says what it rests on. What a
// signer of another process refuses is in signer.test.ts, what a key given up can still do in rotation.test.ts.
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { leafHashes } from "../../src/ledger/recover.ts";
import { type Verification, type VerifyOptions, verifyLedger } from "../../src/ledger/verify.ts";
import { appendEntries, newDir, openLedger, runOf } from "./helpers.ts";
import { buildVerifiers, fsckAccepts, goverify, haveGo } from "./oracle.ts";
import { type TestWitness, newWitness } from "./witness.ts";

const SIZES = [300, 520, 1_000] as const;
const AUDITED = 520;
/** The witness signs so many seconds after it as there are entries. */
const WITNESSED_S = 1_790_000_000;

/** A ledger as its operator keeps it, and what left the machine while it grew. */
interface Scene {
  readonly dir: string;
  /** Backup of the directory at the first size. */
  readonly backup: string;
  /** Checkpoints that an auditor kept, up to the second size. */
  readonly kept: string;
  readonly witness: TestWitness;
}

async function scene(): Promise<Scene> {
  const [dir, backup, kept] = [newDir(), newDir(), newDir()];
  const witness = newWitness("witness.example/w1");
  const { ledger } = await openLedger(dir);
  for (const size of SIZES) {
    appendEntries(ledger, size - ledger.size);
    await ledger.commit();
    await ledger.publish();
    if (size > AUDITED) continue;
    const checkpoint = readFileSync(join(dir, "checkpoint"), "utf8");
    writeFileSync(join(kept, `${size}.checkpoint`), checkpoint);
    writeFileSync(join(dir, "checkpoint.cosigned"), witness.cosigned(checkpoint, WITNESSED_S + size));
    if (size === SIZES[0]) await cp(dir, backup, { recursive: true });
  }
  await ledger.close();
  await rm(join(backup, "lock"), { force: true });
  return { dir, backup, kept, witness };
}

/** Entries [0, size) as the operator recorded them, changed by `edit`, in a new directory under the same key. */
async function forged(
  { dir }: Scene,
  size: number,
  edit: (entries: string[]) => void,
  cosigned = false,
): Promise<string> {
  const copy = newDir();
  for (const file of ["ledger.key", "ledger.vkey", ...(cosigned ? ["checkpoint.cosigned"] : [])])
    copyFileSync(join(dir, file), join(copy, file));
  const { ledger } = await openLedger(copy);
  const entries = Array.from({ length: size }, (_, i) => `{"n":${i},"text":"${"x".repeat(i % 97)}"}`);
  edit(entries);
  const run = runOf(entries.map((entry) => Buffer.from(entry)));
  ledger.append({ run, count: entries.length, hashes: leafHashes(run), header: "{}" });
  await ledger.close();
  return copy;
}

function change(path: string, edit: (bytes: Buffer) => Buffer | void): void {
  const bytes = readFileSync(path);
  writeFileSync(path, edit(bytes) ?? bytes);
}

const WAL = "wal/00000000000000000000.wal";
const LAST_BUNDLE = "tile/entries/003.p/232";

interface Attack {
  readonly name: string;
  /** Returns the directory that the auditor is shown. */
  run(at: Scene): Promise<string>;
  /** What verification says with nothing but the ledger and its key; undefined when it cannot tell. */
  readonly alone: RegExp | undefined;
  readonly withCheckpoints: RegExp | undefined;
  /** With the witness's key, and no checkpoint kept. */
  readonly withWitness: RegExp | undefined;
  readonly from?: number;
  /** Whether Tessera's fsck and x/mod, which see the ledger alone, refuse it. */
  readonly fsck: boolean;
  readonly xmod: boolean;
  /** x/mod with the checkpoints kept. */
  readonly xmodSaved: boolean;
}

const EDITED = /^entry 555 is not the one whose hash is in tile\/0\/002/;
const REWRITTEN = /^history was rewritten: the root at \d+ entries is not that in /;
const UNWITNESSED = /^no checkpoint is signed by 1 of the witnesses witness\.example\/w1/;

const ATTACKS: readonly Attack[] = [
  {
    name: "an entry is edited on disk, without the key",
    async run({ dir }) {
      change(join(dir, "tile/entries/002"), (bundle) => {
        const at = bundle.indexOf('{"n":555');
        bundle[at + 5] = 0x34;
      });
      return dir;
    },
    alone: EDITED,
    withCheckpoints: EDITED,
    withWitness: EDITED,
    from: 555,
    fsck: true,
    xmod: true,
    xmodSaved: true,
  },
  {
    name: "the state of an older backup is put back, without the key",
    async run({ backup }) {
      return backup;
    },
    alone: undefined,
    withCheckpoints: /^truncated: .*520\.checkpoint covers 520 entries, the ledger's checkpoint 300/,
    withWitness: /^stale: no witness has signed since 2026-09-21T14:22:00\.000Z: what came after 300 entries/,
    from: 300,
    fsck: false,
    xmod: false,
    xmodSaved: true,
  },
  {
    name: "history is rewritten with the key",
    run: (at) => forged(at, 1_000, (entries) => (entries[17] = '{"n":"forged"}')),
    alone: undefined,
    withCheckpoints: REWRITTEN,
    withWitness: UNWITNESSED,
    from: 0,
    fsck: false,
    xmod: false,
    xmodSaved: true,
  },
  {
    name: "history is rewritten with the key, and the witness's checkpoint of before is left there",
    run: (at) => forged(at, 1_000, (entries) => (entries[17] = '{"n":"forged"}'), true),
    alone: REWRITTEN,
    withCheckpoints: REWRITTEN,
    withWitness: REWRITTEN,
    from: 0,
    fsck: false,
    xmod: false,
    xmodSaved: true,
  },
  {
    name: "the last ten entries before the auditor's checkpoint are rewritten with the key",
    run: (at) =>
      forged(at, 1_000, (entries) => {
        for (let i = 510; i < 520; i++) entries[i] = `{"n":"forged ${i}"}`;
      }),
    alone: undefined,
    withCheckpoints:
      /^history was rewritten: the root at 520 entries .*; the first 300 are as they were signed$/,
    withWitness: UNWITNESSED,
    from: 300,
    fsck: false,
    xmod: false,
    xmodSaved: true,
  },
  {
    name: "one entry is deleted with the key",
    run: (at) => forged(at, 1_000, (entries) => entries.splice(400, 1)),
    alone: undefined,
    withCheckpoints: REWRITTEN,
    withWitness: UNWITNESSED,
    from: 300,
    fsck: false,
    xmod: false,
    xmodSaved: true,
  },
  {
    name: "two entries are swapped with the key",
    run: (at) =>
      forged(at, 1_000, (entries) => ([entries[100], entries[101]] = [entries[101]!, entries[100]!])),
    alone: undefined,
    withCheckpoints: REWRITTEN,
    withWitness: UNWITNESSED,
    from: 0,
    fsck: false,
    xmod: false,
    xmodSaved: true,
  },
  {
    name: "the end is cut off with the key, below what the auditor holds",
    run: (at) => forged(at, 400, () => {}),
    alone: undefined,
    withCheckpoints: /^truncated: .*520\.checkpoint covers 520 entries, the ledger's checkpoint 400/,
    withWitness: UNWITNESSED,
    from: 400,
    fsck: false,
    xmod: false,
    xmodSaved: true,
  },
  {
    name: "the entries since the last checkpoint that left the machine are rewritten with the key",
    run: (at) => forged(at, 1_000, (entries) => (entries[700] = '{"n":"forged"}'), true),
    alone: undefined, // what nobody else holds a checkpoint of, nobody can tell
    withCheckpoints: undefined,
    withWitness: undefined,
    fsck: false,
    xmod: false,
    xmodSaved: false,
  },
  {
    name: "two histories: another one of the size that the auditor holds",
    run: (at) => forged(at, AUDITED, (entries) => (entries[310] = '{"n":"forged"}')),
    alone: undefined,
    withCheckpoints: /^two histories: .* are both signed for 520 entries, with different roots$/,
    withWitness: UNWITNESSED,
    from: 300,
    fsck: false,
    xmod: false,
    xmodSaved: true,
  },
  {
    name: "a forged log under another key of the same name",
    async run({ dir }) {
      const other = newDir();
      const { ledger } = await openLedger(other);
      appendEntries(ledger, 1_000);
      await ledger.close();
      copyFileSync(join(dir, "ledger.vkey"), join(other, "ledger.vkey")); // the auditor uses the key that they kept
      return other;
    },
    alone: /^no valid checkpoint in .*: the signature is not valid$/,
    withCheckpoints: /^no valid checkpoint in .*: the signature is not valid$/,
    withWitness: /^no valid checkpoint in .*: the signature is not valid$/,
    fsck: true,
    xmod: true,
    xmodSaved: true,
  },
  {
    name: "entries are added after the last one of the partial bundle",
    async run({ dir }) {
      change(join(dir, LAST_BUNDLE), (bundle) => Buffer.concat([bundle, Buffer.from([0, 2, 0x7b, 0x7d])]));
      return dir;
    },
    alone: /^tile\/entries\/003\.p\/232 has 233 entries, not 232: bytes follow the last one$/,
    withCheckpoints: /^tile\/entries\/003\.p\/232 has 233 entries/,
    withWitness: /^tile\/entries\/003\.p\/232 has 233 entries/,
    from: 768,
    fsck: false,
    xmod: true,
    xmodSaved: true,
  },
  {
    name: "a bundle is removed",
    async run({ dir }) {
      await rm(join(dir, "tile/entries/001"));
      return dir;
    },
    alone: /^tile\/entries\/001 is missing$/,
    withCheckpoints: /^tile\/entries\/001 is missing$/,
    withWitness: /^tile\/entries\/001 is missing$/,
    from: 256,
    fsck: true,
    xmod: true,
    xmodSaved: true,
  },
];

const NOT_TOLD = /rest on the key alone, as far as is known here/;

function expectFound(result: Verification, message: RegExp | undefined, from: number | undefined): void {
  const said = result.findings.map((finding) => finding.message);
  if (message === undefined) {
    expect(said).toEqual([]);
    expect(result.notes.join("\n")).toMatch(NOT_TOLD);
    return;
  }
  expect(said.join("\n")).toMatch(new RegExp(message.source, "m"));
  if (from !== undefined) expect(result.wrong_from).toBe(from);
}

describe.each(ATTACKS)("$name", (attack) => {
  const rungs: [string, (at: Scene) => VerifyOptions, RegExp | undefined, number | undefined][] = [
    ["the ledger alone", () => ({}), attack.alone, attack.alone === undefined ? undefined : attack.from],
    [
      "with checkpoints kept elsewhere",
      ({ kept }) => ({ checkpoints: [kept] }),
      attack.withCheckpoints,
      attack.from,
    ],
    [
      "with checkpoints that an anchor is asked for",
      ({ kept }) => ({
        held: readdirSync(kept).map((name) => ({
          place: name,
          text: readFileSync(join(kept, name), "utf8"),
        })),
      }),
      attack.withCheckpoints,
      attack.from,
    ],
    [
      "with a witness's key",
      ({ witness }) => ({ witnesses: [witness.key], witnessed_since_ms: (WITNESSED_S + AUDITED) * 1_000 }),
      attack.withWitness,
      undefined,
    ],
  ];
  test.each(rungs)("%s", async (_, options, message, from) => {
    const at = await scene();
    const vkey = readFileSync(join(at.dir, "ledger.vkey"));
    expect((await verifyLedger(at.dir, options(at))).findings).toEqual([]);
    const shown = await attack.run(at);
    writeFileSync(join(shown, "ledger.vkey"), vkey);
    expectFound(await verifyLedger(shown, options(at)), message, from);
  });

  test.skipIf(!haveGo)("verifiers that are not ours", async () => {
    const at = await scene();
    const kept = readdirSync(at.kept).map((name) => join(at.kept, name));
    const shown = await attack.run(at);
    expect(fsckAccepts(shown)).toBe(!attack.fsck);
    expect(goverify(shown)).toMatch(attack.xmod ? /^1 FAILED/ : /^0 verified/);
    expect(goverify(shown, kept)).toMatch(attack.xmodSaved ? /^1 FAILED/ : /^0 verified/);
  });
});

beforeAll(() => {
  if (haveGo) buildVerifiers();
}, 600_000);

/** Files that the checkpoint rests on, and the log: not partial ones that others have replaced. */
const SMALL = ["checkpoint", "ledger.vkey", "tile/0/000.p/5", "tile/entries/000.p/5", WAL];
const WITH_TILES = [
  "checkpoint",
  "ledger.vkey",
  "tile/0/000",
  "tile/0/001.p/4",
  "tile/1/000.p/1",
  "tile/entries/000",
  "tile/entries/001.p/4",
  WAL,
];

// 40,000 verifications take minutes.
const FULL =
  process.env["TAPLINE_FULL"] === undefined ? [] : ([["a full tile", [3, 255, 2], WITH_TILES]] as const);

test.each([["five entries", [3, 2], SMALL] as const, ...FULL])(
  "every byte of a ledger of %s, flipped in turn, makes verification fail",
  async (_, counts, current) => {
    const dir = newDir();
    const { ledger } = await openLedger(dir);
    for (const count of counts) {
      appendEntries(ledger, count);
      await ledger.commit();
      await ledger.publish();
    }
    await ledger.close();
    for (const name of current) {
      const path = join(dir, name);
      const whole = readFileSync(path);
      expect(whole.length).toBeGreaterThan(30);
      for (let at = 0; at < whole.length; at++) {
        if (name === "ledger.vkey" && at === whole.length - 1) continue; // the line's end says nothing
        const changed = Buffer.from(whole);
        changed[at]! ^= 1 << (at % 8);
        writeFileSync(path, changed);
        if ((await verifyLedger(dir)).findings.length === 0)
          expect.unreachable(`${name}: byte ${at} is not looked at`);
      }
      writeFileSync(path, whole);
    }
    expect((await verifyLedger(dir)).findings).toEqual([]);
  },
  21_600_000, // a machine that is busy with other work has taken half an hour and more
);
