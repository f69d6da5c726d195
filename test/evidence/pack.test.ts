// An evidence pack of real sessions: what is in it, that outsiders can check it without us, and that nothing recorded becomes
// more than text in it.
import { execFileSync, spawnSync } from "node:child_process";
import { hash } from "node:crypto";
import {
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type ManifestSigner, signerOf } from "../../src/evidence/manifest.ts";
import type { Report } from "../../src/evidence/model.ts";
import { writePack } from "../../src/evidence/pack.ts";
import type { Wanted } from "../../src/evidence/report.ts";
import { readSoa } from "../../src/evidence/soa.ts";
import { newSecretText } from "../../src/ledger/note.ts";
import { rotateKey } from "../../src/ledger/rotation.ts";
import { SignerServer } from "../../src/ledger/signer-server.ts";
import { openKeys } from "../../src/ledger/signing.ts";
import { serialise } from "../../src/core/generated/event.ts";
import { newHome, tapline } from "../commands/tapline.ts";
import { BIN, buildVerifiers, haveGo } from "../ledger/oracle.ts";
import { ATTACKS } from "../viewer/web/look.ts";
import { CHROMIUM, launch } from "../viewer/web/browser.ts";
import { type World, append, event, everything, newDir, report, sessions, world } from "./world.ts";

const SOA = `organisation: Example GmbH
scope: Agents of the engineering department
version: "1.2"
controls:
  A.6.2.6: {applicable: true, justification: Agents act on our systems, status: implemented, owner: Head of IT, reference: OPS-12, last_review: 2026-11-01}
  A.8.5: {applicable: true, justification: Customers are told, status: implemented, owner: Legal, reference: "", last_review: 2026-11-01}
`;

async function packOf(made: World, wanted: Partial<Wanted> = {}): Promise<{ dir: string; report: Report }> {
  const done = await report(made.config, wanted);
  const dir = join(newDir(), "pack");
  const signer = await signerOf(join(made.dir, "ledger"), undefined);
  await writePack(dir, done, { signer, attached: new Map([["statement-of-applicability.yml", SOA]]) });
  return { dir, report: done.report };
}

const read = (dir: string, name: string): string => readFileSync(join(dir, name), "utf8");
const filesIn = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name).slice(dir.length + 1))
    .toSorted();

/** Compares with the golden file; `UPDATE_GOLDEN=1` writes it: read it before you commit it. */
function golden(name: string, text: string): void {
  const path = join("test/fixtures/evidence", name);
  if (process.env["UPDATE_GOLDEN"] !== undefined) writeFileSync(path, text);
  expect(text).toBe(readFileSync(path, "utf8"));
}

/** What differs every time, since the key does, and what changes with the map and not with the report. */
function steady(text: string, { vkey }: World, found: Report): string {
  return text
    .replaceAll(vkey, "VKEY")
    .replaceAll(found.map.digest, "MAP")
    .replaceAll(found.integrity.root, "ROOT")
    .replaceAll(/sha256:[0-9a-f]{64}/g, "DIGEST")
    .replaceAll(found.integrity.rungs[0]!, "RUNG")
    .replaceAll(/sha256-[A-Za-z0-9+/=]{44}/g, "STYLE")
    .replaceAll(/<style>.*<\/style>/gs, "");
}

const OSCAL = ["catalog", "profile", "component-definition", "assessment-plan", "assessment-results"].map(
  (name) => `oscal/${name}.json`,
);

test("a pack of real sessions is the one that was read and found right", async () => {
  const made = await world(everything());
  const soa_file = join(newDir(), "soa.yml");
  writeFileSync(soa_file, SOA);
  const ids = ["A.6.2.6", "A.8.5"];
  const { dir, report: found } = await packOf(made, { soa: await readSoa(soa_file), ids });
  const proofs = found.sample.events.map(({ proof }) => proof);
  expect(found.sample.events.length).toBe(25);
  expect(filesIn(dir)).toEqual(
    [
      "VERIFY.md",
      "checkpoints/checkpoint",
      "checkpoints/log.vkey",
      "events.csv",
      "events.ndjson",
      "index.html",
      "manifest.json",
      "manifest.note",
      ...OSCAL,
      "report.json",
      "report.pdf",
      "statement-of-applicability.yml",
      ...proofs,
    ].toSorted(),
  );
  golden("report.json", steady(read(dir, "report.json"), made, found));
  golden("index.html", steady(read(dir, "index.html"), made, found));
  golden("events.csv", steady(read(dir, "events.csv"), made, found));
  // NDJSON holds the entries to the last byte.
  for (const line of read(dir, "events.ndjson").trimEnd().split("\n")) {
    const { index, hash: leaf } = JSON.parse(line) as { index: number; hash: string };
    expect(line.endsWith(`,"entry":${made.documents[index]!}}`)).toBe(true);
    expect(leaf).toBe(
      `sha256:${hash("sha256", Buffer.concat([Buffer.of(0), Buffer.from(made.documents[index]!)]))}`,
    );
  }
  // The same ledger, seed and time make the same pack but for signatures.
  const again = await packOf(made, { soa: await readSoa(soa_file), ids });
  for (const name of ["report.json", "index.html", "events.csv", "events.ndjson", ...OSCAL])
    expect(read(again.dir, name)).toBe(read(dir, name));
});

const outsider = (...args: readonly string[]) =>
  spawnSync("python3", ["test/oracle/pack_verify.py", ...args], { encoding: "utf8" });

test("an outsider's program checks every event up to the cosigned checkpoint, and is not taken in", async () => {
  const made = await world(everything(), { cosigned: 60 });
  const { dir, report: found } = await packOf(made);
  const { status, stdout, stderr } = outsider(dir, made.vkey, made.witness);
  expect([status, stderr]).toEqual([0, ""]);
  const seen = JSON.parse(stdout) as {
    proofs: { index: number; size: number; cosigned: number[]; entry: unknown }[];
  };
  expect(seen.proofs.map(({ index }) => index)).toEqual(found.sample.events.map(({ index }) => index));
  const below = seen.proofs.filter(({ index }) => index < 60);
  expect(below.length).toBeGreaterThan(20);
  expect(below.length).toBeLessThan(seen.proofs.length);
  for (const { index, size, cosigned, entry } of seen.proofs) {
    expect([size, cosigned]).toEqual(index < 60 ? [60, [1_790_000_000]] : [made.documents.length, []]);
    expect(entry).toEqual(JSON.parse(made.documents[index]!));
  }
  const proof = join(dir, found.sample.events[0]!.proof);
  const text = readFileSync(proof, "utf8");
  // A file that is another, one that is not in the manifest, another log's key.
  writeFileSync(proof, text.replace("index ", "index 1"));
  expect(outsider(dir, made.vkey, made.witness).status).not.toBe(0);
  writeFileSync(proof, text);
  writeFileSync(join(dir, "more.txt"), "");
  expect(outsider(dir, made.vkey, made.witness).status).not.toBe(0);
  rmSync(join(dir, "more.txt"));
  expect(outsider(dir, made.vkey, made.witness).status).toBe(0);
  expect(outsider(dir, (await world(everything())).vkey, made.witness).status).not.toBe(0);
});

test("checkpoints that an anchor kept are in the pack, and nothing that the log's key did not sign", async () => {
  const kept = newDir();
  const anchors = { auditor: { type: "directory", dir: kept } };
  const made = await world(everything(), { cosigned: 60, anchors });
  const [note] = read(join(made.dir, "ledger"), "checkpoint.cosigned").split(/(?<=\n)(?=— witness)/);
  const other = read(join((await world(everything())).dir, "ledger"), "checkpoint");
  const name = (size: number, kind: string): string => `${String(size).padStart(20, "0")}.${kind}`;
  writeFileSync(join(kept, name(60, "checkpoint")), note!);
  writeFileSync(join(kept, name(60, "tsr")), "a stamp");
  writeFileSync(join(kept, name(70, "checkpoint")), other);
  writeFileSync(join(kept, name(80, "checkpoint")), note!.replace("\n60\n", "\n80\n"));
  const { dir, report: found } = await packOf(made, { ids: ["A.6.2.8"] });
  expect(found.integrity.kept).toBe(1);
  expect(filesIn(dir).filter((path) => path.startsWith("checkpoints/"))).toEqual(
    [
      "checkpoint",
      "checkpoint.cosigned",
      "log.vkey",
      "witnesses.vkeys",
      name(60, "checkpoint"),
      name(60, "tsr"),
    ]
      .map((path) => `checkpoints/${path}`)
      .toSorted(),
  );
  expect(read(dir, `checkpoints/${name(60, "checkpoint")}`)).toBe(note);
});

test("a pack after a change of key: what earlier keys signed is checked with them", async () => {
  const kept = newDir();
  const anchors = { auditor: { type: "directory", dir: kept } };
  const made = await world(everything(), { cosigned: 60, anchors });
  const ledger_dir = join(made.dir, "ledger");
  const size = made.documents.length;
  const name = `${String(size).padStart(20, "0")}.checkpoint`;
  writeFileSync(join(kept, name), read(ledger_dir, "checkpoint"));
  await rotateKey(ledger_dir, 0);
  await append(made, everything().slice(0, 5));
  const { dir, report: found } = await packOf(made, { ids: ["A.6.2.8"] });
  const keys = [read(ledger_dir, "ledger.vkey").trim(), made.vkey];
  expect(read(dir, "checkpoints/log.vkey")).toBe(`${keys.join("\n")}\n`);
  expect(found.integrity).toMatchObject({ vkey: keys[0], earlier: [{ vkey: keys[1] }], kept: 1 });
  expect(read(dir, "index.html")).toContain(keys[1]!.split("+")[1]!);
  expect(read(dir, "VERIFY.md")).toContain(`- \`${keys[1]!}\`, from the beginning until`);
  const program = join(newDir(), "check.py");
  const blocks = commandsOf(dir).map((block) => block.replaceAll("/tmp/check.py", program));
  const all = shell(`set -e\n${blocks.join("\n")}`, dir);
  expect([all.status, all.stderr]).toEqual([0, ""]);
  expect(all.stdout).toContain(`checkpoints/${name}: ${size} entries of`);
  // The cosigned one is of the key before, and so are the proofs under it.
  const below = found.sample.events.filter(({ index }) => index < 60).length;
  expect(below).toBeGreaterThan(0);
  expect(all.stdout).toContain(`cosigned by witness.example/w1: ${below} of ${found.sample.events.length}\n`);
  // With the current key alone the kept one is not taken.
  writeFileSync(join(dir, "current.vkey"), `${keys[0]!}\n`);
  const alone = spawnSync("python3", [program, "checkpoints", "current.vkey"], {
    cwd: dir,
    encoding: "utf8",
  });
  expect([alone.status, alone.stderr]).toEqual([1, expect.stringContaining("no key of the log")]);
});

test("who signs the manifest: a key of its own, the signer's process, or nobody, and VERIFY.md says which", async () => {
  const made = await world(everything());
  const ledger_dir = join(made.dir, "ledger");
  const run = async (
    signer: ManifestSigner | undefined,
  ): Promise<{ dir: string; text: string; out: string }> => {
    const dir = join(newDir(), "pack");
    await writePack(dir, await report(made.config, { ids: ["A.9.4"] }), { signer, attached: new Map() });
    const program = join(newDir(), "check.py");
    const blocks = commandsOf(dir).map((block) => block.replaceAll("/tmp/check.py", program));
    const { status, stdout, stderr } = shell(`set -e\n${blocks.join("\n")}`, dir);
    expect([status, stderr]).toEqual([0, ""]);
    return { dir, text: read(dir, "VERIFY.md"), out: stdout };
  };
  const file = join(newDir(), "auditor.key");
  writeFileSync(file, newSecretText("example.org/compliance"));
  const own = await run(await signerOf(ledger_dir, file));
  expect(own.text).toContain("check.py files manifest.vkey");
  expect(own.out).toContain("there is no other\nsigned by example.org/compliance\n");
  // The ledger's key moves to a signer, which is asked for it.
  const signer_dir = newDir();
  renameSync(join(ledger_dir, "ledger.key"), join(signer_dir, "ledger.key"));
  const socket = join(newDir(), "socket");
  const origin = "build-07.example/tapline";
  const nobody = await run(await signerOf(ledger_dir, undefined, socket));
  expect(nobody.text).toContain("is **not signed**");
  expect(filesIn(nobody.dir)).not.toContain("manifest.note");
  const server = await SignerServer.open({
    dir: signer_dir,
    socket,
    ...(await openKeys(signer_dir, origin)),
  });
  const signed = await run(await signerOf(ledger_dir, undefined, socket));
  expect(signed.out).toContain(`there is no other\nsigned by ${origin}\n`);
  expect(outsider(signed.dir, made.vkey).status).toBe(0);
  await server.close();
  // A signer of another log is not taken for this one's.
  const other_dir = newDir();
  const other = await SignerServer.open({ dir: other_dir, socket, ...(await openKeys(other_dir, origin)) });
  await expect(signerOf(ledger_dir, undefined, socket)).rejects.toMatchObject({ code: "LEDGER_KEY" });
  await other.close();
});

test("nobody but the owner can read a pack", async () => {
  const { dir } = await packOf(await world(everything()), { ids: ["A.6.2.6"] });
  for (const one of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    const path = join(one.parentPath, one.name);
    expect([path, statSync(path).mode & 0o777]).toEqual([path, one.isDirectory() ? 0o700 : 0o600]);
  }
  expect(statSync(dir).mode & 0o777).toBe(0o700);
});

test("a page shows what it counts and what it drew from", async () => {
  const supporting = event("rule-alert", "2026-11-23T18:30:00.000Z", {
    "event.id": "for-a-9-4",
    "tapline.control.supporting": ["A.9.4"],
  });
  const made = await world([...everything(), serialise(supporting)]);
  const { dir, report: found } = await packOf(made, { ids: ["A.9.4"] });
  const [control] = found.controls;
  expect([control!.direct > 0, control!.supporting > 0]).toEqual([true, true]);
  const page = read(dir, "index.html");
  expect(page).toContain(
    `<dt>Direct</dt><dd><bdi>${control!.direct}</bdi></dd><dt>Supporting</dt><dd><bdi>${control!.supporting}</bdi>`,
  );
  expect(page).toContain(
    `of ${control!.population} events that are direct evidence and that a checkpoint covers`,
  );
  expect(page).toContain(
    `Counted above and not drawn from: ${control!.supporting} that are supporting evidence.`,
  );
  expect(page).toContain("Findings: no gap found; without a statement of applicability few can be");
});

const shell = (script: string, dir: string) =>
  spawnSync("bash", ["-c", script], { cwd: dir, encoding: "utf8", timeout: 1_000_000 });
const commandsOf = (dir: string): string[] =>
  [...read(dir, "VERIFY.md").matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block!);

test("the commands of VERIFY.md run as they stand, and refuse what was changed", async () => {
  const made = await world(everything(), { cosigned: 60 });
  const { dir, report: found } = await packOf(made, { ids: ["A.6.2.8"] });
  const tmp = newDir();
  const blocks = commandsOf(dir).map((block) => block.replaceAll("/tmp/check.py", join(tmp, "check.py")));
  expect(blocks.length).toBe(5);
  const all = shell(`set -e\n${blocks.join("\n")}`, dir);
  expect([all.status, all.stderr]).toEqual([0, ""]);
  const drawn = found.sample.events.length;
  const below = found.sample.events.filter(({ index }) => index < 60).length;
  expect(below).toBeGreaterThan(0);
  expect(below).toBeLessThan(drawn);
  expect(all.stdout).toContain(
    `${filesIn(dir).length - 2} files are as the manifest says, and there is no other\nsigned by build-07`,
  );
  expect(all.stdout).toContain(
    `${drawn} events drawn: each proven, shown as it was recorded, and in the order`,
  );
  expect(all.stdout).toContain(`cosigned by witness.example/w1: ${below} of ${drawn}\n`);
  expect(all.stdout).toContain(`signed by build-07.example/tapline: ${drawn} of ${drawn}\n`);
  expect(all.stdout).toContain("checkpoints/checkpoint.cosigned: 60 entries of build-07");
  expect(all.stdout).not.toContain("NOT CHECKED");
  const witnessed = found.sample.events.find(({ index }) => index < 60)!;
  expect(all.stdout).toContain(made.documents[witnessed.index]!);
  expect(all.stdout).toContain("cosigned by witness.example/w1, at 1790000000 s since 1970\n");
}, 1_200_000);

/** A pack, its checker, and what it says to an edit of the pack, which is taken back. */
async function checker(cosigned: number): Promise<{
  dir: string;
  keys: string;
  made: World;
  report: Report;
  check(...args: readonly string[]): { status: number | null; out: string };
  edited(
    path: string,
    edit: (text: string) => string,
    ...args: readonly string[]
  ): { status: number | null; out: string };
}> {
  const made = await world(everything(), { cosigned });
  const { dir, report: found } = await packOf(made, { ids: ["A.6.2.6"] });
  const program = join(newDir(), "check.py");
  shell(commandsOf(dir)[0]!.replaceAll("/tmp/check.py", program), dir);
  const check = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync("python3", [program, ...args], {
      cwd: dir,
      encoding: "utf8",
    });
    return { status, out: stdout + stderr };
  };
  const edited = (path: string, edit: (text: string) => string, ...args: readonly string[]) => {
    const before = read(dir, path);
    writeFileSync(join(dir, path), edit(before));
    const said = check(...args);
    writeFileSync(join(dir, path), before);
    return said;
  };
  return { dir, made, report: found, check, edited, keys: "checkpoints/log.vkey" };
}

test("the checker of a pack finds what was changed, taken away and added", async () => {
  const { dir, check, edited, keys } = await checker(60);
  const fine = check("files", keys);
  expect([fine.status, fine.out]).toEqual([0, expect.stringContaining("signed by build-07.example/tapline")]);
  const space = (text: string): string => `${text} `;
  expect(edited("index.html", space, "files", keys)).toEqual({ status: 1, out: "CHANGED: index.html\n" });
  writeFileSync(join(dir, "proofs", "more.tlog-proof"), "");
  symlinkSync("/etc", join(dir, "etc"));
  expect(check("files", keys).out).toBe(
    "NOT IN THE MANIFEST: etc\nNOT IN THE MANIFEST: proofs/more.tlog-proof\n",
  );
  rmSync(join(dir, "etc"));
  rmSync(join(dir, "proofs", "more.tlog-proof"));
  const page = read(dir, "index.html");
  rmSync(join(dir, "index.html"));
  expect(check("files", keys)).toEqual({ status: 1, out: "MISSING: index.html\n" });
  const elsewhere = join(newDir(), "page");
  writeFileSync(elsewhere, page);
  symlinkSync(elsewhere, join(dir, "index.html"));
  expect(check("files", keys)).toEqual({ status: 1, out: "CHANGED: index.html\n" });
  rmSync(join(dir, "index.html"));
  writeFileSync(join(dir, "index.html"), page);
  // A manifest that was made again for changed files, and a checkpoint in place of the note.
  expect(edited("manifest.json", space, "files", keys).out).toContain("the note is of another manifest");
  const checkpoint = read(dir, "checkpoints/checkpoint");
  expect(edited("manifest.note", () => checkpoint, "files", keys).out).toContain(
    "not the note of a manifest",
  );
  // And the note in place of a checkpoint: it is signed by the log's key, and is no checkpoint.
  const [proof] = readdirSync(join(dir, "proofs"));
  const note = read(dir, "manifest.note");
  const path = `proofs/${proof!}`;
  const taken = (text: string): string => `${text.split("\n\n")[0]}\n\n${note}`;
  expect(edited(path, taken, "proof", path, keys)).toMatchObject({ status: 1 });
  expect(check("files", keys).status).toBe(0);
});

test("the checker of a pack takes no place, no other entry, no other order, and no wrong signature", async () => {
  const { dir, check, edited, keys, report: found } = await checker(60);
  const { proof, index } = found.sample.events.find((one) => one.index >= 60)!;
  const at = (other: number) => (text: string) => text.replace(`index ${index}\n`, `index ${other}\n`);
  expect(check("proof", proof, keys).status).toBe(0);
  expect(edited(proof, at(index + 1), "proof", proof, keys).out).toMatch(
    /not in the tree|too long|too short/,
  );
  // Of a tree of one entry the path is empty, whatever the index says.
  const one = await world(everything().slice(0, 1));
  const only = await report(one.config, { ids: ["A.6.2.8"] });
  const alone = await only.prover.prove(0);
  writeFileSync(join(dir, "alone"), alone);
  writeFileSync(join(dir, "alone.vkey"), one.vkey);
  expect(check("proof", "alone", "alone.vkey").out).toContain("entry 0 of 1");
  expect(
    edited("alone", (text) => text.replace("index 0", "index 7"), "proof", "alone", "alone.vkey").out,
  ).toContain("no place in this tree");
  expect(check("proof", "alone", keys).out).toContain("no key of the log");
  rmSync(join(dir, "alone"));
  expect(
    edited(proof, (text) => text.replace(/\n— (\S+) (.{8})./, "\n— $1 $2/"), "proof", proof, keys).out,
  ).toMatch(/is wrong|not in the tree/);
  const swap = (text: string): string => text.replace("build-07", "build-08");
  expect(edited("events.ndjson", swap, "sample", keys).out).toContain("shows another entry");
  const reversed = (text: string): string => {
    const said = JSON.parse(text) as { controls: { sample: number[] }[] };
    said.controls[0]!.sample.reverse();
    return JSON.stringify(said);
  };
  expect(edited("report.json", reversed, "sample", keys).out).toContain("not in the order of the draw");
  expect(edited("events.ndjson", (text) => text.slice(text.indexOf("\n") + 1), "sample", keys).out).toContain(
    "names other events",
  );
  const other = read(join((await world(everything().toReversed())).dir, "ledger"), "checkpoint");
  expect(edited("checkpoints/checkpoint", () => other, "checkpoints", keys).out).toContain("no key of");
});

test("the checker of a pack counts what it cannot check for nothing, and says so", async () => {
  const { dir, made, check, report: found } = await checker(60);
  const { proof } = found.sample.events.find((one) => one.index < 60)!;
  const log = "checkpoints/log.vkey";
  // The witness's key not given; then one of ML-DSA-44 under the same name and id, whose signatures are not Ed25519.
  const without = check("proof", proof, log);
  expect([without.status, without.out]).toEqual([
    0,
    expect.stringContaining("NOT CHECKED, counts for nothing: witness.example/w1, its key is not among"),
  ]);
  expect(without.out).not.toContain("cosigned by");
  const typed = Buffer.concat([Buffer.of(6), Buffer.alloc(1_312, 1)]);
  const id = hash("sha256", Buffer.concat([Buffer.from("witness.example/w1\n"), typed]), "buffer").subarray(
    0,
    4,
  );
  writeFileSync(
    join(dir, "ml.vkey"),
    `witness.example/w1+${id.toString("hex")}+${typed.toString("base64")}\n`,
  );
  const path = join(dir, proof);
  const text = readFileSync(path, "utf8");
  const line = `— witness.example/w1 ${Buffer.concat([id, Buffer.alloc(2_428, 2)]).toString("base64")}\n`;
  writeFileSync(path, text.replace(/— witness\.example\/w1 .*\n/, line));
  const other = check("proof", proof, log, "ml.vkey");
  expect([other.status, other.out]).toEqual([
    0,
    expect.stringContaining(
      "NOT CHECKED, counts for nothing: witness.example/w1, signatures of type 6 are not checked here",
    ),
  ]);
  expect(other.out).not.toContain("cosigned by");
  // That the log's own is not among what can be checked is an end.
  writeFileSync(path, text);
  writeFileSync(join(dir, "witness.vkey"), made.witness);
  expect(check("proof", proof, "witness.vkey").out).toContain("no key of the log");
  expect(check("proof", proof, log, "witness.vkey").out).toContain(
    "cosigned by witness.example/w1, at 1790000000 s",
  );
});

test.skipIf(!haveGo)("Go's code for transparency logs takes the proofs of a pack", async () => {
  buildVerifiers();
  const made = await world(everything(), { cosigned: 60 });
  const { dir, report: found } = await packOf(made, { ids: ["A.9.4"] });
  for (const { proof, index } of found.sample.events) {
    const out = execFileSync(join(BIN, "goverify"), [
      "-proof",
      join(dir, proof),
      join(dir, "checkpoints/log.vkey"),
    ]);
    expect(out.toString()).toContain(`verified entry ${index} of`);
  }
});

/** Events whose every text is an attack, and the only ones of their kind, so that they are drawn. */
function hostile(): string[] {
  return ATTACKS.map((attack, i) =>
    serialise(
      event("tool-call", `2026-11-23T10:00:${String(i).padStart(2, "0")}.000Z`, {
        "event.id": `x${i}`,
        "service.name": attack,
        "tapline.server.name": attack,
        "gen_ai.tool.name": attack,
        "user.name": attack,
        message: attack,
      }),
    ),
  );
}

const LOOK = `(() => {
  const all = [...document.querySelectorAll("*")];
  return {
    elements: [...new Set(all.map((one) => one.localName))].sort(),
    links: [...new Set(all.filter((one) => one.hasAttribute("href") || one.hasAttribute("src")).map((one) => one.getAttribute("href") ?? one.getAttribute("src")))],
    attributes: [...new Set(all.flatMap((one) => [...one.attributes].map(({ name }) => name)))].sort(),
    raw: /[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2069\\ufeff]|[\\u{e0000}-\\u{e007f}]/u.test(document.body.textContent),
    pwned: globalThis.pwned !== undefined,
    styled: getComputedStyle(document.querySelector("table")).borderCollapse,
    wide: document.querySelector("main").scrollWidth - document.querySelector("main").clientWidth,
  };
})()`;

test.skipIf(CHROMIUM === undefined)("nothing recorded acts in the page, opened from a disk", async () => {
  const { dir, report: found } = await packOf(await world(hostile()));
  const browser = await launch();
  try {
    const page = await browser.newPage({ viewport: { width: 1_100, height: 900 } });
    const wanted: string[] = [];
    const wrong: string[] = [];
    page.on("request", (request) => wanted.push(request.url()));
    page.on("console", (message) => wrong.push(message.text()));
    page.on("dialog", () => wrong.push("a dialog"));
    await page.goto(`file://${join(dir, "index.html")}`);
    const seen = await page.evaluate<{
      elements: string[];
      links: string[];
      attributes: string[];
      raw: boolean;
      pwned: boolean;
      styled: string;
      wide: number;
    }>(LOOK);
    expect([wanted, wrong]).toEqual([[`file://${join(dir, "index.html")}`], []]);
    expect(seen.pwned || seen.raw).toBe(false);
    expect([seen.styled, seen.wide]).toEqual(["collapse", 0]);
    const ours =
      "a bdi body col colgroup dd dl dt h1 h2 h3 head header html li main meta nav p section style table tbody td th thead title tr ul";
    expect(seen.elements.filter((one) => !ours.split(" ").includes(one))).toEqual([]);
    expect(seen.attributes).toEqual([
      "aria-label",
      "charset",
      "class",
      "content",
      "href",
      "http-equiv",
      "id",
      "lang",
      "name",
      "scope",
    ]);
    const files = new Set(filesIn(dir));
    const ids = new Set(found.controls.map(({ id }) => `#${id}`));
    const sheets = ["#events", "#coverage", "#integrity", "#exceptions", "#crosswalk", "#limits"];
    for (const link of seen.links)
      expect(files.has(link) || ids.has(link) || sheets.includes(link), link).toBe(true);
    // Every control begins a page of its own on paper.
    await page.emulateMedia({ media: "print" });
    const breaks = `[...document.querySelectorAll("section")].map((one) => getComputedStyle(one).breakBefore)`;
    const [first, ...rest] = await page.evaluate<string[]>(breaks);
    expect([first, new Set(rest)]).toEqual(["auto", new Set(["page"])]);
  } finally {
    await browser.close();
  }
});

test("nothing recorded becomes markup in the page or a formula in the table", async () => {
  const { dir } = await packOf(await world(hostile()), { ids: ["A.6.2.6"] });
  const page = read(dir, "index.html");
  expect(page).toContain("&#60;script&#62;globalThis.pwned=1&#60;/script&#62;");
  // No text has a bracket of its own, so these are the tags that were written.
  const tags = [...page.replace(/<style>.*?<\/style>/s, "").matchAll(/<[^>]*>/g)].map(([tag]) => tag);
  const ours =
    /^<(?:!doctype html|\/?[a-z][a-z0-9]*(?: (?:class|id|scope|lang|charset|name|content|http-equiv|aria-label|href)="[^"<>]*")*)>$/;
  expect(tags.filter((tag) => !ours.test(tag) || /^<\/?(?:script|img|svg|iframe|object)/.test(tag))).toEqual(
    [],
  );
  expect(tags.filter((tag) => /href="(?!#|[\w./-]+")/.test(tag) || tag.includes("javascript:"))).toEqual([]);
  const code = `import csv,json,sys
rows = list(csv.reader(open(sys.argv[1], newline="", encoding="utf-8")))
print(json.dumps(rows))`;
  const rows = JSON.parse(
    execFileSync("python3", ["-c", code, join(dir, "events.csv")]).toString(),
  ) as string[][];
  expect(rows.length).toBe(1 + ATTACKS.length);
  for (const cell of rows.flat()) expect(cell).not.toMatch(/^\s*[=+\-@|%]/);
});

const haveTools = spawnSync("pdftotext", ["-v"]).status === 0;
if (!haveTools)
  console.warn("SKIPPED: the PDF is not read by poppler, which is not here: apt-get install poppler-utils");

test.skipIf(!haveTools)("the PDF has a page for each control, and says what the page says", async () => {
  const made = await world([...everything(), ...hostile()]);
  const ids = ["A.6.2.6", "A.9.4", "A.2.2"];
  const { dir } = await packOf(made, { ids });
  const path = join(dir, "report.pdf");
  const info = execFileSync("pdfinfo", [path]).toString();
  expect(info).toMatch(/Title: +Evidence from the records/);
  expect(info).toMatch(/JavaScript: +no/);
  const pages = execFileSync("pdftotext", ["-layout", path, "-"]).toString().split("\f").slice(0, -1);
  expect(pages.length).toBe(Number(/Pages: +(\d+)/.exec(info)![1]));
  for (const [i, page] of pages.entries()) expect(page).toContain(`${i + 1} / ${pages.length}`);
  for (const id of ids)
    expect(pages.filter((page) => page.trimStart().startsWith(`${id} `)).length, id).toBe(1);
  const all = pages.join("\n");
  expect(all).toContain("not collected here");
  expect(all).toContain("What is not covered");
  // Heads of tables are not cut off.
  for (const head of [/Direct +Supporting +Last evidence/, /Events drawn/, /Deadlines\n? *missed/])
    expect(all).toMatch(head);
  expect(all).toMatch(/⟨U\+202E⟩/);
  expect(readFileSync(path).includes("/URI")).toBe(false);
});

test("report: exit codes, the record of the export, and a directory that is not written over", async () => {
  const home = newHome();
  const made = await world(sessions().map((e) => serialise(e)));
  const config = join(home, "tapline.yml");
  writeFileSync(join(home, "soa.yml"), SOA);
  writeFileSync(config, JSON.stringify({ state_dir: made.dir, soa: join(home, "soa.yml") }));
  const out = join(home, "pack");
  const args = ["report", "-c", config, "--control", "A.6.2.6", "--seed", "3", "--out", out];
  const fine = await tapline(home, args);
  expect([fine.code, fine.stderr]).toEqual([0, ""]);
  expect(fine.stdout).toMatch(/^sample {5}25 events, seed 3, /m);
  expect(fine.stdout).toMatch(/^recorded .*: the export is recorded when a collector next runs\n$/m);
  const status = join(made.dir, "status.json");
  writeFileSync(status, JSON.stringify({ running: true, pid: process.pid }));
  const beside = await tapline(home, [...args.slice(0, -1), join(home, "beside")]);
  expect([beside.code, beside.stdout.includes("next runs")]).toEqual([0, false]);
  rmSync(status);
  const submitted = readdirSync(join(made.dir, "submissions")).map((name) =>
    read(join(made.dir, "submissions"), name),
  );
  expect(submitted.join("")).toContain('"submit":"export"');
  expect(submitted.join("")).toContain('"subject":"report A.6.2.6"');
  const over = await tapline(home, args);
  expect([over.code, over.stderr]).toEqual([3, expect.stringContaining("not empty")]);
  const gaps = await tapline(home, ["report", "-c", config, "--out", join(home, "all"), "--json"]);
  expect(gaps.code).toBe(1);
  const found = JSON.parse(gaps.stdout) as Report;
  expect([found.findings[0]!.level, found.controls[0]!.id]).toEqual(["gap", "A.8.5"]);
  expect(existsSync(join(home, "all", "statement-of-applicability.yml"))).toBe(true);
  for (const [wrong, said] of [
    [["--control", "A.6.2.9"], "did you mean A.6.2."],
    [["--from", "yesterday"], "--from takes"],
    [["--from", "2026-11-02", "--to", "2026-11-01"], "--from is before --to"],
  ] as const) {
    const { code, stderr } = await tapline(home, [
      "report",
      "-c",
      config,
      "--out",
      join(home, "no"),
      ...wrong,
    ]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(said)]);
  }
  const before = ["--from", "2020-01-01", "--to", "2020-02-01"];
  const empty = await tapline(home, [...args.slice(0, -1), join(home, "empty"), ...before]);
  expect([empty.code, empty.stdout]).toEqual([
    1,
    expect.stringMatching(/^GAP {3}Nothing was recorded in the period/),
  ]);
  expect(readdirSync(home).filter((name) => name.includes("no") || name.startsWith(".all"))).toEqual([]);
});
