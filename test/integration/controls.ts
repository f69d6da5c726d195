// Retention as a real server has it in force, and documents of a person deleted there by their ids.
import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { judgeRetention } from "../../src/checks/retention.ts";
import { serialise } from "../../src/core/generated/event.ts";
import elasticsearch from "../../src/sinks/elasticsearch.ts";
import { deleteDocuments } from "../../src/sinks/erase.ts";
import opensearch from "../../src/sinks/opensearch.ts";
import { connect, setup } from "../../src/sinks/setup.ts";
import type { Engine } from "../../src/sinks/setup-plan.ts";
import { batchOf, expected, testContext, toolCall } from "../sinks/batches.ts";

const never = new AbortController().signal;

export function controlsSuite(name: string, engine: Engine, url: string | undefined): void {
  describe.skipIf(url === undefined)(`${name}: controls`, () => {
    const namespace = `c${randomBytes(6).toString("hex")}`;
    const config = engine === "elasticsearch" ? elasticsearch.config : opensearch.config;
    const options = (): never => config.parse({ type: engine, url }) as never;
    const batch = batchOf(Array.from({ length: 30 }, (_, i) => serialise(toolCall(namespace, i, namespace))));

    test("retention is read from the policies in force, and documents go by their ids alone", async () => {
      const server = await connect(engine, options());
      const { missing } = await setup(engine, server, { retention_days: 400, signal: never });
      const managed = !missing.some((part) => part.name.startsWith("lifecycle"));
      const sink = (engine === "elasticsearch" ? elasticsearch : opensearch).create(options(), testContext());
      await sink.open(never);
      expect((await sink.write(batch, false, never)).created).toBe(30);
      await sink.close();

      const sinks = [["main", options()]] as const;
      // Streams of others on this server may be under no policy: what is told of them is not known here.
      if (managed) expect((await judgeRetention(sinks, 400, never)).outcome).not.toBe("unknown");
      const other = await judgeRetention(sinks, 399, never);
      if (managed) {
        expect(other.outcome).toBe("fail");
        expect(other.detail).toMatch(/^retention is not the 399 days that are stated: main: /);
      } else {
        // Distributions here lack the module: it is unknown then, and never passes.
        console.warn(
          `${name} has no lifecycle management here: the policies in force are read in test/checks alone`,
        );
        expect(other).toEqual({
          outcome: "unknown",
          detail: "retention could not be read: main: the server has no lifecycle management",
        });
      }

      const ids = expected(batch).map(({ id }) => id);
      const gone = ids.filter((_, i) => i % 3 === 0);
      expect(await deleteDocuments(server, [...gone, "of-nobody"], never)).toBe(10);
      expect(await deleteDocuments(server, gone, never)).toBe(0);
      const query = {
        bytes: JSON.stringify({ size: 100, query: { ids: { values: ids } } }),
        type: "json",
      } as const;
      const stream = `logs-tapline.activity-${namespace}`;
      const answer = await server.request("POST", `/${stream}/_search`, {}, query, never);
      const { hits } = JSON.parse(answer.text) as { hits: { hits: { _id: string }[] } };
      expect(hits.hits.map(({ _id }) => _id).toSorted()).toEqual(
        ids.filter((_, i) => i % 3 !== 0).toSorted(),
      );
      await server.request("DELETE", `/_data_stream/${stream}`, {}, undefined, never);
      await server.close();
    });
  });
}
