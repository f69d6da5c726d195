// `tapline report --out DIR`: makes a report and writes its pack. Recorded before the first byte is written.
import { join } from "node:path";
import type { Config } from "../../config.ts";
import { closest } from "../../core/suggest.ts";
import { plain } from "../../core/said.ts";
import { n } from "../../core/words.ts";
import { readImpact } from "../../evidence/impact.ts";
import { signerOf } from "../../evidence/manifest.ts";
import type { Report } from "../../evidence/model.ts";
import { writePack } from "../../evidence/pack.ts";
import { makeReport } from "../../evidence/report.ts";
import { CONTROL_IDS, readSoa } from "../../evidence/soa.ts";
import { textOfFile } from "../../evidence/yaml-file.ts";
import { actor, submitRecord } from "../../incident/submit.ts";
import { ALWAYS, parsePoint } from "../../viewer/times.ts";
import { isCollecting } from "../incident/shared.ts";
import { UsageError, readArgs, readConfig, readNumber } from "../usage.ts";

function pointOf(text: string | undefined, option: string, now_ms: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = parsePoint(text, now_ms);
  if (ms !== undefined) return ms;
  throw new UsageError(
    `${option} takes a day, a time with its zone (2026-11-01T00:00:00+01:00) or now-90d, not "${text}"`,
  );
}

function controlsOf(named: readonly string[]): string[] {
  for (const id of named) {
    if (CONTROL_IDS.includes(id)) continue;
    const near = closest(id, CONTROL_IDS);
    throw new UsageError(
      `Annex A has no control "${id}"${near === undefined ? "" : ` (did you mean ${near}?)`}`,
    );
  }
  return named.length === 0 ? CONTROL_IDS : CONTROL_IDS.filter((id) => named.includes(id));
}

export async function makePack(argv: readonly string[]): Promise<number> {
  const options = {
    config: { type: "string", short: "c" },
    control: { type: "string", multiple: true },
    from: { type: "string" },
    to: { type: "string" },
    soa: { type: "string" },
    impact: { type: "string" },
    seed: { type: "string" },
    key: { type: "string" },
    out: { type: "string" },
    json: { type: "boolean" },
  } as const;
  const { values } = readArgs(argv, { options });
  if (values.out === undefined) throw new UsageError("--out is needed: the directory of the pack");
  const config = await readConfig(values.config);
  const now_ms = Date.now();
  const span = {
    from: pointOf(values.from, "--from", now_ms) ?? ALWAYS.from,
    to: pointOf(values.to, "--to", now_ms) ?? Math.ceil(now_ms / 1_000) * 1_000,
  };
  if (span.from >= span.to) throw new UsageError("--from is before --to");
  const ids = controlsOf(values.control ?? []);
  const [soa_file, impact_file] = [values.soa ?? config.soa, values.impact ?? config.impact];
  const soa = soa_file === undefined ? undefined : await readSoa(soa_file);
  const impact = impact_file === undefined ? undefined : await readImpact(impact_file);
  const signer = await signerOf(join(config.state_dir, "ledger"), values.key, config.ledger.signer);
  const user = actor();
  const made = await makeReport(config, {
    ids,
    span,
    asked: { from: values.from ?? null, to: values.to ?? null },
    soa,
    impact,
    seed: readNumber(values.seed, "--seed"),
    made_by: user.name || user.id,
    now_ms,
  });
  try {
    record(config, made.report, user);
    const attached = new Map<string, string>();
    if (soa_file !== undefined) attached.set("statement-of-applicability.yml", await textOfFile(soa_file));
    if (impact_file !== undefined) attached.set("impact-assessment.yml", await textOfFile(impact_file));
    await writePack(values.out, made, { signer, attached });
    if (values.json === true) console.log(JSON.stringify(made.report));
    else {
      print(made.report, values.out, signer !== undefined);
      if (!isCollecting(config.state_dir))
        console.log("recorded   no collector runs: the export is recorded when a collector next runs");
    }
  } finally {
    await made.close();
  }
  return made.report.findings.some(({ level }) => level === "gap") ? 1 : 0;
}

/** What leaves is an entry of the ledger, as an export of the viewer's is. */
function record(
  { state_dir }: Config,
  { period, sample, controls }: Report,
  user: { name: string; id: string },
): void {
  submitRecord(state_dir, {
    submit: "export",
    ts: new Date().toISOString(),
    user,
    kind: "evidence",
    subject: `report ${controls.length === CONTROL_IDS.length ? "all controls" : controls.map(({ id }) => id).join(" ")}`,
    from: period.from,
    to: period.to,
    indexes: sample.events.map(({ index }) => index),
  });
}

function print(
  { findings, controls, sample, period, integrity }: Report,
  out: string,
  signed: boolean,
): void {
  for (const { level, text } of findings)
    console.log(`${level === "gap" ? "GAP  " : "note "} ${plain(text)}`);
  const shown = controls.filter(({ result }) => result === "evidence").map(({ id }) => id);
  console.log(`period     ${period.from} to ${period.to} (UTC)`);
  console.log(`evidence   ${shown.length === 0 ? "none of the controls asked for" : shown.join(", ")}`);
  console.log(
    `sample     ${n(sample.events.length)} events, seed ${sample.seed}, each with its proof under ${integrity.origin} at ${n(integrity.covered)}`,
  );
  console.log(
    `pack       ${out}${signed ? "" : " (its manifest is not signed: the ledger's key, or its signer, is not at hand)"}`,
  );
}
