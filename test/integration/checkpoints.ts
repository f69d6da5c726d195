// The anchors `elasticsearch` and `opensearch` against real servers: what they add is there, tells every attack, and, where
// the server says who may do what, cannot be changed or removed with their credential.
import { randomBytes } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { ANCHORS } from "../../src/ledger/anchors/index.ts";
import { Contradiction, type Held } from "../../src/ledger/anchors/contract.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { CHECKPOINTS } from "../../src/sinks/checkpoint-setup.ts";
import type { Server } from "../../src/sinks/connection.ts";
import { connect, setupCheckpoints } from "../../src/sinks/setup.ts";
import { type Engine } from "../../src/sinks/setup-plan.ts";
import { KINDS, anchorOf, attacked, grow, take } from "../ledger/anchored.ts";
import { newDir } from "../ledger/helpers.ts";
import { ANCHOR } from "./secured.ts";

const never = new AbortController().signal;

/** Who is who there: without users, everybody may do everything. */
export interface Parties {
  readonly admin: object;
  readonly writer: object;
  /** Whether the writer is somebody who may less. */
  readonly users: boolean;
}

/** Options of a connection, with the password in the environment. */
export function as(url: string, username: string, password: string, ca_file?: string): object {
  const password_env = `TAPLINE_TEST_PASSWORD_${username}`;
  process.env[password_env] = password;
  return { url, username, password_env, ...(ca_file === undefined ? {} : { ca_file }) };
}

export function checkpointSuite(name: string, engine: Engine, parties: Parties | undefined): void {
  describe.skipIf(parties === undefined)(`checkpoints in ${name}`, () => {
    const { admin, writer, users } = parties ?? { admin: {}, writer: {}, users: false };
    const open = (options: object): Promise<Server> =>
      connect(engine, ANCHORS[engine].config.parse({ type: engine, ...options }));

    async function ask(options: object, method: string, path: string, body?: unknown): Promise<never> {
      const server = await open(options);
      const sent =
        body === undefined
          ? undefined
          : typeof body === "string"
            ? ({ bytes: body, type: "ndjson" } as const)
            : ({ bytes: JSON.stringify(body), type: "json" } as const);
      const answer = await server.request(method, path, {}, sent, never);
      await server.close();
      return { ...(JSON.parse(answer.text) as object), status: answer.status } as never;
    }
    async function heldOf(origin: string): Promise<Held[]> {
      const held: Held[] = [];
      for await (const one of anchorOf(engine, writer, newDir()).held!(origin, never)) held.push(one);
      return held;
    }

    beforeAll(async () => {
      const server = await open(admin);
      for (let times = 0; times < 2; times++) {
        const { installed } = await setupCheckpoints(engine, server, never);
        expect(installed).toContain(`index ${CHECKPOINTS}`);
        if (engine === "opensearch" && users) expect(installed).toContain("role tapline_checkpoint_writer");
      }
      await server.close();
      if (engine === "opensearch" && users) {
        const [username, password] = ANCHOR;
        const user = { password, opendistro_security_roles: ["tapline_checkpoint_writer"] };
        const made = await ask(admin, "PUT", `/_plugins/_security/api/internalusers/${username}`, user);
        expect((made as { status: number }).status).toBeLessThan(300);
      }
    }, 600_000);

    test("each is added once, and verifies the ledger", async () => {
      const [dir, origin] = [newDir(), `test.example/${randomBytes(6).toString("hex")}`];
      for (const size of [3, 300, 1_000]) {
        await grow(dir, size, origin);
        const anchor = anchorOf(engine, writer, dir);
        expect(await take(anchor, dir)).toBe(`in the index ${CHECKPOINTS}`);
        await take(anchor, dir);
      }
      const held = await heldOf(origin);
      expect(held.map(({ text }) => text.split("\n")[1])).toEqual(["3", "300", "1000"]);
      expect(await verifyLedger(dir, { held })).toMatchObject({ findings: [], notes: [] });
    });

    test.each(KINDS)("tells a ledger that was %s, and so does verification", async (kind) => {
      const origin = `test.example/${randomBytes(6).toString("hex")}`;
      const bad = await attacked(kind, (dir) => take(anchorOf(engine, writer, dir), dir), origin);
      await expect(take(anchorOf(engine, writer, bad), bad)).rejects.toThrow(Contradiction);
      const { findings } = await verifyLedger(bad, { held: await heldOf(origin) });
      expect(findings[0]!.message).toMatch(kind === "cut off" ? /^truncated/ : /^history was rewritten/);
    });

    test("what no key signed does not hide what is there", async () => {
      const origin = `test.example/${randomBytes(6).toString("hex")}`;
      const bad = await attacked("cut off", (dir) => take(anchorOf(engine, writer, dir), dir), origin);
      const junk = { tapline: { integrity: { origin, tree_size: 9e15, checkpoint: "none" } } };
      await ask(writer, "POST", `/${CHECKPOINTS}/_doc?refresh=true`, junk);
      await expect(take(anchorOf(engine, writer, bad), bad)).rejects.toThrow(Contradiction);
    });

    test("an index that is not there, and a server that is not, are trouble", async () => {
      const dir = newDir();
      await grow(dir, 3);
      const none = anchorOf(engine, { ...admin, index: "none-of-these" }, dir);
      await expect(take(none, dir)).rejects.toMatchObject({
        code: "ANCHOR_FAILED",
        remedy: /setup --checkpoints/,
      });
      const nobody = anchorOf(engine, { url: "http://127.0.0.1:1" }, dir);
      await expect(take(nobody, dir)).rejects.toMatchObject({ code: "ANCHOR_FAILED", retry: true });
    });

    // Elasticsearch without users lets everybody do everything; an index of OpenSearch keeps to itself what it takes.
    test.skipIf(engine === "elasticsearch" && !users)(
      "nothing that is there can be changed or removed with the writer's credential",
      async () => {
        const [dir, origin] = [newDir(), `test.example/${randomBytes(6).toString("hex")}`];
        await grow(dir, 3, origin);
        await take(anchorOf(engine, writer, dir), dir);
        const before = await heldOf(origin);
        const id = before[0]!.place.split("/")[1]!;
        const bulk = (action: object, ...body: object[]): string =>
          [action, ...body].map((line) => `${JSON.stringify(line)}\n`).join("");
        const forged = { tapline: { integrity: { origin, tree_size: 3, checkpoint: "forged" } } };
        const match_all = { query: { match_all: {} } };
        const doc = `/${CHECKPOINTS}/_doc/${id}`;
        const attempts: [string, string, unknown?][] = [
          ["PUT", doc, forged],
          ["PUT", `${doc}?op_type=index`, forged],
          ["DELETE", doc],
          ["POST", `/${CHECKPOINTS}/_update/${id}`, { doc: forged }],
          ["POST", `/${CHECKPOINTS}/_update/${id}`, { doc: forged, doc_as_upsert: true }],
          ["POST", "/_bulk", bulk({ index: { _index: CHECKPOINTS, _id: id } }, forged)],
          ["POST", "/_bulk", bulk({ update: { _index: CHECKPOINTS, _id: id } }, { doc: forged })],
          ["POST", "/_bulk", bulk({ delete: { _index: CHECKPOINTS, _id: id } })],
          ["POST", `/${CHECKPOINTS}/_delete_by_query`, match_all],
          ["POST", `/${CHECKPOINTS}/_update_by_query`, match_all],
        ];
        if (users)
          attempts.push(
            ["DELETE", `/${CHECKPOINTS}`],
            ["POST", `/${CHECKPOINTS}/_close`],
            ["PUT", `/${CHECKPOINTS}/_settings`, { "index.blocks.read": true }],
            ["POST", "/_aliases", { actions: [{ add: { index: CHECKPOINTS, alias: "other" } }] }],
          );
        for (const [method, path, body] of attempts) {
          const answer: { status: number; errors?: boolean; failures?: unknown[] } = await ask(
            writer,
            method,
            path,
            body,
          );
          const refused =
            answer.status >= 400 || answer.errors === true || (answer.failures?.length ?? 0) > 0;
          expect(refused, `${method} ${path} ${JSON.stringify(answer)}`).toBe(true);
        }
        await ask(admin, "POST", `/${CHECKPOINTS}/_refresh`);
        expect(await heldOf(origin)).toEqual(before);
        expect((await verifyLedger(dir, { held: before })).findings).toEqual([]);
      },
    );
  });
}
