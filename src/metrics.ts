// What `tapline status` shows, as Prometheus reads it (text format 0.0.4). Counts and names of the configuration only: nothing that was
// recorded is in it. Pure.
import type { Status } from "./status.ts";
import { skippedSum } from "./tally.ts";

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [Labels, number];

/** One family: its name, kind, what it is, and its samples. */
interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface ProcessFigures {
  readonly rss_bytes: number;
  readonly cpu_s: number;
  readonly started_s: number;
}

const NONE: Labels = {};
const one = (value: number): Sample[] => [[NONE, value]];
const quoted = (text: string): string =>
  `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
const byName = (of: string, counts: Readonly<Record<string, number>>, labels = NONE): Sample[] =>
  Object.entries(counts).map(([name, value]) => [{ ...labels, [of]: name }, value]);

function textOf({ name, type, help, samples }: Family): string {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
  for (const [labels, value] of samples) {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}=${quoted(text)}`);
    lines.push(`${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`);
  }
  return lines.join("\n");
}

const counter = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name: `tapline_${name}_total`,
  type: "counter",
  help,
  samples,
});
const gauge = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name: `tapline_${name}`,
  type: "gauge",
  help,
  samples,
});

function accounts({ tally, broken, in_flight, version, ruleset }: Status): Family[] {
  const { read, recorded, merged, skipped, events, alerts, unparsable, gaps } = tally;
  const fates = { recorded, merged, skipped: skippedSum(tally) };
  return [
    gauge("status_info", "Version of the status, and the rule set in force.", [
      [{ version: String(version), ruleset }, 1],
    ]),
    counter("records_read", "Records read since the ledger began.", one(read)),
    counter(
      "records",
      "The same by what became of them: they add up to what was read.",
      byName("fate", fates),
    ),
    counter("records_skipped", "Records that gave no event, by reason.", byName("reason", skipped)),
    counter("records_unparsable", "Records that could not be read, and are kept raw.", one(unparsable)),
    counter("gaps", "Gaps in what was read.", one(gaps)),
    counter("events", "Events recorded.", one(events)),
    counter("alerts", "Alerts made.", one(alerts)),
    gauge("batches_in_flight", "Batches read and not yet durable.", one(in_flight)),
    gauge("accounts_broken", "Accounts that do not add up: to be 0.", one(broken.length)),
  ];
}

function ledger({ entries, checkpoint_size, first, anchors = [], checks = {} }: Status): Family[] {
  return [
    gauge("ledger_entries", "Entries durable in the ledger.", one(entries)),
    gauge("ledger_checkpoint_entries", "Entries that the last checkpoint covers.", one(checkpoint_size)),
    gauge("ledger_first_entry", "The first entry that retention has not removed.", one(first ?? 0)),
    gauge(
      "anchor_trouble",
      "1: the anchor does not take the newest checkpoint.",
      anchors.map(({ name, type, trouble }) => [{ anchor: name, type }, trouble === undefined ? 0 : 1]),
    ),
    gauge(
      "check_outcome",
      "1 for the last outcome of each check of controls.",
      Object.entries(checks).map(([check, { outcome }]) => [{ check, outcome }, 1]),
    ),
  ];
}

function sinks({ sinks: all }: Status): Family[] {
  const documents = all.flatMap(({ name, created, existing, dead, filtered }) =>
    byName("fate", { created, existing, dead, filtered }, { sink: name }),
  );
  return [
    counter("sink_entries", "Entries that a sink is done with, by what became of them.", documents),
    gauge(
      "sink_pending",
      "Entries that a sink has not taken yet.",
      all.map(({ name, pending }) => [{ sink: name }, pending]),
    ),
    gauge(
      "sink_trouble",
      "1: the sink does not move.",
      all.map(({ name, trouble }) => [{ sink: name }, trouble === undefined ? 0 : 1]),
    ),
    gauge(
      "sink_count",
      "What else a sink met since the start, by name.",
      all.flatMap(({ name, counts = {} }) => byName("what", counts, { sink: name })),
    ),
  ];
}

function others(
  { sources = {}, detection, evicted }: Status,
  { rss_bytes, cpu_s, started_s }: ProcessFigures,
): Family[] {
  return [
    gauge(
      "source_count",
      "What a source did and met since the start, by name.",
      Object.entries(sources).flatMap(([source, counts]) => byName("what", counts, { source })),
    ),
    gauge(
      "detection",
      "What is kept for detection, and what had to go, by name.",
      byName("what", { ...detection }),
    ),
    counter("state_evicted", "State of sessions and of flow dropped since a bound bit.", one(evicted)),
    {
      name: "process_resident_memory_bytes",
      type: "gauge",
      help: "Resident memory.",
      samples: one(rss_bytes),
    },
    {
      name: "process_cpu_seconds_total",
      type: "counter",
      help: "CPU time, user and system.",
      samples: one(cpu_s),
    },
    {
      name: "process_start_time_seconds",
      type: "gauge",
      help: "Start, since 1970.",
      samples: one(started_s),
    },
  ];
}

/** The exposition, a family after the other; one without samples is left out. */
export function metricsText(status: Status, figures: ProcessFigures): string {
  const families = [...accounts(status), ...ledger(status), ...sinks(status), ...others(status, figures)];
  return `${families
    .filter(({ samples }) => samples.length > 0)
    .map(textOf)
    .join("\n")}\n`;
}
