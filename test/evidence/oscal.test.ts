// The export to OSCAL by NIST's schema: every report gives documents that it accepts, whose references lead somewhere and
// whose bytes come out the same; and no report makes a control satisfied that is not.
import { hash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Pack } from "../../src/evidence/model.ts";
import { oscalOf } from "../../src/evidence/oscal.ts";
import { prose, uuid5 } from "../../src/evidence/oscal-parts.ts";
import { verdictOf } from "../../src/evidence/oscal-verdict.ts";
import { CROSSWALK, MAP, anyPack, goodPack } from "./any-report.ts";
import { complaints } from "./oscal-schema.ts";

const exported = (pack: Pack) => oscalOf(pack, MAP, CROSSWALK);

interface Finding {
  title: string;
  target: { "target-id": string; status: { state: string; reason: string; remarks: string } };
  "related-observations": { "observation-uuid": string }[];
}
interface Results {
  results: [{ findings: Finding[]; observations: { uuid: string; collected: string }[] }];
  "back-matter": { resources: { uuid: string; rlinks: { href: string; hashes: { value: string }[] }[] }[] };
}
const documentOf = (pack: Pack, name: string): Record<string, unknown> => {
  const { text } = exported(pack).find(({ path }) => path === `oscal/${name}.json`)!;
  return (JSON.parse(text) as Record<string, Record<string, unknown>>)[name]!;
};
const resultsOf = (pack: Pack) => documentOf(pack, "assessment-results") as unknown as Results;
const statuses = (pack: Pack) =>
  Object.fromEntries(
    resultsOf(pack).results[0].findings.map(({ title, target }) => [
      title.split(" ")[0],
      `${target.status.state} ${target.status.reason}`,
    ]),
  );

/** Every value under a key, at any depth. */
function* under(value: unknown, key: string): Generator<string> {
  if (typeof value !== "object" || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (name === key && typeof inner === "string") yield inner;
    else yield* under(inner, key);
  }
}

test("five documents, accepted by NIST's schema", () => {
  const documents = exported(goodPack());
  expect(documents.map(({ path }) => path)).toEqual(
    ["catalog", "profile", "component-definition", "assessment-plan", "assessment-results"].map(
      (name) => `oscal/${name}.json`,
    ),
  );
  for (const { path, text } of documents) expect(complaints(text), path).toEqual([]);
});

test("the schema rejects what is broken", () => {
  const broken: [string, (document: string) => string][] = [
    ["assessment-results", (text) => text.replace('"import-ap"', '"import-nothing"')],
    ["assessment-results", (text) => text.replace('"state": "satisfied"', '"state": "partially"')],
    ["assessment-results", (text) => text.replace('"SHA-256"', '"SHA 256 "')],
    ["assessment-plan", (text) => text.replace('"import-ssp"', '"import-nothing"')],
    ["catalog", (text) => text.replace('"id": "a-6-2-8"', '"id": "6.2.8"')],
    ["profile", (text) => text.replace('"imports"', '"takes"')],
    ["component-definition", (text) => text.replace(/"value": "0\.1\.0"|"value": "1[^"]*"/, '"value": " "')],
  ];
  for (const [name, breaks] of broken) {
    const { text } = exported(goodPack()).find(({ path }) => path === `oscal/${name}.json`)!;
    expect(breaks(text), name).not.toBe(text);
    expect(complaints(breaks(text)), name).not.toEqual([]);
  }
});

test("every report gives documents that the schema accepts and whose references lead somewhere", () => {
  fc.assert(
    fc.property(anyPack, (pack) => {
      const documents = exported(pack);
      expect(exported(structuredClone(pack))).toEqual(documents);
      const parsed = documents.map(({ text }) => JSON.parse(text) as unknown);
      for (const { text } of documents) expect(complaints(text)).toEqual([]);
      const ids = parsed.flatMap((document) => [...under(document, "uuid")]);
      const results = parsed.at(-1);
      for (const key of ["observation-uuid", "actor-uuid", "subject-uuid", "component-uuid", "activity-uuid"])
        for (const document of parsed) for (const id of under(document, key)) expect(ids, key).toContain(id);
      for (const href of under(results, "href"))
        if (href.startsWith("#")) expect(ids).toContain(href.slice(1));
      const own = [...under(results, "uuid")];
      expect(new Set(own).size).toBe(own.length);
      const objectives = [...under(parsed[1], "id")];
      for (const id of under(results, "target-id")) expect(objectives).toContain(id);
    }),
    { numRuns: process.env["TAPLINE_FULL"] === undefined ? 60 : 2_000 },
  );
}, 1_800_000);

test("nothing is satisfied that events, checks and the organisation's document do not all show", () => {
  fc.assert(
    fc.property(anyPack, (pack) => {
      for (const control of pack.report.controls) {
        const { state, reason } = verdictOf(control, pack.report.findings);
        if (state === "not-satisfied") expect(reason).not.toBe("pass");
        else {
          const { evidence, direct, gap, result, soa, checks, id } = control;
          expect([evidence, direct > 0, gap, result !== "gap"]).toEqual(["direct", true, undefined, true]);
          expect([soa!.status, soa!.reference.trim() !== ""]).toEqual(["implemented", true]);
          expect(
            checks.length > 0 &&
              checks.every(({ outcome, counts }) => outcome === "pass" && counts.fail === 0),
          ).toBe(true);
          const named = pack.report.findings.filter(
            ({ level, controls }) => level === "gap" && (controls.length === 0 || controls.includes(id)),
          );
          expect(named).toEqual([]);
        }
      }
    }),
    { numRuns: 300 },
  );
});

const only = (id: string, change: object) => goodPack((control) => (control.id === id ? change : {}));
const check = (outcome: "fail" | "unknown" | "pass") => ({
  name: "retention",
  outcome,
  detail: "d",
  at: "2026-10-30T00:00:00.000Z",
  index: 9,
  controls: ["A.6.2.8"],
  counts: { pass: 1, fail: 0, unknown: 0 },
});

test("a finding says why: passed, failed, or not for a program to decide", () => {
  const good = statuses(goodPack());
  expect(good["A.6.2.8"]).toBe("satisfied pass");
  expect(good["A.9.4"]).toBe("not-satisfied other"); // the automated part passed, nobody names a document
  expect(good["A.9.2"]).toBe("not-satisfied other"); // supporting, though the statement says implemented
  expect(good["A.2.2"]).toBeUndefined(); // nothing here speaks to it
  for (const [change, status] of [
    [{ direct: 0 }, "not-satisfied fail"],
    [{ result: "gap", gap: "Said implemented, without evidence." }, "not-satisfied fail"],
    [{ checks: [check("pass")] }, "satisfied pass"],
    [{ checks: [] }, "not-satisfied other"], // nothing was tried
    [{ checks: [{ ...check("pass"), counts: { pass: 9, fail: 1, unknown: 0 } }] }, "not-satisfied other"],
    [{ checks: [check("fail")] }, "not-satisfied fail"],
    [{ checks: [check("unknown")] }, "not-satisfied other"],
    [{ soa: undefined }, "not-satisfied other"],
    [{ soa: { ...goodPack().report.controls[0]!.soa, status: "planned" } }, "not-satisfied other"],
    [{ soa: { ...goodPack().report.controls[0]!.soa, reference: " " } }, "not-satisfied other"],
    [{ soa: { ...goodPack().report.controls[0]!.soa, applicable: false } }, undefined],
  ] as const) {
    expect(statuses(only("A.6.2.8", change))["A.6.2.8"], JSON.stringify(change)).toBe(status);
  }
  const { report, files } = goodPack();
  const findings = [
    { level: "gap" as const, kind: "integrity" as const, text: "No checkpoint.", controls: [] },
  ];
  expect(statuses({ report: { ...report, findings }, files })["A.6.2.6"]).toBe("not-satisfied fail");
});

test("what is missing is in the words of the finding", () => {
  const { findings } = resultsOf(only("A.6.2.8", { gap: "Nothing was logged in *May*." })).results[0];
  const { remarks } = findings.find(({ title }) => title.startsWith("A.6.2.8 "))!.target.status;
  expect(remarks).toContain("Missing: Nothing was logged in \\*May\\*.");
});

test("ids follow from origin, head and period, and the same report gives the same bytes whenever it is made", () => {
  const { report, files } = goodPack();
  const text = (change: object) =>
    exported({ report: { ...report, ...change }, files }).map((each) => each.text);
  const at = text({});
  expect(text({ made_at: "2031-01-01T00:00:00.000Z", made_by: "another", host: "another" })).toEqual(at);
  const observed = (change: object) =>
    resultsOf({ report: { ...report, ...change }, files }).results[0].observations.map(({ uuid }) => uuid);
  for (const change of [
    { integrity: { ...report.integrity, origin: "other" } },
    { integrity: { ...report.integrity, covered: 521 } },
    { integrity: { ...report.integrity, root: "other" } },
    { period: { ...report.period, from: "2026-09-01T00:00:00.000Z" } },
  ])
    expect(observed(change)).not.toEqual(observed({}));
  const [catalog, profile] = text({ integrity: { ...report.integrity, covered: 521 } });
  expect([catalog, profile]).toEqual(at.slice(0, 2)); // a tool imports them once
  expect(
    documentOf({ report: { ...report, limits: ["other"] }, files }, "assessment-results")["uuid"],
  ).not.toBe(documentOf({ report, files }, "assessment-results")["uuid"]);
});

test("the results name every file of the pack and the other documents by SHA-256", () => {
  const pack = goodPack();
  const [results, ...others] = exported(pack).toReversed();
  const { resources } = (JSON.parse(results!.text) as { "assessment-results": Results })[
    "assessment-results"
  ]["back-matter"];
  const named = resources.map(({ rlinks: [link] }) => [link!.href, link!.hashes[0]!.value]);
  const expected = [
    ...pack.files.map(({ path, sha256 }) => [`../${path}`, sha256]),
    ...others.map(({ path, text }) => [`../${path}`, hash("sha256", text)]),
  ];
  expect(named.toSorted()).toEqual(expected.toSorted());
});

test("the catalog has the 38 controls in their groups, and nothing of the standard's text", () => {
  const { groups } = documentOf(goodPack(), "catalog") as {
    groups: { id: string; controls: { id: string; title: string; props: object[] }[] }[];
  };
  expect(groups.map(({ id, controls }) => `${id} ${controls.length}`)).toEqual(
    ["2 3", "3 2", "4 5", "5 4", "6-1 2", "6-2 7", "7 5", "8 4", "9 3", "10 3"].map((row) => `a-${row}`),
  );
  for (const control of groups.flatMap(({ controls }) => controls))
    expect(Object.keys(control)).toEqual(["id", "title", "props"]);
  const [one] = exported(only("A.6.2.8", {}));
  const { report, files } = goodPack();
  const [asked] = exported({ report: { ...report, controls: report.controls.slice(0, 1) }, files });
  expect(asked).toEqual(one); // whatever controls a report is about
});

test("ids are UUIDs of version 5, as Python makes them", () => {
  // RFC 9562, appendix A.4
  expect(uuid5("www.example.com", "6ba7b810-9dad-11d1-80b4-00c04fd430c8")).toBe(
    "2ed6657d-e927-568b-95e1-2665a8aea6a2",
  );
  // uuid.uuid5(uuid.NAMESPACE_OID, …) of Python
  for (const [name, id] of [
    ["", "0a68eb57-c88a-5f34-9e9d-27f85e68af4f"],
    ["observation events A.6.2.8", "7a1b99f2-e4ad-5b49-b873-0d8d7e7930bc"],
    ["ü\u2028", "5670caa7-85f9-5234-b2fe-92bce42782a8"],
  ] as const)
    expect(uuid5(name, "6ba7b812-9dad-11d1-80b4-00c04fd430c8")).toBe(id);
});

test("somebody else's text is no Markdown", () => {
  expect(prose(" a\n<b>[c](javascript:d) ![e](f) {{ g }} \u2028*h*_i_`j` ")).toBe(
    "a \\<b\\>\\[c\\](javascript:d) \\!\\[e\\](f) \\{\\{ g \\}\\} \\*h\\*\\_i\\_\\`j\\`",
  );
  expect([prose(""), prose("\u0000 ")]).toEqual(["-", "-"]);
});
