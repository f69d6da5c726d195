// A person's documents go from an OpenSearch that has users and roles: by somebody who may delete there, never by the sink's own
// user, and not by one who may not. One server more, which takes minutes to start: full runs only.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Server } from "../../src/sinks/connection.ts";
import opensearch from "../../src/sinks/opensearch.ts";
import { connect } from "../../src/sinks/setup.ts";
import type { Status } from "../../src/status.ts";
import { configure, ended, newHome, start, tapline } from "../commands/tapline.ts";
import { as } from "./checkpoints.ts";
import { startSecured } from "./servers.ts";

const never = new AbortController().signal;
const ANN = "ann.subject@corp.example";
const BOB = "bob.other@corp.example";
const NAMESPACE = `erase_${Date.now() % 1_000_000}`;
const PASSWORD = "Er4se-by-S0mebody-Else";
/** What the guide says that the eraser's role needs. */
const ERASER = {
  cluster_permissions: ["indices:data/write/bulk"],
  index_permissions: [
    {
      index_patterns: ["logs-tapline.*", ".ds-logs-tapline.*"],
      allowed_actions: [
        "indices:admin/refresh*",
        "indices:data/read/search*",
        "indices:data/write/bulk*",
        "indices:data/write/delete",
      ],
    },
  ],
};
const READER = {
  ...ERASER,
  index_permissions: [
    {
      ...ERASER.index_permissions[0]!,
      allowed_actions: ["indices:admin/refresh*", "indices:data/read/search*"],
    },
  ],
};

const lineOf = (user: string, id: number): string =>
  `${JSON.stringify({
    ts: "2026-11-01T10:00:00.000Z",
    dir: "c2s",
    conn: `c-${id}`,
    session: `s-${id}`,
    user,
    server: { name: "notes" },
    msg: {
      jsonrpc: "2.0",
      id,
      method: "tools/call",
      params: { name: "write", arguments: { text: `n ${id}` } },
    },
  })}\n`;

if (process.env["TAPLINE_FULL"] === undefined) {
  console.warn("skipping erasure in a server that has users: set TAPLINE_FULL=1 to run it");
  test.skip("erasure in a server that has users: full runs only", () => {});
} else {
  const secured = await startSecured("opensearch");
  test.skipIf(secured === undefined)(
    "documents of a person go by another user than the sink's, and by nobody else",
    async () => {
      const { url, username, password, ca_file } = secured!;
      const open = (user: object): Promise<Server> =>
        connect("opensearch", opensearch.config.parse({ type: "opensearch", ...user }));
      const admin = await open(as(url, username, password, ca_file));
      const ask = async (
        server: Server,
        method: string,
        path: string,
        body?: object,
      ): Promise<{ status: number; text: string }> =>
        server.request(method, path, {}, body && { bytes: JSON.stringify(body), type: "json" }, never);
      const put = async (path: string, body: object): Promise<void> =>
        expect((await ask(admin, "PUT", `/_plugins/_security/api/${path}`, body)).status, path).toBeLessThan(
          300,
        );

      const home = newHome();
      mkdirSync(join(home, "logs"));
      writeFileSync(
        join(home, "logs/mcp.jsonl"),
        Array.from({ length: 30 }, (_, i) => lineOf(i % 3 === 0 ? ANN : BOB, i)).join(""),
      );
      const options = (user: object) => ({
        namespace: NAMESPACE,
        sources: {
          mcp: {
            type: "file",
            include: [join(home, "logs/*.jsonl")],
            format: "mcp",
            capture: { identity: "sealed" },
          },
        },
        sinks: { cluster: { type: "opensearch", ...user } },
        viewer: { enabled: false },
        checks: {
          without: [
            "sources",
            "retention",
            "witness",
            "alerts",
            "incidents",
            "inventory",
            "policy",
            "ledger",
          ],
        },
      });
      const config = configure(home, options(as(url, "erase_writer", PASSWORD, ca_file)));
      const asAdmin = configure(home, options(as(url, username, password, ca_file)), "admin.yml");
      const installed = await tapline(home, ["setup", "opensearch", "-c", asAdmin, "--allow-missing"]);
      expect([installed.code, installed.stdout + installed.stderr]).toEqual([
        0,
        expect.stringContaining("role tapline_writer"),
      ]);
      await put("roles/erase_eraser", ERASER);
      await put("roles/erase_reader", READER);
      for (const [name, role] of [
        ["erase_writer", "tapline_writer"],
        ["erase_eraser", "erase_eraser"],
        ["erase_reader", "erase_reader"],
      ])
        await put(`internalusers/${name!}`, { password: PASSWORD, opendistro_security_roles: [role] });

      const collecting = start(home, "run", "-c", config);
      const end = ended(collecting);
      const arrived = async (): Promise<boolean> => {
        const { stdout } = await tapline(home, ["status", "-c", config, "--json"]);
        const [sink] = (JSON.parse(stdout || "{}") as Partial<Status>).sinks ?? [];
        return sink !== undefined && sink.created >= 30 && sink.pending === 0;
      };
      for (let tries = 0; !(await arrived()); tries++) {
        expect(tries, "looks whether the sink has all").toBeLessThan(300);
        await sleep(500);
      }
      /** Documents that the cluster has, by id. */
      const all = async (): Promise<Map<string, string>> => {
        await ask(admin, "POST", `/logs-tapline.*-${NAMESPACE}/_refresh`);
        const { text } = await ask(admin, "POST", `/logs-tapline.*-${NAMESPACE}/_search`, { size: 1_000 });
        const { hits } = JSON.parse(text) as { hits: { hits: { _id: string; _source: unknown }[] } };
        return new Map(hits.hits.map(({ _id, _source }) => [_id, JSON.stringify(_source)]));
      };
      const of = (documents: ReadonlyMap<string, string>, name: string): string[] =>
        [...documents].filter(([, text]) => text.includes(name)).map(([id]) => id);
      const before = await all();
      expect(of(before, ANN).length).toBeGreaterThanOrEqual(10);
      expect(of(before, BOB).length).toBeGreaterThanOrEqual(20);
      const erase = (...principal: string[]) =>
        tapline(home, ["erase", "--subject", ANN, "--sink", "cluster", "-c", config, "--json", ...principal]);
      const by = (user: string): string[] => {
        as(url, user, PASSWORD);
        return ["--username", user, "--password-env", `TAPLINE_TEST_PASSWORD_${user}`];
      };

      // The sink's own user is refused before anything is recorded, and cannot delete whatever it asks.
      for (const own of [[], by("erase_writer")])
        expect(await erase(...own)).toMatchObject({
          code: 2,
          stderr: expect.stringContaining("the sink's own user"),
        });
      const writer = await open(as(url, "erase_writer", PASSWORD, ca_file));
      const [first] = of(before, BOB);
      const stream = `logs-tapline.activity-${NAMESPACE}`;
      const asked = await ask(writer, "POST", `/${stream}/_delete_by_query`, {
        query: { ids: { values: [first] } },
      });
      expect(asked.status).toBe(403);
      await writer.close();
      // One who may read and not delete: told, and nothing went from the cluster.
      const reader = await erase(...by("erase_reader"));
      expect([reader.code, reader.stderr]).toEqual([3, expect.stringMatching(/403|not allowed|permission/i)]);
      expect(of(await all(), ANN)).toEqual(of(before, ANN));

      // Asked again by one who may, it goes on: the documents of this person, and no others.
      const done = await erase(...by("erase_eraser"));
      expect([done.code, done.stderr]).toEqual([0, ""]);
      const { documents, events } = JSON.parse(done.stdout) as { documents: number; events: number };
      expect(documents).toBe(events);
      expect(documents).toBeGreaterThanOrEqual(of(before, ANN).length);
      const after = await all();
      expect(of(after, ANN)).toEqual([]);
      for (const id of of(before, BOB)) expect(after.get(id)).toBe(before.get(id));
      const again = await erase(...by("erase_eraser"));
      expect([again.code, (JSON.parse(again.stdout) as { documents: number }).documents]).toEqual([0, 0]);
      collecting.kill("SIGTERM");
      expect((await end).code).toBe(0);
      await admin.close();
    },
    900_000,
  );
}
