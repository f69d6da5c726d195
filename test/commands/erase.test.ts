// A person is erased: recorded under a digest, key, blobs and rows of the store gone, and no file of the state directory holds
// a word of them any more, while the ledger verifies and proofs from before hold.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { createDigest } from "../../src/core/digest.ts";
import { buildVerifiers, goverify, haveGo } from "../ledger/oracle.ts";
import { openStore } from "../../src/store/reader.ts";
import {
  actionsOf,
  checkDocument,
  configure,
  ended,
  entriesOf,
  field,
  newHome,
  start,
  tapline,
} from "./tapline.ts";

beforeAll(() => {
  if (haveGo) buildVerifiers();
}, 600_000);

/** Waits for a condition, however long it takes. */
async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await what()); tries++) {
    if (tries === 900) throw new Error("waited in vain");
    await sleep(100);
  }
}

const LONG = "the quarterly report of a confidential matter ".repeat(3_000);
const lineOf = (user: string, id: number, text: string): string =>
  `${JSON.stringify({
    ts: "2026-11-01T10:00:00.000Z",
    dir: "c2s",
    conn: `c-${id}`,
    session: `s-${id % 3}`,
    user,
    server: { name: "notes" },
    msg: { jsonrpc: "2.0", id, method: "tools/call", params: { name: "write", arguments: { text } } },
  })}\n`;

const ANN = "ann.subject@corp.example";
const BOB = "bob.other@corp.example";

/** Files below a directory that hold a text as it is, in base64 or in hex. */
function holding(dir: string, text: string): string[] {
  const found: string[] = [];
  const forms = [text, Buffer.from(text).toString("base64").slice(0, -4), Buffer.from(text).toString("hex")];
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true, encoding: "utf8" })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path);
    if (forms.some((form) => bytes.includes(form))) found.push(path.slice(dir.length + 1));
  }
  return found.toSorted();
}

test("nothing of a person is left in the state directory, and everything verifies", async () => {
  const home = newHome();
  const [log, state] = [join(home, "logs/mcp.jsonl"), join(home, "state")];
  mkdirSync(join(home, "logs"));
  const lines = [
    lineOf(ANN, 1, "short words of ann"),
    lineOf(ANN, 2, `ann's own words: ${LONG}`),
    lineOf(BOB, 3, `bob's own words: ${LONG}`),
    // The same text from both: it stays for the one who is not erased.
    lineOf(ANN, 4, `words of both: ${LONG}`),
    lineOf(BOB, 5, `words of both: ${LONG}`),
  ];
  writeFileSync(log, lines.join(""));
  const config = configure(home, {
    sources: { mcp: { type: "file", include: [log], format: "mcp", capture: { identity: "sealed" } } },
    sinks: { local: { type: "store" }, none: { type: "null" } },
    viewer: { enabled: false },
    checks: { without: ["sources", "retention", "witness", "alerts", "incidents", "inventory", "policy"] },
  });
  const run = async (...args: string[]): Promise<{ code: number | null; said: string }> => {
    const { code, stdout, stderr } = await tapline(home, [...args, "-c", config]);
    return { code, said: stdout + stderr };
  };
  const ledger = join(state, "ledger");
  expect(await run("erase", "--subject", ANN)).toEqual({
    code: 3,
    said: expect.stringContaining("no collector runs") as string,
  });
  const collecting = start(home, "run", "-c", config);
  const recorded = async (): Promise<Record<string, unknown>[]> => {
    try {
      return await entriesOf(ledger);
    } catch {
      return []; // not begun yet
    }
  };
  await until(async () => actionsOf(await recorded(), "tool-call").length === 5);
  const index = (await recorded()).findIndex((one) => field(one, "event.action") === "tool-call");
  const proof = join(home, "ann.proof");
  await until(async () => (await run("ledger", "prove", String(index), "--out", proof)).code === 0);
  const rows = async (where: string): Promise<number> => {
    const store = await openStore(join(state, "local"));
    const [row] = await store.query(`SELECT count(*) AS n FROM events WHERE ${where}`);
    await store.close();
    return Number(row!["n"]);
  };
  const calls = `"event.action" = 'tool-call'`;
  await until(async () => (await rows(calls)) === 5);
  // While the key is there, what is sealed can be read: the search below can find something.
  const keys = join(state, "keys/subjects");
  const subject = createDigest(readFileSync(join(state, "keys/digest.key"), "utf8").trim())(ANN);
  expect(readdirSync(keys)).toContain(`${subject}.key`);
  const own = holding(state, "ann's own words");
  expect(own.length).toBeGreaterThan(0);

  expect((await run("erase", "--subject", "nobody")).code).toBe(1);
  const erased = await run("erase", "--subject", ANN, "--reason", "request 17", "--json");
  expect(erased.code).toBe(0);
  const told = JSON.parse(erased.said) as Record<string, unknown>;
  // Calls, what was seen for the first time, and the alerts on them.
  const theirs = (await recorded()).filter((one) =>
    JSON.stringify(field(one, "user") ?? "").includes(subject),
  );
  expect(theirs.length).toBeGreaterThan(3);
  expect(told).toMatchObject({ subject, events: theirs.length, key: true, blobs: 1 });
  await until(async () => (await rows(calls)) === 2);
  // Done again, there is nothing more to remove.
  const again = JSON.parse((await run("erase", "--subject", ANN, "--json")).said) as object;
  expect(again).toMatchObject({ events: theirs.length, key: false, blobs: 0 });
  const stopped = ended(collecting);
  collecting.kill("SIGTERM");
  expect((await stopped).code).toBe(0);
  rmSync(log);

  // Of what was recorded of ann, only the entries of the ledger are left, and nobody is named in them.
  expect(holding(state, "ann.subject")).toEqual([]);
  expect(holding(state, `ann's own words: ${LONG}`.slice(-8_000))).toEqual(
    holding(state, `bob's own words: ${LONG}`.slice(-8_000)),
  );
  expect(holding(join(ledger, "blobs"), "ann's own words")).toEqual([]);
  expect(holding(join(ledger, "blobs"), "bob's own words").length).toBe(1);
  expect(holding(join(ledger, "blobs"), "words of both").length).toBe(1);
  // Parquet is compressed: it is asked.
  expect(await rows(`entry LIKE '%own words%'`)).toBe(1);
  expect(await rows(`entry LIKE '%ann%own words%'`)).toBe(0);
  expect(await rows(`"user.name" LIKE '[SEALED:v1:${subject}%'`)).toBe(0);

  const entries = await entriesOf(ledger);
  const [one] = actionsOf(entries, "subject-erasure");
  checkDocument(one!);
  expect(field(one!, "tapline.erasure")).toMatchObject({ subject, reason: "request 17" });
  expect(field(one!, "tapline.vantage")).toBe("self");
  const verified = await run("ledger", "verify");
  expect([verified.code, verified.said]).toEqual([
    0,
    expect.stringContaining("1 of them were erased with the person"),
  ]);
  if (haveGo) expect(goverify(ledger)).toMatch(/^0 verified/);
  const shown = await tapline(home, ["ledger", "verify", proof, "--vkey", join(ledger, "ledger.vkey")]);
  expect([shown.code, shown.stdout]).toEqual([0, expect.stringContaining(`[SEALED:v1:${subject}:`)]);

  // A store that is made again has none of it either.
  rmSync(join(state, "local"), { recursive: true });
  rmSync(join(state, "cursors/local.json"));
  const anew = start(home, "run", "-c", config);
  await until(async () => (await rows(calls).catch(() => 0)) === 2);
  const end = ended(anew);
  anew.kill("SIGTERM");
  await end;
  // A blob that goes by itself is missing all the same.
  const [blob] = holding(join(ledger, "blobs"), "bob's own words");
  rmSync(join(ledger, "blobs", blob!));
  const missing = await run("ledger", "verify");
  expect([missing.code, missing.said]).toEqual([
    1,
    expect.stringMatching(/WRONG {2}blob \w+ of entry \d+ is missing/),
  ]);
});

test("a sink that has yet to take entries of a person is named, and asked again it has", async () => {
  let busy = true;
  let tries = 0;
  const written: string[] = [];
  const cluster = createServer((req, res) => {
    let body = "";
    req.on("data", (part: Buffer) => (body += part.toString()));
    req.on("end", () => {
      res.setHeader("content-type", "application/json");
      if (req.url!.includes("_search"))
        res.end(JSON.stringify({ timed_out: false, _shards: { failed: 0 }, hits: { hits: [] } }));
      else if (!req.url!.startsWith("/_bulk")) res.end('{"index_templates":[{"name":"logs-tapline"}]}');
      else if (busy) {
        tries++;
        res.writeHead(429).end('{"error":{"reason":"circuit breaker"}}');
      } else {
        const lines = body.trim().split("\n");
        const items = lines.flatMap((line, i) =>
          i % 2 === 1
            ? []
            : [{ create: { ...(JSON.parse(line) as { create: object }).create, status: 201 } }],
        );
        written.push(...lines.filter((_, i) => i % 2 === 1));
        res.end(JSON.stringify({ errors: false, items }));
      }
    });
  });
  await new Promise<void>((done) => cluster.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    cluster.close();
    cluster.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(cluster.address() as AddressInfo).port}`;

  const home = newHome();
  mkdirSync(join(home, "logs"));
  writeFileSync(join(home, "logs/mcp.jsonl"), lineOf(ANN, 1, "short words") + lineOf(BOB, 2, "others"));
  const config = configure(home, {
    sources: {
      mcp: {
        type: "file",
        include: [join(home, "logs/*.jsonl")],
        format: "mcp",
        capture: { identity: "sealed" },
      },
    },
    sinks: { cluster: { type: "opensearch", url }, none: { type: "null" } },
    viewer: { enabled: false },
    checks: { without: ["sources", "retention", "witness", "alerts", "incidents", "inventory", "policy"] },
  });
  const collecting = start(home, "run", "-c", config);
  await until(() => tries > 0);
  const ask = (): ReturnType<typeof tapline> =>
    tapline(home, ["erase", "--subject", ANN, "--json", "-c", config]);
  await until(async () =>
    (await tapline(home, ["status", "-c", config])).stdout.includes("sink        cluster"),
  );
  const behind = await ask();
  expect([behind.code, behind.stderr]).toEqual([
    1,
    expect.stringMatching(/^cluster has not taken entries up to \d+ yet, .*: ask again when it has\n$/),
  ]);
  expect(JSON.parse(behind.stdout)).toMatchObject({ key: true, behind: ["cluster"] });

  // What it was given before is sent as it was then: that is what has to be told.
  busy = false;
  await until(() => written.length > 0);
  expect(written.join("\n")).toContain(ANN);
  const again = await ask();
  expect([again.code, again.stderr]).toEqual([0, ""]);
  expect(JSON.parse(again.stdout)).toMatchObject({ key: false, behind: [] });
  const stopped = ended(collecting);
  collecting.kill("SIGTERM");
  expect((await stopped).code).toBe(0);
});
