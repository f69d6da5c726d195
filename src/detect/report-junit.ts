// Results of tests as JUnit XML, which every CI system reads. Writes no files.

export interface CaseResult {
  readonly name: string;
  /** Why it failed; undefined when it passed or was skipped. */
  readonly failure?: string;
  readonly skipped?: string;
}

export interface RuleResult {
  readonly file: string;
  readonly rule: string;
  readonly id: string;
  readonly cases: readonly CaseResult[];
}

export function junit(results: readonly RuleResult[]): string {
  const suites = results.map((result) => {
    const cases = result.cases.map((one) => {
      const head = `    <testcase classname="${escape(result.rule)}" name="${escape(one.name)}"`;
      if (one.failure !== undefined)
        return `${head}>\n      <failure message="${escape(one.failure)}"/>\n    </testcase>`;
      if (one.skipped !== undefined)
        return `${head}>\n      <skipped message="${escape(one.skipped)}"/>\n    </testcase>`;
      return `${head}/>`;
    });
    return `  <testsuite name="${escape(result.file)}" ${counts(result.cases)}>\n${cases.join("\n")}\n  </testsuite>`;
  });
  const all = results.flatMap((result) => result.cases);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="tapline rules" ${counts(all)}>\n${suites.join("\n")}\n</testsuites>\n`;
}

function counts(cases: readonly CaseResult[]): string {
  const failures = cases.filter((one) => one.failure !== undefined).length;
  const skipped = cases.filter((one) => one.skipped !== undefined).length;
  return `tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}"`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text of an attribute. XML has no place for most control characters, escaped or not. */
function escape(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\ufffe\uffff]/gu, " ")
    .replace(/[&<>"]/g, (c) => ENTITIES[c]!);
}
