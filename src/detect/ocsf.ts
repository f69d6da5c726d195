// An alert as an OCSF Detection Finding (class 2004 of OCSF 1.8.0), for those who keep findings in that schema. Pure. What
// the schema has no place for goes to `unmapped` under its own name, so that nothing is lost.
import { evidencesOf, observablesOf, resourcesOf } from "./ocsf-evidence.ts";
import { Fields, type Shape, listed, shape, shapeWith } from "./ocsf-fields.ts";

/** Of the schema. */
const VERSION = "1.8.0";
const SEVERITIES = ["Unknown", "Informational", "Low", "Medium", "High", "Critical"];
/** What ECS needs and OCSF says in its own way. */
const ENVELOPE = [
  "data_stream.type",
  "ecs.version",
  "observer.product",
  "event.kind",
  "event.category",
  "event.type",
  "event.module",
  "event.severity",
];

/** The finding of a document of the alerts, nested as a sink gets it: an alert creates one; the summary of alerts that were
 * suppressed updates the one that was told. */
export function ocsfFinding(document: object): object {
  const f = new Fields(document, ENVELOPE);
  const updates = f.text("event.action") === "alert-suppressed";
  const uid = f.text("event.id") ?? "";
  const happened = f.time("@timestamp") ?? 0;
  const created = f.time("event.created") ?? happened;
  const start = f.time("tapline.alert.window.start") ?? happened;
  const end = f.time("tapline.alert.window.end") ?? happened;
  const level = f.text("tapline.alert.level");
  const severity = SEVERITIES.find((name) => name.toLowerCase() === level) ?? "Unknown";
  const ids = f.texts("tapline.alert.event_ids") ?? [];
  const count = f.number("tapline.alert.count") ?? ids.length;
  const reason = f.text("event.reason");
  const message = f.text("message") ?? reason;
  const finding_info = {
    ...findingInfo(f, ids, count),
    uid: f.text("tapline.alert.suppressed_by") ?? uid,
    ...(updates ? { modified_time: created } : { created_time: created }),
    first_seen_time: start,
    last_seen_time: end,
  };
  const evidences = evidencesOf(f, ids[0]);
  const finding = {
    activity_id: updates ? 2 : 1,
    activity_name: updates ? "Update" : "Create",
    category_uid: 2,
    category_name: "Findings",
    class_uid: 2004,
    class_name: "Detection Finding",
    type_uid: updates ? 200_402 : 200_401,
    type_name: `Detection Finding: ${updates ? "Update" : "Create"}`,
    time: created,
    start_time: start,
    end_time: end,
    count: updates ? count : undefined,
    severity_id: SEVERITIES.indexOf(severity),
    severity,
    ...(updates ? {} : { status_id: 1, status: "New" }),
    is_alert: !updates,
    message,
    risk_score: f.number("event.risk_score"),
    finding_info,
    evidences,
    resources: resourcesOf(f),
    device: shapeWith("hostname", f.text("host.name"), { type_id: 0, type: "Unknown" }),
    metadata: metadataOf(f, uid, created),
    observables: observablesOf(evidences?.[0]),
  };
  return shape({ ...finding, unmapped: f.rest })!;
}

function metadataOf(f: Fields, uid: string, created: number): Shape {
  const dataset = f.text("data_stream.dataset") ?? "tapline.alert";
  return shape({
    version: VERSION,
    product: shape({ name: "Tapline", vendor_name: "Tapline", version: f.text("observer.version") }),
    uid,
    log_name: `logs-${dataset}-${f.text("data_stream.namespace") ?? "default"}`,
    processed_time: created,
    sequence: f.number("event.sequence"),
  })!;
}

function findingInfo(f: Fields, ids: readonly string[], count: number): Shape {
  const tag = (name: string): Shape | undefined => {
    const values = f.texts(`tapline.control.${name}`);
    return values === undefined || values.length === 0 ? undefined : { name, values };
  };
  const title = f.text("rule.name");
  const source = f.text("tapline.source");
  return shape({
    title,
    desc: f.text("rule.description"),
    src_url: f.text("rule.reference"),
    analytic: shapeWith("uid", f.text("rule.id"), {
      name: title,
      type_id: 1,
      type: "Rule",
      category: f.text("rule.category"),
      version: f.text("rule.version"),
    }),
    attacks: attacksOf(f),
    data_sources: source === undefined ? undefined : [source],
    related_events: listed(ids.map((id) => ({ uid: id, type: "ECS event" }))),
    related_events_count: count,
    tags: listed([tag("iso42001"), tag("nist_ai_rmf"), tag("eu_ai_act")]),
  })!;
}

/** Tactics and techniques stand apart, since a rule does not pair them. */
function attacksOf(f: Fields): readonly Shape[] | undefined {
  const tactics = f.texts("threat.tactic.name") ?? [];
  const techniques = f.texts("threat.technique.id") ?? [];
  return listed([
    ...tactics.map((name) => ({ tactic: { name } })),
    ...techniques.map((uid) => {
      const whole = /^(.*T\d+)\.\d+$/.exec(uid)?.[1];
      return whole === undefined
        ? { technique: { uid } }
        : { technique: { uid: whole }, sub_technique: { uid } };
    }),
  ]);
}
