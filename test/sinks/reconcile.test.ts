// What a comparison takes for sealed or erased: the fields of persons alone, whatever content says.
import { expect, test } from "vitest";
import { serialise } from "../../src/core/generated/event.ts";
import type { Server } from "../../src/sinks/connection.ts";
import { Reconciler, type Reconciled } from "../../src/sinks/reconcile.ts";
import { batchOf, expected, toolCall } from "./batches.ts";

const never = new AbortController().signal;
const MARK = "[SEALED:v1:";
const GONE = `${MARK}0123:`;

/** Counts for one entry whose document in the cluster is `changed`, or missing. */
async function compare(
  fill: (e: ReturnType<typeof toolCall>) => void,
  changed: ((document: Record<string, never>) => void) | undefined,
): Promise<Reconciled> {
  const e = toolCall("r", 0);
  fill(e);
  const batch = batchOf([serialise(e)]);
  const document = structuredClone(expected(batch)[0]!.document) as Record<string, never>;
  changed?.(document);
  const id = e["event.id"];
  const hits = changed === undefined ? [] : [{ _id: id, _index: "i", _source: document }];
  const server = {
    async request(_method: string, path: string, _query: object, body: { bytes: string } | undefined) {
      const asked = body?.bytes.includes('"ids"') === true ? hits : [];
      const answer = {
        timed_out: false,
        _shards: { failed: 0 },
        hits: { total: { value: asked.length }, hits: asked },
      };
      return { status: 200, text: path.endsWith("_refresh") ? "{}" : JSON.stringify(answer) };
    },
    async close() {},
  } as unknown as Server;
  const options = { host: "h", from: 0, to: 1, whole: false, dead: new Set<number>(), leave_out: [] };
  const reconciler = new Reconciler(server, { ...options, sealed: MARK, erased: [GONE] });
  await reconciler.compare(batch, never);
  return reconciler.result();
}

test("a name whose key is gone cannot be compared; a text that holds the marker can", async () => {
  const named = await compare(
    (e) => void (e["user.name"] = `${MARK}4567:abc]`),
    (document) => void Object.assign(document["user"]!, { name: "Ada" }),
  );
  expect(named).toMatchObject({ unsealed: 1, altered: 0 });
  const told = await compare(
    (e) => void (e["message"] = `curl https://evil.example # ${MARK}`),
    (document) => void Object.assign(document, { message: "ls" }),
  );
  expect(told).toMatchObject({ unsealed: 0, altered: 1 });
});

test("a document is gone with its person, not with whoever a text names", async () => {
  expect(await compare((e) => void (e["user.id"] = `${GONE}abc]`), undefined)).toMatchObject({
    erased: 1,
    missing: 0,
  });
  expect(await compare((e) => void (e["message"] = `see ${GONE}abc]`), undefined)).toMatchObject({
    erased: 0,
    missing: 1,
  });
});
