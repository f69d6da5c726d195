// What a report comes to for one control, in the two words that OSCAL has. `satisfied` only when events are direct
// evidence, checks were made and never failed, nothing is missing, and the organisation names its document; otherwise
// `not-satisfied`, with the reason: `fail` where the automated part failed, `other` where no program can decide.
import type { ControlReport, Finding } from "./model.ts";
import { counted, prose } from "./oscal-parts.ts";

interface Verdict {
  readonly state: "satisfied" | "not-satisfied";
  readonly reason: "pass" | "fail" | "other";
  readonly remarks: string;
}

const not = (reason: "fail" | "other", ...remarks: readonly string[]): Verdict => ({
  state: "not-satisfied",
  reason,
  remarks: remarks.join("\n\n"),
});

/** A finding bears on the controls that it names, and on all when it names none. */
export const bearsOn = (finding: Finding, control: string): boolean =>
  finding.controls.length === 0 || finding.controls.includes(control);

function missingOf({ id, gap, checks }: ControlReport, findings: readonly Finding[]): string[] {
  const texts = findings.filter((each) => each.level === "gap" && bearsOn(each, id)).map(({ text }) => text);
  const told = (what: string): boolean => texts.some((text) => text.includes(what));
  const failed = checks.filter(({ outcome }) => outcome === "fail").map(({ name }) => name);
  return [
    ...texts,
    ...(gap === undefined || told(gap) ? [] : [gap]),
    ...failed.filter((name) => !told(name)).map((name) => `the check ${name} failed`),
  ].map((text) => `Missing: ${prose(text)}`);
}

/** `findings` are those of the whole report. */
export function verdictOf(control: ControlReport, findings: readonly Finding[]): Verdict {
  const { evidence, direct, supporting, checks, result, soa } = control;
  const missing = missingOf(control, findings);
  if (evidence !== "direct")
    return not(
      "other",
      `No program decides on it. In support of what a document or process has to show: ${counted(supporting, "event")}.`,
      ...missing,
    );
  if (missing.length > 0 || result === "gap") return not("fail", "The automated part failed.", ...missing);
  if (direct === 0)
    return not("fail", "The automated part failed: no event of the period is evidence for it.");
  const unknown = checks.filter(({ outcome }) => outcome === "unknown").map(({ name }) => prose(name));
  if (unknown.length > 0) return not("other", `Checks could not tell: ${unknown.join(", ")}.`);
  if (checks.length === 0)
    return not(
      "other",
      `As evidence for it: ${counted(direct, "event")}. No check of it was made in the period.`,
    );
  const before = checks.filter(({ counts }) => counts.fail > 0);
  if (before.length > 0)
    return not(
      "other",
      `Checks pass at the end of the period and failed before: ${before.map(({ name, counts }) => `${prose(name)} (${counted(counts.fail, "time")})`).join(", ")}.`,
    );
  const passed = `The automated part passed: as evidence for it ${counted(direct, "event")}, and ${counted(checks.length, "check")} without a fault.`;
  if (soa?.status !== "implemented" || soa.reference.trim() === "")
    return not(
      "other",
      `${passed} No Statement of Applicability names the document that the control asks for and says it is implemented.`,
    );
  return {
    state: "satisfied",
    reason: "pass",
    remarks: `${passed} The Statement of Applicability says implemented and names ${prose(soa.reference)}, which no program has read.`,
  };
}
