// `npm run bench -- peers`: other collectors and ours on the same file and the same work, one table. Those whose binary is
// neither in TAPLINE_PEERS_DIR nor on PATH, or lacks a part that the work needs, are named as not at hand. First every
// entrant sends a short file to an endpoint that looks at what it gets: the same conditions have to match the same number of
// records in all of them.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";
import { generate } from "../../generate.ts";
import { connect } from "./connect.ts";
import type { Counts } from "./endpoint.ts";
import { fluentBit } from "./fluent-bit.ts";
import { endProcess } from "../processes.ts";
import { type Taken, measure } from "./measure.ts";
import { otel } from "./otel.ts";
import { rsyslog } from "./rsyslog.ts";
import { type Row, print } from "./table.ts";
import { vector } from "./vector.ts";
import { CASES, type Case, type Peer, type Where, conditionsOf, isSent } from "./work.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "20000" },
    runs: { type: "string", default: "1" },
    dir: { type: "string" },
    /** Names of entrants and letters of cases, with commas; all without it. */
    entrants: { type: "string", default: "" },
    cases: { type: "string", default: CASES.join() },
  },
});
const CHECKED_EVENTS = 5_000;
const events = Number(values.events);
const work = values.dir!;
const here = import.meta.dirname;

interface Entrant {
  readonly name: string;
  readonly command: string;
  readonly cases: readonly Case[];
  /** Tags that others put into the document are fields of its own here: only rules are compared. */
  readonly rules_only?: boolean;
  prepare(of: Case, at: Where): readonly string[];
}

function ours(name: string, file: string, cases: readonly Case[]): Entrant {
  return {
    name,
    command: process.execPath,
    cases,
    prepare: (of, { input, url, dir }) => {
      const bounded = join(here, "..", "bounded.ts");
      const args = [bounded, join(here, file), "--case", of, "--input", input, "--url", url];
      return file === "whole.ts" ? [...args, "--dir", dir] : args;
    },
  };
}

function find(peer: Peer): string | undefined {
  const places = [process.env["TAPLINE_PEERS_DIR"] ?? "", ...(process.env["PATH"] ?? "").split(delimiter)];
  for (const name of peer.binaries) {
    for (const place of places) {
      if (place === "") continue;
      try {
        accessSync(join(place, name), constants.X_OK);
        return join(place, name);
      } catch {
        // Not here.
      }
    }
  }
  return undefined;
}

function entrantOf(peer: Peer, command: string): Entrant {
  const told = spawnSync(command, [...peer.version], { encoding: "utf8" });
  const said = told.status === 0 ? told.stdout.split("\n")[0]! : `${command} does not tell its version`;
  console.log(`${peer.name}: ${said.trim()}${peer.sends === undefined ? "" : `; sends ${peer.sends}`}`);
  return {
    name: peer.name,
    command,
    cases: CASES,
    prepare(of, at) {
      const { files, args } = peer.configure(of, at);
      for (const [name, text] of Object.entries(files)) writeFileSync(join(at.dir, name), text);
      return args;
    },
  };
}

async function openEndpoint(look: boolean): Promise<{ server: ChildProcess; url: string }> {
  const server = spawn(process.execPath, [join(here, "endpoint.ts"), ...(look ? ["--look"] : [])], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  return { server, url: line.toString().trim() };
}

async function countsOf(url: string): Promise<Counts> {
  return (await (await fetch(`${url}/counts`)).json()) as Counts;
}

async function inputOf(count: number): Promise<string> {
  const dir = join(work, `peers-data-${count}`);
  if (!existsSync(dir)) await generate(dir, count, 1);
  return join(dir, `mcp-${count}-1-0.jsonl`);
}

/** One run in a fresh directory. */
async function run(
  entrant: Entrant,
  of: Case,
  input: string,
  records: number,
): Promise<{ taken: Taken; counts: Counts }> {
  const dir = join(work, "peers-run");
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const { server, url } = await openEndpoint(of === "check");
  try {
    const args = entrant.prepare(of, { input, url, dir });
    const count = async (): Promise<number> => (await countsOf(url)).documents;
    const options = { cwd: dir, events: records, ...(isSent(of) ? { count } : {}) };
    const taken = await measure(entrant.command, args, options);
    return { taken, counts: await countsOf(url) };
  } finally {
    await endProcess(server);
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Runs every entrant over a short file and compares what it found with what the first did. Those that agree. */
async function agreeing(all: readonly Entrant[]): Promise<Entrant[]> {
  const short = await inputOf(CHECKED_EVENTS);
  const names = conditionsOf("check").map(({ name }) => name);
  let expected: Counts | undefined;
  const agree: Entrant[] = [];
  for (const entrant of all) {
    let counts: Counts;
    try {
      ({ counts } = await run(entrant, "check", short, CHECKED_EVENTS));
    } catch (error) {
      console.log(`  ${entrant.name}: DOES NOT RUN: ${(error as Error).message}`);
      continue;
    }
    expected ??= counts;
    const wrong = names
      .filter((name) => entrant.rules_only !== true || name.startsWith("rule"))
      .filter((name) => (counts.found[name] ?? 0) !== (expected!.found[name] ?? 0))
      .map((name) => `${name} ${counts.found[name] ?? 0}, not ${expected!.found[name] ?? 0}`);
    const hits = names.reduce((sum, name) => sum + (counts.found[name] ?? 0), 0);
    const told = wrong.length === 0 ? "equal" : `DIFFERS: ${wrong.join("; ")}`;
    console.log(`  ${entrant.name}: ${counts.documents} documents, ${hits} matches, ${told}`);
    if (wrong.length === 0) agree.push(entrant);
  }
  return agree;
}

const entrants: Entrant[] = [
  ours("Tapline, the same work", "tapline.ts", CASES),
  { ...ours("Tapline, everything on", "whole.ts", ["b", "c", "d"]), rules_only: true },
];
const missing: string[] = [];
for (const peer of [vector, fluentBit, otel, connect, rsyslog]) {
  const command = find(peer);
  const lacked = command === undefined ? undefined : peer.lacks?.(command, work);
  if (command === undefined) missing.push(peer.name);
  else if (lacked !== undefined) missing.push(`${peer.name} (without ${lacked})`);
  else entrants.push(entrantOf(peer, command));
}
if (missing.length > 0) console.log(`not at hand: ${missing.join(", ")}`);
const named = values.entrants.split(",").filter((name) => name !== "");
const chosen = entrants.filter(({ name }) => named.length === 0 || named.some((one) => name.includes(one)));

console.log(`matches on ${CHECKED_EVENTS} records:`);
// What is expected is what the first finds. Who does other work is not compared.
const checked = [entrants[0]!, ...chosen.filter((one) => one !== entrants[0])];
const agreed = await agreeing(checked);
const compared = agreed.filter((one) => chosen.includes(one));
const input = await inputOf(events);
readFileSync(input); // into memory, for the first as for the last
const rows: Row[] = [];
for (let turn = 0; turn < Number(values.runs); turn++) {
  for (const letter of values.cases.split(",") as Case[]) {
    for (const entrant of compared.filter(({ cases }) => cases.includes(letter))) {
      const load = loadavg()[0]!;
      const { taken } = await run(entrant, letter, input, events);
      rows.push({ name: entrant.name, of: letter, load, ...taken });
    }
  }
}
print(rows, events);
if (agreed.length < checked.length) process.exitCode = 1;
