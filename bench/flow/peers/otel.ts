// What the OpenTelemetry Collector is told: its file log receiver parses, OTTL maps into flat attributes. OTTL has no
// search for a part of a text but a regular expression. It sends OTLP as JSON over HTTP: its exporter for `_bulk` is no
// part of the distributions that are at hand everywhere.
import { type Case, type Condition, FIELDS, type Peer, conditionsOf, isSent } from "./work.ts";

const at = (path: string): string =>
  `body${path
    .split(".")
    .map((part) => `["${part}"]`)
    .join("")}`;
const literally = (text: string): string => text.replaceAll(/[.()+*?|{}[\]^$]/g, "[$&]");

function test({ from, operator, value }: Condition): string {
  if (operator === "equals") return `${at(from)} == "${value}"`;
  return `${at(from)} != nil and IsMatch(${at(from)}, "${operator === "contains" ? literally(value) : value}")`;
}

function statements(of: Case): string[] {
  return [
    ...FIELDS.map(([field, from]) => {
      const set = `set(attributes["${field}"], ${at(from)})`;
      return from.startsWith("msg.") ? `${set} where ${at(from)} != nil` : set;
    }),
    ...conditionsOf(of).map((one) => `append(attributes["tags"], "${one.name}") where ${test(one)}`),
    'set(body, "")',
  ];
}

export const otel: Peer = {
  name: "OpenTelemetry Collector",
  binaries: ["otelcol-contrib", "otelcol"],
  sends: "OTLP/HTTP JSON",
  version: ["--version"],
  configure(of, { input, url, dir }) {
    const processors =
      of === "a"
        ? {}
        : {
            transform: {
              error_mode: "silent",
              log_statements: [{ context: "log", statements: statements(of) }],
            },
          };
    const exporters = isSent(of)
      ? {
          otlphttp: {
            logs_endpoint: `${url}/v1/logs`,
            encoding: "json",
            compression: "none",
            sending_queue: {
              enabled: true,
              num_consumers: 2,
              queue_size: 64_000,
              sizer: "items",
              block_on_overflow: true,
              batch: { flush_timeout: "200ms", min_size: 2_000, max_size: 4_000 },
            },
          },
        }
      : { nop: {} };
    const config = {
      receivers: {
        filelog: {
          include: [input],
          start_at: "beginning",
          include_file_name: false,
          max_log_size: "1MiB",
          operators: [{ type: "json_parser", parse_from: "body", parse_to: "body", on_error: "drop_quiet" }],
        },
      },
      processors,
      exporters,
      service: {
        telemetry: { metrics: { level: "none" }, logs: { level: "error" } },
        pipelines: {
          logs: {
            receivers: ["filelog"],
            processors: Object.keys(processors),
            exporters: Object.keys(exporters),
          },
        },
      },
    };
    return {
      files: { "otel.json": JSON.stringify(config, undefined, 2) },
      args: ["--config", `${dir}/otel.json`],
    };
  },
};
