// `tapline scan`: reads files once, prints the documents that a sink would get as NDJSON, or alerts as OCSF findings; keeps
// nothing.
import { randomBytes } from "node:crypto";
import { hostname, tmpdir } from "node:os";
import { forEachEntry } from "../core/entry.ts";
import type { Origin } from "../core/event.ts";
import { TaplineError } from "../core/errors.ts";
import { type Framing, framingOf, lastBlockEnd } from "../core/framing.ts";
import { LIMITS } from "../core/limits.ts";
import { openLog } from "../core/log.ts";
import type { RawBatch, Router, StreamInfo } from "../core/stage.ts";
import { fromMs } from "../core/time.ts";
import { type Engine, openEngine, rulesBelow } from "../engine.ts";
import { Correlating } from "../correlating.ts";
import type { CorrelationSet } from "../detect/correlate-compile.ts";
import { Correlations } from "../detect/correlate-thread.ts";
import { ocsfFinding } from "../detect/ocsf.ts";
import { Candidates } from "../incident/candidates.ts";
import { Incidents } from "../incident/grouping.ts";
import { FirstSeen } from "../detect/first-seen.ts";
import { Oversight } from "../detect/oversight.ts";
import { Judge } from "../detect/judge.ts";
import { restingLine } from "../detect/resting.ts";
import { FORMATS } from "../normalise/formats/index.ts";
import { probe, sessionIn } from "../normalise/probe.ts";
import { BUNDLED_RULES } from "../paths.ts";
import { createRedactor } from "../normalise/redact.ts";
import { Resolver } from "../resolver.ts";
import { SelfRecorder } from "../self.ts";
import { SOURCES } from "../sources/index.ts";
import { VERSION } from "../version.ts";
import { type Command, UsageError, globsOf, readArgs } from "./usage.ts";

const ALERT = '"dataset":"tapline.alert"';
const DATASET_WITHIN = 140;
const OUT = ["events", "alerts", "all"];
/** Bytes that tell how records end. */
const OPENING_BYTES = 6;
/** The one format that is written and not read. */
const OCSF = "ocsf";

/** Writes the documents of a run, spliced as sinks do; waits when the reader of standard output is slow. */
class Printer {
  readonly #out: string;
  readonly #ocsf: boolean;
  /** Place of the next document among all, printed or not. */
  index = 0;

  constructor(out: string, ocsf: boolean) {
    this.#out = out;
    this.#ocsf = ocsf;
  }

  async print({ run, hashes }: { run: Uint8Array; hashes: Uint8Array }): Promise<void> {
    const bytes = Buffer.from(run.buffer, run.byteOffset, run.length);
    const leaves = Buffer.from(hashes.buffer, hashes.byteOffset, hashes.length);
    let text = "";
    forEachEntry(run, (start, end, position) => {
      const index = this.index++;
      const alert = bytes.toString("latin1", start, Math.min(end, start + DATASET_WITHIN)).includes(ALERT);
      if (this.#out !== "all" && alert !== (this.#out === "alerts")) return;
      const leaf = leaves.toString("hex", position * 32, position * 32 + 32);
      const document = `${bytes.toString("utf8", start, end - 2)},"sequence":${index},"hash":"sha256:${leaf}"}}`;
      text += `${this.#ocsf ? JSON.stringify(ocsfFinding(JSON.parse(document) as object)) : document}\n`;
    });
    if (text === "" || process.stdout.write(text)) return;
    await new Promise((resolve) => process.stdout.once("drain", resolve));
  }
}

/** Takes batches through normalising, rules and correlations, and prints what comes of them. */
class Scan {
  readonly #engine: Engine;
  readonly #correlating: Correlating;
  readonly #printer: Printer;
  readonly #self: SelfRecorder;
  #read = 0;
  #unparsable = 0;

  constructor(engine: Engine, correlations: CorrelationSet, origin: Origin, printer: Printer) {
    const started_ms = Date.now();
    const { rules: set } = engine;
    this.#engine = engine;
    this.#printer = printer;
    this.#self = new SelfRecorder(origin, started_ms, Date.now, createRedactor("").redactText);
    this.#correlating = new Correlating({
      correlations: new Correlations(correlations, { origin, ruleset_hash: set.hash, started_ms }),
      first_seen: new FirstSeen(origin),
      oversight: new Oversight(origin, { clients: [], servers: [], spool: false }),
      incidents: new Incidents(origin, [], []),
      candidates: new Candidates([]),
      judge: new Judge({ set, correlations }),
      self: this.#self,
      onAlert: () => {},
    });
  }

  async take(batch: RawBatch): Promise<void> {
    const now_ms = Date.now();
    const result = this.#engine.process({ ...batch, now_ms });
    this.#read += result.counts.read ?? 0;
    this.#unparsable += result.counts.unparsable ?? 0;
    for (const gap of batch.gaps) this.#self.gap(gap);
    this.#correlating.push(result, { now_ms, rested_ms: null, first_index: this.#printer.index });
    await this.#printer.print(result);
    await this.#printer.print(this.#self.take());
  }

  /** The end of all input: windows that are open run out. */
  async end(): Promise<void> {
    this.#correlating.close(Date.now());
    await this.#printer.print(this.#self.take());
    if (this.#unparsable * 2 <= this.#read) return;
    console.error(
      `tapline scan: ${this.#unparsable} of ${this.#read} records are not JSON. A record is a line, or an ` +
        "object printed over several: a list of them is taken apart by `jq -c '.[]'`",
    );
  }
}

async function scanFiles(scan: Scan, paths: string[], format: string | undefined): Promise<void> {
  const options = SOURCES.file.config.parse({
    type: "file",
    include: paths.flatMap(globsOf),
    follow: false,
    ...(format === undefined ? {} : { format }),
  });
  const context = { name: "scan", state_dir: tmpdir(), origin: "scan", now: Date.now, log: openLog() };
  const source = SOURCES.file.create(options, context);
  const router: Router = { lanes: 1, probe, sessionIn, laneOf: () => 0, sessions: new Resolver(Date.now) };
  await source.open(new Map(), router);
  const forever = new AbortController().signal;
  let streams = 0;
  for (;;) {
    const batch = await source.read(0);
    if (batch !== undefined) {
      streams += batch.streams.length;
      await scan.take(batch);
      source.settle(batch);
    } else if (source.drained) break;
    else await source.wait(forever);
  }
  await source.close();
  if (streams === 0) console.error(`tapline scan: nothing to read in ${paths.join(", ")}`);
}

/** Standard input as batches of whole lines; the last line need not end. */
async function scanInput(scan: Scan, format: string | undefined): Promise<void> {
  let stream: StreamInfo | undefined;
  let rest = Buffer.alloc(0);
  let offset = 0;
  let framing: Framing | undefined;
  const take = async (lines: Buffer): Promise<void> => {
    const streams: StreamInfo[] = [];
    if (stream === undefined) {
      const found = probe(lines.subarray(0, LIMITS.batch_bytes), "-", format);
      const capture = {
        arguments: "redacted",
        results: "redacted",
        messages: "redacted",
        identity: "full",
      } as const;
      stream = {
        id: "stdin",
        source: "scan",
        path: "-",
        format: found.format,
        session: found.session,
        framing,
        options: undefined,
        capture,
        modified_ms: Date.now(),
      };
      streams.push(stream);
    }
    const segments = [{ stream: stream.id, start: 0, end: lines.length, offset }];
    offset += lines.length;
    const none = { lane: 0, gaps: [], positions: {}, behind_bytes: 0 };
    await scan.take({ ...none, buffer: lines, segments, streams });
  };
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk]);
    if (rest.length >= OPENING_BYTES) framing ??= framingOf(rest);
    const end = framing === "block" ? lastBlockEnd(rest, 0, rest.length) : rest.lastIndexOf(10) + 1;
    if (rest.length - end > LIMITS.line_bytes) {
      throw new TaplineError("LINE_TOO_LONG", `standard input has a line over ${LIMITS.line_bytes} bytes`, {
        remedy: "scan it as a file: the line is then kept as a gap",
      });
    }
    if (end < LIMITS.batch_bytes) continue;
    await take(rest.subarray(0, end));
    rest = rest.subarray(end);
  }
  if (rest.length > 0) await take(rest);
}

function inputFormat(named: readonly string[]): string | undefined {
  const [format, other] = named;
  if (other !== undefined)
    throw new UsageError(`--format names one input format, not ${named.join(" and ")}`);
  if (format === undefined || FORMATS.some(({ name }) => name === format)) return format;
  const known = [...FORMATS.map(({ name }) => name), OCSF].join(", ");
  throw new UsageError(`no format "${format}": one of ${known}`);
}

export const scan: Command = {
  help: `usage: tapline scan FILE… [--format F]… [--rules DIR]… [--out events|alerts|all]

  FILE          files, patterns, or directories with *.jsonl below; - is standard input
  --format F    ${FORMATS.map((format) => format.name).join(", ")} (default: recognised from content);
                ocsf is what alerts are printed as: OCSF Detection Findings instead of ECS. May be given beside a format
  --rules DIR   Sigma rules in addition to the bundled ones
  --out         what to print (default all; alerts with --format ocsf)

Keeps nothing: digests and redaction marks are keyed for this call only; the alerts are the same in every call. Exit code 1 when a rule could not be used.`,
  async run(argv) {
    const options = {
      format: { type: "string", multiple: true },
      rules: { type: "string", multiple: true },
      out: { type: "string" },
    } as const;
    const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
    const formats = values.format ?? [];
    const ocsf = formats.includes(OCSF);
    const format = inputFormat(formats.filter((name) => name !== OCSF));
    const out = values.out ?? (ocsf ? "alerts" : "all");
    if (positionals.length === 0) throw new UsageError("name a file, or - for standard input");
    if (!OUT.includes(out)) throw new UsageError(`--out takes ${OUT.join(", ")}, not "${out}"`);
    if (ocsf && out !== "alerts") throw new UsageError(`--format ocsf is for alerts, not for --out ${out}`);
    const origin = { namespace: "default", host: hostname(), version: VERSION };
    const { engine, correlations, problems, resting } = openEngine({
      origin,
      key: randomBytes(32).toString("hex"),
      // The same input gives the same alerts in every call; what is secret of a collector's own key matters to it alone.
      flow_key: "scan",
      started: fromMs(Date.now())!,
      rules: await rulesBelow([BUNDLED_RULES, ...(values.rules ?? [])]),
      subject_keys: undefined,
    });
    for (const problem of problems) console.error(problem);
    // There is no inventory here, so bundled rules on it always rest; of those that were named it is news.
    const own = resting.filter(({ rule }) => !rule.file.startsWith(BUNDLED_RULES));
    for (const one of own) console.error(restingLine(one));
    const scanning = new Scan(engine, correlations, origin, new Printer(out, ocsf));
    const files = positionals.filter((path) => path !== "-");
    if (files.length < positionals.length) await scanInput(scanning, format);
    if (files.length > 0) await scanFiles(scanning, files, format);
    await scanning.end();
    return problems.length === 0 ? 0 : 1;
  },
};
