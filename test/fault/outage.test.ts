// The real collector into a real server, with an endpoint between them that misbehaves, a write index that is read-only for
// a while, and rollovers. TAPLINE_FULL=1 has more of it.
import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { verifyLedger } from "../../src/ledger/verify.ts";
import type { Status } from "../../src/status.ts";
import {
  actionsOf,
  configure,
  ended,
  entriesOf,
  field,
  newHome,
  start,
  tapline,
} from "../commands/tapline.ts";
import { startServer } from "../integration/servers.ts";
import { BulkProxy, type Fault, faultsOf } from "./bulk-proxy.ts";

const FULL = process.env["TAPLINE_FULL"] === "1";
const SEED = Number(process.env["TAPLINE_SEED"] ?? (FULL ? Date.now() % 1_000_000 : 5));
const LINES = FULL ? 5_000 : 250;
const TIMEOUT_MS = FULL ? 7_200_000 : 400_000;

const url = await startServer("opensearch");
describe.skipIf(url === undefined)("OpenSearch", () => {
  const namespace = `o${randomBytes(6).toString("hex")}`;
  const stream = `logs-tapline.activity-${namespace}`;
  const streams = `logs-tapline.*-${namespace}`;
  const home = newHome();
  const log = join(home, "logs", "mcp.jsonl");
  let lines = 0;

  function append(count = LINES): void {
    const text = Array.from({ length: count }, () => {
      const n = lines++;
      const params = { name: "write", arguments: { n }, _meta: { "claudecode/toolUseId": `call-${n}` } };
      const msg = { jsonrpc: "2.0", id: n, method: "tools/call", params };
      return `${JSON.stringify({ ts: new Date().toISOString(), dir: "c2s", session: `s${n % 5}`, server: { name: "ops" }, msg })}\n`;
    });
    appendFileSync(log, text.join(""));
  }
  async function ask(method: string, path: string, body?: unknown): Promise<never> {
    const init = { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const answer = await fetch(`${url}/${path}`, body === undefined ? { method } : init);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 300)}`);
    return JSON.parse(text) as never;
  }
  function status(): Status | undefined {
    const path = join(home, "state", "status.json");
    return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Status) : undefined;
  }
  const soon = (what: (now: Status) => boolean): Promise<void> =>
    vi.waitFor(
      () => {
        const now = status();
        expect(now !== undefined && what(now), JSON.stringify(now?.sinks)).toBe(true);
      },
      { timeout: FULL ? 1_800_000 : 150_000, interval: 100 },
    );
  const shipped = ({ tally, sinks }: Status): boolean => tally.read === lines && sinks[0]!.pending === 0;

  afterAll(() => fetch(`${url}/_data_stream/${streams}`, { method: "DELETE" }));

  test(
    "an outage of every kind before a real server: all is recorded meanwhile, then all arrives, once",
    async () => {
      mkdirSync(join(home, "logs"));
      writeFileSync(log, "");
      const proxy = new BulkProxy({ url: url! });
      const config = configure(home, {
        namespace,
        workers: 1,
        bundled_rules: false,
        viewer: { enabled: false },
        sources: { agents: { type: "file", include: [log], format: "mcp", poll_ms: 50 } },
        sinks: { cluster: { type: "opensearch", url: await proxy.start(), timeout_s: 2 } },
      });
      expect((await tapline(home, ["setup", "opensearch", "-c", config, "--allow-missing"])).code).toBe(0);
      const collector = start(home, "run", "-c", config);
      const end = ended(collector, "", TIMEOUT_MS);
      append();
      await soon(shipped);

      // Nobody may write: what comes is recorded all the same, and waits in the ledger.
      await ask("PUT", `${stream}/_settings`, { "index.blocks.write": true });
      append();
      await soon(({ tally, sinks }) => tally.read === lines && sinks[0]!.trouble !== undefined);
      expect(status()!.sinks[0]).toMatchObject({ dead: 0, trouble: /does not allow the write/ });
      expect(status()!.sinks[0]!.pending).toBeGreaterThanOrEqual(LINES);
      await ask("PUT", `${stream}/_settings`, { "index.blocks.write": false });
      await soon(shipped);

      const faults: Fault[] = [
        { kind: "applied", answer: "lost" },
        { kind: "items", statuses: [201, 429, 503] },
        { kind: "answer", status: 503, body: "<html>503</html>", type: "text/html" },
        { kind: "applied", answer: "short" },
        { kind: "never" },
      ];
      proxy.script.push(...faults, ...faultsOf(SEED, FULL ? 40 : 2));
      // What was applied and found again needs no other bulk: each fault gets calls of its own.
      while (proxy.script.length > 0) {
        append(20);
        await soon(shipped);
        if (proxy.script.length === 3) await ask("POST", `${stream}/_rollover`);
      }
      append();
      await soon(shipped);

      collector.kill("SIGTERM");
      expect((await end).code).toBe(0);
      const entries = await entriesOf(join(home, "state", "ledger"));
      const calls = actionsOf(entries, "tool-call").map((entry) => field(entry, "gen_ai.tool.call.id"));
      expect(calls).toEqual(Array.from({ length: lines }, (_, n) => `call-${n}`));
      await ask("POST", `${streams}/_refresh`);
      const found: { hits: { hits: { _id: string }[]; total: { value: number } } } = await ask(
        "POST",
        `${streams}/_search`,
        { size: FULL ? 0 : 10_000, _source: false, track_total_hits: true },
      );
      expect(found.hits.total.value, "documents in all backing indices").toBe(entries.length);
      if (!FULL) {
        const ids = entries.map((entry) => field(entry, "event.id") as string);
        expect(found.hits.hits.map(({ _id }) => _id).toSorted()).toEqual(ids.toSorted());
      }
      const { broken, sinks } = status()!;
      expect([broken, sinks[0]!.dead, sinks[0]!.pending]).toEqual([[], 0, 0]);
      expect((await verifyLedger(join(home, "state", "ledger"), {})).findings).toEqual([]);
      console.log(
        `${lines} calls through ${[...proxy.met.values()].reduce((a, b) => a + b, 0)} bulks, seed ${SEED}: ${[...proxy.met.keys()].join("; ")}`,
      );
      await proxy.stop();
    },
    TIMEOUT_MS,
  );
});
