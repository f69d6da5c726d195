// What Redpanda Connect is told: one Bloblang mapping. It writes by one thread a core, and keeps no order.
import { type Case, type Condition, FIELDS, type Peer, conditionsOf, isSent } from "./work.ts";

function test({ from, operator, value }: Condition): string {
  const field = `this.${from}`;
  if (operator === "equals") return `${field} == "${value}"`;
  const text = `(${field} | "")`;
  return operator === "contains" ? `${text}.contains("${value}")` : `${text}.re_match("${value}")`;
}

function program(of: Case): string {
  // Asking for a part parses the line; one that is no JSON is left out.
  if (of === "a") return "root = if this.ts == null { deleted() }";
  const tags = conditionsOf(of).map((one) => `if ${test(one)} { "${one.name}" } else { deleted() }`);
  return [
    ...FIELDS.map(([field, from]) => {
      const path = field.startsWith("@") ? `"${field}"` : field;
      return `root.${path} = this.${from} | deleted()`;
    }),
    `root.tags = [\n  ${tags.join(",\n  ")}\n]`,
  ].join("\n");
}

export const connect: Peer = {
  name: "Redpanda Connect",
  binaries: ["redpanda-connect", "benthos"],
  version: ["--version"],
  configure(of, { input, url, dir }) {
    const output = isSent(of)
      ? {
          elasticsearch_v8: {
            urls: [url],
            index: "bench",
            action: "create",
            id: "${! uuid_v4() }",
            max_in_flight: 8,
            batching: { count: 2_000, period: "200ms" },
          },
        }
      : { drop: {} };
    const config = {
      http: { enabled: false },
      logger: { level: "ERROR" },
      input: { file: { paths: [input], scanner: { lines: { max_buffer_size: 1_048_576 } } } },
      pipeline: {
        processors: [{ mapping: program(of) }, { catch: [{ mapping: "root = deleted()" }] }],
      },
      output,
    };
    return {
      files: { "connect.json": JSON.stringify(config, undefined, 2) },
      args: ["run", `${dir}/connect.json`],
    };
  },
};
