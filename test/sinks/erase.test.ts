// Deletions of a person's documents against servers that do not see everything: none of them counts as done.
import { expect, test } from "vitest";
import type { Answer, Server } from "../../src/sinks/connection.ts";
import { deleteDocuments } from "../../src/sinks/erase.ts";

const never = new AbortController().signal;
const WHOLE = { timed_out: false, _shards: { total: 2, successful: 2, failed: 0 } };

function answering(answers: Readonly<Record<string, object>>, status = 200): Server {
  return {
    async request(_method: string, path: string): Promise<Answer> {
      const name = path.slice(path.lastIndexOf("_"));
      return { status, text: JSON.stringify(answers[name] ?? { _shards: { failed: 0 } }) };
    },
    async close() {},
  };
}

const hit = { _index: "i", _id: "a" };
const found = { total: { value: 1 }, hits: [hit] };
const deleted = { items: [{ delete: { status: 200 } }] };

test("what is found is deleted, and counted", async () => {
  const server = answering({ _search: { ...WHOLE, hits: found }, _bulk: deleted });
  expect(await deleteDocuments(server, ["a"], never)).toBe(1);
});

test.each<[string, Readonly<Record<string, object>>, number?]>([
  ["a shard failed", { _search: { ...WHOLE, _shards: { total: 2, successful: 1, failed: 1 }, hits: found } }],
  ["it timed out", { _search: { ...WHOLE, timed_out: true, hits: { total: { value: 0 }, hits: [] } } }],
  ["more than it returns", { _search: { ...WHOLE, hits: { total: { value: 2 }, hits: [hit] } } }],
  ["a shard was not refreshed", { _refresh: { _shards: { total: 2, successful: 1, failed: 1 } } }],
  ["somebody in between knows no such page", {}, 404],
])("%s: an error, and no number", async (_what, answers, status) => {
  const server = answering({ _bulk: deleted, ...answers }, status);
  await expect(deleteDocuments(server, ["a"], never)).rejects.toMatchObject({ code: "SINK_FAILED" });
});
