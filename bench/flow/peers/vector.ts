// What Vector is told: VRL over paths of the event itself, since a variable would be copied whole at every read.
import { type Case, type Condition, FIELDS, type Peer, conditionsOf, isSent } from "./work.ts";

function test({ from, operator, value }: Condition): string {
  const field = `.record.${from}`;
  if (operator === "equals") return `${field} == "${value}"`;
  if (operator === "contains") return `contains(string(${field}) ?? "", "${value}")`;
  return `match(string(${field}) ?? "", r'${value}')`;
}

function program(of: Case): string {
  if (of === "a") return ". = parse_json!(string!(.message))";
  // Conditions come first: the fields are moved, not copied, and those within others before these.
  const copied = FIELDS.map(([field, from]) => {
    const path = field.startsWith("@") ? `."${field}"` : `.${field}`;
    const present = field.endsWith("arguments") || field.endsWith("result") || from.startsWith("msg.");
    return present ? `if exists(.record.${from}) { ${path} = .record.${from} }` : `${path} = .record.${from}`;
  });
  return [
    '. = {"record": parse_json!(string!(.message))}',
    ".tags = []",
    ...conditionsOf(of).map((one) => `if ${test(one)} { .tags = push(array!(.tags), "${one.name}") }`),
    ...copied,
    "del(.record)",
  ].join("\n");
}

export const vector: Peer = {
  name: "Vector",
  binaries: ["vector"],
  version: ["--version"],
  configure(of, { input, url, dir }) {
    const sink = isSent(of)
      ? {
          type: "elasticsearch",
          inputs: ["work"],
          endpoints: [url],
          api_version: "v8",
          bulk: { action: "create", index: "bench" },
          healthcheck: { enabled: false },
        }
      : { type: "blackhole", inputs: ["work"], print_interval_secs: 0 };
    const config = {
      data_dir: dir,
      sources: {
        file: { type: "file", include: [input], read_from: "beginning", max_read_bytes: 1_048_576 },
      },
      transforms: {
        work: { type: "remap", inputs: ["file"], drop_on_error: true, source: program(of) },
      },
      sinks: { out: sink },
    };
    return {
      files: { "vector.json": JSON.stringify(config, undefined, 2) },
      args: ["--quiet", "--config", `${dir}/vector.json`],
    };
  },
};
