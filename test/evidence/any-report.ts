// Reports of any kind for tests: all that a report may say, with hostile texts and times where they come from records, from
// the organisation's files or from the clock of somebody else.
import fc from "fast-check";
import { readControls, readCrosswalk } from "../../src/evidence/map.ts";
import type { CheckResult, ControlReport, Finding, Pack, Report, SoaRow } from "../../src/evidence/model.ts";

export const MAP = readControls();
export const CROSSWALK = readCrosswalk();

const BITS = [
  "\u0000",
  "\u2028",
  "\ud800",
  "\u0085",
  "\ufeff",
  "\r\n",
  " ",
  "<img src=x>",
  "[a](javascript:b)",
  "{{ insert: param, x }}",
];
/** Short, and no stranger than what a record can hold. */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.array(fc.constantFrom(...BITS, "a"), { maxLength: 4 }).map((bits) => bits.join("")),
);
const few = <T>(of: fc.Arbitrary<T>) => fc.array(of, { maxLength: 3 });
const count = fc.nat({ max: 1_000_000 });
const iso = fc
  .date({ min: new Date("2000-01-01T00:00:00Z"), max: new Date("2090-01-01T00:00:00Z"), noInvalidDate: true })
  .map((date) => date.toISOString());
/** What the writer of a record said, or what a database makes of it. */
const foreignTime = fc.oneof(
  iso,
  fc.constantFrom("0001-01-01T00:00:00.000Z", "+012345-01-01T00:00:00.000Z", ""),
);
const sha256 = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString("hex"));
const counts = few(fc.record({ name: text, events: count }));
const ids = Object.keys(MAP.controls);

const soaRow: fc.Arbitrary<SoaRow> = fc.record({
  applicable: fc.boolean(),
  justification: text,
  status: fc.constantFrom("implemented", "partial", "planned", "not-implemented", undefined),
  owner: text,
  reference: text,
});

const check: fc.Arbitrary<CheckResult> = fc.record({
  name: fc.oneof(fc.constantFrom("retention", "ledger"), text),
  outcome: fc.constantFrom("pass", "fail", "unknown"),
  detail: text,
  at: foreignTime,
  index: count,
  controls: fc.subarray(ids),
  counts: fc.record({ pass: count, fail: count, unknown: count }),
});

const controlOf = (id: string, sampled: number): fc.Arbitrary<ControlReport> => {
  const { title, evidence, shows, direct, supporting } = MAP.controls[id]!;
  return fc.record({
    id: fc.constant(id),
    title: fc.constant(title),
    evidence: fc.constant(evidence),
    shows: fc.constant(shows),
    query: fc.constant({ direct, supporting }),
    result: fc.constantFrom("gap", "evidence", "document", "nothing", "not-applicable"),
    gap: fc.option(text, { nil: undefined }),
    soa: fc.option(soaRow, { nil: undefined }),
    direct: evidence === "direct" ? fc.oneof(fc.constant(0), count) : fc.constant(0),
    supporting: count,
    first: fc.option(foreignTime),
    last: fc.option(foreignTime),
    classes: fc.constant([]),
    agents: counts,
    servers: counts,
    checks: few(check),
    sample: fc.uniqueArray(fc.nat({ max: sampled + 2 }), { maxLength: 4 }),
    population: count,
    crosswalk: fc.constant({ nist_ai_rmf: [], eu_ai_act: [] }),
  });
};

const finding: fc.Arbitrary<Finding> = fc.record({
  level: fc.constantFrom("gap", "note"),
  kind: fc.constantFrom("control", "statement", "check", "harm", "integrity", "coverage"),
  text,
  controls: fc.subarray(ids),
});

const event = (index: number) =>
  fc
    .record({
      agent: text,
      server: text,
      tool: text,
      user: text,
      outcome: text,
      message: text,
      time: foreignTime,
    })
    .map((said) => ({
      ...said,
      index,
      hash: `sha256:${"0".repeat(64)}`,
      id: `e${index}`,
      action: "tool-call",
      proof: `proofs/${index}.tlog-proof`,
      witnesses: [],
    }));

const SAMPLED = 5;
const report: fc.Arbitrary<Report> = fc.record({
  format: fc.constant("tapline-report-1" as const),
  made_at: iso,
  made_by: text,
  version: fc.constantFrom("0.1.0", "1.0.0-rc.1"),
  host: text,
  period: fc.tuple(iso, iso, fc.boolean()).map(([one, other, flag]) => {
    const [from, to] = [one, other].toSorted() as [string, string];
    return { from, to, time_zone: "UTC" as const, asked: { from: flag ? from : null, to: null } };
  }),
  map: fc.constant({ framework: MAP.framework, version: MAP.map_version, digest: "sha256:00" }),
  soa: fc.option(
    fc.record({
      organisation: text,
      scope: text,
      version: text,
      approved_by: text,
      approved_on: text,
      digest: text,
    }),
  ),
  controls: fc
    .shuffledSubarray(ids, { minLength: 1 })
    .chain((some) => fc.tuple(...some.map((id) => controlOf(id, SAMPLED)))),
  findings: few(finding),
  events: fc.record({ all: count, sessions: count, classes: counts, agents: counts, servers: counts }),
  coverage: fc.record({
    sources: few(fc.record({ name: text, expected: count, silent: count })),
    gaps: counts,
    unparsable: count,
    bypasses: count,
    holes: count,
    longest_silence: fc.option(
      fc.record({
        seconds: count,
        from: foreignTime,
        where: fc.constantFrom("between" as const, "begin" as const, "end" as const, "all" as const),
      }),
    ),
    starts: count,
    stops: count,
    records: fc.constant(null),
    dead_letters: counts,
  }),
  retention: fc.record({
    oldest: fc.option(foreignTime),
    newest: fc.option(foreignTime),
    days: count,
    first_index: count,
    said: few(text),
  }),
  integrity: fc.record({
    origin: text,
    vkey: text,
    entries: count,
    covered: count,
    root: sha256.map((hex) => Buffer.from(hex, "hex").toString("base64")),
    cosigned: fc.constant(null),
    rungs: few(text),
    open: count,
    unwitnessed: count,
    earlier: few(fc.record({ vkey: text, from: fc.option(iso), until: fc.option(iso) })),
    kept: count,
  }),
  sample: fc.tuple(...Array.from({ length: SAMPLED }, (_, index) => event(index))).map((events) => ({
    seed: 1,
    size: SAMPLED,
    algorithm: "a",
    covered: SAMPLED,
    events,
  })),
  exceptions: fc.constant({
    alerts: { all: 0, by_level: [], by_status: [], by_rule: [] },
    incidents: { all: 0, open: 0, closed: 0, late: 0 },
    rows: [],
    unlisted: 0,
    unread: 0,
  }),
  harms: fc.constant(null),
  crosswalk: fc.constant({ sources: {}, nist_ai_rmf: [], eu_ai_act: [] }),
  limits: few(text),
});

const file = fc.record({
  path: fc.constantFrom(
    "report.json",
    "report.html",
    "proofs/0.tlog-proof",
    "checkpoints/checkpoint",
    "a b#?/ü.pdf",
  ),
  sha256,
  bytes: count,
});

export const anyPack: fc.Arbitrary<Pack> = fc.record({
  report,
  files: fc.uniqueArray(file, { selector: ({ path }) => path, maxLength: 5 }),
});

const ROW: SoaRow = {
  applicable: true,
  justification: "We run agents",
  status: "implemented",
  owner: "Operations",
  reference: "DOC-7, logging standard",
};
const PASSED: CheckResult = {
  name: "ledger",
  outcome: "pass",
  detail: "verified",
  at: "2026-10-30T00:00:00.000Z",
  index: 8,
  controls: ["A.6.2.6", "A.6.2.8", "A.9.4"],
  counts: { pass: 30, fail: 0, unknown: 0 },
};
const { controls } = MAP;

/** A report in which nothing is missing: of the three direct controls, the last has no row. */
export function goodPack(change: (control: ControlReport) => Partial<ControlReport> = () => ({})): Pack {
  const [{ report: some }] = fc.sample(anyPack, { numRuns: 1, seed: 7 }) as [Pack];
  const rows = Object.entries(controls).map(([id, { title, evidence, shows, direct, supporting }]) => {
    const row: ControlReport = {
      id,
      title,
      evidence,
      shows,
      query: { direct, supporting },
      result: evidence === "none" ? "nothing" : "evidence",
      soa: id === "A.9.4" ? undefined : ROW,
      direct: evidence === "direct" ? 40 : 0,
      supporting: evidence === "supporting" ? 7 : 0,
      first: "2026-10-01T08:00:00.000Z",
      last: "2026-10-30T08:00:00.000Z",
      classes: [],
      agents: [],
      servers: [],
      checks: evidence === "direct" ? [PASSED] : [],
      sample: evidence === "direct" ? [0, 1] : [],
      population: evidence === "direct" ? 40 : 0,
      crosswalk: { nist_ai_rmf: [], eu_ai_act: [] },
    };
    return { ...row, ...change(row) };
  });
  const files = ["report.json", "checkpoints/checkpoint", "proofs/0.tlog-proof", "proofs/1.tlog-proof"];
  return {
    report: {
      ...some,
      version: "0.1.0",
      period: {
        from: "2026-10-01T00:00:00.000Z",
        to: "2026-11-01T00:00:00.000Z",
        time_zone: "UTC",
        asked: { from: "2026-10-01", to: "2026-11-01" },
      },
      soa: {
        organisation: "Example",
        scope: "Agents",
        version: "3",
        approved_by: "Board",
        approved_on: "2026-09-01",
        digest: "sha256:00",
      },
      controls: rows,
      findings: [],
      retention: { ...some.retention, newest: "2026-10-31T12:00:00.000Z", said: ["Kept 400 days."] },
      integrity: {
        ...some.integrity,
        origin: "host.example/tapline",
        covered: 520,
        rungs: ["The key alone."],
      },
      limits: ["What no source saw is not in it."],
    },
    files: files.map((path, i) => ({ path, sha256: String(i).repeat(64), bytes: 10 })),
  };
}
