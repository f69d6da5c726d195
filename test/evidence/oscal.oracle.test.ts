// The export to OSCAL by compliance-trestle, which reads OSCAL with models of its own: it imports and validates every
// document, resolves the profile against the catalog, and refuses what is broken.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Pack } from "../../src/evidence/model.ts";
import { oscalOf } from "../../src/evidence/oscal.ts";
import { TRESTLE, python } from "../python.ts";
import { CROSSWALK, MAP, anyPack, goodPack } from "./any-report.ts";

const interpreter = python(TRESTLE);
const program = join(import.meta.dirname, "../oracle/oscal_trestle.py");
const NAMES = ["catalog", "profile", "component-definition", "assessment-plan", "assessment-results"];

interface Answer {
  imported: Record<string, number>;
  validated: number;
  resolved: Record<string, string[]> | null;
}
const documents = (pack: Pack): Record<string, string> =>
  Object.fromEntries(
    oscalOf(pack, MAP, CROSSWALK).map(({ path, text }) => [
      path.slice("oscal/".length, -".json".length),
      text,
    ]),
  );
const ask = (workspaces: readonly Record<string, string>[]): Answer[] =>
  JSON.parse(
    execFileSync(interpreter!, [program], {
      input: JSON.stringify(workspaces),
      encoding: "utf8",
      stdio: ["pipe", "pipe", "ignore"],
      maxBuffer: 64 * 1024 * 1024,
    }),
  ) as Answer[];

test.skipIf(interpreter === undefined)(
  "trestle imports, validates and resolves what is exported, and refuses what is broken",
  () => {
    const good = documents(goodPack());
    const broken = [
      { catalog: good["catalog"]!.replace('"id": "a-6-2-8"', '"id": "6.2.8"') },
      { profile: good["profile"]!.replace('"imports"', '"takes"') },
      { "component-definition": good["component-definition"]!.replace('"control-id"', '"control"') },
      { "assessment-plan": good["assessment-plan"]!.replace('"import-ssp"', '"import-nothing"') },
      {
        "assessment-results": good["assessment-results"]!.replace(
          '"state": "satisfied"',
          '"state": "partially"',
        ),
      },
      // Two observations with one id.
      { "assessment-results": doubled(good["assessment-results"]!) },
    ];
    const any = fc.sample(anyPack, { numRuns: 5, seed: 42 }).map(documents);
    const [first, ...rest] = ask([good, ...any, ...broken]);
    expect(first!.imported).toEqual(Object.fromEntries(NAMES.map((name) => [name, 0])));
    expect(first!.validated).toBe(0);
    expect(Object.keys(first!.resolved!).length).toBe(38);
    expect(first!.resolved!["a-6-2-8"]).toEqual([
      "assessment-objective",
      "assessment-method",
      "assessment-method",
    ]);
    expect(first!.resolved!["a-2-2"]).toEqual([]);
    for (const { imported, validated } of rest.slice(0, any.length))
      expect([Object.values(imported), validated]).toEqual([NAMES.map(() => 0), 0]);
    for (const [i, { imported }] of rest.slice(any.length).entries())
      for (const [name, code] of Object.entries(imported)) expect(code, `${i} ${name}`).not.toBe(0);
  },
  600_000,
);

/** The second observation has the id of the first. */
function doubled(text: string): string {
  const parsed = JSON.parse(text) as {
    "assessment-results": { results: [{ observations: { uuid: string }[] }] };
  };
  const [one, two] = parsed["assessment-results"].results[0].observations;
  two!.uuid = one!.uuid;
  return JSON.stringify(parsed);
}
