// `ledger verify`, `replay` and `dlq` on a ledger that `run` left: a flipped byte is found and placed, and what is
// written again is written once.
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import {
  type Document,
  configure,
  documents,
  ended,
  entriesOf,
  field,
  newHome,
  start,
  tapline,
} from "./tapline.ts";

const home = newHome();
const out = join(home, "out.ndjson");
const dir = join(home, "state", "ledger");
const config = configure(home, {
  sources: { sample: { type: "file", include: [join(process.cwd(), "sample/*.jsonl")] } },
  sinks: { out: { type: "file", path: out }, local: { type: "store" }, nothing: { type: "null" } },
});
let size = 0;

beforeAll(async () => {
  expect((await tapline(home, ["run", "-c", config, "--once"])).code).toBe(0);
  size = (await entriesOf(dir)).length;
  expect(size).toBeGreaterThan(50);
});

interface Verified {
  readonly findings: readonly { readonly index?: number; readonly message: string }[];
  readonly entries: number;
  readonly size: number;
  readonly wrong_from?: number;
}

test("verify: fine, in words and as JSON, named or by configuration", async () => {
  const named = await tapline(home, ["ledger", "verify", dir]);
  expect(named.code).toBe(0);
  expect(named.stdout).toMatch(
    new RegExp(`^verified: ${size} entries, ${size} covered by a checkpoint$`, "m"),
  );
  const { code, stdout } = await tapline(home, ["ledger", "verify", "-c", config, "--json"]);
  expect([code, JSON.parse(stdout)]).toMatchObject([
    0,
    { findings: [], entries: size, size, hashes_only: false },
  ]);
});

test("verify: a checkpoint kept elsewhere is a prefix of the ledger, one of another ledger is not", async () => {
  const kept = join(home, "kept");
  cpSync(join(dir, "checkpoint"), kept);
  expect((await tapline(home, ["ledger", "verify", dir, "--checkpoint", kept])).code).toBe(0);
  writeFileSync(kept, readFileSync(kept, "utf8").replace(/^(.*\n)\d+/, `$1${size + 1}`));
  expect((await tapline(home, ["ledger", "verify", dir, "--checkpoint", kept])).code).toBe(1);
  expect((await tapline(home, ["ledger", "verify", dir, "--vkey", join(home, "none")])).code).toBe(1);
});

/** The only entry bundle of a small ledger. */
function bundleOf(ledger: string): string {
  const names = readdirSync(join(ledger, "tile", "entries"), { recursive: true, encoding: "utf8" });
  return join(
    ledger,
    "tile",
    "entries",
    names.find((name) => name.endsWith(`.p/${size}`))!,
  );
}

test("verify: one flipped byte anywhere in the entries is found, with the index of its entry", async () => {
  const bytes = readFileSync(bundleOf(dir));
  const starts: number[] = [];
  for (let at = 0; at < bytes.length; at += 2 + bytes.readUInt16BE(at)) starts.push(at);
  expect(starts.length).toBe(size);
  for (const index of [0, 17, size - 1]) {
    const copy = join(home, `flipped-${index}`);
    cpSync(dir, copy, { recursive: true });
    const changed = Buffer.from(bytes);
    const at = starts[index]! + 2 + 40;
    changed[at] = changed[at]! ^ 1;
    writeFileSync(bundleOf(copy), changed);
    const { code, stdout } = await tapline(home, ["ledger", "verify", copy, "--json"]);
    const { findings, wrong_from } = JSON.parse(stdout) as Verified;
    expect([code, wrong_from], findings.map((finding) => finding.message).join("\n")).toEqual([1, index]);
    const text = await tapline(home, ["ledger", "verify", copy]);
    expect([text.code, text.stdout.includes("WRONG"), text.stdout.includes("NOT VERIFIED")]).toEqual([
      1,
      true,
      true,
    ]);
    rmSync(copy, { recursive: true });
  }
});

test("prove: by index and by id, into a file that verifies without the ledger", async () => {
  const entries = await entriesOf(dir);
  const [vkey, proof] = [join(home, "log.vkey"), join(home, "event.tlog-proof")];
  cpSync(join(dir, "ledger.vkey"), vkey);
  const at = 17;
  const id = field(entries[at]!, "event.id") as string;
  expect(id.length).toBeGreaterThan(5);
  const byIndex = await tapline(home, ["ledger", "prove", String(at), "-c", config]);
  const byId = await tapline(home, ["ledger", "prove", id, dir, "--out", proof]);
  expect([byIndex.code, byId.code, byIndex.stdout]).toEqual([0, 0, readFileSync(proof, "utf8")]);
  const verified = await tapline(home, ["ledger", "verify", proof, "--vkey", vkey]);
  const [entry, said] = verified.stdout.split("\n");
  expect([verified.code, JSON.parse(entry!)]).toEqual([0, entries[at]]);
  expect(said).toMatch(new RegExp(`^verified: this is entry ${at} of ${size} of tapline/`));
  const json = await tapline(home, ["ledger", "verify", proof, "--vkey", vkey, "--json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({ wrong: [], index: at, size, cosignatures: [] });

  const dashed = entries.findIndex((one) => String(field(one, "event.id")).startsWith("-"));
  const other = dashed === -1 ? "-AAAAAAAAAAAAAAAAAAAAA-0-0" : String(field(entries[dashed]!, "event.id"));
  const found = await tapline(home, ["ledger", "prove", other, dir]);
  expect([found.code, found.stderr]).toEqual(
    dashed === -1 ? [3, expect.stringContaining(`no event ${other}`)] : [0, ""],
  );

  writeFileSync(proof, readFileSync(proof, "utf8").replace(/^index .*/m, "index 18"));
  const bent = await tapline(home, ["ledger", "verify", proof, "--vkey", vkey]);
  expect([bent.code, bent.stdout]).toEqual([
    1,
    expect.stringMatching(/^WRONG {2}this is not entry 18 .*\nNOT VERIFIED/),
  ]);
  expect((await tapline(home, ["ledger", "verify", proof])).code).toBe(2);
  expect((await tapline(home, ["ledger", "prove", "999999", dir])).code).toBe(3);
  expect((await tapline(home, ["ledger", "prove"])).code).toBe(2);
});

test("serve: a ledger that is verified from its URL, with the token its entries too", async () => {
  const [vkey, token] = [join(home, "log.vkey"), join(home, "token")];
  cpSync(join(dir, "ledger.vkey"), vkey);
  writeFileSync(token, "token-for-the-tests-0123456789\n");
  const server = start(home, "ledger", "serve", dir, "--listen", "127.0.0.1:0", "--token-file", token);
  const url = await new Promise<string>((found) => {
    let said = "";
    server.stdout!.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const [, at] = /^serving {5}tapline\/\S+ at (http:\S+)$/m.exec(said) ?? [];
      if (at !== undefined) found(at);
    });
  });
  const whole = await tapline(home, ["ledger", "verify", url, "--vkey", vkey, "--token-file", token]);
  expect([whole.code, whole.stdout]).toEqual([0, expect.stringContaining(`verified: ${size} entries`)]);
  expect(whole.stdout).not.toContain("not the entries");
  const named = await tapline(home, ["ledger", "verify", url, "--vkey", vkey]);
  const only = `verified: hashes of ${size} entries (no entry was read: that needs a token), ${size} covered by a checkpoint\n`;
  expect([named.code, named.stdout.endsWith(only)], named.stdout).toEqual([0, true]);
  const hashes = await tapline(home, ["ledger", "verify", url, "--vkey", vkey, "--json"]);
  const said = JSON.parse(hashes.stdout) as { notes: string[]; hashes_only: boolean };
  expect([said.notes[0], said.hashes_only]).toEqual([expect.stringContaining("not the entries"), true]);
  expect((await tapline(home, ["ledger", "verify", url])).code).toBe(2);
  const stopped = ended(server);
  server.kill("SIGTERM");
  expect((await stopped).code).toBe(0);
  expect((await tapline(home, ["ledger", "verify", url, "--vkey", vkey])).code).toBe(3);
});

test("show: entries as sinks get them, by id, by index, and a part of them", async () => {
  const lines = readFileSync(out, "utf8").split("\n").slice(0, -1);
  expect(lines.length).toBe(size);
  const id = field(JSON.parse(lines[7]!) as Document, "event.id");
  for (const named of ["7", id as string])
    expect((await tapline(home, ["ledger", "show", named, "-c", config])).stdout).toBe(`${lines[7]}\n`);
  const part = await tapline(home, ["ledger", "show", "--from", "3", "--to", "6", dir]);
  expect([part.code, part.stdout]).toEqual([0, `${lines.slice(3, 6).join("\n")}\n`]);
  const rest = await tapline(home, ["ledger", "show", "--from", "0", dir]);
  expect(rest.stdout).toBe(readFileSync(out, "utf8"));
  const beyond = await tapline(home, ["ledger", "show", String(size), dir]);
  expect([beyond.code, beyond.stdout, beyond.stderr.includes(`no entry ${size}`)]).toEqual([3, "", true]);
  const none = await tapline(home, ["ledger", "show", "no-such-id", dir]);
  expect([none.code, none.stderr.includes("no event no-such-id")]).toEqual([3, true]);
  for (const args of [[], ["--from", "5", "--to", "4", dir], ["1", dir, "more"]])
    expect((await tapline(home, ["ledger", "show", ...args])).code).toBe(2);
});

test("replay: what is there is left out; a lost file is written again, whole", async () => {
  const before = readFileSync(out, "utf8");
  const replay = ["replay", "--sink", "out", "--from", "0", "-c", config, "--json"];
  const again = await tapline(home, replay);
  expect([again.code, JSON.parse(again.stdout)]).toEqual([
    0,
    { sink: "out", entries: size, created: 0, existing: size, filtered: 0, dead: 0 },
  ]);
  expect(readFileSync(out, "utf8")).toBe(before);
  rmSync(out);
  const anew = await tapline(home, replay);
  expect(JSON.parse(anew.stdout)).toMatchObject({ created: size, existing: 0 });
  expect(readFileSync(out, "utf8")).toBe(before);
  rmSync(out);
  const part = await tapline(home, ["replay", "--sink", "out", "--from", "10", "--to", "20", "-c", config]);
  expect(part.stdout).toMatch(/^out: 10 entries = new 10 \+ there 0 \+ filtered 0 \+ dead letters 0$/m);
  const written = documents(readFileSync(out, "utf8")).map((document) => field(document, "event.sequence"));
  expect(written).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
});

test.each([
  [["replay", "--sink", "nowhere", "--from", "0"], 'no sink "nowhere"'],
  [["replay", "--sink", "out", "--from", "100000"], "the ledger has"],
  [["replay", "--sink", "out", "--from", "0", "--to", "100000"], "the ledger has"],
  [["replay", "--sink", "out", "--from", "5", "--to", "4"], "--to 4 is before --from 5"],
  [["replay", "--sink", "out", "--from", "x"], "whole number"],
  [["replay", "--sink", "local", "--from", "0"], "built again from the ledger"],
  [["replay", "--from", "0"], "--sink and --from are needed"],
  [["dlq", "list", "--sink", "../../etc/passwd"], "no sink"],
  [["dlq", "replay"], "needs --sink"],
  [["dlq"], "list or replay"],
])("%j is a usage error", async (args, message) => {
  const { code, stderr } = await tapline(home, [...args, "-c", config]);
  expect([code, stderr.includes(message)], stderr).toEqual([2, true]);
});

test("dlq: empty at first; letters are listed, replayed, and then listed no more", async () => {
  const empty = await tapline(home, ["dlq", "list", "-c", config]);
  expect([empty.code, empty.stdout]).toEqual([0, "no dead letters\n"]);
  expect((await tapline(home, ["dlq", "list", "-c", config, "--json"])).stdout).toBe("");
  mkdirSync(join(home, "state", "dlq"), { recursive: true });
  const letter = (index: number) =>
    `${JSON.stringify({ at: "2026-11-23T00:00:00.000Z", index, id: `id-${index}`, status: 400, reason: "why" })}\n`;
  const file = join(home, "state", "dlq", "nothing.ndjson");
  writeFileSync(file, `${letter(3)}${letter(7)}${letter(3)}{"torn`);
  const listed = await tapline(home, ["dlq", "list", "-c", config, "--json"]);
  expect(
    documents(listed.stdout).map((one) => [one["sink"], one["index"], one["status"], one["reason"]]),
  ).toEqual([
    ["nothing", 3, 400, "why"],
    ["nothing", 7, 400, "why"],
  ]);
  expect((await tapline(home, ["dlq", "list", "-c", config])).stdout).toBe(
    "nothing  3  400  id-3  why\nnothing  7  400  id-7  why\n",
  );
  const replayed = await tapline(home, ["dlq", "replay", "--sink", "nothing", "-c", config, "--json"]);
  expect([replayed.code, JSON.parse(replayed.stdout)]).toMatchObject([0, { entries: 2, dead: 0 }]);
  expect((await tapline(home, ["dlq", "list", "-c", config])).stdout).toBe("no dead letters\n");
  writeFileSync(file, letter(9), { flag: "a" });
  expect(documents((await tapline(home, ["dlq", "list", "--json", "-c", config])).stdout).length).toBe(1);
});
