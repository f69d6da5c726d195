// Control tags: the 38 ids and titles pinned, tags within them, mappings within the frameworks.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { eventOf, tagPersonDecided } from "../../src/core/event.ts";
import { CLASSES } from "../../src/core/generated/classes.ts";

const PINNED = [
  ["A.2.2", "AI policy"],
  ["A.2.3", "Alignment with other organizational policies"],
  ["A.2.4", "Review of the AI policy"],
  ["A.3.2", "AI roles and responsibilities"],
  ["A.3.3", "Reporting of concerns"],
  ["A.4.2", "Resource documentation"],
  ["A.4.3", "Data resources"],
  ["A.4.4", "Tooling resources"],
  ["A.4.5", "System and computing resources"],
  ["A.4.6", "Human resources"],
  ["A.5.2", "AI system impact assessment process"],
  ["A.5.3", "Documentation of AI system impact assessments"],
  ["A.5.4", "Assessing AI system impact on individuals or groups of individuals"],
  ["A.5.5", "Assessing societal impacts of AI systems"],
  ["A.6.1.2", "Objectives for responsible development of AI system"],
  ["A.6.1.3", "Processes for responsible AI system design and development"],
  ["A.6.2.2", "AI system requirements and specification"],
  ["A.6.2.3", "Documentation of AI system design and development"],
  ["A.6.2.4", "AI system verification and validation"],
  ["A.6.2.5", "AI system deployment"],
  ["A.6.2.6", "AI system operation and monitoring"],
  ["A.6.2.7", "AI system technical documentation"],
  ["A.6.2.8", "AI system recording of event logs"],
  ["A.7.2", "Data for development and enhancement of AI system"],
  ["A.7.3", "Acquisition of data"],
  ["A.7.4", "Quality of data for AI systems"],
  ["A.7.5", "Data provenance"],
  ["A.7.6", "Data preparation"],
  ["A.8.2", "System documentation and information for users"],
  ["A.8.3", "External reporting"],
  ["A.8.4", "Communication of incidents"],
  ["A.8.5", "Information for interested parties"],
  ["A.9.2", "Processes for responsible use of AI systems"],
  ["A.9.3", "Objectives for responsible use of AI system"],
  ["A.9.4", "Intended use of the AI system"],
  ["A.10.2", "Allocating responsibilities"],
  ["A.10.3", "Suppliers"],
  ["A.10.4", "Customers"],
];
const controls = parse(readFileSync("mappings/controls.yml", "utf8")) as {
  controls: Record<string, { title: string; evidence: string }>;
};
const crosswalk = parse(readFileSync("mappings/crosswalk.yml", "utf8")) as {
  mappings: Record<string, { nist_ai_rmf: [string][]; eu_ai_act: [string][] }>;
};

test("the 38 controls of Annex A, ids and titles", () => {
  expect(PINNED.length).toBe(38);
  const rows = Object.entries(controls.controls).map(([id, { title }]) => [id, title]);
  expect(rows.toSorted()).toEqual(PINNED.toSorted());
});

test("exactly three controls are evidenced directly, and only they are tagged direct", () => {
  const direct = Object.entries(controls.controls).filter(([, c]) => c.evidence === "direct");
  expect(direct.map(([id]) => id).toSorted()).toEqual(["A.6.2.6", "A.6.2.8", "A.9.4"]);
  for (const c of Object.values(CLASSES)) {
    for (const id of c.direct) expect(["A.6.2.6", "A.6.2.8", "A.9.4"]).toContain(id);
    for (const id of c.supporting)
      expect(controls.controls[id]?.evidence, `${c.name} ${id}`).toBe("supporting");
    expect([...c.iso42001]).toEqual([...c.direct, ...c.supporting].toSorted());
  }
});

test("a decision that a person took is evidence for roles too, and nothing else is", () => {
  const more = Object.values(CLASSES).flatMap((c) => ("by_user" in c ? [c] : []));
  expect(more.map((c) => c.name)).toEqual(["tool-call-decision"]);
  for (const { by_user, direct, supporting } of more) {
    expect([...by_user.supporting]).toEqual([...supporting, "A.3.2"]);
    expect([...by_user.iso42001]).toEqual([...direct, ...by_user.supporting].toSorted());
  }
  const origin = { namespace: "default", host: "h", version: "0" };
  const tagsOf = (action: "tool-call-decision" | "tool-result") => {
    const e = eventOf(action, origin);
    tagPersonDecided(e);
    return e["tapline.control.iso42001"]!;
  };
  expect(tagsOf("tool-call-decision")).toContain("A.3.2");
  expect(tagsOf("tool-result")).not.toContain("A.3.2");
});

test("mappings name subcategories that exist, and every class is tagged for its log", () => {
  const counts = {
    GOVERN: [7, 3, 2, 3, 2, 2],
    MAP: [6, 3, 5, 2, 2],
    MEASURE: [3, 13, 3, 3],
    MANAGE: [4, 4, 2, 3],
  };
  const known = Object.entries(counts).flatMap(([name, list]) =>
    list.flatMap((n, i) => Array.from({ length: n }, (_, k) => `${name} ${i + 1}.${k + 1}`)),
  );
  expect(known.length).toBe(72);
  for (const { nist_ai_rmf } of Object.values(crosswalk.mappings)) {
    for (const [id] of nist_ai_rmf) expect(known).toContain(id);
  }
  for (const c of Object.values(CLASSES)) expect([...c.direct], c.name).toContain("A.6.2.8");
});
