// What a report says of a ledger of real sessions, against counts that are made from the documents themselves.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Action, CLASSES } from "../../src/core/generated/classes.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { judge } from "../../src/evidence/controls.ts";
import { controlSheet } from "../../src/evidence/document-control.ts";
import { exceptionsSheet } from "../../src/evidence/document-events.ts";
import { draw } from "../../src/evidence/draw.ts";
import { readImpact } from "../../src/evidence/impact.ts";
import { readControls, readCrosswalk, termsOf } from "../../src/evidence/map.ts";
import type { SoaRow } from "../../src/evidence/model.ts";
import { writePruned } from "../../src/ledger/pruned.ts";
import { rotateKey } from "../../src/ledger/rotation.ts";
import { readSoa } from "../../src/evidence/soa.ts";
import { type Document, flat } from "../commands/tapline.ts";
import {
  type World,
  append,
  around,
  check,
  event,
  everything,
  newDir,
  report,
  sessions,
  world,
} from "./world.ts";
import { serialise } from "../../src/core/generated/event.ts";

const flatAll = ({ documents }: Pick<World, "documents">): Document[] =>
  documents.map((text) => flat(JSON.parse(text) as Document));
const has = (value: unknown, one: string): boolean => Array.isArray(value) && value.includes(one);

/** Whether an event meets a question of the map, worked out beside DuckDB. */
function meets(document: Document, terms: ReturnType<typeof termsOf>): boolean {
  return (terms ?? []).every((term) => {
    if (term.kind !== "is" || term.not) throw new Error("the map asks for values only");
    const value = document[term.field];
    return term.values.some(({ text }) => value === text || has(value, text));
  });
}

const wrote = (name: string, text: string): string => {
  const path = join(newDir(), name);
  writeFileSync(path, text);
  return path;
};

test("counts, classes, first and last of every control are those of the documents", async () => {
  const made = await world(everything());
  const { report: found } = await report(made.config);
  const all = flatAll(made);
  expect(found.events.all).toBe(all.length);
  expect(found.events.sessions).toBe(new Set(all.flatMap((one) => one["gen_ai.conversation.id"] ?? [])).size);
  const { controls } = readControls();
  expect(found.controls.map(({ id }) => id)).toEqual(Object.keys(controls));
  let some = 0;
  for (const control of found.controls) {
    const [direct, supporting] = (["direct", "supporting"] as const).map((strength) =>
      controls[control.id]![strength] === undefined
        ? []
        : all.filter((one) => meets(one, termsOf(controls[control.id]!, strength))),
    ) as [Document[], Document[]];
    expect([control.id, control.direct, control.supporting]).toEqual([
      control.id,
      direct.length,
      supporting.length,
    ]);
    const times = [...direct, ...supporting].map((one) => String(one["@timestamp"])).toSorted();
    expect([control.first, control.last]).toEqual([times[0] ?? null, times.at(-1) ?? null]);
    for (const { action, strength, events } of control.classes)
      expect(events).toBe(
        (strength === "direct" ? direct : supporting).filter((one) => one["event.action"] === action).length,
      );
    const recorded = (of: readonly Document[]) => new Set(of.map((one) => one["event.action"])).size;
    expect(control.classes).toHaveLength(recorded(direct) + recorded(supporting));
    const agents = Map.groupBy([...direct, ...supporting], (one) => one["service.name"]);
    for (const { name, events } of control.agents) expect(events).toBe(agents.get(name)?.length);
    // The draw is the one that the pure function makes of the indexes.
    const own = control.evidence === "direct" ? direct : supporting;
    const indexes = own.map((one) => all.indexOf(one));
    expect(control.population).toBe(indexes.length);
    expect(control.sample).toEqual(draw(7, indexes, 25));
    some += times.length;
  }
  expect(some).toBeGreaterThan(200);
  // Every class of the sample is told by the event that it is.
  for (const { index, id, action } of found.sample.events)
    expect([id, action]).toEqual([all[index]!["event.id"], all[index]!["event.action"]]);
});

test("a list that is cut says of how many, and every class is counted", async () => {
  const all = (Object.keys(CLASSES) as Action[]).flatMap((action) =>
    event(action, "2026-11-20T10:00:00.000Z"),
  );
  // Agents who call little and answer much: what they come to is of both kinds of evidence together.
  const agents = Array.from({ length: 30 }, (_, i) =>
    (["tool-call", "collector-start"] as const).flatMap((action) =>
      Array.from({ length: i + 1 }, () =>
        event(action, "2026-11-20T11:00:00.000Z", {
          "service.name": `agent ${i}`,
        }),
      ),
    ),
  ).flat();
  const docs = [...all, ...agents].map((one, i) => serialise(Object.assign(one, { "event.id": `e${i}` })));
  const { report: found } = await report((await world(docs)).config);
  const { controls } = readControls();
  const documents = docs.map((text) => flat(JSON.parse(text) as Document));
  let cut = 0;
  for (const control of found.controls) {
    const events = (["direct", "supporting"] as const).map((strength) => {
      const query = controls[control.id]![strength];
      return query === undefined
        ? []
        : documents.filter((one) => meets(one, termsOf(controls[control.id]!, strength)));
    });
    const told = (strength: string): number =>
      control.classes.filter((one) => one.strength === strength).reduce((sum, one) => sum + one.events, 0);
    expect([control.direct, control.supporting]).toEqual([told("direct"), told("supporting")]);
    const by = Map.groupBy(events.flat(), (one) => String(one["service.name"] ?? ""));
    by.delete("");
    const largest = [...by.values()].map(({ length }) => length).toSorted((a, b) => b - a);
    expect(control.agents.slice(0, 20).map((one) => one.events)).toEqual(largest.slice(0, 20));
    for (const { name, events: count, more } of control.agents)
      if (more === undefined) expect([name, count]).toEqual([name, by.get(name)?.length]);
    if (largest.length <= 20) continue;
    cut++;
    const others = largest.slice(20).reduce((sum, count) => sum + count, 0);
    expect(control.agents[20]).toEqual({ name: "", events: others, more: largest.length - 20 });
    const page = JSON.stringify(controlSheet(control, found));
    expect(page).toContain(`and ${largest.length - 20} more`);
  }
  expect(cut).toBeGreaterThan(1);
  expect(found.events.agents.at(-1)).toMatchObject({ more: 10 });
});

test("a period counts what is in it, and names no share of all controls", async () => {
  const made = await world(everything());
  const span = { from: Date.parse("2026-11-23T10:00:00Z"), to: Date.parse("2026-11-23T12:00:00Z") };
  const asked = { from: "2026-11-23T11:00:00+01:00", to: "2026-11-23T13:00:00+01:00" };
  const { report: found } = await report(made.config, { span, asked });
  const within = flatAll(made).filter((one) => {
    const ms = Date.parse(String(one["@timestamp"]));
    return ms >= span.from && ms < span.to;
  });
  expect(found.events.all).toBe(within.length);
  expect(found.period).toEqual({
    from: "2026-11-23T10:00:00.000Z",
    to: "2026-11-23T12:00:00.000Z",
    time_zone: "UTC",
    asked,
  });
  expect(JSON.stringify(found)).not.toMatch(/of 38|38 of|compliant|immutable|tamper-?proof|\d ?%/i);
});

const SOA = `organisation: Example GmbH
version: 3
controls:
  A.6.2.6: {applicable: true, justification: j, status: implemented, owner: o, reference: r, last_review: 2026-11-01}
  A.6.2.8: {applicable: true, justification: j, status: planned, planned_for: 2026-01-31, owner: o}
  A.8.5: {applicable: true, justification: j, status: partial, owner: o}
  A.2.2: {applicable: true, justification: j, status: implemented, owner: o, reference: POL-1}
  A.2.3: {applicable: true, justification: j, status: implemented, owner: o}
  A.9.4: {applicable: false, justification: "nobody uses it"}
  A.7.4: {applicable: true, status: not-implemented, last_review: 2024-01-01}
`;

test("what is claimed and not there is a gap, listed first", async () => {
  const made = await world(everything());
  const soa = await readSoa(wrote("soa.yml", SOA));
  const { report: found } = await report(made.config, { soa });
  const results = Object.fromEntries(found.controls.map(({ id, result }) => [id, result]));
  expect(results).toMatchObject({
    "A.6.2.6": "evidence",
    "A.6.2.8": "evidence",
    "A.8.5": "gap",
    "A.2.2": "document",
    "A.2.3": "gap",
    "A.9.4": "not-applicable",
    "A.7.4": "nothing",
    "A.5.2": "nothing",
  });
  expect(found.controls.slice(0, 2).map(({ id }) => id)).toEqual(["A.2.3", "A.8.5"]);
  const levels = found.findings.map(({ level }) => level);
  expect(levels.slice(0, 2)).toEqual(["gap", "gap"]);
  expect(levels.slice(2)).not.toContain("gap");
  const texts = found.findings.map(({ text }) => text).join("\n");
  for (const said of [
    /A\.8\.5 .*implemented in part; no event that is evidence for it/,
    /A\.2\.3 .*names no document/,
    /A\.9\.4 .*said not to apply, and \d+ events/,
    /Planned for a day that has passed: A\.6\.2\.8\./,
    /Without a justification: A\.7\.4\./,
    /more than a year.*: A\.7\.4\./,
    /says nothing of: A\.2\.4, /,
    /2 gaps in what was read: truncated 1, unrecorded 1\./,
    /Nothing was heard from codex/,
    /No witness has cosigned/,
    /2 alerts of the period are open/,
    /1 incident missed a deadline/,
  ])
    expect(texts).toMatch(said);
});

test("a report of some controls finds what is about them, and what bears on all", async () => {
  const made = await world([
    ...everything(),
    check("law", "fail", "2026-11-21T00:00:00.000Z", ["A.6.2.8", "A.9.4"]),
    check("odd", "fail", "2026-11-21T00:00:00.000Z", ["A.6.2.6"]),
  ]);
  const soa = await readSoa(wrote("soa.yml", SOA));
  const impact = await readImpact(wrote("impact.yml", IMPACT));
  const whole = (await report(made.config, { soa, impact })).report;
  const { report: found } = await report(made.config, { soa, impact, ids: ["A.9.4"] });
  const of = (kind: string, one = found): string[] =>
    one.findings.filter((finding) => finding.kind === kind).map(({ text }) => text);
  for (const { controls } of found.findings) for (const id of controls) expect(id).toBe("A.9.4");
  expect(of("control")).toEqual([]); // alerts are about A.6.2.6, incidents about A.8.4
  expect(of("check")).toEqual([expect.stringContaining("The check law failed")]);
  expect(of("statement")).toEqual([expect.stringMatching(/^A\.9\.4 .*said not to apply/)]);
  expect(found.harms!.map(({ id }) => id)).toEqual(["H1", "H3", "H4"]);
  expect(of("harm").join()).not.toContain("H2");
  // What was not heard, and what the ledger rests on, bears on every control.
  expect(of("coverage")).toEqual(of("coverage", whole));
  expect(of("coverage").length).toBeGreaterThan(1);
  expect(of("integrity")).toEqual(of("integrity", whole));
});

test("a period in which nothing was recorded is a finding, with a statement and without", async () => {
  const { config } = await world(everything());
  const span = { from: Date.parse("2026-12-01T00:00:00Z"), to: Date.parse("2026-12-02T00:00:00Z") };
  const now_ms = Date.parse("2026-12-03T00:00:00Z");
  for (const soa of [undefined, await readSoa(wrote("soa.yml", SOA))]) {
    const asked = { from: "2026-12-01", to: "2026-12-02" };
    const { report: found } = await report(config, { ids: ["A.9.4"], span, asked, soa, now_ms });
    expect(found.findings[0]).toMatchObject({
      level: "gap",
      text: expect.stringMatching(/^Nothing was recorded/),
    });
    expect(found.findings.filter(({ text }) => text.includes("had not ended"))).toEqual([]);
  }
  // A period that ends before the first event has no end before its beginning.
  const { report: before } = await report(config, {
    span: { from: 0, to: Date.parse("2020-01-01T00:00:00Z") },
  });
  expect([before.period.from, before.events.all]).toEqual(["1970-01-01T00:00:00.000Z", 0]);
  // What has not come yet is no part of a report: it says so.
  const { report: early } = await report(config, { now_ms: Date.parse("2026-11-25T00:00:00Z") });
  expect(early.findings.map(({ text }) => text)).toContainEqual(
    expect.stringMatching(/^The period had not ended/),
  );
  expect(early.findings.filter(({ text }) => text.startsWith("Nothing was recorded"))).toEqual([]);
});

test("keys of before are named with their time, as the ledger tells it", async () => {
  const made = await world(everything());
  const ledger_dir = join(made.dir, "ledger");
  const first = made.vkey;
  const idOf = (vkey: string): string => vkey.split("+")[1]!;
  const change = (id: string, before: string, after: string, time: string): string =>
    serialise(
      event("config-change", time, {
        "event.id": id,
        "tapline.change.before": before,
        "tapline.change.after": after,
      }),
    );
  const vkeyOf = (): string => readFileSync(join(ledger_dir, "ledger.vkey"), "utf8").trim();
  await rotateKey(ledger_dir, 0);
  const second = vkeyOf();
  await rotateKey(ledger_dir, 3_600_000);
  const rotation = JSON.parse(readFileSync(join(ledger_dir, "rotation.json"), "utf8")) as {
    until_ms: number;
  };
  await append(made, [change("k1", idOf(first), idOf(second), "2026-11-24T00:00:00.000Z")]);
  const { report: found } = await report(made.config, { ids: ["A.9.4"] });
  expect(found.integrity.vkey).toBe(vkeyOf());
  expect(found.integrity.earlier).toEqual([
    { vkey: second, from: "2026-11-24T00:00:00.000Z", until: new Date(rotation.until_ms).toISOString() },
    { vkey: first, from: null, until: "2026-11-24T00:00:00.000Z" },
  ]);
});

test("every claim against every evidence", () => {
  const row = (more: Partial<SoaRow>): SoaRow => ({
    applicable: true,
    justification: "",
    owner: "",
    reference: "",
    ...more,
  });
  for (const status of ["implemented", "partial"] as const) {
    expect(judge("direct", 0, row({ status })).result).toBe("gap");
    expect(judge("supporting", 0, row({ status, reference: "a document" })).result).toBe("gap");
    expect(judge("none", 0, row({ status })).result).toBe("gap");
    expect(judge("none", 0, row({ status, reference: " " })).result).toBe("gap");
    expect(judge("none", 0, row({ status, reference: "a document" })).result).toBe("document");
    expect(judge("supporting", 1, row({ status })).result).toBe("evidence");
  }
  for (const status of ["planned", "not-implemented"] as const)
    expect(judge("direct", 0, row({ status })).result).toBe("nothing");
  expect(judge("direct", 5, row({ applicable: false })).result).toBe("not-applicable");
  expect(judge("direct", 0, undefined).result).toBe("nothing");
});

test("checks: the newest result counts, a failed one is a gap, and a ledger without any has none", async () => {
  const none = await report((await world(everything())).config);
  expect(none.report.controls.flatMap(({ checks }) => checks)).toEqual([]);
  const documents = [
    ...everything(),
    check("retention", "fail", "2026-11-20T00:00:00.000Z", ["A.6.2.8"]),
    check("retention", "pass", "2026-11-21T00:00:00.000Z", ["A.6.2.8"]),
    check("law", "pass", "2026-11-20T00:00:00.000Z", ["A.6.2.8"]),
    check("law", "fail", "2026-11-21T00:00:00.000Z", ["A.6.2.8"]),
    check("odd", "banana", "2026-11-21T00:00:00.000Z", ["A.6.2.6"]),
    serialise(event("control-status", "2026-11-22T00:00:00.000Z", { "event.id": "bare" })),
    // What another collector found of itself is no result of this one's.
    check("law", "pass", "2026-11-22T00:00:00.000Z", ["A.6.2.8"], "tapline/laptop-7"),
  ];
  const { report: found } = await report((await world(documents)).config);
  const { checks } = found.controls.find(({ id }) => id === "A.6.2.8")!;
  expect(checks.map(({ name, outcome, counts }) => [name, outcome, counts])).toEqual([
    ["law", "fail", { pass: 1, fail: 1, unknown: 0 }],
    ["retention", "pass", { pass: 1, fail: 1, unknown: 0 }],
  ]);
  const texts = found.findings
    .filter(({ kind }) => kind === "check")
    .map(({ level, text }) => `${level} ${text}`);
  expect(texts).toHaveLength(2);
  expect(texts[0]).toMatch(/^gap The check law failed .*law came out as fail/);
  expect(texts[1]).toMatch(/^note The check odd could not tell/);
});

const IMPACT = `harms:
  - {id: H1, description: "a tool nobody sanctioned acts", controls: [A.9.4, A.5.4], rules: [execution_unsanctioned_tool]}
  - {id: H2, description: "people are not told", controls: [A.8.5]}
  - {id: H3, description: "a rule that is not loaded", rules: [no_such_rule]}
  - {id: H4, description: "nothing is recorded of it", rules: [stealth_two_readings, gone_rule]}
`;

/** What the rules on the inventory ask for. */
const INVENTORY = { placeholders: { sanctioned_servers: ["files"], sanctioned_tools: ["files/read"] } };

test("a harm is treated when a rule that is loaded sees a log", async () => {
  const impact = await readImpact(wrote("impact.yml", IMPACT));
  const { report: found } = await report((await world(everything(), { options: INVENTORY })).config, {
    impact,
  });
  const harms = found.harms!;
  expect(harms.map(({ id, treated }) => [id, treated])).toEqual([
    ["H1", true],
    ["H2", false],
    ["H3", false],
    ["H4", harms[3]!.rules[0]!.events > 0],
  ]);
  expect(harms[0]!.rules).toEqual([
    expect.objectContaining({ title: "Tool Outside the Inventory", alerts: 2, closed: 1 }),
  ]);
  const calls = sessions().filter((one) => one["event.action"] === "tool-call").length;
  expect(harms[0]!.rules[0]!.events).toBe(calls);
  expect(harms.map(({ untreated }) => untreated).slice(1, 3)).toEqual([
    "no rule is named for it",
    "none of its rules is loaded: no_such_rule",
  ]);
  expect(harms[3]!.missing).toEqual(["gone_rule"]);
  // Without the sessions the same rule sees no log.
  const bare = await world(
    around().map((one) => serialise(one)),
    { options: INVENTORY },
  );
  const { report: empty } = await report(bare.config, { impact });
  expect(empty.harms![0]!.untreated).toMatch(/saw no log/);
  expect(empty.findings.filter(({ kind, level }) => kind === "harm" && level === "gap").length).toBe(4);
});

test("a harm that only rules at rest watch is untreated, whatever they saw before", async () => {
  const own = wrote(
    "broken.yml",
    `title: Broken\nid: broken\nlogsource: {product: tapline}\ndetection: {s: {no.such.field: a}, condition: s}\n`,
  );
  const harms = `harms:
  - {id: H1, description: "a tool nobody sanctioned acts", rules: [execution_unsanctioned_tool]}
  - {id: H2, description: "the same, and a rule that runs", rules: [execution_unsanctioned_tool, exfiltration_dns]}
  - {id: H3, description: "only a broken one", rules: [broken]}
`;
  const impact = await readImpact(wrote("impact.yml", harms));
  const made = await world(everything(), { options: { rules: [own] } });
  const { report: found } = await report(made.config, { impact });
  const why = "rests: nothing defines %sanctioned_servers% and %sanctioned_tools%";
  expect(found.harms!.map(({ treated, untreated }) => [treated, untreated])).toEqual([
    [false, `none of its rules runs: Tool Outside the Inventory ${why}`],
    [true, undefined],
    [false, "none of its rules runs: Broken has an error: see `tapline rules lint`"],
  ]);
  expect(found.harms![1]!.rules.map(({ idle }) => idle)).toEqual([why, undefined]);
  const told = found.findings
    .filter(({ kind }) => kind === "harm")
    .map(({ level, text }) => `${level} ${text}`);
  expect(told).toEqual([
    expect.stringMatching(/^gap Harm H1, .* is untreated: none of its rules runs/),
    expect.stringMatching(/^gap Harm H3, /),
    `note Harm H2 names rules that do not run: Tool Outside the Inventory ${why}.`,
  ]);
  // A policy gives the values, as it does in a collector.
  const policy = wrote("policy.yml", "version: 1\nservers:\n  web: {command: [npx, web]}\n");
  const policed = await world(everything(), { options: { policy } });
  const { report: other } = await report(policed.config, { impact });
  expect(other.harms![0]!.treated).toBe(true);
});

test("harms are held against the rules of now, and the report says when the period names others", async () => {
  const impact = await readImpact(wrote("impact.yml", IMPACT));
  const notes = async (...hashes: string[]): Promise<string[]> => {
    const starts = hashes.map((set, i) =>
      serialise(
        event("collector-start", `2026-11-2${i + 1}T00:00:00.000Z`, {
          "event.id": `start-${i}`,
          "tapline.alert.ruleset_hash": set,
        }),
      ),
    );
    const other = event("collector-start", "2026-11-21T00:00:00.000Z", {
      "event.id": "other",
      "tapline.alert.ruleset_hash": "another-hosts",
      "tapline.upstream.origin": "tapline/laptop-7",
    });
    const all = [...everything(), ...starts, serialise(other)];
    const { report: found } = await report((await world(all)).config, { impact });
    return found.findings.flatMap(({ text }) => (text.startsWith("Harms are held") ? [text] : []));
  };
  expect(await notes()).toEqual([]);
  const [others] = await notes("0ld");
  const now = /set (\w+)\. The period names others: 0ld\.$/.exec(others!)![1]!;
  expect(await notes(now)).toEqual([]);
  expect(await notes(now, "0ld")).toEqual([expect.stringMatching(/The period names others too: 0ld\.$/)]);
});

test("what is wrong with an impact assessment is told at once", async () => {
  const text = `harms:\n  - {id: "a b", description: "", controls: [A.1.1]}\n  - {id: x, description: y, ruls: []}\n  - {id: x, description: z}\n`;
  const message = await readImpact(wrote("impact.yml", text)).then(
    () => "",
    (error: Error) => error.message,
  );
  for (const said of [
    /impact\.yml:2: .*an id/,
    /:2: harms\.0\.description/,
    /:2: .*no control of Annex A/,
    /:3: .*"rules"/,
  ])
    expect(message).toMatch(said);
});

test("coverage, exceptions and retention are those of the ledger", async () => {
  const { report: found } = await report((await world(everything())).config);
  const { coverage, exceptions, retention } = found;
  expect(coverage).toMatchObject({
    sources: [
      { name: "claude", expected: 1, silent: 0 },
      { name: "codex", expected: 1, silent: 1 },
    ],
    gaps: [
      { name: "truncated", events: 1 },
      { name: "unrecorded", events: 1 }, // of the session in mcp/decisions
    ],
    // Nothing was heard of the collector after that.
    longest_silence: { seconds: 388_800, from: "2026-11-23T12:00:00.000Z", where: "end" },
    starts: 1,
    stops: 0,
    records: { read: 100, recorded: 90, merged: 6, skipped: 4, by_reason: { progress: 4 } },
  });
  expect(exceptions.alerts.all).toBe(3);
  expect(exceptions.alerts.by_status).toEqual([
    { name: "open", events: 2 },
    { name: "closed", events: 1 },
  ]);
  expect(exceptions.incidents).toEqual({ all: 1, open: 1, closed: 0, late: 1 });
  expect(exceptions.rows.map(({ kind, id, status }) => [kind, id, status])).toEqual([
    ["incident", "5e0f0000", "open"],
    ["alert", "alert-2", "open"],
    ["alert", "alert-3", "open"],
    ["alert", "alert-1", "closed"],
  ]);
  expect(exceptions.rows.at(-1)).toMatchObject({ closed_by: "ann", verdict: "false_positive" });
  expect(retention).toMatchObject({ oldest: "2025-10-31T17:00:00.000Z", first_index: 0 });
});

test("of what was said of alerts the newest counts, and a report says what of it was not read", async () => {
  const said = (id: string, alert: string): string =>
    serialise(
      event("alert-triage", "2026-11-23T20:00:00.000Z", {
        "event.id": id,
        "user.name": "ann",
        "tapline.triage.transition": "closed",
        "tapline.triage.alert_ids": [alert],
      }),
    );
  const { config } = await world([...everything(), said("said-2", "alert-2"), said("said-3", "alert-3")]);
  const before = { ...LIMITS };
  Object.assign(LIMITS, { report_triage: 2, report_rows: 1 });
  try {
    const { report: found } = await report(config);
    const open = found.exceptions.rows.filter(({ kind, status }) => kind === "alert" && status === "open");
    expect(open.map(({ id }) => id)).toEqual(["alert-1"]);
    expect(found.exceptions.unread).toBe(1);
    const text = /^The oldest 1 event in which something was said of alerts was not read/;
    expect(found.findings.map((one) => one.text)).toContainEqual(expect.stringMatching(text));
    expect(JSON.stringify(exceptionsSheet(found))).toMatch(/was not read/);
  } finally {
    Object.assign(LIMITS, before);
  }
  expect((await report(config)).report.exceptions.unread).toBe(0);
});

test("silence is told wherever in the period it is, and not of a time before the collector was there", async () => {
  const day = (at: number): number => Date.UTC(2026, 10, at);
  const beat = (ms: number): string =>
    serialise(event("heartbeat", new Date(ms).toISOString(), { "event.id": `beat-${ms}` }));
  // Alive every eight minutes from the 5th to the 8th and from the 20th to the 21st; what it read is older.
  const every = (from: number, to: number): string[] =>
    Array.from({ length: (to - from) / 480_000 + 1 }, (_, i) => beat(from + i * 480_000));
  const old = serialise(event("tool-call", "2026-11-01T00:00:00.000Z", { "event.id": "old" }));
  // That another host's collector was alive says nothing of this one.
  const other = event("heartbeat", new Date(day(13)).toISOString(), {
    "event.id": "other",
    "tapline.upstream.origin": "tapline/laptop-7",
  });
  const all = [...every(day(5), day(8)), old, serialise(other), ...every(day(20), day(21))];
  const { config } = await world(all);
  const silence = async (from: number, to: number, now: number) => {
    const span = { from: day(from), to: day(to) };
    const asked = { from: "", to: "" };
    const { report: found } = await report(config, { ids: ["A.6.2.8"], span, asked, now_ms: day(now) });
    const said = found.findings.filter(({ text }) => text.startsWith("The collector gave no sign of life"));
    const { longest_silence: told } = found.coverage;
    expect(said).toHaveLength(told === null ? 0 : 1);
    return told === null ? null : [told.where, Date.parse(told.from), told.seconds / 86_400];
  };
  expect(await silence(1, 8, 30)).toBeNull();
  expect(await silence(5, 21, 30)).toEqual(["between", day(8), 12]);
  expect(await silence(10, 21, 30)).toEqual(["begin", day(10), 10]);
  expect(await silence(5, 18, 30)).toEqual(["end", day(8), 10]);
  expect(await silence(5, 18, 10)).toEqual(["end", day(8), 2]);
  expect(await silence(10, 12, 30)).toEqual(["all", day(10), 2]);
});

test("what retention removed is not counted or drawn, and the report says so", async () => {
  const many = [...everything(), ...everything(), ...everything()];
  const made = await world(many, { options: { retention: { days: 400 } } });
  await writePruned(join(made.dir, "ledger"), { first: 256, entry: many.length - 1, from: 256 });
  const { report: found } = await report(made.config);
  expect(many.length).toBeGreaterThan(256);
  expect(found.events.all).toBe(many.length - 256);
  expect(found.sample.events.every(({ index }) => index >= 256)).toBe(true);
  expect(found.retention.first_index).toBe(256);
  expect(found.retention.said.join(" ")).toMatch(
    /400 days after .* Entries before 256 were removed by retention/,
  );
});

test("the same evidence in other frameworks has its sources and its confidence", async () => {
  const { report: found } = await report((await world(everything())).config, { ids: ["A.6.2.8", "A.9.4"] });
  const { mappings } = readCrosswalk();
  for (const [of, row] of [
    ["nist_ai_rmf", found.crosswalk.nist_ai_rmf.find(({ id }) => id === "MEASURE 2.4")],
    ["eu_ai_act", found.crosswalk.eu_ai_act.find(({ id }) => id === "12(1)")],
  ] as const) {
    const [, confidence, sources] = mappings["A.6.2.8"]![of].find(([id]) => id === row!.id)!;
    const { direct } = found.controls.find(({ id }) => id === "A.6.2.8")!;
    expect(row!.controls).toEqual([{ id: "A.6.2.8", confidence, sources, events: direct }]);
  }
  for (const source of found.crosswalk.nist_ai_rmf.flatMap(({ controls }) =>
    controls.flatMap(({ sources }) => sources),
  ))
    expect(Object.keys(found.crosswalk.sources)).toContain(source);
});

test("integrity: what witnesses have seen, and what they have not", async () => {
  const made = await world(everything(), { cosigned: 60 });
  const { report: found } = await report(made.config);
  const size = made.documents.length;
  expect(found.integrity).toMatchObject({
    origin: "build-07.example/tapline",
    vkey: made.vkey,
    entries: size,
    covered: size,
    cosigned: { size: 60, by: [{ witness: "witness.example/w1", at: "2026-09-21T14:13:20.000Z" }] },
    open: 0,
    unwitnessed: size - 60,
  });
  for (const { index, witnesses } of found.sample.events)
    expect(witnesses).toEqual(index < 60 ? ["witness.example/w1"] : []);
});

test("integrity: who signs is who is configured to", async () => {
  const rung = async (options: Record<string, unknown>): Promise<string> =>
    (await report((await world(everything(), { options })).config)).report.integrity.rungs[0]!;
  expect(await rung({})).toMatch(/^the key of this host signed/);
  expect(await rung({ ledger: { signer: "/run/signer/socket" } })).toMatch(
    /^the signer at \/run\/signer\/socket signed/,
  );
});

test("a place without a ledger, and a ledger that nothing covers, are refused", async () => {
  const { config, dir } = await world(everything());
  rmSync(join(dir, "ledger", "checkpoint"));
  await expect(report(config)).rejects.toMatchObject({ code: "NOT_COVERED" });
  await expect(report({ ...config, state_dir: join(dir, "nowhere") })).rejects.toMatchObject({
    code: "NO_LEDGER",
  });
});

test("more entries than are looked at without a store are refused, and none is left out silently", async () => {
  const [one] = everything();
  const all = LIMITS.store_tail_entries;
  const { config } = await world(
    Array.from({ length: all + 1 }, (_, i) => one!.replace(/"id":"[^"]*"/, `"id":"e${i}"`)),
  );
  await expect(report(config)).rejects.toMatchObject({
    code: "STORE_BEHIND",
    message: expect.stringContaining(`knows ${all} of ${all + 1} entries`),
    remedy: expect.stringContaining("sink of type store"),
  });
}, 120_000);
