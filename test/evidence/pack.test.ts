// An evidence pack of real sessions: what is in it, that outsiders can check it without us, and that nothing recorded becomes
// more than text in it.
import { execFileSync, spawnSync } from "node:child_process";
import { hash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { signerOf } from "../../src/evidence/manifest.ts";
import type { Report } from "../../src/evidence/model.ts";
import { writePack } from "../../src/evidence/pack.ts";
import type { Wanted } from "../../src/evidence/report.ts";
import { readSoa } from "../../src/evidence/soa.ts";
import { serialise } from "../../src/core/generated/event.ts";
import { newHome, tapline } from "../commands/tapline.ts";
import { BIN, buildVerifiers, haveGo } from "../ledger/oracle.ts";
import { ATTACKS } from "../viewer/web/look.ts";
import { CHROMIUM, launch } from "../viewer/web/browser.ts";
import { type World, event, everything, newDir, report, sessions, world } from "./world.ts";

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
  expect(found.integrity.older).toBe(1);
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

test("after a change of the log's key a pack has those before, and its commands take what they signed", async () => {
  const kept = newDir();
  const made = await world(everything(), {
    cosigned: 60,
    anchors: { auditor: { type: "directory", dir: kept } },
  });
  const ledger = join(made.dir, "ledger");
  const name = `${String(60).padStart(20, "0")}.checkpoint`;
  writeFileSync(join(kept, name), read(ledger, "checkpoint.cosigned"));
  expect(
    (await tapline(made.dir, ["ledger", "keygen", "--rotate", "--overlap-days", "0", ledger])).code,
  ).toBe(0);
  const { dir, report: found } = await packOf(made, { ids: ["A.6.2.8"] });
  expect(found.integrity.earlier).toEqual([made.vkey]);
  expect(read(dir, "checkpoints/log.vkey").trim()).not.toBe(made.vkey);
  expect(read(dir, "checkpoints/log-earlier.vkeys")).toBe(`${made.vkey}\n`);
  const script = commandsOf(dir).join("\n").replaceAll("/tmp/check.py", join(newDir(), "check.py"));
  const all = shell(`set -e\n${script}`, dir);
  expect([all.status, all.stderr]).toEqual([0, ""]);
  // Proofs under the cosigned checkpoint, and the kept one: of the key before.
  expect(all.stdout.match(/^build-07\.example\/tapline 60$/gm)!.length).toBe(1);
  expect(all.stdout).toContain("every sample is in the order of the draw");
}, 1_200_000);

const shell = (script: string, dir: string) =>
  spawnSync("bash", ["-c", script], { cwd: dir, encoding: "utf8", timeout: 1_000_000 });
const commandsOf = (dir: string): string[] =>
  [...read(dir, "VERIFY.md").matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block!);

test("the commands of VERIFY.md run as they stand, and refuse what was changed", async () => {
  const made = await world(everything(), { cosigned: 60 });
  const { dir, report: found } = await packOf(made, { ids: ["A.6.2.8"] });
  const tmp = newDir();
  const blocks = commandsOf(dir).map((block) => block.replaceAll("/tmp/check.py", join(tmp, "check.py")));
  expect(blocks.length).toBe(6);
  const all = shell(`set -e\n${blocks.join("\n")}`, dir);
  expect([all.status, all.stderr]).toEqual([0, ""]);
  expect(all.stdout).toContain("every file is as the manifest says");
  expect(all.stdout).toContain("every sample is in the order of the draw");
  const witnessed = found.sample.events.find(({ index }) => index < 60)!;
  expect(all.stdout).toContain(made.documents[witnessed.index]!);
  expect(all.stdout.match(/signed by witness\.example\/w1 \(witness, at 1790000000 s/g)!.length).toBe(
    1 + found.sample.events.filter(({ index }) => index < 60).length,
  );
  const [digest] = hash("sha256", read(dir, "manifest.json")).split(" ");
  expect(all.stdout.split(digest!).length).toBe(4); // of the note twice, and of the file
  expect(all.stdout).toContain("and there are no others");
  for (const path of filesIn(dir))
    expect([path, statSync(join(dir, path)).mode & 0o777]).toEqual([path, 0o600]);
  writeFileSync(join(dir, "proofs/more.tlog-proof"), "");
  const added = shell(blocks[0]!, dir);
  expect([added.status, added.stderr]).toEqual([1, expect.stringContaining("proofs/more.tlog-proof")]);
  rmSync(join(dir, "proofs/more.tlog-proof"));
  const proof = join(dir, witnessed.proof);
  const [head, ...rest] = readFileSync(proof, "utf8").split("\n");
  const entry = Buffer.from(rest[0]!.slice("extra ".length), "base64")
    .toString()
    .replace(/"host"/, '"hosu"');
  writeFileSync(proof, [head, `extra ${Buffer.from(entry).toString("base64")}`, ...rest.slice(1)].join("\n"));
  expect(shell(blocks[0]!, dir).status).not.toBe(0);
  const refused = shell(`${blocks[1]!}\n${blocks[3]!}`, dir);
  expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining("not in the tree")]);
}, 1_200_000);

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
  expect(readdirSync(home).filter((name) => name.includes("no") || name.startsWith(".all"))).toEqual([]);
});
