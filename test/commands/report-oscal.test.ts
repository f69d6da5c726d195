// `tapline report` writes OSCAL into its pack: NIST's schema accepts it, its digests are those of the files, the manifest has
// it, a second pack of the same ledger and period has the same documents, and a statement of applicability is in it.
import { hash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { complaints } from "../evidence/oscal-schema.ts";
import { configure, newHome, tapline } from "./tapline.ts";

const home = newHome();
const config = configure(home, {
  sources: { sample: { type: "file", include: [join(process.cwd(), "sample/*.jsonl")] } },
  sinks: { local: { type: "store" } },
});
const PERIOD = ["--from", "2026-01-01", "--to", "2027-01-01"];
const NAMES = ["catalog", "profile", "component-definition", "assessment-plan", "assessment-results"];
const fileOf = (pack: string, path: string): string => readFileSync(join(home, pack, path), "utf8");
const oscal = (pack: string): string[] => NAMES.map((name) => fileOf(pack, `oscal/${name}.json`));

async function report(pack: string, ...more: string[]): Promise<void> {
  const { code, stderr } = await tapline(home, ["report", "-c", config, "--out", join(home, pack), ...more]);
  // A.2.4 is claimed without evidence.
  expect([code, stderr], pack).toEqual([more.includes("--soa") ? 1 : 0, ""]);
}

interface Results {
  "assessment-results": {
    results: [
      { findings: { title: string; target: { status: object; "implementation-status"?: object } }[] },
    ];
    "back-matter": { resources: { rlinks: [{ href: string; hashes: [{ value: string }] }] }[] };
  };
}
const resultsOf = (pack: string) => (JSON.parse(oscal(pack).at(-1)!) as Results)["assessment-results"];

beforeAll(async () => {
  expect((await tapline(home, ["run", "-c", config, "--once"])).code).toBe(0);
  await report("pack", ...PERIOD);
});

test("the documents are accepted, in the manifest, and name every file before them by its digest", () => {
  for (const [i, text] of oscal("pack").entries()) expect(complaints(text), NAMES[i]).toEqual([]);
  const manifest = JSON.parse(fileOf("pack", "manifest.json")) as {
    files: { path: string; sha256: string }[];
  };
  const named = resultsOf("pack")["back-matter"].resources.map(({ rlinks: [{ href, hashes }] }) => {
    const path = decodeURIComponent(href.replace("../", ""));
    expect(hash("sha256", readFileSync(join(home, "pack", path))), path).toBe(hashes[0].value);
    return path;
  });
  const inManifest = manifest.files.map(({ path }) => path);
  expect([...named, "oscal/assessment-results.json"].toSorted()).toEqual(inManifest.toSorted());
});

test("a second pack of the same ledger and period has the same documents", async () => {
  await report("again", ...PERIOD);
  const [one, two] = [oscal("pack"), oscal("again")];
  expect(two.slice(0, 4)).toEqual(one.slice(0, 4));
  // The results hold the digests of files that say when they were made, and an id of all that they say.
  const but = (text: string): string =>
    text.replaceAll(/"value": "[0-9a-f]{64}"/g, "").replace(/"uuid": "[^"]*"/, "");
  expect(but(two[4]!)).toBe(but(one[4]!));
});

test("the statement of applicability is in profile and results, and satisfies nothing by itself", async () => {
  const soa = join(home, "soa.yml");
  const row = 'applicable: true, status: implemented, owner: Ops, justification: "we run agents"';
  writeFileSync(
    soa,
    `organisation: Example
controls:
  A.6.2.8: {${row}, reference: "DOC-7"}
  A.2.4: {${row}, reference: "DOC-8"}
  A.10.4: {applicable: false, justification: "no [customers](x)"}
`,
  );
  await report("claimed", ...PERIOD, "--soa", soa);
  for (const [i, text] of oscal("claimed").entries()) expect(complaints(text), NAMES[i]).toEqual([]);
  const findings = new Map(
    resultsOf("claimed").results[0].findings.map(({ title, target }) => [title.split(" ")[0], target]),
  );
  expect(findings.get("A.6.2.8")).toMatchObject({
    status: { state: "not-satisfied", reason: "other" }, // no check was made
    "implementation-status": { state: "implemented" },
  });
  expect(findings.get("A.2.4")).toMatchObject({ status: { state: "not-satisfied", reason: "other" } });
  expect(findings.has("A.10.4")).toBe(false);
  const profile = JSON.parse(oscal("claimed")[1]!) as { profile: { metadata: { remarks: string } } };
  expect(profile.profile.metadata.remarks).toContain("A.10.4 does not apply: no \\[customers\\](x)");
});
